"""An order as Angel One's books hold it, and its row in the order book."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from optconsole.brokers.rehearsal.smartapi.habits import Mixed, number, rupees, stamp
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip, instrument_type, long_expiry, option_type
from optconsole.engine.model.orders import Side


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asked for, in Angel One's words. Prices in paise; 0 is none."""

    variety: str
    ordertype: str
    producttype: str
    duration: str
    side: Side
    scrip: Scrip
    qty: int
    price: int = 0
    trigger: int = 0
    disclosed: int = 0
    tag: str = ""


class WireOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order, whole. ``text`` is the reason of a rejection; ``exchange_id`` is empty until the exchange has it.

    ``limit`` is the price at which an order without one really travels, 0 where the client gave it.
    """

    orderid: str
    uniqueorderid: str
    exchange_id: str
    terms: Terms
    status: str
    limit: int = 0
    filled: int = 0
    filled_value: int = 0
    text: str = ""
    entered_at: datetime
    updated_at: datetime
    fillid: str = ""
    filled_at: datetime | None = None

    @property
    def cancelled(self) -> int:
        """Units that were withdrawn unfilled."""
        return self.terms.qty - self.filled if self.status.startswith("cancelled") else 0


def strike_figure(scrip: Scrip) -> int | float:
    """The strike in rupees as a number, whole where it is; -1 for none."""
    strike = scrip.instrument.strike
    if strike is None:
        return -1
    return strike // 100 if strike % 100 == 0 else number(strike)


def order_row(order: WireOrder, mixed: Mixed) -> dict[str, Any]:
    """A row of the order book; figures are strings or numbers, as chance has it."""
    terms, item = order.terms, order.terms.scrip.instrument
    strike = strike_figure(terms.scrip)
    average = round(order.filled_value / order.filled) if order.filled else 0
    resting = order.limit and order.status == "open"  # what is left of a market order rests as a limit order
    open_units = terms.qty - order.filled - order.cancelled
    return {
        "variety": terms.variety,
        "ordertype": "LIMIT" if resting else terms.ordertype,
        "producttype": terms.producttype,
        "duration": terms.duration,
        "price": mixed.price(order.limit if resting else terms.price),
        "triggerprice": mixed.price(terms.trigger),
        "quantity": mixed.units(terms.qty),
        "disclosedquantity": mixed.units(terms.disclosed),
        "squareoff": mixed.price(0),
        "stoploss": mixed.price(0),
        "trailingstoploss": mixed.price(0),
        "tradingsymbol": terms.scrip.symbol,
        "transactiontype": terms.side.value,
        "exchange": terms.scrip.segment,
        "symboltoken": terms.scrip.token,
        "ordertag": terms.tag,
        "instrumenttype": instrument_type(item),
        "strikeprice": strike if mixed.chance(0.5) else str(strike),
        "optiontype": option_type(item.right),
        "expirydate": long_expiry(item.expiry),
        "lotsize": mixed.units(item.lot),
        "cancelsize": mixed.units(order.cancelled),
        "averageprice": mixed.price(average),
        "filledshares": mixed.units(order.filled),
        "unfilledshares": mixed.units(open_units),
        "orderid": order.orderid,
        "text": order.text,
        "status": order.status,
        "orderstatus": order.status,
        "updatetime": stamp(order.updated_at),
        "exchtime": stamp(order.updated_at) if order.exchange_id else "",
        "exchorderupdatetime": stamp(order.updated_at) if order.exchange_id else "",
        "fillid": order.fillid,
        "filltime": f"{order.filled_at:%H:%M:%S}" if order.filled_at else "",
        "parentorderid": "",
        "uniqueorderid": order.uniqueorderid,
        "exchangeorderid": order.exchange_id,
    }


class WireTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One execution."""

    fillid: str
    orderid: str
    producttype: str
    side: Side
    scrip: Scrip
    qty: int
    price: int
    at: datetime


def trade_row(trade: WireTrade) -> dict[str, Any]:
    """A row of the trade book: all strings, the time without a day, neither token nor tag."""
    item = trade.scrip.instrument
    return {
        "exchange": trade.scrip.segment,
        "producttype": trade.producttype,
        "tradingsymbol": trade.scrip.symbol,
        "instrumenttype": instrument_type(item),
        "symbolgroup": "",
        "strikeprice": str(strike_figure(trade.scrip)),
        "optiontype": option_type(item.right),
        "expirydate": long_expiry(item.expiry),
        "marketlot": str(item.lot),
        "precision": "2",
        "multiplier": "-1",
        "tradevalue": rupees(trade.qty * trade.price),
        "transactiontype": trade.side.value,
        "fillprice": rupees(trade.price),
        "fillsize": str(trade.qty),
        "orderid": trade.orderid,
        "fillid": trade.fillid,
        "filltime": f"{trade.at:%H:%M:%S}",
    }
