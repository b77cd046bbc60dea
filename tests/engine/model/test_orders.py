"""Orders: states, sides and the worst price an order may trade at."""

from __future__ import annotations

import pytest

from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Side


def test_no_state_is_both_final_and_working() -> None:
    assert not [status for status in OrderStatus if status.final and status.working]
    neither = {status for status in OrderStatus if not status.final and not status.working}
    assert neither == {OrderStatus.INTENDED, OrderStatus.PRESUMED_ABSENT}


def test_risk_is_kept_for_all_that_may_trade_and_for_what_is_only_presumed_absent() -> None:
    kept = {status for status in OrderStatus if status.reserved}
    assert kept == {status for status in OrderStatus if status.working} | {OrderStatus.PRESUMED_ABSENT}
    assert not OrderStatus.PRESUMED_ABSENT.final


def test_an_order_whose_fate_is_unknown_counts_as_working() -> None:
    assert OrderStatus.UNKNOWN.working
    assert not OrderStatus.UNKNOWN.final


def test_sides_oppose_and_cancel() -> None:
    for side in Side:
        assert side.opposite.opposite is side
        assert side.sign + side.opposite.sign == 0
    assert Side.BUY.sign == 1


@pytest.mark.parametrize(
    ("kind", "limit"),
    [(OrderType.LIMIT, 100), (OrderType.SL, 100), (OrderType.MARKET, 103), (OrderType.SL_M, 103)],
)
def test_the_limit_is_the_price_or_the_protection_by_type(kind: OrderType, limit: int) -> None:
    terms = OrderTerms(account="p", contract="X", side=Side.BUY, qty=65, type=kind, price=100, protection=103)
    assert terms.limit == limit
    assert kind.has_trigger is (kind in (OrderType.SL, OrderType.SL_M))
