from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Pending, Product, RiskClass, Role, Side, Validity
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    Doubtful,
    NotSent,
    Rejected,
    Settlement,
)
from optconsole.engine.trading import intake, outcomes
from optconsole.engine.trading.decision import ReadBook
from optconsole.engine.trading.reconciliation import book_rows
from optconsole.engine.trading.rows import ImpossibleRow
from tests.engine.facts import CALL, START, Story, option, terms


def charge(_day: date, _instrument: Instrument, _side: Side, value: int) -> int:
    """Twenty rupees an order and a tenth of a percent, so that the flat part shows when it is charged twice."""
    return 2_000 + value // 1_000


INTAKE = intake.Intake({CALL: option()}.get, charge, lambda _day, _instrument, value: value // 1_000)


def hear(story: Story, update: BrokerUpdate) -> list[ev.AnyEvent]:
    facts = INTAKE.hear(story.state, "paper", update).facts
    story.tell(*facts)
    return facts


def row(story: Story, order_id: str, status: OrderStatus, **changes: Any) -> BrokerOrder:
    order = story.state.orders[order_id]
    values: dict[str, Any] = {
        "broker_id": order.broker_id or f"B{order_id}",
        "tag": order.tag,
        "account": "paper",
        "contract": CALL,
        "side": order.terms.side,
        "qty": order.terms.qty,
        "filled": 0,
        "type": OrderType.LIMIT,
        "price": order.terms.limit or 0,
        "trigger": order.terms.trigger,
        "product": Product.NRML,
        "validity": Validity.DAY,
        "status": status,
        "triggered": False,
        "code": "",
        "reason": "",
        "updated_at": START,
    }
    return BrokerOrder(**{**values, **changes})


def trade(story: Story, order_id: str, number: str, qty: int = 65, price: int = 10_000) -> BrokerTrade:
    order = story.state.orders[order_id]
    return BrokerTrade(
        trade_id=number,
        broker_id=order.broker_id or f"B{order_id}",
        tag=order.tag,
        account="paper",
        contract=CALL,
        product=Product.NRML,
        side=order.terms.side,
        qty=qty,
        price=price,
        at=START,
    )


def test_a_row_that_says_nothing_new_makes_no_fact() -> None:
    story = Story()
    order = story.order(terms())
    assert hear(story, row(story, order, OrderStatus.OPEN)) == []


def test_an_order_is_found_by_its_tag_before_the_answer_came() -> None:
    story = Story()
    order = story.order(terms(), acknowledged=False)
    hear(story, row(story, order, OrderStatus.OPEN, broker_id="X7"))
    assert story.state.orders[order].broker_id == "X7"
    assert INTAKE.hear(story.state, "paper", row(story, order, OrderStatus.OPEN)).facts == []


def test_the_same_trade_heard_twice_counts_once() -> None:
    story = Story()
    order = story.order(terms(qty=130))
    assert len(hear(story, trade(story, order, "t1"))) == 1
    assert hear(story, trade(story, order, "t1")) == []


def test_a_fill_that_overtakes_the_answer_binds_the_order() -> None:
    story = Story()
    order = story.order(terms(), acknowledged=False)
    facts = hear(story, trade(story, order, "t1"))
    assert [type(fact) for fact in facts] == [ev.OrderAcknowledged, ev.OrderFilled]
    assert story.state.orders[order].status is OrderStatus.FILLED


def test_the_fills_of_an_order_are_charged_as_one_order() -> None:
    story = Story()
    order = story.order(terms(qty=130))
    hear(story, trade(story, order, "t1", price=10_000))
    hear(story, trade(story, order, "t2", price=10_100))
    total = charge(START.date(), option(), Side.SELL, 65 * 10_000 + 65 * 10_100)
    assert story.state.orders[order].charges == total


def test_a_fill_after_cancellation_is_counted_with_an_alarm() -> None:
    story = Story()
    order = story.order(terms())
    story.tell(ev.OrderCancelled(order_id=order))
    facts = hear(story, trade(story, order, "t1"))
    assert [type(fact) for fact in facts] == [ev.OrderFilled, ev.NoticeRaised]


def test_a_trade_of_an_unknown_order_raises_an_alarm_and_reads_the_book() -> None:
    story = Story()
    known = story.order(terms())
    stranger = msgspec.structs.replace(trade(story, known, "t1"), tag="", broker_id="nobody")
    decision = INTAKE.hear(story.state, "paper", stranger)
    assert isinstance(decision.facts[0], ev.NoticeRaised)
    assert decision.effects == [ReadBook("paper")]


def test_an_order_that_is_not_ours_is_adopted_and_its_fills_counted() -> None:
    story = Story()
    known = story.order(terms())
    foreign = row(story, known, OrderStatus.OPEN, tag="", broker_id="F1", side=Side.BUY, reason="MIS square-off")
    facts = hear(story, foreign)
    assert [type(fact) for fact in facts] == [ev.OrderAdopted, ev.NoticeRaised]
    fill = msgspec.structs.replace(trade(story, known, "t1"), tag="", broker_id="F1", side=Side.BUY)
    hear(story, fill)
    assert next(iter(story.state.positions.values())).qty == 65


def test_the_brokers_terms_replace_ours() -> None:
    story = Story()
    order = story.order(terms(price=10_000))
    hear(story, row(story, order, OrderStatus.OPEN, price=9_950, qty=130))
    assert (story.state.orders[order].terms.price, story.state.orders[order].terms.qty) == (9_950, 130)


def test_a_waiting_stop_is_triggered_once() -> None:
    story = Story()
    order = story.order(terms(Side.BUY, type=OrderType.SL, price=12_500, trigger=12_000))
    fired = row(story, order, OrderStatus.OPEN, type=OrderType.SL, triggered=True)
    assert [type(fact) for fact in hear(story, fired)] == [ev.OrderTriggered]
    assert hear(story, fired) == []


def test_a_rejection_in_the_book_is_final_and_told() -> None:
    story = Story()
    order = story.order(terms())
    refused = row(story, order, OrderStatus.REJECTED, code="MARGIN", reason="RMS: [/] \x1b]0;owned\x07")
    facts = hear(story, refused)
    assert [type(fact) for fact in facts] == [ev.OrderRejected, ev.NoticeRaised]
    held = story.state.orders[order]
    assert held.status is OrderStatus.REJECTED
    assert "\x1b" not in held.reason
    assert "\\x1b" in held.reason


def test_silence_after_a_send_is_doubt_never_rejection() -> None:
    story = Story()
    order = story.order(terms(), acknowledged=False)
    decision = outcomes.placed(story.state, "paper", order, Doubtful("timeout"))
    story.tell(*decision.facts)
    assert story.state.orders[order].status is OrderStatus.UNKNOWN
    assert decision.effects == [ReadBook("paper")]


def test_an_answer_never_moves_a_bound_order_back_into_doubt() -> None:
    story = Story()
    order = story.order(terms(), acknowledged=False)
    hear(story, trade(story, order, "t1"))
    for late in (Doubtful("timeout"), Rejected("X", "x"), NotSent("x"), Accepted("BO1")):
        assert outcomes.placed(story.state, "paper", order, late).facts == []


def test_a_change_in_doubt_is_read_back_not_assumed() -> None:
    story = Story()
    order = story.order(terms(price=10_000))
    story.tell(ev.OrderChangeAsked(order_id=order, terms=terms(price=9_900)))
    decision = outcomes.modified(story.state, "paper", order, Doubtful("timeout"))
    story.tell(*decision.facts)
    held = story.state.orders[order]
    assert (held.terms.price, held.pending, held.reason_code) == (10_000, Pending.NONE, "NOT_CONFIRMED")
    assert decision.effects == [ReadBook("paper")]


def test_a_cancel_is_believed_only_from_the_book() -> None:
    story = Story()
    order = story.order(terms())
    story.tell(ev.OrderCancelAsked(order_id=order))
    assert outcomes.cancelled(story.state, "paper", order, Accepted("B")).facts == []
    assert story.state.orders[order].status is OrderStatus.OPEN
    hear(story, row(story, order, OrderStatus.CANCELLED, reason="cancelled by user"))
    assert story.state.orders[order].status is OrderStatus.CANCELLED


def test_a_settlement_closes_the_position_at_its_cash_value() -> None:
    story = Story()
    story.fill(story.order(terms(Side.BUY)), 65, 10_000, "t1")
    settled = Settlement(
        settlement_id="s1", account="paper", contract=CALL, product=Product.NRML, qty=65, price=12_000, at=START
    )
    hear(story, settled)
    held = next(iter(story.state.positions.values()))
    assert (held.qty, held.realised, held.charges) == (0, 65 * 2_000, 65 * 12_000 // 1_000)
    assert hear(story, settled) == []


def test_a_settlement_of_another_quantity_is_an_alarm_and_moves_nothing() -> None:
    story = Story()
    story.fill(story.order(terms(Side.BUY)), 65, 10_000, "t1")
    settled = Settlement(
        settlement_id="s1", account="paper", contract=CALL, product=Product.NRML, qty=130, price=12_000, at=START
    )
    assert [type(fact) for fact in hear(story, settled)] == [ev.NoticeRaised]
    assert next(iter(story.state.positions.values())).qty == 65


def test_a_trade_of_an_earlier_day_is_not_counted_again() -> None:
    story = Story()
    order = story.order(terms(qty=130))
    hear(story, trade(story, order, "t1"))
    story.tell(ev.SessionOpened(day=START.date() + timedelta(days=2)))
    assert hear(story, trade(story, order, "t1")) == []


def test_the_trades_of_an_order_that_ended_unheard_are_no_trades_of_a_dead_order() -> None:
    story = Story()
    ours = story.order(terms(Side.SELL, 130))
    rows = [
        row(story, ours, OrderStatus.CANCELLED, filled=65),
        row(story, ours, OrderStatus.EXPIRED, filled=65, tag="", broker_id="S9"),
    ]
    trades = [trade(story, ours, "t1"), msgspec.structs.replace(trade(story, ours, "t2"), tag="", broker_id="S9")]
    for update in book_rows(rows, trades):
        hear(story, update)
    assert [order.status for order in story.state.orders.values()] == [OrderStatus.CANCELLED, OrderStatus.EXPIRED]
    assert [order.filled for order in story.state.orders.values()] == [65, 65]
    assert [notice.code for notice in story.state.notices] == ["FOREIGN_ORDER"]


def test_a_refused_order_heard_of_with_other_terms_is_refused() -> None:
    story = Story()
    order_id = story.order(terms(Side.SELL, 130), acknowledged=False)
    hear(story, row(story, order_id, OrderStatus.REJECTED, price=0))
    assert story.state.orders[order_id].status is OrderStatus.REJECTED


def test_a_trade_without_an_order_has_the_book_read_once_and_not_for_ever() -> None:
    story = Story()
    known = story.order(terms())
    orphan = msgspec.structs.replace(trade(story, known, "t1"), tag="", broker_id="S7")
    first = INTAKE.hear(story.state, "paper", orphan)
    assert first.effects == [ReadBook("paper")]
    story.tell(*first.facts)
    again = INTAKE.hear(story.state, "paper", orphan)
    assert (again.facts, again.effects) == ([], [])


def test_an_exit_that_is_rejected_is_an_alarm_and_an_entry_a_warning() -> None:
    for risk, level in ((RiskClass.REDUCE, "alarm"), (RiskClass.INCREASE, "warning")):
        story = Story()
        story.tell(
            ev.OrderIntended(order_id="O1", terms=terms(), tag="T", risk=risk, lot=65),
            ev.OrderSent(order_id="O1", attempt=0),
        )
        story.tell(*outcomes.placed(story.state, "paper", "O1", Rejected("RMS", "no")).facts)
        assert [notice.level for notice in story.state.notices] == [level]


def stop(story: Story) -> str:
    """A stop of a guard, acknowledged."""
    wanted = terms(Side.BUY, 130, 12_600, OrderType.SL, trigger=12_000)
    story.tell(
        ev.OrderIntended(
            order_id="O1", terms=wanted, tag="T", risk=RiskClass.PROTECT, lot=65, role=Role.STOP, parent="G1"
        ),
        ev.OrderSent(order_id="O1", attempt=0),
        ev.OrderAcknowledged(order_id="O1", broker_id="BO1"),
    )
    return "O1"


def test_a_stop_is_confirmed_by_a_row_of_the_book_and_anew_on_other_terms() -> None:
    story = Story()
    order = stop(story)
    asleep = {"type": OrderType.SL, "trigger": 12_000}
    assert hear(story, row(story, order, OrderStatus.TRIGGER_PENDING, **asleep)) == [ev.OrderConfirmed(order_id=order)]
    assert hear(story, row(story, order, OrderStatus.TRIGGER_PENDING, **asleep)) == []
    hear(story, row(story, order, OrderStatus.TRIGGER_PENDING, **asleep, qty=65))
    assert (story.state.orders[order].terms.qty, story.state.orders[order].confirmed) == (65, True)
    story.tell(ev.OrderChanged(order_id=order, terms=terms(Side.BUY, 65, 13_600, OrderType.SL, trigger=13_000)))
    assert not story.state.orders[order].confirmed


def test_a_stop_on_the_wrong_side_of_the_book_is_not_confirmed() -> None:
    story = Story()
    order = stop(story)
    assert hear(story, row(story, order, OrderStatus.TRIGGER_PENDING, type=OrderType.SL, side=Side.SELL)) == []


def test_a_stop_that_the_broker_holds_as_a_limit_order_is_seen_as_one() -> None:
    story = Story()
    order = stop(story)
    hear(story, row(story, order, OrderStatus.OPEN, trigger=None, price=9_000))
    held = story.state.orders[order]
    assert (held.terms.type, held.terms.trigger, held.status) == (OrderType.LIMIT, None, OrderStatus.OPEN)


def test_an_order_made_as_small_as_its_fills_and_then_cancelled_is_filled() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130))
    hear(story, trade(story, order, "1", 65))
    hear(story, row(story, order, OrderStatus.CANCELLED, qty=65, filled=65))
    assert story.state.orders[order].status is OrderStatus.FILLED


@pytest.mark.parametrize(("held", "closed", "cancelled"), [(65, True, True), (130, True, False), (65, False, False)])
def test_an_exit_that_turns_up_late_is_cancelled_where_another_has_closed_its_position(
    held: int, closed: bool, cancelled: bool
) -> None:
    story = Story()
    story.tell(ev.PositionAdopted(account="paper", product=Product.NRML, contract=CALL, lot=65, qty=held, price=10_000))
    for name in ("O1", "O2")[: 1 + closed]:
        intended = ev.OrderIntended(
            order_id=name, terms=terms(Side.SELL, 65), tag=f"TAG{name}", risk=RiskClass.REDUCE, lot=65
        )
        story.tell(intended, ev.OrderSent(order_id=name, attempt=0))
        if name == "O1":
            story.tell(ev.OrderDoubted(order_id=name, cause="?"), ev.OrderPresumedAbsent(order_id=name, reads=3))
    if closed:
        story.tell(ev.OrderAcknowledged(order_id="O2", broker_id="BO2"))
        hear(story, trade(story, "O2", "2"))
    facts = hear(story, row(story, "O1", OrderStatus.OPEN))
    assert any(isinstance(fact, ev.OrderCancelAsked) for fact in facts) is cancelled


@pytest.mark.parametrize("changes", [{"qty": 0}, {"qty": -65}, {"price": 0}])
def test_a_trade_that_no_exchange_can_mean_is_not_believed(changes: dict[str, int]) -> None:
    story = Story()
    told = trade(story, story.order(terms()), "T1")
    with pytest.raises(ImpossibleRow):
        hear(story, msgspec.structs.replace(told, **changes))


@pytest.mark.parametrize("changes", [{"filled": -1}, {"filled": 66}, {"qty": -65}])
def test_an_order_that_no_exchange_can_mean_is_not_believed(changes: dict[str, int]) -> None:
    story = Story()
    told = row(story, story.order(terms()), OrderStatus.OPEN, **changes)
    with pytest.raises(ImpossibleRow):
        hear(story, told)


def test_two_brokers_may_number_their_orders_alike() -> None:
    story = Story()
    order = story.order(terms())
    told = msgspec.structs.replace(row(story, order, OrderStatus.CANCELLED), account="other", tag="")
    assert not any(isinstance(fact, ev.OrderCancelled) and fact.order_id == order for fact in hear(story, told))


def words(story: Story) -> list[str]:
    return [notice.subject for notice in story.state.notices if notice.code == "STATUS_UNKNOWN"]


def test_a_status_we_do_not_know_is_an_alarm_once_for_each_order_and_word_and_ends_nothing() -> None:
    """B24."""
    story = Story()
    one, other = story.order(terms()), story.order(terms())
    for _ in range(3):
        hear(story, row(story, one, OrderStatus.UNKNOWN, word="AMO_RECEIVED"))
    assert words(story) == [one]
    hear(story, row(story, one, OrderStatus.UNKNOWN, word="FROZEN"))
    hear(story, row(story, other, OrderStatus.UNKNOWN, word="FROZEN"))
    assert words(story) == [one, one, other]
    assert "FROZEN" in story.state.notices[-1].text
    assert story.state.orders[one].status is story.state.orders[other].status is OrderStatus.OPEN


def test_an_order_of_others_with_a_status_we_do_not_know_is_told_too() -> None:
    """B24."""
    story = Story()
    known = row(story, story.order(terms()), OrderStatus.UNKNOWN, word="\x1b[2J")
    hear(story, msgspec.structs.replace(known, broker_id="F1", tag=""))
    assert words(story) == ["O2"]
    assert "\x1b" not in story.state.notices[-1].text
