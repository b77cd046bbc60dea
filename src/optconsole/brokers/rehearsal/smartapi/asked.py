"""What clients ask in an order call, read from the wire: strings or numbers, and refused in Angel One's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.orders import Terms
from optconsole.brokers.rehearsal.smartapi.sessions import Denied
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.engine.model.orders import Side

LONGEST_TAG: Final = 19
ScripAt = Callable[[str, str], Scrip | None]
"""(exchange segment, token) -> the contract."""


def body_of(data: bytes) -> Mapping[str, Any]:
    """The JSON object a client posted. Raises Denied."""
    try:
        said = msgspec.json.decode(data or b"{}")
    except msgspec.DecodeError:
        said = None
    if not isinstance(said, dict):
        raise Denied("AB2000", "Error not specified")
    return said


def text(body: Mapping[str, Any], name: str) -> str:
    """A field as text, empty where it is missing or null."""
    value = body.get(name)
    return "" if value is None else str(value).strip()


def paise(body: Mapping[str, Any], name: str) -> int:
    """A price in rupees, nothing being 0. Raises Denied for what is no price of whole paise."""
    given = text(body, name) or "0"
    try:
        value = Decimal(given) * 100
        if value != value.to_integral_value() or value < 0:
            raise InvalidOperation
        return int(value)
    except InvalidOperation:
        raise Denied("AB1007", f"AMX Error: invalid {name}") from None


def units(body: Mapping[str, Any], name: str) -> int:
    """A whole number, nothing being 0. Raises Denied."""
    given = text(body, name) or "0"
    if not given.isascii() or not given.isdecimal():
        raise Denied("AB1007", f"AMX Error: invalid {name}")
    return int(given)


def placed(body: Mapping[str, Any], scrip_at: ScripAt) -> Terms:
    """The terms of a new order. Raises Denied."""
    ordertype = text(body, "ordertype").upper()
    variety = text(body, "variety").upper()
    _check_words(ordertype, variety, text(body, "producttype").upper())
    side, duration = text(body, "transactiontype").upper(), text(body, "duration").upper()
    if side not in Side.__members__ or duration not in words.VALIDITIES:
        raise Denied("AB1007", "AMX Error: invalid transaction type or duration")
    tag = text(body, "ordertag")
    if len(tag) > LONGEST_TAG:
        raise Denied("AB4008", "ordertag length should be less than 20 characters")
    return _checked(
        Terms(
            variety=variety,
            ordertype=ordertype,
            producttype=text(body, "producttype").upper(),
            duration=duration,
            side=Side(side),
            scrip=_scrip(body, scrip_at),
            qty=units(body, "quantity"),
            price=paise(body, "price") if ordertype in words.PRICED else 0,
            trigger=paise(body, "triggerprice") if ordertype in words.STOPS else 0,
            disclosed=units(body, "disclosedquantity"),
            tag=tag,
        )
    )


def modified(body: Mapping[str, Any], before: Terms, scrip_at: ScripAt) -> Terms:
    """The terms of an order once changed; ``quantity`` is the new total. Raises Denied.

    A trigger is read from ``triggerprice``, else from ``stoploss``: clients in use send either.
    """
    ordertype = text(body, "ordertype").upper()
    _check_words(ordertype, text(body, "variety").upper(), text(body, "producttype").upper())
    if _scrip(body, scrip_at) != before.scrip:
        raise Denied("AB1018", "Unable to fetch Symbol details")
    stop = ordertype in words.STOPS
    return _checked(
        msgspec.structs.replace(
            before,
            variety=text(body, "variety").upper(),
            ordertype=ordertype,
            qty=units(body, "quantity"),
            price=paise(body, "price") if ordertype in words.PRICED else 0,
            trigger=(paise(body, "triggerprice") or paise(body, "stoploss")) if stop else 0,
        )
    )


def _check_words(ordertype: str, variety: str, product: str) -> None:
    if variety == "ROBO":
        raise Denied("AB2002", "ROBO order is block")
    if ordertype not in words.VARIETIES or variety not in words.VARIETIES[ordertype]:
        raise Denied("AB1008", "Invalid Order Variety")
    if product not in words.PRODUCTS:
        raise Denied("AB1012", "Invalid Product Type")


def _scrip(body: Mapping[str, Any], scrip_at: ScripAt) -> Scrip:
    """The contract, which token and symbol must both name. Raises Denied."""
    found = scrip_at(text(body, "exchange").upper(), text(body, "symboltoken"))
    if found is None or not found.instrument.tradable:
        raise Denied("AB1009", "Symbol Not Found")
    if found.symbol != text(body, "tradingsymbol"):
        raise Denied("AB1018", "Unable to fetch Symbol details")
    return found


def _checked(terms: Terms) -> Terms:
    if terms.qty <= 0:
        raise Denied("AB1007", "AMX Error: invalid quantity")
    if terms.ordertype in words.PRICED and terms.price <= 0:
        raise Denied("AB1007", "AMX Error: invalid price")
    if terms.ordertype in words.STOPS and terms.trigger <= 0:
        raise Denied("AB1007", "AMX Error: invalid triggerprice")
    return terms
