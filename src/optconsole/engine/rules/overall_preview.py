"""What changed overall rules would mean for a running strategy, before they are accepted (features SX-10). Pure.

The new trigger is counted from the present basis of entry, so that it may lie behind the money already: a stop that is
set tighter than today's loss would close the run at once.
"""

from __future__ import annotations

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Overall
from optconsole.engine.model.run_state import Floor
from optconsole.engine.rules.overall import raised, relaid, watch
from optconsole.engine.rules.overall_market import OverallExit
from optconsole.engine.rules.profit_ladder import PartExit
from optconsole.engine.rules.run_money import RunFacts, amount, mtm


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Paise of MTM: now, the new stop or floor, the new target, and how far away each is. None is unknown or none.

    ``fires`` is the code under which the change would close the run, or a part of it, at once; ``why`` says so.
    """

    mtm: int | None
    stop: int | None
    target: int | None
    to_stop: int | None
    to_target: int | None
    fires: ExitCode | None
    closes_part: bool
    why: str


def preview(changed: Overall, floor: Floor, facts: RunFacts) -> Preview:
    """What ``changed`` would do now, with the peak and the rungs as they have come to be."""
    total = mtm(facts, net=changed.net)
    fresh = relaid(floor)
    stop = raised(changed, fresh, facts.entered, fresh.peak).level
    target = None if changed.target is None else amount(changed.target, facts.entered, up=True)
    _, verdict = watch(changed, fresh, facts)
    return Preview(
        mtm=total,
        stop=stop,
        target=target,
        to_stop=None if total is None or stop is None else total - stop,
        to_target=None if total is None or target is None else target - total,
        fires=verdict.code if isinstance(verdict, OverallExit) else None,
        closes_part=isinstance(verdict, PartExit) and bool(verdict.cuts),
        why="" if verdict is None else verdict.why,
    )
