from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus, OrderType, Pending, Product, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.state import IllegalTransition, apply, digest
from tests.engine.facts import CALL, DAY, Story, terms

KEY = str(PositionKey("paper", Product.NRML, CALL))


def test_a_fill_that_completes_the_order_makes_it_filled_and_moves_the_position() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.fill(order, 65, 10_000, "t1").fill(order, 65, 10_100, "t2")
    assert story.state.orders[order].status is OrderStatus.FILLED
    assert story.state.orders[order].average == 10_050
    assert story.state.positions[KEY].qty == -130


def test_a_part_fill_then_cancel_keeps_what_was_filled() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.fill(order, 65, 10_000, "t1").tell(ev.OrderCancelAsked(order_id=order), ev.OrderCancelled(order_id=order))
    held = story.state.orders[order]
    assert (held.status, held.filled, held.pending) == (OrderStatus.CANCELLED, 65, Pending.NONE)


def test_the_same_trade_is_never_counted_twice() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.fill(order, 65, 10_000, "t1")
    with pytest.raises(IllegalTransition, match="counted already"):
        story.fill(order, 65, 10_000, "t1")


def test_a_fill_after_cancellation_is_counted_and_the_order_stays_final() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.tell(ev.OrderCancelled(order_id=order)).fill(order, 65, 10_000, "t1")
    assert story.state.orders[order].status is OrderStatus.CANCELLED
    assert story.state.positions[KEY].qty == -65


def test_a_stop_is_acknowledged_waiting_and_opens_when_triggered() -> None:
    story = Story()
    order = story.order(terms(Side.BUY, type=OrderType.SL, price=12_700, trigger=12_600))
    assert story.state.orders[order].status is OrderStatus.TRIGGER_PENDING
    story.tell(ev.OrderTriggered(order_id=order))
    assert story.state.orders[order].status is OrderStatus.OPEN


def test_a_late_acknowledgement_does_not_reopen_a_filled_order() -> None:
    story = Story()
    order = story.order(terms(Side.SELL), acknowledged=False)
    story.fill(order, 65, 10_000, "t1").tell(ev.OrderAcknowledged(order_id=order, broker_id="B1"))
    assert story.state.orders[order].status is OrderStatus.FILLED
    assert story.state.orders[order].broker_id == "B1"


def test_doubt_follows_only_a_send() -> None:
    story = Story()
    sent = story.order(terms(), acknowledged=False)
    story.tell(ev.OrderDoubted(order_id=sent, cause="timeout"))
    assert story.state.orders[sent].status is OrderStatus.UNKNOWN
    open_order = story.order(terms())
    with pytest.raises(IllegalTransition):
        story.tell(ev.OrderDoubted(order_id=open_order, cause="timeout"))


@pytest.mark.parametrize("final", [ev.OrderCancelled, ev.OrderExpired])
def test_final_orders_take_no_change(final: type) -> None:
    story = Story()
    order = story.order(terms())
    story.tell(final(order_id=order, reason="gone"))
    with pytest.raises(IllegalTransition):
        story.tell(ev.OrderCancelAsked(order_id=order))


def test_a_gap_in_the_journal_is_refused() -> None:
    story = Story()
    late = msgspec.structs.replace(story.facts[-1], seq=99)
    with pytest.raises(IllegalTransition, match="cannot follow"):
        apply(story.state, late)


def test_a_new_day_drops_finished_orders_and_carries_open_positions_with_their_cost() -> None:
    story = Story()
    done, working = story.order(terms(Side.SELL, 130)), story.order(terms(Side.SELL, price=20_000))
    story.fill(done, 130, 10_000, "t1", charges=500)
    back = story.order(terms(Side.BUY))
    story.fill(back, 65, 9_000, "t2", charges=300).tell(ev.SessionOpened(day=DAY.replace(day=25)))
    held = story.state.positions[KEY]
    assert (held.qty, held.cost, held.realised, held.charges) == (-65, -650_000, 0, 0)
    assert story.state.accounts["paper"].realised_before == 65_000
    assert story.state.accounts["paper"].charges_before == 800
    assert set(story.state.orders) == {working}


def test_a_settlement_must_match_the_open_quantity() -> None:
    story = Story()
    order = story.order(terms(Side.SELL))
    story.fill(order, 65, 10_000, "t1")
    wrong = ev.PositionSettled(account="paper", product=Product.NRML, contract=CALL, qty=-130, price=0, charges=0)
    with pytest.raises(IllegalTransition):
        story.tell(wrong)
    story.tell(msgspec.structs.replace(wrong, qty=-65))
    assert story.state.positions[KEY].qty == 0
    assert story.state.positions[KEY].realised == 650_000


def test_replay_of_the_stored_form_gives_the_same_digest() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.fill(order, 65, 10_000, "t1", charges=123).tell(ev.KillEngaged(why="test"))
    decoder = msgspec.json.Decoder(ev.Recorded)
    again = TradingState()
    for fact in story.facts:
        apply(again, decoder.decode(msgspec.json.encode(fact)))
    assert digest(again) == digest(story.state)
    assert msgspec.json.decode(msgspec.json.encode(again), type=TradingState) == story.state


def test_digest_sees_a_single_changed_unit() -> None:
    one, two = Story(), Story()
    one.fill(one.order(terms(Side.SELL, 130)), 65, 10_000, "t1")
    two.fill(two.order(terms(Side.SELL, 130)), 65, 10_001, "t1")
    assert digest(one.state) != digest(two.state)


@given(
    st.lists(st.tuples(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 5), st.integers(5, 50_000)), max_size=12)
)
def test_cash_in_less_cash_out_plus_the_mark_is_realised_plus_unrealised(fills: list[tuple[Side, int, int]]) -> None:
    story, cash, mark = Story(), 0, 12_345
    for number, (side, lots, price) in enumerate(fills):
        order = story.order(terms(side, lots * 65, price))
        story.fill(order, lots * 65, price, f"t{number}")
        cash -= side.sign * lots * 65 * price
    held = story.state.positions.get(KEY)
    if held is None:
        assert cash == 0
        return
    unrealised = held.unrealised(mark)
    assert unrealised is not None
    assert held.realised + unrealised == cash + held.qty * mark


def test_what_is_left_of_a_part_filled_order_may_be_rejected() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    story.fill(order, 65, 10_000, "t1").tell(ev.OrderRejected(order_id=order, code="RMS", reason="no"))
    assert (story.state.orders[order].status, story.state.orders[order].filled) == (OrderStatus.REJECTED, 65)
