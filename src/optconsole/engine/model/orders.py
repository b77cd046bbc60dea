"""Orders: what was asked, what became of it, and the table of legal changes of state."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The side that closes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """As the exchange names them. MARKET and SL_M always travel with a protection price."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    SL = "SL"
    SL_M = "SL-M"

    @property
    def has_trigger(self) -> bool:
        """True for the stop types, which wait for their trigger price."""
        return self in (OrderType.SL, OrderType.SL_M)


class Validity(StrEnum):
    """How long an unfilled remainder lives."""

    DAY = "DAY"
    IOC = "IOC"


class Product(StrEnum):
    """Margin product: carried forward, or squared off before the close."""

    NRML = "NRML"
    MIS = "MIS"


class RiskClass(StrEnum):
    """What an order does to exposure."""

    INCREASE = "INCREASE"
    REDUCE = "REDUCE"
    PROTECT = "PROTECT"


class OrderStatus(StrEnum):
    """Where an order is, as far as the engine can prove."""

    DENIED = "DENIED"
    INTENDED = "INTENDED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    TRIGGER_PENDING = "TRIGGER_PENDING"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def final(self) -> bool:
        """True when nothing more can happen to the order."""
        return self in _FINAL

    @property
    def working(self) -> bool:
        """True while the order may still trade at the broker, including when that is only possible."""
        return self in _WORKING


_FINAL = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    }
)
_WORKING = frozenset(
    {
        OrderStatus.SENT,
        OrderStatus.UNKNOWN,
        OrderStatus.OPEN,
        OrderStatus.TRIGGER_PENDING,
        OrderStatus.PARTIAL,
    }
)


class Pending(StrEnum):
    """A change of the order that has left but is not answered yet."""

    NONE = ""
    MODIFY = "MODIFY"
    CANCEL = "CANCEL"


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader asks for. Prices in paise, ``qty`` in units.

    ``price`` is the limit of LIMIT and SL; ``trigger`` of SL and SL-M. ``protection`` is the limit price at
    which a MARKET or a triggered SL-M really travels; the engine fills it in.
    """

    account: str
    contract: str
    side: Side
    qty: int
    type: OrderType
    price: int | None = None
    trigger: int | None = None
    protection: int | None = None
    product: Product = Product.NRML
    validity: Validity = Validity.DAY
    note: str = ""

    @property
    def limit(self) -> int | None:
        """The worst price this order may trade at, whatever its type."""
        return self.price if self.type in (OrderType.LIMIT, OrderType.SL) else self.protection


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its history folded in. Built only by ``engine.state.apply``.

    ``filled_value`` is paise (sum of price times units); ``charges`` paise.
    """

    id: str
    tag: str
    terms: OrderTerms
    status: OrderStatus
    risk: RiskClass
    lot: int
    intended_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    broker_id: str | None = None
    triggered: bool = False
    pending: Pending = Pending.NONE
    asked: OrderTerms | None = None
    filled: int = 0
    filled_value: int = 0
    charges: int = 0
    reason_code: str = ""
    reason: str = ""
    actor: str = ""

    @property
    def remaining(self) -> int:
        """Units not filled yet."""
        return self.terms.qty - self.filled

    @property
    def foreign(self) -> bool:
        """True for an order at the broker that this engine did not send: it is counted, never touched unasked."""
        return self.sent_at is None and self.broker_id is not None

    @property
    def average(self) -> float | None:
        """Average fill price in paise, None before the first fill. For display; books keep ``filled_value``."""
        return self.filled_value / self.filled if self.filled else None


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. ``id`` is the exchange's trade number, unique per account and day."""

    id: str
    order_id: str
    account: str
    contract: str
    product: Product
    side: Side
    qty: int
    price: int
    charges: int
    at: datetime
