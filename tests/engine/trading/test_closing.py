from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelAll, EngageKill, Flatten, ReleaseKill, Scope, ScopeKind
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderType, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading import closing
from optconsole.engine.trading.decision import Decision, SendCancel, SendPlace
from tests.engine.facts import CALL, PUT, Story, index, option, terms
from tests.engine.rules.test_pretrade import situation

MASTER = InstrumentMaster((index(), option(), option(right=Right.PUT)))


def short_and_long(lots: int = 2) -> Story:
    """A long call and a short put, in that order."""
    story = Story()
    story.fill(story.order(terms(Side.BUY, lots * 65)), lots * 65, 10_000, "t1")
    story.fill(story.order(terms(Side.SELL, lots * 65, contract=PUT)), lots * 65, 10_000, "t2")
    return story


def advance(story: Story) -> Decision | None:
    return closing.advance(story.state, MASTER, situation(), "ABC")


def situation_at(now: datetime) -> Situation:
    return replace(situation(), now=now)


def placed(decision: Decision | None) -> list[tuple[str, Side, int]]:
    assert decision is not None
    return [
        (effect.request.instrument.name, effect.request.side, effect.request.qty)
        for effect in decision.effects
        if isinstance(effect, SendPlace)
    ]


def test_flatten_buys_back_shorts_before_it_sells_longs() -> None:
    story = short_and_long()
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    assert placed(advance(story)) == [(PUT, Side.BUY, 130), (CALL, Side.SELL, 130)]


def test_closing_orders_wait_until_nothing_can_trade_underneath_them() -> None:
    story = short_and_long()
    resting = story.order(terms(Side.SELL, 130, 12_000))
    decision = closing.flatten(story.state, Flatten(id="f", actor="key"))
    assert [type(effect) for effect in decision.effects] == [SendCancel]
    story.tell(*decision.facts)
    assert advance(story) is None
    story.tell(ev.OrderCancelled(order_id=resting))
    assert len(placed(advance(story))) == 2


def test_an_order_acknowledged_late_is_cancelled_before_closing() -> None:
    story = short_and_long()
    silent = story.order(terms(Side.SELL, 130, 12_000), acknowledged=False)
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    assert advance(story) is None
    story.tell(ev.OrderAcknowledged(order_id=silent, broker_id="B9"))
    decision = advance(story)
    assert decision is not None
    assert decision.effects == [SendCancel(silent, "paper", "B9")]


def test_a_flatten_ends_once_its_orders_have_left() -> None:
    story = short_and_long()
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    decision = advance(story)
    assert decision is not None
    story.tell(*decision.facts)
    assert story.state.flattening == {}
    assert advance(story) is None


def test_a_part_exit_rounds_to_whole_lots_and_cancels_nothing() -> None:
    story = short_and_long(lots=5)
    story.order(terms(Side.SELL, 65, 12_000))
    decision = closing.flatten(story.state, Flatten(id="f", actor="key", percent=50))
    assert decision.effects == []
    story.tell(*decision.facts)
    assert placed(advance(story)) == [(PUT, Side.BUY, 130), (CALL, Side.SELL, 130)]


def test_what_already_works_to_close_is_never_closed_twice() -> None:
    story = short_and_long(lots=2)
    story.order(terms(Side.BUY, 65, 9_000, contract=PUT))
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key", percent=99)).facts)
    assert placed(advance(story)) == [(PUT, Side.BUY, 65), (CALL, Side.SELL, 65)]


def test_a_position_above_the_freeze_is_closed_in_slices() -> None:
    story = short_and_long(lots=30)
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    assert [qty for _, _, qty in placed(advance(story))] == [1755, 195, 1755, 195]


@pytest.mark.parametrize(
    ("scope", "contracts"),
    [
        (Scope(ScopeKind.CONTRACT, CALL), {CALL}),
        (Scope(ScopeKind.UNDERLYING, "NIFTY"), {CALL, PUT}),
        (Scope(ScopeKind.ACCOUNT, "paper"), {CALL, PUT}),
    ],
)
def test_the_scope_bounds_what_is_closed(scope: Scope, contracts: set[str]) -> None:
    story = short_and_long()
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key", scope=scope)).facts)
    assert {name for name, _, _ in placed(advance(story))} == contracts


def test_an_empty_scope_is_refused_not_ignored() -> None:
    with pytest.raises(Refusal) as refused:
        closing.flatten(
            short_and_long().state, Flatten(id="f", actor="key", scope=Scope(ScopeKind.UNDERLYING, "SENSEX"))
        )
    assert refused.value.code == "NOTHING_OPEN"


def test_a_position_without_a_price_is_named_in_an_alarm() -> None:
    story = short_and_long()
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    decision = closing.advance(story.state, MASTER, situation(quote=None), "ABC")
    assert decision is not None
    alarms = [fact for fact in decision.facts if isinstance(fact, ev.NoticeRaised)]
    assert [alarm.code for alarm in alarms] == ["NOT_FLAT"]
    assert CALL in alarms[0].text


def test_cancel_all_leaves_alone_what_is_being_cancelled_already() -> None:
    story = Story()
    first, second = story.order(terms(price=12_000)), story.order(terms(price=12_500))
    story.tell(ev.OrderCancelAsked(order_id=first))
    decision = closing.cancel_all(story.state, CancelAll(id="c", actor="key"))
    assert [effect.order_id for effect in decision.effects if isinstance(effect, SendCancel)] == [second]


def test_the_kill_switch_latches_cancels_and_closes_once() -> None:
    story = short_and_long()
    resting = story.order(terms(Side.SELL, 130, 12_000))
    decision = closing.engage_kill(story.state, EngageKill(id="k", actor="key"))
    story.tell(*decision.facts)
    assert story.state.killed
    assert [effect.order_id for effect in decision.effects if isinstance(effect, SendCancel)] == [resting]
    again = closing.engage_kill(story.state, EngageKill(id="k2", actor="key"))
    assert not any(isinstance(fact, ev.KillEngaged) for fact in again.facts)
    story.tell(ev.OrderCancelled(order_id=resting))
    assert placed(advance(story)) == [(PUT, Side.BUY, 130), (CALL, Side.SELL, 130)]


def test_release_needs_the_typed_word_a_minute_and_no_working_order() -> None:
    story = short_and_long()
    story.tell(ev.KillEngaged(why="test"))
    killed_at = story.state.killed_at
    assert killed_at is not None

    def release(typed: str, seconds: int) -> str:
        try:
            closing.release_kill(
                story.state, ReleaseKill(id="r", actor="key", typed=typed), killed_at + timedelta(seconds=seconds)
            )
        except Refusal as refused:
            return refused.code
        return "RELEASED"

    assert release("unlock", 61) == "TYPE_UNLOCK"
    assert release("UNLOCK", 59) == "KILL_HOLD"
    assert release("UNLOCK", 60) == "RELEASED"
    story.order(terms(Side.SELL, type=OrderType.LIMIT))
    assert release("UNLOCK", 60) == "ORDERS_WORK"


def adopted(story: Story, side: Side, qty: int) -> str:
    """An order at the broker that this engine did not send."""
    order_id = f"O{story.state.order_count + 1}"
    wanted = terms(side, qty, 9_000, contract=PUT)
    story.tell(
        ev.OrderAdopted(order_id=order_id, terms=wanted, tag="", broker_id="S1", risk=RiskClass.INCREASE, lot=65)
    )
    return order_id


def test_orders_of_others_are_neither_cancelled_nor_waited_for_and_what_they_close_is_not_closed_again() -> None:
    story = short_and_long()
    adopted(story, Side.BUY, 65)
    for decision in (
        closing.flatten(story.state, Flatten(id="f", actor="key")),
        closing.engage_kill(story.state, EngageKill(id="k", actor="key")),
        closing.cancel_all(story.state, CancelAll(id="c", actor="key")),
    ):
        assert decision.effects == []
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    assert placed(advance(story)) == [(PUT, Side.BUY, 65), (CALL, Side.SELL, 130)]


def test_a_refused_cancellation_is_repeated_after_a_rest_and_not_at_once() -> None:
    story = short_and_long()
    resting = story.order(terms(Side.SELL, 130, 12_000))
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    story.tell(ev.OrderCancelRefused(order_id=resting, code="NOT_CONFIRMED", reason="no answer"))
    refused_at = story.state.orders[resting].updated_at
    for seconds, again in ((0, False), (4, False), (5, True)):
        later = situation_at(refused_at + timedelta(seconds=seconds))
        decision = closing.advance(story.state, MASTER, later, "ABC")
        assert (decision is not None) is again
    assert decision is not None
    assert decision.effects == [SendCancel(resting, "paper", f"B{resting}")]


def test_a_position_above_the_own_limit_an_order_is_closed_in_orders_within_it() -> None:
    story = short_and_long(lots=5)
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    tight = situation(limits=OrderLimits(max_lots=2))
    decision = closing.advance(story.state, MASTER, tight, "ABC")
    assert [qty for _, _, qty in placed(decision)] == [130, 130, 65, 130, 130, 65]


def test_a_cheap_short_is_bought_back_however_far_the_spread_is_from_the_last_trade() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 130)), 130, 10_000, "t1")
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    far = Quote(name=CALL, ts=0, bid=5, bid_qty=65, ask=5_000, ask_qty=65, ltp=100)
    decision = closing.advance(story.state, MASTER, situation(far), "ABC")
    assert placed(decision) == [(CALL, Side.BUY, 130)]
    assert decision is not None
    assert isinstance(decision.effects[0], SendPlace)
    assert decision.effects[0].request.price == 2_100


def test_units_that_are_no_whole_lot_are_named_and_the_rest_is_closed() -> None:
    story = Story()
    story.fill(story.order(terms(Side.BUY, 150)), 150, 10_000, "t1")
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key")).facts)
    decision = advance(story)
    assert placed(decision) == [(CALL, Side.SELL, 130)]
    assert decision is not None
    story.tell(*decision.facts)
    assert [notice.text for notice in story.state.notices] == [
        f"Not closed: {CALL}: 20 units are less than a lot of 65"
    ]


def test_a_part_exit_that_a_working_stop_leaves_no_room_for_says_so() -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, 130)), 130, 10_000, "t1")
    story.order(terms(Side.BUY, 130, 15_500, OrderType.SL, trigger=15_000))
    story.tell(*closing.flatten(story.state, Flatten(id="f", actor="key", percent=50)).facts)
    decision = advance(story)
    assert placed(decision) == []
    assert decision is not None
    story.tell(*decision.facts)
    assert [(notice.code, notice.text) for notice in story.state.notices] == [
        ("NOT_FLAT", f"Not closed: {CALL}: orders that already work to close it hold 65 units")
    ]
