"""Rows of Shoonya's books, and its order frames, as ours. Strict: a row that cannot be read is never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from optconsole.brokers.shoonya import words
from optconsole.brokers.shoonya.refusals import order_number
from optconsole.brokers.transport.coerce import moment, paise, text, units
from optconsole.brokers.transport.gateway import Evidence
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Validity
from optconsole.engine.model.text import display
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade, BrokerUnreachable

T = TypeVar("T")
Row = Mapping[str, Any]
Named = Callable[[str, str], str]
"""(segment, trading symbol) -> our name of the contract."""

_STAMPS: Final = ("%d-%m-%Y %H:%M:%S", "%H:%M:%S %d-%m-%Y")
_EXECUTION: Final = re.compile(r"[0-9A-Za-z_-]{1,40}", re.ASCII)
MOST_KEPT: Final = 1000
_NO_TIME: Final = "01-01-1980"
_FREE: Final = (
    "cash",
    "payin",
    "payout",
    "daycash",
    "unclearedcash",
    "brkcollamt",
    "collateral",
    "aux_brkcollamt",
)
"""What the documented formula adds up, payout included."""


class BadRow(ValueError):
    """A row that lacks something or holds what no row can."""


class Once:
    """Lays each piece of evidence down once: a book is read every two seconds and says the same each time."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._kept: dict[tuple[str, str, bytes | str], None] = {}

    def __call__(self, kind: str, detail: str, sample: bytes | str) -> None:
        piece = (kind, detail, sample)
        if piece in self._kept:
            return
        self._kept[piece] = None
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._evidence(kind, detail, sample)


class Reader:
    """Reads one account's rows. Raises BadRow; a status that is new to us is kept as UNKNOWN with its word."""

    def __init__(self, account: str, named: Named, evidence: Evidence, now: Callable[[], datetime]) -> None:
        self._account = account
        self._named = named
        self._evidence = Once(evidence)
        self._now = now

    def order(self, row: Row) -> BrokerOrder:
        """A row of OrderBook or SingleOrdHist, or an ``om`` frame."""
        try:
            return self._order(row)
        except (KeyError, ValueError, TypeError) as error:
            raise self._bad("order", row, error) from error

    def trade(self, row: Row) -> BrokerTrade:
        """A row of TradeBook, or an ``om`` frame of a fill."""
        try:
            return self._trade(row)
        except (KeyError, ValueError, TypeError) as error:
            raise self._bad("trade", row, error) from error

    def position(self, row: Row) -> BrokerPosition:
        """A row of PositionBook; it may be flat."""
        try:
            return BrokerPosition(
                account=self._account,
                contract=self._contract(row),
                product=self._product(row),
                qty=units(row["netqty"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise self._bad("position", row, error) from error

    def _order(self, row: Row) -> BrokerOrder:
        qty, filled = units(row["qty"]), units(row.get("fillshares") or "0")
        kind = self._known(words.TYPES, _word(row, "prctyp"), OrderType.LIMIT, row)
        word = _word(row, "status", "st_intrn")
        status = words.status_of(word, str(row.get("rpt") or row.get("reporttype") or ""), qty, filled)
        stop = kind.has_trigger
        reason = display(str(row.get("rejreason") or "").strip())
        if status is OrderStatus.UNKNOWN:
            self._evidence("UNKNOWN_STATUS", f"Order status {display(word, 60)!r} is new to us.", _sample(row))
        return BrokerOrder(
            broker_id=_number(row),
            tag=display(str(row.get("remarks") or ""), 60),
            account=self._account,
            contract=self._contract(row),
            side=words.SIDES[_word(row, "trantype")],
            qty=qty,
            filled=filled,
            type=kind,
            price=_price(row, kind),
            trigger=paise(row["trgprc"]) if stop else None,
            product=self._product(row),
            validity=self._known(words.VALIDITIES, _word(row, "ret"), Validity.DAY, row),
            status=status,
            triggered=stop and _has_triggered(status, filled),
            code="RMS_REJECTED" if status is OrderStatus.REJECTED else "",
            reason=reason,
            updated_at=self._updated(row),
            word=word if status is OrderStatus.UNKNOWN else "",
        )

    def _trade(self, row: Row) -> BrokerTrade:
        qty, price = units(row["flqty"]), paise(row["flprc"])
        if qty <= 0 or price <= 0:
            raise ValueError("a fill of nothing")
        return BrokerTrade(
            trade_id=_execution(row),
            broker_id=_number(row),
            tag=display(str(row.get("remarks") or ""), 60),
            account=self._account,
            contract=self._contract(row),
            product=self._product(row),
            side=words.SIDES[_word(row, "trantype")],
            qty=qty,
            price=price,
            at=moment(_word(row, "fltm", "filltm"), *_STAMPS),
        )

    def _product(self, row: Row) -> Product:
        return self._known(words.PRODUCTS, _word(row, "prd", "pcode"), Product.NRML, row)

    def _known(self, table: Mapping[str, T], word: str, otherwise: T, row: Row) -> T:
        """A word of an order that another sent may be new to us; one such order must not hide the rest of the book."""
        if word not in table:
            self._evidence("UNKNOWN_WORD", f"{display(word, 40)!r} is new to us; taken for {otherwise}.", _sample(row))
        return table.get(word, otherwise)

    def _contract(self, row: Row) -> str:
        return self._named(_word(row, "exch"), _word(row, "tsym"))

    def _updated(self, row: Row) -> datetime:
        """When the row last changed, by the exchange or else by the broker; now where neither says."""
        for name in ("exch_tm", "norentm"):
            stamp = str(row.get(name) or "")
            if stamp and not stamp.startswith(_NO_TIME):
                return moment(stamp, *_STAMPS)
        return self._now()

    def _bad(self, kind: str, row: Row, error: Exception) -> BadRow:
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        sentence = f"A row of an {kind} cannot be read: it {display(why, 120)}."
        self._evidence("BAD_ROW", sentence, _sample(row))
        return BadRow(sentence)


def funds(account: str, row: Row) -> Funds:
    """Limits as money; a key that is absent is nought. Raises BadRow."""
    try:
        cash = sum(paise(row[name]) for name in _FREE if row.get(name))
        return Funds(account=account, cash=cash, margin_used=paise(row["marginused"]) if row.get("marginused") else 0)
    except (ValueError, TypeError) as error:
        raise BadRow(f"The limits cannot be read: {display(str(error), 120)}.") from error


def amount(row: Row, name: str) -> int:
    """Paise under a name. Raises BrokerUnreachable where there is none."""
    try:
        return paise(row[name])
    except (KeyError, ValueError) as error:
        raise BrokerUnreachable(f"Shoonya's answer has no {name}: {display(str(row.get('remarks', '')))}") from error


def stranger(symbol: str) -> str:
    """What a contract is called that is not on our list."""
    return display("".join(symbol.split()), 60)


def _has_triggered(status: OrderStatus, filled: int) -> bool:
    """A stop that has traded or stands open at its limit has been triggered; one that ended may never have been."""
    return filled > 0 or status in (OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.FILLED)


def _price(row: Row, kind: OrderType) -> int:
    """The limit; where the broker made a limit order of a market order it stands in ``rprc``."""
    price = paise(row["prc"])
    return price if price or not row.get("rprc") else paise(row["rprc"])


def _number(row: Row) -> str:
    number = order_number(_word(row, "norenordno", "norenoordno"))
    if number is None:
        raise ValueError("has no number of an order")
    return number


def _execution(row: Row) -> str:
    """The exchange's number of a trade."""
    number = text(row["flid"])
    if not _EXECUTION.fullmatch(number):
        raise ValueError("has no number of a trade")
    return number


def _word(row: Row, *names: str) -> str:
    """The text under the first of these names that is there. Raises KeyError."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise KeyError(names[0])


def _sample(row: Row) -> str:
    """A row as evidence, without what says whose it is."""
    return str({name: value for name, value in row.items() if name not in ("uid", "actid", "src_uid", "pan")})
