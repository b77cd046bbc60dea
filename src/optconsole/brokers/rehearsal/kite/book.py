"""Kite's order book: one record an order, with every state it went through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from optconsole.brokers.rehearsal.kite.habits import KiteHabits
from optconsole.brokers.rehearsal.kite.replies import rupees, stamp
from optconsole.brokers.rehearsal.kite.terms import Terms
from optconsole.engine.model.orders import OrderStatus, OrderType
from optconsole.engine.ports import BrokerOrder, BrokerTrade

RECEIVED: Final = "PUT ORDER REQ RECEIVED"
TRANSIT: Final = ("VALIDATION PENDING", "OPEN PENDING")
MODIFYING: Final = ("MODIFY VALIDATION PENDING", "MODIFY PENDING", "MODIFIED")
OPEN: Final = "OPEN"
COMPLETE: Final = "COMPLETE"
CANCELLED: Final = "CANCELLED"
REJECTED: Final = "REJECTED"
FINAL: Final = frozenset({COMPLETE, CANCELLED, REJECTED})
WORDS: Final = {
    OrderStatus.OPEN: OPEN,
    OrderStatus.PARTIAL: OPEN,
    OrderStatus.TRIGGER_PENDING: "TRIGGER PENDING",
    OrderStatus.FILLED: COMPLETE,
    OrderStatus.CANCELLED: CANCELLED,
    OrderStatus.EXPIRED: CANCELLED,
    OrderStatus.REJECTED: REJECTED,
}
_PREFIXES: Final = {"P": "19900", "G": "19901", "R": "19902"}
Row = dict[str, object]


def order_id_of(broker_id: str) -> str:
    """Nineteen digits: the exchange's own number, so that a restarted rehearsal gives an order the same one."""
    return _PREFIXES[broker_id[0]] + broker_id[1:]


@dataclass(slots=True)
class KiteOrder:
    """One order. ``truth`` is the exchange's row; None for one that the order system refused itself."""

    order_id: str
    terms: Terms
    user: str
    entered: datetime
    status: str = RECEIVED
    message: str | None = None
    truth: BrokerOrder | None = None
    settled: bool = False
    """Whether it has gone through the states before the exchange's."""
    habits: KiteHabits = field(default_factory=KiteHabits)
    changes: int = 0
    updated: datetime | None = None
    fills: list[BrokerTrade] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)

    @property
    def filled(self) -> int:
        return self.truth.filled if self.truth is not None and self.settled else 0

    @property
    def tags(self) -> list[str]:
        return [*([self.terms.tag] if self.terms.tag else []), *self.terms.marks]

    def note(self, status: str, at: datetime) -> None:
        """Take a state and keep a picture of the row in it."""
        self.status, self.updated = status, at
        self.history.append(self.row())

    def row(self) -> Row:
        """The order book's row."""
        terms, truth = self.terms, self.truth
        qty = truth.qty if truth is not None else terms.qty
        price = truth.price if truth is not None else terms.price
        trigger = (truth.trigger if truth is not None else terms.trigger) or 0
        rest = qty - self.filled
        reached = self.settled and truth is not None
        return {
            "placed_by": self.user,
            "account_id": self.user,
            "order_id": self.order_id,
            "exchange_order_id": f"15{self.order_id[-14:]}" if reached else None,
            "parent_order_id": terms.parent,
            "status": self.status,
            "status_message": self.message,
            "status_message_raw": self.message,
            "order_timestamp": stamp(self.entered),
            "exchange_update_timestamp": stamp(self.updated) if reached else None,
            "exchange_timestamp": stamp(self.entered) if reached else None,
            "variety": terms.variety,
            "modified": self.changes > 0,
            "exchange": terms.contract.exchange,
            "tradingsymbol": terms.contract.symbol,
            "instrument_token": terms.contract.token,
            "order_type": self._type().value,
            "transaction_type": terms.side.value,
            "validity": terms.validity.value,
            "validity_ttl": 0,
            "product": terms.product.value,
            "quantity": qty,
            "disclosed_quantity": terms.disclosed,
            "price": rupees(price),
            "trigger_price": rupees(trigger),
            "average_price": self._average(),
            "filled_quantity": self.filled,
            "pending_quantity": 0 if self.status in (COMPLETE, REJECTED) else rest,
            "cancelled_quantity": rest if self.status == CANCELLED and not self.habits.blank_cancels else 0,
            "market_protection": 0,
            "meta": {},
            "tag": None if terms.marks and self.habits.lost_tags else terms.tag,
            "tags": self.tags or None,
            "guid": f"rehearsal{self.order_id[-8:]}",
        }

    def message_row(self, status: str, app: int, signed: str) -> Row:
        """The same object as streams and postbacks carry it; ``status`` may be UPDATE."""
        row = {name: value for name, value in self.row().items() if name not in ("tags", "modified")}
        left = row["pending_quantity"] if status not in FINAL else 0
        return {
            **row,
            "status": status,
            "user_id": self.user,
            "app_id": app,
            "unfilled_quantity": left,
            "checksum": signed,
        }

    def trade_rows(self) -> list[Row]:
        """The trade book's rows of this order."""
        if not self.settled:
            return []
        terms = self.terms
        return [
            {
                "trade_id": fill.trade_id.lstrip("T"),
                "order_id": self.order_id,
                "exchange_order_id": f"15{self.order_id[-14:]}",
                "exchange": terms.contract.exchange,
                "tradingsymbol": terms.contract.symbol,
                "instrument_token": terms.contract.token,
                "product": terms.product.value,
                "average_price": rupees(fill.price),
                "quantity": fill.qty,
                "transaction_type": terms.side.value,
                "fill_timestamp": stamp(fill.at),
                "exchange_timestamp": stamp(fill.at),
                "order_timestamp": f"{self.entered:%H:%M:%S}",
            }
            for fill in self.fills
        ]

    def _type(self) -> OrderType:
        """A stop changed into a plain order is one; a triggered stop stays a stop."""
        return self.truth.type if self.truth is not None and self.changes else self.terms.type

    def _average(self) -> float:
        units = sum(fill.qty for fill in self.fills)
        if not units or not self.filled:
            return 0
        return round(sum(fill.qty * fill.price for fill in self.fills) / units / 100, 4)
