"""What follows the exit of a whole run."""

from __future__ import annotations

import pytest

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Again, Overall, OverallReentry
from optconsole.engine.model.run_state import ArmedCycle, Counters
from optconsole.engine.rules.cycles import RunAgain, cycle_due, cycle_taken, next_cycle
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.reentries import Denial, NoReentry
from tests.engine.rules.leg_cases import FILLED, after

TWICE = Overall(on_stop=OverallReentry(times=2, delay=60), on_target=OverallReentry(how=Again.REVERSE))


def cycle(code: ExitCode, counters: Counters | None = None, **facts: bool) -> ArmedCycle | NoReentry:
    return next_cycle(TWICE, code, after(600), counters or Counters(), ends=after(6_000), **facts)


@pytest.mark.parametrize("code", [ExitCode.OVR_SL, ExitCode.OVR_TSL, ExitCode.LOCK])
def test_stop_trail_and_lock_arm_the_cycle_after_a_stop(code: ExitCode) -> None:
    armed = cycle(code)
    assert isinstance(armed, ArmedCycle)
    assert (armed.how, armed.due, armed.target) == (Again.RUN, after(660), False)


def test_cycles_are_counted_for_stop_and_target_apart() -> None:
    counters = Counters(after_stop={"a": 2}).bar("b", FILLED.date())
    for _ in range(2):
        armed = cycle(ExitCode.OVR_SL, counters)
        assert isinstance(armed, ArmedCycle)
        counters = cycle_taken(counters, armed)
    over = cycle(ExitCode.OVR_SL, counters)
    assert isinstance(over, NoReentry)
    assert over.code is Denial.USED_UP
    assert isinstance(cycle(ExitCode.OVR_TGT, counters), ArmedCycle)
    assert counters.used("a", target=False) == 0, "legs count anew in a new cycle"
    assert "b" in counters.barred


@pytest.mark.parametrize(
    ("code", "denial"),
    [
        (ExitCode.MANUAL, Denial.MANUAL),
        (ExitCode.KILL, Denial.NOT_THIS_EXIT),
        (ExitCode.TIME, Denial.NOT_THIS_EXIT),
        (ExitCode.ACCOUNT_LIMIT, Denial.NOT_THIS_EXIT),
    ],
)
def test_no_cycle_follows_a_hand_a_limit_or_the_clock(code: ExitCode, denial: Denial) -> None:
    refused = cycle(code)
    assert isinstance(refused, NoReentry)
    assert refused.code is denial


def test_no_cycle_while_the_exit_is_unsettled() -> None:
    refused = cycle(ExitCode.OVR_SL, settled=False)
    assert isinstance(refused, NoReentry)
    assert refused.code is Denial.EXIT_UNKNOWN


def test_no_cycle_that_could_only_begin_after_the_end() -> None:
    refused = next_cycle(TWICE, ExitCode.OVR_SL, after(600), Counters(), ends=after(660))
    assert isinstance(refused, NoReentry)
    assert refused.code is Denial.TOO_LATE


def test_no_cycle_without_a_rule() -> None:
    refused = next_cycle(Overall(), ExitCode.OVR_SL, after(1), Counters(), ends=None)
    assert isinstance(refused, NoReentry)
    assert refused.code is Denial.NO_RULE


@pytest.mark.parametrize(("how", "reverse"), [(Again.RUN, False), (Again.REVERSE, True)])
def test_a_cycle_begins_at_its_time(how: Again, reverse: bool) -> None:
    armed = ArmedCycle(how=how, target=False, due=after(60), ends=after(90))
    assert cycle_due(armed, after(59.9), None) is None
    begun = cycle_due(armed, after(60), None)
    assert isinstance(begun, RunAgain)
    assert begun.reverse is reverse
    assert isinstance(cycle_due(armed, after(90), None), NoReentry)


def test_a_momentum_cycle_waits_for_the_combined_premium_to_move() -> None:
    """A credit of 200 that is to shrink by a tenth: up, as the signed sum goes."""
    armed = ArmedCycle(how=Again.MOMENTUM, target=False, due=after(60), move=1_000)
    assert isinstance(cycle_due(armed, after(60), None), Blind)
    first = cycle_due(armed, after(60), -200_00)
    assert isinstance(first, ArmedCycle)
    assert first.reference == -200_00
    assert cycle_due(first, after(61), -180_05) is None
    assert isinstance(cycle_due(first, after(62), -180_00), RunAgain)
