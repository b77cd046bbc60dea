"""What a client asks of an order, read from its fields and refused in the server's words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from optconsole.brokers.rehearsal.noren.body import BadRequest, Body
from optconsole.brokers.rehearsal.noren.record import Ticket
from optconsole.brokers.rehearsal.noren.replies import BAD_SYMBOL
from optconsole.brokers.rehearsal.noren.symbols import Symbol, Symbols
from optconsole.brokers.rehearsal.noren.words import (
    MARKET_TYPES,
    OTHER_PRODUCTS,
    OTHER_TYPES,
    PRICE_TYPES,
    PRODUCTS,
    RETENTIONS,
    SIDES,
)

PLACED: Final = ("uid", "actid", "exch", "tsym", "qty", "prc", "prd", "trantype", "prctyp", "ret")
MODIFIED: Final = ("uid", "exch", "norenordno", "tsym", "qty", "prc", "prctyp")
"""The documents name ``ret`` too; the broker's own SDK does not send it."""
LONGEST_REMARK: Final = 50


def symbol_of(body: Body, symbols: Symbols) -> Symbol:
    """The contract that ``exch`` and ``tsym`` name. Raises BadRequest."""
    symbol = symbols.named(body.word("exch"), body.word("tsym"))
    if symbol is None:
        raise BadRequest(BAD_SYMBOL)
    return symbol


def placing(body: Body, symbols: Symbols) -> Ticket:
    """The order of a PlaceOrder. Raises BadRequest for what the gateway itself refuses; risk is judged later."""
    _mandatory(body, PLACED)
    kind = _price_type(body.word("prctyp"))
    if body.word("trantype") not in SIDES:
        raise BadRequest("Invalid Input : Invalid Transaction Type")
    if body.word("prd") not in PRODUCTS.keys() | OTHER_PRODUCTS:
        raise BadRequest("Invalid Input : Invalid Product Type")
    if body.word("ret") not in RETENTIONS:
        raise BadRequest("Invalid Input : Invalid Retention Type")
    if body.word("amo").lower() == "yes":
        raise BadRequest("Invalid Input : Invalid AMO")
    trigger = body.optional_price("trgprc") if kind == "SL-LMT" else 0
    if kind == "SL-LMT" and not trigger:
        raise BadRequest("Invalid Input : Trigger price invalid - 0.00")
    return Ticket(
        symbol=symbol_of(body, symbols),
        trantype=body.word("trantype"),
        prctyp=kind,
        prd=body.word("prd"),
        ret=body.word("ret"),
        qty=_quantity(body),
        prc=body.price("prc"),
        trgprc=trigger,
        dscqty=body.units("dscqty") if body.word("dscqty") else 0,
        remarks=body.word("remarks")[:LONGEST_REMARK],
        source=body.word("ordersource") or "API",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """New terms of an order: ``qty`` is the new total, ``trgprc`` paise or 0."""

    number: str
    qty: int
    prc: int
    prctyp: str
    trgprc: int


def modifying(body: Body, symbols: Symbols) -> Change:
    """The terms of a ModifyOrder. A trigger price, whatever it says, on an order without one is refused.

    Raises BadRequest.
    """
    _mandatory(body, MODIFIED)
    symbol_of(body, symbols)
    kind = _price_type(body.word("prctyp"))
    trigger = 0
    if kind == "SL-LMT":
        trigger = body.optional_price("trgprc")
        if not trigger:
            raise BadRequest("Invalid Input : Trigger price invalid - 0.00")
    elif "trgprc" in body.fields:
        raise BadRequest("Invalid Input : Trigger price invalid - 0.00")
    if body.word("ret") and body.word("ret") not in RETENTIONS:
        raise BadRequest("Invalid Input : Invalid Retention Type")
    return Change(body.word("norenordno"), _quantity(body), body.price("prc"), kind, trigger)


def _mandatory(body: Body, names: tuple[str, ...]) -> None:
    if any(not body.word(name) for name in ("uid", "actid", "prd") if name in names):
        raise BadRequest("Invalid Input : Missing uid or actid or prd")
    for name in names:
        if name not in body.fields:
            raise BadRequest(f"Invalid Input : Missing {name}")


def _price_type(word: str) -> str:
    if word in MARKET_TYPES | OTHER_TYPES:
        raise BadRequest(f"Invalid Input : {word} orders are not allowed through API, send LMT or SL-LMT")
    if word not in PRICE_TYPES:
        raise BadRequest("Invalid Input : Invalid Price Type")
    return word


def _quantity(body: Body) -> int:
    qty = body.units("qty")
    if qty <= 0:
        raise BadRequest("Invalid Input : Invalid Quantity")
    return qty
