from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.orders import OrderStatus, Pending, RiskClass, Side
from optconsole.engine.trading import reconciliation
from tests.engine.facts import Story, terms


def test_a_change_or_cancel_whose_answer_died_with_the_engine_does_not_lock_the_order() -> None:
    story = Story()
    changed, cancelled = story.order(terms(Side.SELL)), story.order(terms(Side.SELL))
    story.tell(
        ev.OrderChangeAsked(order_id=changed, terms=terms(Side.SELL, price=11_000)),
        ev.OrderCancelAsked(order_id=cancelled),
    )
    seen = {f"B{changed}", f"B{cancelled}"}
    story.tell(*reconciliation.resolve_pending(story.state, "paper", "paper", seen).facts)
    for order_id in (changed, cancelled):
        order = story.state.orders[order_id]
        assert (order.pending, order.asked, order.status) == (Pending.NONE, None, OrderStatus.OPEN)
        assert order.reason_code == "NOT_CONFIRMED"
    assert reconciliation.resolve_pending(story.state, "paper", "paper", seen).facts == []


def test_an_order_that_a_proving_book_lacks_never_existed_and_the_trader_is_told() -> None:
    story = Story()
    lost = story.order(terms(Side.SELL), acknowledged=False)
    asked = reconciliation.doubted(story.state, "paper")
    assert asked == {lost}
    story.tell(*reconciliation.resolve_missing(story.state, "paper", asked, set(), proof=True).facts)
    assert story.state.orders[lost].status is OrderStatus.EXPIRED
    assert [(notice.code, notice.level) for notice in story.state.notices] == [("ORDER_NOT_SENT", "warning")]


def test_a_closing_order_that_never_left_is_an_alarm() -> None:
    story = Story()
    story.tell(
        ev.OrderIntended(order_id="O1", terms=terms(Side.BUY), tag="T", risk=RiskClass.REDUCE, lot=65),
        ev.OrderSent(order_id="O1", attempt=0),
    )
    story.tell(*reconciliation.resolve_missing(story.state, "paper", {"O1"}, set(), proof=True).facts)
    assert [notice.level for notice in story.state.notices] == ["alarm"]


def test_an_order_sent_after_the_book_was_asked_for_is_not_missed_in_it() -> None:
    story = Story()
    story.order(terms(Side.SELL), acknowledged=False)
    assert reconciliation.resolve_missing(story.state, "paper", set(), set(), proof=True).facts == []


def test_absence_from_a_book_that_proves_nothing_leaves_the_order_unknown() -> None:
    story = Story()
    lost = story.order(terms(Side.SELL), acknowledged=False)
    story.tell(*reconciliation.resolve_missing(story.state, "live", {lost}, set(), proof=False).facts)
    assert story.state.orders[lost].status is OrderStatus.UNKNOWN
    assert [(notice.code, notice.level, notice.subject) for notice in story.state.notices] == [
        ("ORDER_UNKNOWN", "alarm", lost)
    ]
