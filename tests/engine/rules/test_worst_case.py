"""The worst a strategy may come to, line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.overall_rules import Basis, Level, Overall, OverallReentry
from optconsole.engine.model.previews import Ledger
from optconsole.engine.model.run_state import Counters
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.rules.run_money import Entered
from optconsole.engine.rules.worst_case import AtRisk, LegAtRisk, worst_case
from tests.engine.rules.structures import bought, sold, strategy

AGAIN = Reentry(mode=ReentryMode.EXECUTE, times=2)


def at_risk(
    id: str = "ce",
    side: Side = Side.SELL,
    units: int = 65,
    price: int | None = 100_00,
    stop: int | None = 125_00,
    distance: int | None = 25_00,
    entry: int | None = 100_00,
) -> LegAtRisk:
    return LegAtRisk(
        id=id, side=side, option=True, units=units, price=price, stop=stop, planned=65, distance=distance, entry=entry
    )


def ledger(written: Strategy, *legs: LegAtRisk, limits: tuple[tuple[str, int], ...] = (), **more: object) -> Ledger:
    return worst_case(AtRisk(strategy=written, legs={leg.id: leg for leg in legs}, gap_loss=0, **more), limits)


def straddle(**leg: object) -> Strategy:
    return strategy(sold(**leg), sold("pe", Right.PUT, **leg))


def test_all_stops_are_added_up_and_set_against_what_was_made() -> None:
    told = ledger(straddle(), at_risk(), at_risk("pe", price=90_00, stop=112_50), mtm=500_00)
    assert told.open_stops == 65 * 25_00 + 65 * 22_50
    assert told.total == 500_00 - 65 * 47_50
    assert [row.leg for row in told.rows] == ["ce", "pe"]


def test_every_reentry_that_is_left_loses_at_its_stop() -> None:
    written = straddle(on_stop=AGAIN)
    told = ledger(written, at_risk(), at_risk("pe"), counters=Counters(after_stop={"ce": 1}))
    assert told.reentries == (1 + 2) * 65 * 25_00


def test_reentries_after_targets_may_be_stopped_too() -> None:
    told = ledger(strategy(sold(on_stop=AGAIN, on_target=AGAIN)), at_risk(), counters=Counters(after_target={"ce": 2}))
    assert told.reentries == 2 * 65 * 25_00


def test_of_reentries_that_all_legs_share_the_dearest_count() -> None:
    written = strategy(sold(on_stop=AGAIN), sold("pe", Right.PUT, on_stop=AGAIN), reentry_shared_max=3)
    legs = at_risk(distance=10_00), at_risk("pe", distance=30_00)
    assert ledger(written, *legs).reentries == 65 * (2 * 30_00 + 10_00)
    assert ledger(written, *legs, counters=Counters(after_stop={"ce": 2})).reentries == 65 * 30_00


def test_a_leg_that_is_out_still_has_its_reentries() -> None:
    told = ledger(strategy(sold(on_stop=AGAIN)), at_risk(units=0, price=None, stop=None))
    assert (told.open_stops, told.reentries) == (0, 2 * 65 * 25_00)


def test_a_lazy_leg_counts_once_for_each_time_it_may_be_armed() -> None:
    arms = Reentry(mode=ReentryMode.LAZY, times=2, arms=("late",))
    written = strategy(sold(on_stop=arms), sold("late", lazy=True))
    told = ledger(written, at_risk(), at_risk("late", units=0, price=None, stop=None, distance=15_00))
    assert told.reentries == 2 * 65 * 15_00
    assert [row.what for row in told.rows] == ["leg", "lazy"]


def test_a_sold_leg_without_a_stop_has_no_end() -> None:
    told = ledger(straddle(), at_risk(stop=None), at_risk("pe"), endless=True)
    assert (told.open_stops, told.total, told.endless) == (None, None, ("ce",))


def test_legs_without_stops_lose_together_what_their_hedges_let_them() -> None:
    written = strategy(sold(), sold("pe", Right.PUT), bought("hedge"))
    told = ledger(
        written,
        at_risk(stop=None),
        at_risk("pe"),
        at_risk("hedge", side=Side.BUY, price=40_00, stop=None),
        together=9_000_00,
    )
    assert told.open_stops == 9_000_00 + 65 * 25_00
    assert told.endless == ()
    assert {row.leg for row in told.rows} == {"pe", "ce, hedge"}


def test_what_legs_without_stops_can_lose_may_be_unknown() -> None:
    told = ledger(strategy(sold()), at_risk(stop=None))
    assert (told.total, told.endless, told.rows[0].what) == (None, (), "unknown")


def test_further_entries_without_a_stop_have_no_end_for_a_seller_and_cost_a_buyer_their_premium() -> None:
    again = Reentry(mode=ReentryMode.EXECUTE, times=2)
    short = ledger(strategy(sold(on_target=again)), at_risk(units=0, stop=None, distance=None))
    assert (short.total, short.endless) == (None, ("ce",))
    long = strategy(bought("ce", on_target=again))
    assert ledger(long, at_risk(side=Side.BUY, units=0, stop=None, distance=None)).reentries == 2 * 65 * 100_00
    unknown = ledger(strategy(sold(on_target=again)), at_risk(units=0, stop=None, distance=None, entry=None))
    assert (unknown.total, unknown.endless) == (None, ())


def test_the_overall_stop_bounds_what_legs_leave_open_with_its_cycles() -> None:
    overall = Overall(stop=Level(4_000_00), on_stop=OverallReentry(times=2))
    written = strategy(sold(), overall=overall)
    told = ledger(written, at_risk(stop=None), endless=True, counters=Counters(cycles_after_stop=1))
    assert (told.capped, told.total) == (8_000_00, -8_000_00)
    tight = ledger(written, at_risk(stop=101_00))
    assert tight.total == -65_00


def test_what_earlier_cycles_lost_is_not_given_back_by_the_stop_of_this_one() -> None:
    written = strategy(sold(), overall=Overall(stop=Level(4_000_00)))
    assert ledger(written, at_risk(stop=None), mtm=-4_500_00, base=-4_000_00).total == -8_000_00


def test_an_overall_stop_in_percent_is_of_the_premium_entered() -> None:
    written = strategy(sold(), overall=Overall(stop=Level(3_000, Basis.GROSS_PREMIUM)))
    entered = (
        Entered(leg="ce", sign=-1, entry=100_00, quantity=65),
        Entered(leg="pe", sign=-1, entry=110_00, quantity=65),
    )
    assert ledger(written, at_risk(stop=None), entered=entered).capped == 4_095_00
    assert ledger(written, at_risk(stop=None)).total is None  # nothing entered: nothing to take percents of


def test_a_jump_costs_what_it_takes_beyond_the_stops() -> None:
    written, leg = strategy(sold()), at_risk()
    risk = AtRisk(strategy=written, legs={"ce": leg}, gap_loss=9_000_00, gap_text="2 %")
    told = worst_case(risk)
    assert told.gap == 9_000_00 - 65 * 25_00
    assert told.total == -9_000_00
    assert told.rows[-1].text == "2 %"


def test_an_unknown_price_makes_the_sum_unknown_and_no_loss_endless() -> None:
    told = ledger(strategy(sold()), at_risk(price=None))
    assert (told.total, told.endless, told.rows[0].what) == (None, (), "unknown")


def test_limits_stand_beside_the_sum() -> None:
    told = ledger(strategy(sold()), at_risk(), limits=(("day", 2_000_00), ("basket", 1_000_00)))
    assert [(each.name, each.left) for each in told.limits] == [("day", 375_00), ("basket", -625_00)]
    unknown = ledger(strategy(sold()), at_risk(price=None), limits=(("day", 2_000_00),))
    assert unknown.limits[0].left is None


@given(st.integers(1, 200_00), st.integers(1, 300_00), st.integers(0, 5), st.integers(0, 5), st.integers(0, 50_000_00))
def test_more_reentries_and_wider_jumps_never_make_it_better(
    price: int, stop: int, times: int, taken: int, gap: int
) -> None:
    def total(times: int, gap: int) -> int:
        leg = Leg(id="ce", side=Side.SELL, right=Right.CALL, on_stop=Reentry(mode=ReentryMode.EXECUTE, times=times))
        risk = AtRisk(
            strategy=strategy(leg),
            legs={"ce": at_risk(price=price, stop=stop)},
            counters=Counters(after_stop={"ce": taken}),
            gap_loss=gap,
        )
        answer = worst_case(risk).total
        assert answer is not None
        return answer

    assert total(times + 1, gap) <= total(times, gap) <= 0
    assert total(times, gap + 1_00) <= total(times, gap)
