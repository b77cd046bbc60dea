"""Charges of orders that were not placed, item by item, as the calculator of Angel One nests them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from optconsole.engine.market.tariffs import rates_on
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.pricing.charges import Bill, bill


class Estimate(msgspec.Struct, frozen=True):
    """One order to be estimated; ``value`` is paise."""

    instrument: Instrument
    side: Side
    value: int


def estimated(day: date, orders: list[Estimate]) -> dict[str, Any]:
    """The answer: a summary of all and the charges of each. Amounts in rupees."""
    bills = [_bill(day, order) for order in orders]
    whole = Bill(
        brokerage=_sum(each.brokerage for each in bills),
        stt=_sum(each.stt for each in bills),
        exchange=_sum(each.exchange for each in bills),
        sebi=_sum(each.sebi for each in bills),
        stamp=_sum(each.stamp for each in bills),
        gst=_sum(each.gst for each in bills),
    )
    values = [order.value for order in orders]
    return {
        "summary": _table(whole, sum(values)),
        "charges": [_table(each, value) for each, value in zip(bills, values, strict=True)],
    }


def _bill(day: date, order: Estimate) -> Bill:
    item = order.instrument
    return bill(rates_on(day, item.exchange, item.kind, item.underlying), order.side, order.value)


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, Decimal(0))


def _table(charged: Bill, value: int) -> dict[str, Any]:
    taxes = [_item("Security Transaction Tax", charged.stt), _item("Stamp Duty", charged.stamp)]
    taxes.append(_item("GST", charged.gst))
    outside = [_item("Transaction Charges", charged.exchange), _item("SEBI Fees", charged.sebi)]
    return {
        "total_charges": _amount(charged.total),
        "trade_value": value / 100,
        "breakup": [
            _item("Angel One Brokerage", charged.brokerage),
            _item("External Charges", charged.exchange + charged.sebi, outside),
            _item("Taxes", charged.stt + charged.stamp + charged.gst, taxes),
        ],
    }


def _item(name: str, amount: Decimal, breakup: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"name": name, "amount": _amount(amount), "msg": "", "breakup": breakup or []}


def _amount(amount: Decimal) -> float:
    return float(round(amount, 4))
