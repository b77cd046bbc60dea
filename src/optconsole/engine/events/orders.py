"""What happens to one order."""

from __future__ import annotations

from datetime import datetime

from optconsole.engine.events.base import Event
from optconsole.engine.model.orders import OrderTerms, Product, RiskClass, Role, Side


class OrderEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one order."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"order:{self.order_id}"


class OrderDenied(OrderEvent, frozen=True, kw_only=True):
    """Our own pre-trade rules refused the order; nothing left."""

    terms: OrderTerms
    code: str
    reason: str


class OrderIntended(OrderEvent, frozen=True, kw_only=True):
    """The order passed the rules and may now be sent once, under ``tag``."""

    terms: OrderTerms
    tag: str
    risk: RiskClass
    lot: int
    parent: str = ""
    role: Role = Role.ENTRY


class OrderAdopted(OrderEvent, frozen=True, kw_only=True):
    """An order at the broker that this engine did not send, such as its own square-off. Counted, not touched."""

    terms: OrderTerms
    tag: str
    broker_id: str
    risk: RiskClass
    lot: int


class OrderClaimed(OrderEvent, frozen=True, kw_only=True):
    """The trader took over an order that this engine did not send: it is changed and cancelled like ours now."""


class OrderSent(OrderEvent, frozen=True, kw_only=True):
    """Durable before the first byte left. From here on silence means UNKNOWN."""

    attempt: int


class OrderAcknowledged(OrderEvent, frozen=True, kw_only=True):
    """The broker holds the order under ``broker_id``."""

    broker_id: str


class OrderConfirmed(OrderEvent, frozen=True, kw_only=True):
    """The broker's own book shows the order at work; an answer alone is no proof of that."""


class OrderTriggered(OrderEvent, frozen=True, kw_only=True):
    """A stop's trigger was reached; it now works as its child."""


class OrderFilled(OrderEvent, frozen=True, kw_only=True):
    """One execution. ``trade_id`` is the exchange's, ``charges`` what this fill adds to the order's bill."""

    trade_id: str
    account: str
    contract: str
    product: Product
    side: Side
    qty: int
    price: int
    charges: int
    traded_at: datetime


class OrderChangeAsked(OrderEvent, frozen=True, kw_only=True):
    """A modification is durable and about to leave."""

    terms: OrderTerms


class OrderChanged(OrderEvent, frozen=True, kw_only=True):
    """The broker works the order on new terms."""

    terms: OrderTerms


class OrderChangeRefused(OrderEvent, frozen=True, kw_only=True):
    """The broker kept the old terms."""

    code: str
    reason: str


class OrderCancelAsked(OrderEvent, frozen=True, kw_only=True):
    """A cancellation is durable and about to leave."""

    why: str = ""


class OrderCancelRefused(OrderEvent, frozen=True, kw_only=True):
    """The broker did not cancel."""

    code: str
    reason: str


class OrderCancelled(OrderEvent, frozen=True, kw_only=True):
    """What was unfilled is gone."""

    reason: str = ""


class OrderRejected(OrderEvent, frozen=True, kw_only=True):
    """The broker or exchange provably refused the order."""

    code: str
    reason: str


class OrderExpired(OrderEvent, frozen=True, kw_only=True):
    """The order's time ended: day over, IOC remainder, or an intent too old to send."""

    reason: str


class OrderDoubted(OrderEvent, frozen=True, kw_only=True):
    """Sent, but what became of it cannot be proven."""

    cause: str


class OrderPresumedAbsent(OrderEvent, frozen=True, kw_only=True):
    """``reads`` usable books, one of them newer than the order, do not show it. It stays watched and reserved."""

    reads: int


class OrderReleasable(OrderEvent, frozen=True, kw_only=True):
    """Probably absent, without the proof: the trader may release what the doubt holds back."""

    reads: int


class OrderDoubtReleased(OrderEvent, frozen=True, kw_only=True):
    """The trader let entries go on in spite of this order. The watch and the reservation stay."""

    why: str
