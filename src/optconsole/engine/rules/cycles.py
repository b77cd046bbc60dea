"""What follows the exit of a whole run (features 1.7, overall re-entry). Pure.

Each cycle has an MTM of its own: it begins with a fresh ``Floor`` and only the entries, holdings and realised money
of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from optconsole.engine.model.exit_codes import OVERALL_STOPS, ExitCode
from optconsole.engine.model.overall_rules import Again, Overall
from optconsole.engine.model.run_state import ArmedCycle, Counters
from optconsole.engine.model.triggers import Momentum
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.momentum import begin_combined, combined_moved
from optconsole.engine.rules.reentries import Denial, NoReentry
from optconsole.engine.rules.triggers import Fired


class RunAgain(msgspec.Struct, frozen=True):
    """Begin the next cycle now, with every side turned for ``reverse``."""

    reverse: bool
    why: str


def next_cycle(
    overall: Overall, code: ExitCode, at: datetime, counters: Counters, *, ends: datetime | None, settled: bool = True
) -> ArmedCycle | NoReentry:
    """The cycle that an overall exit arms. ``settled`` is False while the outcome of any of its orders is unknown."""
    if not settled:
        return NoReentry(Denial.EXIT_UNKNOWN, "The outcome of the run's exit is not known yet.")
    if code is ExitCode.MANUAL:
        return NoReentry(Denial.MANUAL, "The run was squared off by hand, so it stays out for the day.")
    target = code is ExitCode.OVR_TGT
    if not target and code not in OVERALL_STOPS:
        return NoReentry(Denial.NOT_THIS_EXIT, f"The run was left by {code}, after which nothing is entered.")
    rule = overall.on_target if target else overall.on_stop
    if rule is None:
        return NoReentry(Denial.NO_RULE, f"The run has no re-entry after {code}.")
    if _used(counters, target=target) >= rule.times:
        return NoReentry(Denial.USED_UP, f"The run has had its {rule.times} cycles after {code}.")
    due = at + timedelta(seconds=rule.delay)
    if ends is not None and due >= ends:
        return NoReentry(
            Denial.TOO_LATE, f"The next cycle could begin at {due:%H:%M:%S}, but only till {ends:%H:%M:%S}."
        )
    return ArmedCycle(how=rule.how, target=target, due=due, ends=ends, move=rule.move)


def cycle_due(
    armed: ArmedCycle, now: datetime, combined: int | None
) -> RunAgain | ArmedCycle | NoReentry | Blind | None:
    """What this instant means for an armed cycle. ``combined`` is the signed premium of all legs, one lot each."""
    if armed.ends is not None and now >= armed.ends:
        return NoReentry(Denial.TOO_LATE, f"The next cycle did not begin before {armed.ends:%H:%M:%S}.")
    if now < armed.due:
        return None
    if armed.how is not Again.MOMENTUM:
        return RunAgain(armed.how is Again.REVERSE, "The time of the next cycle has come.")
    if armed.reference is None and combined is not None:
        return msgspec.structs.replace(armed, reference=combined)
    rule = Momentum(amount=armed.move, percent=True)
    answer = combined_moved(rule, begin_combined(rule, armed.reference or 0, armed.due), combined)
    return RunAgain(False, answer.why) if isinstance(answer, Fired) else answer


def cycle_taken(counters: Counters, armed: ArmedCycle) -> Counters:
    """The counters once the next cycle has begun: legs count anew in it, and those barred by hand stay barred."""
    return Counters(
        barred=counters.barred,
        cycles_after_stop=counters.cycles_after_stop + (not armed.target),
        cycles_after_target=counters.cycles_after_target + armed.target,
    )


def _used(counters: Counters, *, target: bool) -> int:
    return counters.cycles_after_target if target else counters.cycles_after_stop
