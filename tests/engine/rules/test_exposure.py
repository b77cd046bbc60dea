"""Worst-case exposure: nothing that can still happen is more than what was counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from optconsole.engine import events as ev
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import Level, Limit, LimitKind, OrderLimits
from optconsole.engine.model.orders import OrderTerms, RiskClass, Side
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import exposure
from optconsole.engine.rules.exposure import Change
from optconsole.engine.rules.pretrade import Situation, checks, refusal
from tests.engine.facts import CALL, PUT, START, Story, option, terms

LOT = 65
NEAR, FAR = option(), option(2_500_000)


def of(story: Story, level: Level = Level.GLOBAL, name: str = "") -> list[exposure.Line]:
    return exposure.lines(story.state, level, name)


def sourced(wanted: OrderTerms, source: str) -> OrderTerms:
    return msgspec.structs.replace(wanted, source=source)


def test_open_and_working_units_count_on_the_side_they_could_grow() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 2 * LOT)), 2 * LOT, 10_000, "t1")
    story.order(terms(Side.SELL, LOT, 12_000))
    story.order(terms(Side.BUY, LOT, 8_000))
    (line,) = of(story)
    assert (line.open, line.high, line.low, line.worst, line.lots) == (-130, -65, -195, 195, 3)


def test_orders_in_doubt_and_presumed_absent_count_as_if_they_lived() -> None:
    story = Story()
    silent = story.order(terms(Side.SELL, LOT), acknowledged=False)
    for fact in (ev.OrderDoubted(order_id=silent, cause="?"), ev.OrderPresumedAbsent(order_id=silent, reads=3)):
        story.tell(fact)
        assert exposure.all_lots(of(story)) == 1
    story.tell(ev.OrderCancelled(order_id=silent, reason="x"))
    assert of(story) == []


def test_parts_that_were_not_sent_yet_count_and_each_is_counted_once_as_it_leaves() -> None:
    story = Story()
    whole = terms(Side.SELL, 4 * LOT)
    story.tell(
        ev.ParentOpened(
            parent_id="P1", terms=whole, risk=RiskClass.INCREASE, lot=LOT, largest=2 * LOT, parts=(2 * LOT, 2 * LOT)
        )
    )
    assert exposure.all_lots(of(story)) == 4
    part = Change(terms(Side.SELL, 2 * LOT), 2 * LOT, LOT, parent="P1")
    assert exposure.all_lots(exposure.lines(story.state, Level.GLOBAL, "", part)) == 4
    story.tell(
        ev.OrderIntended(order_id="O1", terms=part.terms, tag="T", risk=RiskClass.INCREASE, lot=LOT, parent="P1"),
        ev.OrderSent(order_id="O1", attempt=0),
    )
    assert exposure.all_lots(of(story)) == 4
    story.tell(ev.ParentEnded(parent_id="P1", status=ParentStatus.STOPPED, why="x"))
    assert exposure.all_lots(of(story)) == 2


def test_a_larger_quantity_that_was_only_asked_for_counts_already() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, LOT))
    story.tell(ev.OrderChangeAsked(order_id=order, terms=terms(Side.SELL, 3 * LOT)))
    assert exposure.all_lots(of(story)) == 3
    story.tell(ev.OrderChangeRefused(order_id=order, code="X", reason="no"))
    assert exposure.all_lots(of(story)) == 1


def test_an_order_that_replaces_another_counts_instead_of_it() -> None:
    story = Story()
    name = story.order(terms(Side.SELL, 2 * LOT))
    order = story.state.orders[name]
    larger = Change(terms(Side.SELL, 3 * LOT), 3 * LOT, LOT, order)
    assert exposure.all_lots(exposure.lines(story.state, Level.GLOBAL, "", larger)) == 3


def test_the_levels_see_what_is_theirs() -> None:
    story = Story()
    story.fill(story.order(sourced(terms(Side.SELL, LOT), "am/straddle/ce")), LOT, 10_000, "t1")
    story.order(sourced(terms(Side.SELL, LOT, contract=PUT), "am/straddle/pe"))
    story.order(sourced(terms(Side.SELL, LOT, contract=PUT), "ambush"))
    story.order(terms(Side.SELL, LOT, contract=PUT))
    seen = {
        name: exposure.all_lots(of(story, level, name))
        for level, name in [
            (Level.GLOBAL, ""),
            (Level.ACCOUNT, "paper"),
            (Level.ACCOUNT, "other"),
            (Level.LEG, PUT),
            (Level.BASKET, "am"),
            (Level.STRATEGY, "am/straddle"),
        ]
    }
    assert seen == {"": 4, "paper": 4, "other": 0, PUT: 3, "am": 2, "am/straddle": 2}
    assert exposure.legs(of(story)) == 2
    assert exposure.most_lots(of(story)) == 3


def test_notional_is_units_times_strike_and_a_futures_price() -> None:
    story = Story()
    future = "NIFTY 01DEC26 FUT"
    story.order(terms(Side.SELL, LOT))
    story.order(terms(Side.BUY, LOT, 2_460_000, contract=future))
    assert exposure.notional(of(story), lambda _name: 2_470_000) == LOT * (2_450_000 + 2_470_000)
    assert exposure.notional(of(story), lambda _name: None) == LOT * (2_450_000 + 2_460_000)


def test_a_short_is_naked_unless_something_bought_lasts_as_long() -> None:
    story = Story()
    far_call = option(2_500_000).name
    story.order(terms(Side.SELL, LOT))
    assert exposure.naked(of(story)) == {"NIFTY calls or futures on paper": LOT}
    hedge = story.order(terms(Side.BUY, LOT, contract=far_call))
    assert exposure.naked(of(story)), "a hedge that only works covers nothing yet"
    story.fill(hedge, LOT, 100, "t1")
    assert exposure.naked(of(story)) == {}
    story.order(terms(Side.SELL, LOT, contract=PUT))
    assert exposure.naked(of(story)) == {"NIFTY puts on paper": LOT}


def test_a_cover_that_ends_before_the_short_is_none() -> None:
    early, late = option(2_500_000, expiry=date(2026, 11, 24)), option(expiry=date(2026, 12, 29))
    story = Story()
    story.fill(story.order(terms(Side.BUY, LOT, contract=early.name)), LOT, 100, "t1")
    story.order(terms(Side.SELL, LOT, contract=late.name))
    assert sum(exposure.naked(of(story)).values()) == LOT
    lasting = option(2_600_000, expiry=date(2026, 12, 29)).name
    story.fill(story.order(terms(Side.BUY, LOT, contract=lasting)), LOT, 9, "t2")
    assert exposure.naked(of(story)) == {}


# ---------------------------------------------------------------- laws

ORDERS = st.tuples(st.sampled_from(list(Side)), st.integers(1, 4), st.sampled_from([CALL, PUT]))


@settings(max_examples=60, deadline=None)
@given(orders=st.lists(ORDERS, max_size=8), choices=st.data())
def test_no_reachable_position_is_larger_than_the_exposure_counted_before_it(
    orders: list[tuple[Side, int, str]], choices: Any
) -> None:
    story = Story()
    names = [story.order(terms(side, lots * LOT, contract=contract)) for side, lots, contract in orders]
    worst = {line.contract: line.worst for line in of(story)}
    for number, name in enumerate(names):
        left = story.state.orders[name].remaining // LOT
        filled = choices.draw(st.integers(0, left))
        if filled:
            story.fill(name, filled * LOT, 10_000, f"t{number}")
        if filled < left and choices.draw(st.booleans()):
            story.tell(ev.OrderCancelled(order_id=name, reason="x"))
        for held in story.state.positions.values():
            assert abs(held.qty) <= worst[held.key.contract]
        for line in of(story):
            assert line.worst <= worst[line.contract]


class CappedTrading(RuleBasedStateMachine):
    """Whatever passes the gate, and whatever then becomes of it, the cap holds."""

    cap = 6

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.trades = 0
        for kind in (LimitKind.OPEN_LOTS, LimitKind.LOTS):
            self.story.tell(ev.LimitSet(limit=Limit(level=Level.GLOBAL, kind=kind, value=self.cap)))

    @rule(side=st.sampled_from(list(Side)), lots=st.integers(1, 5), right=st.sampled_from(list(Right)))
    def place(self, side: Side, lots: int, right: Right) -> None:
        instrument = option(right=right)
        wanted = terms(side, lots * LOT, contract=instrument.name)
        # one price on both sides would trade with itself, which is another rule's business
        wanted = msgspec.structs.replace(wanted, price=9_000 if side is Side.BUY else 11_000)
        if refusal(checks(self.story.state, wanted, instrument, situation())) is None:
            self.story.order(wanted)

    def live(self) -> list[str]:
        return [name for name, order in self.story.state.orders.items() if order.status.working]

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def fill(self, data: Any) -> None:
        name = data.draw(st.sampled_from(self.live()))
        lots = data.draw(st.integers(1, self.story.state.orders[name].remaining // LOT))
        self.trades += 1
        self.story.fill(name, lots * LOT, 10_000, f"t{self.trades}")

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def end(self, data: Any) -> None:
        name = data.draw(st.sampled_from(self.live()))
        self.story.tell(ev.OrderCancelled(order_id=name, reason="x"))

    @invariant()
    def the_cap_holds(self) -> None:
        held = sum(abs(position.qty) // LOT for position in self.story.state.positions.values())
        assert held <= self.cap
        assert exposure.all_lots(of(self.story)) <= self.cap

    @invariant()
    def what_is_reserved_is_what_a_walk_over_the_orders_finds(self) -> None:
        walked: dict[tuple[str, Side], int] = {}
        for order in self.story.state.orders.values():
            if order.may_trade:
                key = (order.terms.contract, order.terms.side)
                walked[key] = walked.get(key, 0) + order.may_trade
        kept = {}
        for each in self.story.state.reserved.values():
            kept.update({(each.contract, Side.BUY): each.buys, (each.contract, Side.SELL): each.sells})
        assert {key: units for key, units in kept.items() if units} == walked


TestCappedTrading = CappedTrading.TestCase
TestCappedTrading.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def situation() -> Situation:
    quote = Quote(name=CALL, ts=0, bid=9_990, bid_qty=650, ask=10_010, ask_qty=650, ltp=10_000)
    return Situation(now=START, phase=MarketPhase.OPEN, quote=lambda _name: quote, limits=OrderLimits())
