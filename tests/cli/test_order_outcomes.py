"""What the command line makes of the end of an order."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.cli.following import answered
from optconsole.cli.order import failure_of
from optconsole.engine.model.orders import (
    Order,
    OrderStatus,
    OrderTerms,
    OrderType,
    Pending,
    RiskClass,
    Side,
    Validity,
)
from tests.link.small_engine import CALL, START

TERMS = OrderTerms(account="paper", contract=CALL, side=Side.BUY, qty=75, type=OrderType.LIMIT, price=100_00)
ORDER = Order(
    id="O1",
    tag="t",
    terms=TERMS,
    status=OrderStatus.OPEN,
    risk=RiskClass.INCREASE,
    lot=75,
    intended_at=START,
    updated_at=START,
    reason="No.",
    reason_code="RMS",
)


def order(status: OrderStatus, pending: Pending = Pending.NONE, **terms: object) -> Order:
    changed = msgspec.structs.replace(TERMS, **terms)
    return msgspec.structs.replace(ORDER, status=status, pending=pending, terms=changed)


@pytest.mark.parametrize("status", OrderStatus)
def test_only_a_refusal_doubt_or_silence_is_a_failure(status: OrderStatus) -> None:
    codes = {
        OrderStatus.DENIED: "RMS",
        OrderStatus.REJECTED: "RMS",
        OrderStatus.UNKNOWN: "UNKNOWN",
        OrderStatus.INTENDED: "UNANSWERED",
        OrderStatus.SENT: "UNANSWERED",
    }
    failure = failure_of(order(status), wait=5.0)
    assert (None if failure is None else failure[0]) == codes.get(status)


def test_an_order_in_doubt_is_never_to_be_sent_again() -> None:
    for status in (OrderStatus.UNKNOWN, OrderStatus.SENT):
        failure = failure_of(order(status), wait=5.0)
        assert failure is not None
        assert "do not send it again" in failure[1]


def test_who_does_not_wait_is_not_told_of_silence() -> None:
    assert failure_of(order(OrderStatus.SENT), wait=0.0) is None


def test_a_change_that_nobody_answered_is_told() -> None:
    failure = failure_of(order(OrderStatus.OPEN, Pending.CANCEL), wait=5.0)
    assert failure is not None
    assert failure[0] == "UNANSWERED"


def test_a_limit_order_is_answered_once_the_broker_has_it() -> None:
    assert not answered(order(OrderStatus.SENT))
    assert answered(order(OrderStatus.OPEN))
    assert answered(order(OrderStatus.UNKNOWN))


@pytest.mark.parametrize("terms", [{"type": OrderType.MARKET, "price": None}, {"validity": Validity.IOC}])
def test_what_is_due_at_once_is_waited_for_to_its_end(terms: dict[str, object]) -> None:
    assert not answered(order(OrderStatus.OPEN, **terms))
    assert not answered(order(OrderStatus.PARTIAL, **terms))
    assert answered(order(OrderStatus.FILLED, **terms))
    assert answered(order(OrderStatus.CANCELLED, **terms))
