"""An account's way to the market: what is asked of a broker, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.vitals import BrokerVitals


class PlaceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One order on the wire.

    ``type`` is LIMIT or SL only, protection being a limit price already; ``tag`` is 15 characters.
    """

    tag: str
    account: str
    instrument: Instrument
    side: Side
    qty: int
    type: OrderType
    price: int
    trigger: int | None
    product: Product
    validity: Validity


class ModifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """New terms for a working order; every field is stated, none is kept silently. ``qty`` is the new total.

    Without a ``trigger`` a stop that waits for its trigger becomes a LIMIT order at ``price``, under the same id: the
    way to close a position by its stop without a moment in which neither works.
    """

    broker_id: str
    qty: int
    price: int
    trigger: int | None


class Accepted(msgspec.Struct, frozen=True):
    """The broker has it, under its own id."""

    broker_id: str


class Rejected(msgspec.Struct, frozen=True):
    """Provably refused; nothing will come of it."""

    code: str
    reason: str


class Doubtful(msgspec.Struct, frozen=True):
    """It left, and nothing proves what became of it."""

    cause: str


class NotSent(msgspec.Struct, frozen=True):
    """No byte left: no connection was made, or the engine ``held`` it back itself, which says nothing of the broker."""

    cause: str
    held: bool = False


PlaceOutcome = Accepted | Rejected | Doubtful | NotSent


class BrokerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the broker's order book. ``status`` in our words; UNKNOWN where the broker's ``word`` is new to us."""

    broker_id: str
    tag: str
    account: str
    contract: str
    side: Side
    qty: int
    filled: int
    type: OrderType
    price: int
    trigger: int | None
    product: Product
    validity: Validity
    status: OrderStatus
    triggered: bool
    code: str
    reason: str
    updated_at: datetime
    word: str = ""


class BrokerTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the broker's trade book."""

    trade_id: str
    broker_id: str
    tag: str
    account: str
    contract: str
    product: Product
    side: Side
    qty: int
    price: int
    at: datetime


class BrokerPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Net open quantity at the broker, signed units."""

    account: str
    contract: str
    product: Product
    qty: int


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A position closed by expiry. ``qty`` is the signed quantity that was open, ``price`` the cash value per unit."""

    settlement_id: str
    account: str
    contract: str
    product: Product
    qty: int
    price: int
    at: datetime


BrokerUpdate = BrokerOrder | BrokerTrade | Settlement
UpdateSink = Callable[[BrokerUpdate], None]


class Broker(Protocol):
    """One account's way to the market. Calls never raise for what a broker may say; they answer with an outcome."""

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> Account: ...

    @property
    def book_is_proof(self) -> bool:
        """True only where an order missing from the book provably never existed: an embedded exchange."""
        ...

    async def connect(self, sink: UpdateSink) -> None:
        """Open the connection; updates go to ``sink`` on the loop's thread. Raises Refusal when it cannot."""
        ...

    async def close(self) -> None: ...

    async def place(self, request: PlaceRequest) -> PlaceOutcome: ...

    async def modify(self, request: ModifyRequest) -> PlaceOutcome: ...

    async def cancel(self, broker_id: str) -> PlaceOutcome: ...

    async def orders(self) -> list[BrokerOrder]:
        """Today's order book. Raises BrokerUnreachable, never answers empty for unknown."""
        ...

    async def trades(self) -> list[BrokerTrade]: ...

    async def positions(self) -> list[BrokerPosition]: ...

    async def settlements(self) -> list[Settlement]: ...

    async def funds(self) -> Funds: ...

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        """Paise of margin the account would need in total with ``requests`` filled on top of what is open."""
        ...

    def vitals(self) -> BrokerVitals: ...


class BrokerUnreachable(Exception):
    """A read got no usable answer; what the broker holds is unknown."""


class LoginLost(BrokerUnreachable):
    """The broker no longer knows us: nothing is retried with the same token."""


LOGIN_LOST = "LOGIN_LOST"
"""The code of a ``Rejected`` by which an adapter says that a request was refused for want of a login."""
