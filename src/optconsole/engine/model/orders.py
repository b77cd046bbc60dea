"""Orders: what was asked, what became of it, and the table of legal changes of state."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is _BUY else -1

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
        return self in _TRIGGERED


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


class Role(StrEnum):
    """What an order is for; the letter its tag carries."""

    ENTRY = "E"
    STOP = "S"
    TARGET = "T"
    EXIT = "X"
    HEDGE = "H"
    KILL = "K"

    @property
    def closes(self) -> bool:
        """True for orders that the engine itself derives from an open position to bring it to nought."""
        return self in (Role.EXIT, Role.KILL)

    @property
    def guards(self) -> bool:
        """True for orders of the engine that end a position or wait to, whatever else works beside them."""
        return self.closes or self in (Role.STOP, Role.TARGET)


class OrderStatus(StrEnum):
    """Where an order is, as far as the engine can prove.

    PRESUMED_ABSENT was sent and is missing from books that would show it; it stays watched and counted in risk.
    """

    DENIED = "DENIED"
    INTENDED = "INTENDED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    PRESUMED_ABSENT = "PRESUMED_ABSENT"
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

    @property
    def reserved(self) -> bool:
        """True while risk is kept for the order: working, or absent as far as anybody can tell."""
        return self in _WORKING or self is OrderStatus.PRESUMED_ABSENT


# Python 3.11 takes longer to find a member of an enumeration by its name than to fold half a fact
_BUY = Side.BUY
_TRIGGERED = frozenset({OrderType.SL, OrderType.SL_M})
_PRICED = frozenset({OrderType.LIMIT, OrderType.SL})
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


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the trader asks for. Prices in paise, ``qty`` in units.

    ``price`` is the limit of LIMIT and SL; ``trigger`` of SL and SL-M. ``protection`` is the limit price at
    which a MARKET or a triggered SL-M really travels; the engine fills it in. ``source`` says on whose behalf: a
    path of basket, strategy and leg, empty for the trader's own hand.
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
    source: str = ""

    @property
    def limit(self) -> int | None:
        """The worst price this order may trade at, whatever its type."""
        return self.price if self.type in _PRICED else self.protection


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order with its history folded in. Built only by ``engine.state.apply``.

    ``filled_value`` is paise (sum of price times units); ``charges`` paise. ``parent`` is the id of what the order is
    a part of: a sliced order, a protection, a flatten. ``confirmed`` is set once the broker's own book showed it,
    ``releasable`` and ``released`` while it is in doubt, ``claimed`` when the trader took over an order of others.
    ``changed_at`` is when a change or cancel was last asked, ``changes`` counts the changes sent.
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
    role: Role = Role.ENTRY
    parent: str = ""
    confirmed: bool = False
    cancel_wanted: bool = False
    releasable: bool = False
    released: bool = False
    claimed: bool = False
    changed_at: datetime | None = None
    changes: int = 0

    @property
    def remaining(self) -> int:
        """Units not filled yet."""
        return self.terms.qty - self.filled

    @property
    def may_trade(self) -> int:
        """Units that can still trade in the worst case: 0 once ended, a change under way counted where it is more."""
        if self.status in _FINAL:
            return 0
        left = self.terms.qty - self.filled
        if self.asked is not None:
            left = max(left, self.asked.qty - self.filled)
        return left if left > 0 else 0

    @property
    def foreign(self) -> bool:
        """True for an order at the broker that this engine did not send: it is counted, never touched unasked."""
        return self.sent_at is None and self.broker_id is not None and not self.claimed

    @property
    def average(self) -> float | None:
        """Average fill price in paise, None before the first fill. For display; books keep ``filled_value``."""
        return self.filled_value / self.filled if self.filled else None


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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


def trade_key(account: str, day: date, trade_id: str) -> str:
    """Trade numbers are unique per account and day only."""
    return f"{account}/{day.isoformat()}/{trade_id}"
