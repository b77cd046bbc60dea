"""Rows of Kite's books in our words: a row that does not decode spoils the reading, a word that is new is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from optconsole.brokers.zerodha import words
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Validity
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade

V = TypeVar("V")
ContractOf = Callable[[str, str], str]
"""(segment, symbol) -> our name, or ``SEGMENT:SYMBOL`` where the master does not list it."""
Report = Callable[[str, str, str], None]
"""(kind, detail, sample) of what could not be read."""
_CODE: Final = "REJECTED"
_NOUGHT: Final = Decimal(0)


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the book, its history, a postback or the socket shows it."""

    order_id: str
    status: str
    exchange: str
    tradingsymbol: str
    transaction_type: str
    order_type: str
    product: str
    validity: str
    quantity: int
    variety: str = "regular"
    filled_quantity: int | None = 0
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    order_timestamp: str | None = None
    exchange_timestamp: str | None = None
    exchange_update_timestamp: str | None = None
    status_message: str | None = None
    parent_order_id: str | None = None
    tag: str | None = None
    tags: list[str] | None = None


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One execution."""

    trade_id: str
    order_id: str
    exchange: str
    tradingsymbol: str
    transaction_type: str
    product: str
    quantity: int
    average_price: Decimal
    fill_timestamp: str | None = None
    exchange_timestamp: str | None = None


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Net quantity of a contract under a product; flat ones stay listed all day."""

    exchange: str
    tradingsymbol: str
    product: str
    quantity: int


class Positions(msgspec.Struct, frozen=True):
    net: list[PositionRow]


class Utilised(msgspec.Struct, frozen=True):
    """Margin blocked, by what for; premium paid is not among it, it has left the account."""

    span: Decimal = _NOUGHT
    exposure: Decimal = _NOUGHT
    delivery: Decimal = _NOUGHT


class Segment(msgspec.Struct, frozen=True):
    """Money of one segment; ``net`` is what can still be used. ``available.cash`` is now and then 0 for a moment."""

    net: Decimal
    utilised: Utilised = Utilised()


class Margins(msgspec.Struct, frozen=True):
    """Funds of an account; derivatives of indices belong to ``equity``."""

    equity: Segment


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Shares held, of which ``collateral_quantity`` are pledged. ``average_price`` and ``last_price`` are rupees."""

    tradingsymbol: str
    exchange: str
    isin: str = ""
    quantity: int = 0
    t1_quantity: int = 0
    used_quantity: int = 0
    collateral_quantity: int = 0
    average_price: Decimal = _NOUGHT
    last_price: Decimal = _NOUGHT


class BadRow(Exception):
    """A row holds something that no order, trade or position can have."""


class Reader:
    """Turns rows into ours for one account. ``tag_of`` knows the tag of an order id, since trades carry none."""

    def __init__(self, account: str, contract_of: ContractOf, report: Report) -> None:
        self._account = account
        self._contract_of = contract_of
        self._report = report
        self.tags: dict[str, str] = {}
        """Our tag by order id, learnt from every order seen."""

    def order(self, row: OrderRow) -> BrokerOrder:
        """Raises BadRow."""
        where = f"order {display(row.order_id, 40)}"
        kind = self._word(words.TYPES, row.order_type, OrderType.LIMIT, f"type of {where}")
        filled = row.filled_quantity or 0
        status, triggered = words.status(row.status, kind, filled)
        if status is OrderStatus.UNKNOWN:
            self._report("UNKNOWN_STATUS", f"The status of {where} is new to us.", display(row.status, 60))
        # a push may leave the tag out where the broker has added tags of its own
        self.tags[row.order_id] = tag = tag_of(row) or self.tags.get(row.order_id, "")
        return BrokerOrder(
            broker_id=row.order_id,
            tag=tag,
            account=self._account,
            contract=self._contract_of(row.exchange, row.tradingsymbol),
            side=_known(words.SIDES, row.transaction_type, where),
            qty=row.quantity,
            filled=filled,
            type=kind,
            price=paise(row.price),
            trigger=(paise(row.trigger_price) or None) if kind.has_trigger else None,
            product=self._word(words.PRODUCTS, row.product, Product.NRML, f"product of {where}"),
            validity=self._word(words.VALIDITIES, row.validity, Validity.DAY, f"validity of {where}"),
            status=status,
            triggered=triggered,
            code=_CODE if status is OrderStatus.REJECTED else "",
            reason=display(row.status_message or ""),
            updated_at=_first_moment(
                (row.exchange_update_timestamp, row.exchange_timestamp, row.order_timestamp), where
            ),
            word=display(row.status, 60) if status is OrderStatus.UNKNOWN else "",
        )

    def trade(self, row: TradeRow) -> BrokerTrade:
        """Raises BadRow."""
        where = f"trade {display(row.trade_id, 40)}"
        return BrokerTrade(
            trade_id=row.trade_id,
            broker_id=row.order_id,
            tag=self.tags.get(row.order_id, ""),
            account=self._account,
            contract=self._contract_of(row.exchange, row.tradingsymbol),
            product=self._word(words.PRODUCTS, row.product, Product.NRML, f"product of {where}"),
            side=_known(words.SIDES, row.transaction_type, where),
            qty=row.quantity,
            price=paise(row.average_price),
            at=_first_moment((row.fill_timestamp, row.exchange_timestamp), where),
        )

    def positions(self, rows: Iterable[PositionRow]) -> list[BrokerPosition]:
        """What is open, by contract and product; products that are one to us are added up."""
        held: dict[tuple[str, Product], int] = {}
        for row in rows:
            name = self._contract_of(row.exchange, row.tradingsymbol)
            product = self._word(words.PRODUCTS, row.product, Product.NRML, f"product of the position {name}")
            held[name, product] = held.get((name, product), 0) + row.quantity
        return [
            BrokerPosition(account=self._account, contract=name, product=product, qty=qty)
            for (name, product), qty in held.items()
            if qty
        ]

    def _word(self, known: Mapping[str, V], word: str, otherwise: V, what: str) -> V:
        """A word of ours; for one that is new, what the engine can go on with, and evidence."""
        found = known.get(word)
        if found is None:
            self._report("UNKNOWN_WORD", f"The {what} is new to us and counts as {otherwise}.", display(word, 60))
            return otherwise
        return found


def tag_of(row: OrderRow) -> str:
    """The client's tag, which the broker may keep in ``tags`` alone, beside tags of its own."""
    if row.tag:
        return row.tag
    return next((tag for tag in row.tags or () if tag and not tag.startswith(("mktp", "autoslice"))), "")


def carries(row: OrderRow, tag: str) -> bool:
    """Whether an order carries a tag, in either place."""
    return row.tag == tag or tag in (row.tags or ())


def funds(account: str, equity: Segment) -> Funds:
    """Money of the equity segment, of which derivatives are part. Raises BadRow."""
    blocked = equity.utilised
    used = paise(blocked.span + blocked.exposure + blocked.delivery)
    return Funds(account=account, cash=paise(equity.net) + used, margin_used=used)


def paise(rupees: Decimal | None) -> int:
    """Whole paise of an amount in rupees, to the nearest; a price of nothing is 0. Raises BadRow."""
    if rupees is None:
        return 0
    if not rupees.is_finite() or abs(rupees) > 10**12:
        raise BadRow(f"{rupees} is no amount of rupees")
    return int((rupees * 100).to_integral_value())


def rupees(amount: int) -> str:
    """An amount as Kite takes it: rupees with two decimals at most."""
    whole, part = divmod(amount, 100)
    return f"{whole}.{part:02d}"


def moment(text: str) -> datetime:
    """``YYYY-MM-DD HH:MM:SS`` of IST, aware. Raises ValueError."""
    stamp = datetime.fromisoformat(text)
    return stamp.replace(tzinfo=IST) if stamp.tzinfo is None else stamp.astimezone(IST)


def _first_moment(texts: Iterable[str | None], where: str) -> datetime:
    for text in texts:
        if text:
            try:
                return moment(text)
            except ValueError:
                continue
    raise BadRow(f"{where} has no time")


def _known(table: Mapping[str, V], word: str, where: str) -> V:
    try:
        return table[word]
    except KeyError:
        raise BadRow(f"{where} has the side {display(word, 20)!r}") from None
