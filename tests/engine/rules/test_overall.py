"""What ends a run by its money, and the order of all overall rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Band, Basis, Level, Overall, OverallTrail, ProfitLock, Rung
from optconsole.engine.model.run_state import Floor
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.overall import Verdict, raised, relaid, watch
from optconsole.engine.rules.overall_market import OverallExit
from optconsole.engine.rules.profit_ladder import PartExit
from optconsole.engine.rules.run_money import RunFacts
from tests.engine.rules.leg_cases import after, paise
from tests.engine.rules.run_cases import money, straddle


def rupees(amount: float) -> Level:
    return Level(paise(amount))


def after_mtm(overall: Overall, *totals: float) -> tuple[Floor, Verdict]:
    floor, verdict = Floor(), None
    for total in totals:
        assert verdict is None
        floor, verdict = watch(overall, floor, money(total))
    return floor, verdict


def code(verdict: Verdict) -> ExitCode:
    assert isinstance(verdict, OverallExit)
    return verdict.code


LOCK_5_3 = Overall(lock=ProfitLock(at=paise(5_000), keep=paise(3_000)))


@pytest.mark.parametrize(
    ("total", "expected"),
    [(-4_000, ExitCode.OVR_SL), (-3_999.95, None), (2_999.95, None), (3_000, ExitCode.OVR_TGT)],
)
def test_sx1_a_stop_and_a_target_in_rupees(total: float, expected: ExitCode | None) -> None:
    _, verdict = after_mtm(Overall(stop=rupees(4_000), target=rupees(3_000)), total)
    assert (None if verdict is None else code(verdict)) is expected


def test_sx2_thirty_percent_gross_stops_at_minus_4095() -> None:
    """Sold 100 and 110, 65 of each: both dearer by 31.50 is exactly 4,095 lost."""
    overall = Overall(stop=Level(3_000, Basis.GROSS_PREMIUM))
    assert watch(overall, Floor(), straddle(131.5, 141.45))[1] is None
    verdict = watch(overall, Floor(), straddle(131.5, 141.5))[1]
    assert isinstance(verdict, OverallExit)
    assert (verdict.value, verdict.level) == (paise(-4_095), paise(-4_095))


def test_sx3_a_peak_of_2600_puts_the_stop_of_4000_at_minus_3000() -> None:
    overall = Overall(stop=rupees(4_000), trail=OverallTrail(paise(1_000), paise(500)))
    floor, verdict = after_mtm(overall, 2_600, -2_999)
    assert (floor.level, verdict) == (paise(-3_000), None)
    assert code(watch(overall, floor, money(-3_000))[1]) is ExitCode.OVR_TSL


def test_sx3_a_loss_is_no_peak() -> None:
    overall = Overall(stop=rupees(4_000), trail=OverallTrail(paise(1_000), paise(500)))
    floor, _ = after_mtm(overall, -3_500, -200)
    assert (floor.peak, floor.level, floor.code) == (0, paise(-4_000), ExitCode.OVR_SL)


def test_sx4_is_armed_at_5100_and_leaves_at_2990_with_lock() -> None:
    floor, verdict = after_mtm(LOCK_5_3, 4_900)
    assert (floor.level, verdict) == (None, None)
    floor, verdict = after_mtm(LOCK_5_3, 4_900, 5_100)
    assert (floor.level, verdict) == (paise(3_000), None)
    floor, verdict = after_mtm(LOCK_5_3, 4_900, 5_100, 3_500)
    assert verdict is None
    assert code(after_mtm(LOCK_5_3, 4_900, 5_100, 3_500, 2_990)[1]) is ExitCode.LOCK


def test_sx4_a_lock_that_was_never_armed_does_not_leave() -> None:
    assert after_mtm(LOCK_5_3, 4_900, 2_000)[1] is None


def test_sx5_a_peak_of_7300_puts_the_floor_at_4000() -> None:
    lock = ProfitLock(at=paise(5_000), keep=paise(3_000), every=paise(1_000), move=paise(500))
    assert after_mtm(Overall(lock=lock), 7_300)[0].level == paise(4_000)


def test_sx6_trails_only_from_its_first_step_on() -> None:
    overall = Overall(lock=ProfitLock(every=paise(1_000), move=paise(400)))
    assert after_mtm(overall, 999, -500)[0].level is None
    floor, _ = after_mtm(overall, 2_100)
    assert floor.level == paise(800)
    assert code(watch(overall, floor, money(800))[1]) is ExitCode.OVR_TSL


def test_the_higher_of_stop_and_floor_is_in_force() -> None:
    overall = Overall(stop=rupees(4_000), lock=LOCK_5_3.lock)
    floor, _ = after_mtm(overall, 6_000)
    assert (floor.level, floor.code) == (paise(3_000), ExitCode.LOCK)


def test_nothing_is_decided_before_all_legs_are_filled() -> None:
    overall = Overall(stop=rupees(100), band=Band(low=1), settle=30)
    early = straddle(300, 300, complete=False, now=after(29), index=0)
    assert watch(overall, Floor(), early) == (Floor(), None)
    late = straddle(300, 300, complete=False, now=after(30), index=0)
    assert code(watch(overall, Floor(), late)[1]) is ExitCode.OVR_SL


def test_an_unpriced_leg_leaves_money_undecided_and_is_told() -> None:
    overall = Overall(stop=rupees(1), target=rupees(1))
    floor = Floor(peak=paise(10))
    after_, verdict = watch(overall, floor, straddle(900, None))
    assert after_ == floor
    assert isinstance(verdict, Blind)
    assert "pe" in verdict.why


def test_an_unpriced_leg_matters_not_where_no_rule_looks_at_money() -> None:
    assert watch(Overall(), Floor(), straddle(900, None))[1] is None


def test_the_underlying_still_guards_while_a_leg_is_unpriced() -> None:
    overall = Overall(stop=rupees(1), band=Band(high=24_600_00))
    verdict = watch(overall, Floor(), straddle(100, None, index=24_601_00))[1]
    assert code(verdict) is ExitCode.BAND


def test_an_unseen_band_does_not_hold_back_the_stop() -> None:
    overall = Overall(stop=rupees(100), band=Band(high=24_600_00))
    assert code(watch(overall, Floor(), straddle(300, 110))[1]) is ExitCode.OVR_SL
    assert isinstance(watch(overall, Floor(), straddle(100, 110))[1], Blind)


def test_the_stop_comes_before_the_band() -> None:
    overall = Overall(stop=rupees(100), band=Band(high=24_600_00))
    assert code(watch(overall, Floor(), straddle(300, 110, index=24_700_00))[1]) is ExitCode.OVR_SL


def test_net_money_is_compared_when_charges_count() -> None:
    overall = Overall(target=rupees(650), net=True)
    assert watch(overall, Floor(), straddle(90, 110, charges=1))[1] is None
    assert code(watch(overall, Floor(), straddle(90, 110))[1]) is ExitCode.OVR_TGT


def test_a_rung_is_taken_once() -> None:
    overall = Overall(ladder=(Rung(paise(500), 50),))
    floor, verdict = watch(overall, Floor(), straddle(90, 110))
    assert isinstance(verdict, PartExit)
    assert floor.rung == 1
    assert watch(overall, floor, straddle(90, 110)) == (floor, None)


def test_the_target_comes_before_the_ladder() -> None:
    overall = Overall(target=rupees(600), ladder=(Rung(paise(500), 50),))
    assert code(watch(overall, Floor(), straddle(90, 110))[1]) is ExitCode.OVR_TGT


TOTALS = st.lists(st.integers(-1_000_000, 1_000_000), max_size=15)
AMOUNTS = st.integers(1, 800_000)
OVERALLS = st.builds(
    lambda stop, trail, lock: Overall(stop=stop, trail=trail, lock=lock),
    st.none() | st.builds(Level, AMOUNTS),
    st.none() | st.builds(OverallTrail, AMOUNTS, AMOUNTS),
    st.none()
    | st.builds(
        lambda at, keep, every, move: ProfitLock(at=at, keep=min(keep, at), every=every, move=move),
        st.just(0) | AMOUNTS,
        AMOUNTS,
        st.just(0) | AMOUNTS,
        AMOUNTS,
    ),
)


@given(OVERALLS, TOTALS)
def test_floors_never_fall(overall: Overall, totals: list[int]) -> None:
    floor = Floor()
    for total in totals:
        later = raised(overall, floor, (), total)
        assert later.peak >= floor.peak
        assert floor.level is None or (later.level is not None and later.level >= floor.level)
        floor = later


@given(OVERALLS, TOTALS, st.randoms())
def test_a_floor_depends_on_the_peak_and_not_on_the_way_there(
    overall: Overall, totals: list[int], order: object
) -> None:
    def at_end(sums: list[int]) -> int | None:
        floor = Floor()
        for total in sums:
            floor = raised(overall, floor, (), total)
        return floor.level

    shuffled = list(totals)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert at_end(totals) == at_end(shuffled)


def test_changed_rules_keep_the_peak_and_the_rungs() -> None:
    floor = Floor(peak=7, level=3, code=ExitCode.LOCK, rung=2)
    assert relaid(floor) == Floor(peak=7, rung=2)


def test_a_run_that_holds_nothing_is_not_blind() -> None:
    facts = RunFacts(now=after(60), first_fill=after(0), complete=True)
    assert watch(Overall(band=Band(low=1)), Floor(), facts)[1] is None
