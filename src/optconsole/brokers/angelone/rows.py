"""Rows of Angel One's books, turned into ours. Every field may come as text, as a number or as null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from optconsole.brokers.angelone.words import (
    DERIVATIVES,
    NORMAL,
    PRODUCTS,
    STOPLOSS,
    TYPES,
    VALIDITIES,
    status_of,
    triggered,
)
from optconsole.brokers.transport.coerce import moment, paise, text, units
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.instruments import Right, contract_name, expiry_code
from optconsole.engine.model.orders import OrderStatus, OrderType, Side, Validity
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade

Row = Mapping[str, Any]
Find = Callable[[str, str, str], Listed | None]
"""(segment, token, symbol), of which one may be empty -> what the day's instrument file lists."""
STAMPS: Final = ("%d-%b-%Y %H:%M:%S", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S")
REJECTED_CODE: Final = "BROKER_REJECTED"


class BadRow(ValueError):
    """A row that cannot be what it says it is."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the broker wants to be told again when an order is changed or cancelled, and what its trades do not say."""

    variety: str
    segment: str
    symbol: str
    token: str
    product: str
    duration: str
    stop: bool
    tag: str
    contract: str
    ended: bool
    qty: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of the book: as the engine knows it, and what is kept of it."""

    order: BrokerOrder
    kept: Kept


def ours(row: Row) -> bool:
    """Whether a row is about a segment whose contracts the engine trades."""
    return str(row.get("exchange") or "").strip().upper() in DERIVATIVES


def order_row(row: Row, account: str, find: Find, day: date) -> OrderRow:
    """A row of the order book, or the ``orderData`` of an update. Raises BadRow.

    A time that is missing is the beginning of ``day``: such a row proves nothing to be recent.
    """
    try:
        return _order(row, account, find, day)
    except (ValueError, KeyError) as error:
        raise BadRow(f"an order that cannot be read: {_why(error)}") from None


def _order(row: Row, account: str, find: Find, day: date) -> OrderRow:
    order_id = _needed(row, "orderid")
    kind = TYPES[_word(row, "ordertype")]
    filled, qty = _units(row, "filledshares"), units(row["quantity"])
    word = text(row.get("orderstatus")) or text(row.get("status"))
    status = status_of(word, kind.has_trigger, filled)
    listed, contract = _contract(row, find)
    product = PRODUCTS[_word(row, "producttype")]
    duration = _word(row, "duration") or "DAY"
    order = BrokerOrder(
        broker_id=order_id,
        tag=display(text(row.get("ordertag")), 60),
        account=account,
        contract=contract,
        side=Side(_word(row, "transactiontype")),
        qty=qty,
        filled=filled,
        type=kind,
        price=_paise(row, "price"),
        trigger=_paise(row, "triggerprice") if kind.has_trigger else None,
        product=product,
        validity=VALIDITIES[duration],
        status=status,
        triggered=triggered(status, kind.has_trigger, filled),
        code=REJECTED_CODE if status is OrderStatus.REJECTED else "",
        reason=display(text(row.get("text"))),
        updated_at=_stamp(row, day),
        word=display(word, 60) if status is OrderStatus.UNKNOWN else "",
    )
    kept = Kept(
        variety=_word(row, "variety") or (STOPLOSS if kind.has_trigger else NORMAL),
        segment=_word(row, "exchange"),
        symbol=listed.symbol if listed else text(row.get("tradingsymbol")),
        token=listed.token if listed else text(row.get("symboltoken")),
        product=_word(row, "producttype"),
        duration=duration,
        stop=kind.has_trigger,
        tag=order.tag,
        contract=contract,
        ended=status.final,
        qty=qty,
    )
    return OrderRow(order, kept)


def trade_row(row: Row, account: str, find: Find, kept: Kept | None, day: date) -> BrokerTrade:
    """A row of the trade book, which holds no tag and only a time of day: ``kept`` is of its order. Raises BadRow."""
    try:
        order_id = _needed(row, "orderid")
        return BrokerTrade(
            # both sides of a trade carry one number, and each segment counts for itself
            trade_id=f"{order_id}-{_needed(row, 'fillid')}",
            broker_id=order_id,
            tag=kept.tag if kept else "",
            account=account,
            contract=kept.contract if kept else _contract(row, find)[1],
            product=PRODUCTS[_word(row, "producttype")],
            side=Side(_word(row, "transactiontype")),
            qty=units(row["fillsize"]),
            price=paise(row["fillprice"]),
            at=_time_of_day(row, day),
        )
    except (ValueError, KeyError) as error:
        raise BadRow(f"a trade that cannot be read: {_why(error)}") from None


def position_row(row: Row, account: str, find: Find) -> BrokerPosition:
    """A row of the positions. Raises BadRow."""
    try:
        return BrokerPosition(
            account=account,
            contract=_contract(row, find)[1],
            product=PRODUCTS[_word(row, "producttype")],
            qty=units(row["netqty"]),
        )
    except (ValueError, KeyError) as error:
        raise BadRow(f"a position that cannot be read: {_why(error)}") from None


def kept_of(
    listed: Listed, kind: OrderType, product: str, validity: Validity, variety: str, tag: str, qty: int
) -> Kept:
    """What is known of an order by having placed it."""
    return Kept(
        variety=variety,
        segment=listed.segment,
        symbol=listed.symbol,
        token=listed.token,
        product=product,
        duration=validity.value,
        stop=kind.has_trigger,
        tag=tag,
        contract=listed.instrument.name,
        ended=False,
        qty=qty,
    )


def _contract(row: Row, find: Find) -> tuple[Listed | None, str]:
    """The contract by the day's file; one that is not in it by the row's own words. Raises ValueError."""
    segment, symbol = _word(row, "exchange"), text(row.get("tradingsymbol"))
    listed = find(segment, text(row.get("symboltoken")), symbol)
    if listed is not None:
        if symbol and symbol != listed.symbol:
            raise ValueError(f"token {listed.token} is {listed.symbol}, and the row says {display(symbol, 40)!r}")
        return listed, listed.instrument.name
    return None, _spelled(row, symbol)


def _spelled(row: Row, symbol: str) -> str:
    """A name for a contract that the file does not list: by its fields, else the broker's own symbol."""
    expiry, right = text(row.get("expirydate")), _word(row, "optiontype")
    if expiry:
        ends = datetime.strptime(expiry.title(), "%d%b%Y").replace(tzinfo=IST).date()
        # NFO symbols are the underlying and its expiry run together; BFO's own weekly letters tell neither
        before, code, _ = symbol.rpartition(expiry_code(ends))
        underlying = _word(row, "symbolname") or (before if code else "")
        if underlying and right in ("CE", "PE"):
            return contract_name(underlying, ends, paise(row["strikeprice"]), Right(right))
        if underlying:
            return contract_name(underlying, ends)
    if not symbol:
        raise ValueError("it names no contract")
    return display(symbol, 60)


def _needed(row: Row, key: str) -> str:
    found = text(row.get(key))
    if not found:
        raise ValueError(f"{key} is empty")
    return display(found, 60)


def _word(row: Row, key: str) -> str:
    return text(row.get(key)).upper()


def _units(row: Row, key: str) -> int:
    """Units; null and an empty text are none."""
    value = row.get(key)
    return 0 if value is None or value == "" else units(value)


def _paise(row: Row, key: str) -> int:
    value = row.get(key)
    return 0 if value is None or value == "" else paise(value)


def _stamp(row: Row, day: date) -> datetime:
    for key in ("updatetime", "exchorderupdatetime", "exchtime"):
        try:
            return moment(row.get(key), *STAMPS)
        except ValueError:
            continue
    return datetime.combine(day, time(), IST)


def _time_of_day(row: Row, day: date) -> datetime:
    written = moment(row.get("filltime"), "%H:%M:%S", *STAMPS)
    return written if written.year > 1900 else datetime.combine(day, written.time(), IST)


def _why(error: Exception) -> str:
    return f"{display(str(error), 60)} is missing or unknown" if isinstance(error, KeyError) else str(error)
