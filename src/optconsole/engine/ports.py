"""What the engine asks of the world. Brokers, feeds, stores and links meet the engine here and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.vitals import BrokerVitals, Vitals
from optconsole.engine.queries import AnyAnswer, AnyQuery, JournalCopied, JournalVerdict

# ---------------------------------------------------------------- orders to a broker


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
    """A row of the broker's order book. ``status`` in our words; UNKNOWN where the broker's word is new to us."""

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


# ---------------------------------------------------------------- market data

QuoteSink = Callable[[Sequence[Quote]], None]


class Feed(Protocol):
    """A source of quotes. Delivery is synchronous into the sink, on the loop's thread, without a queue."""

    @property
    def name(self) -> str: ...

    async def start(self, sink: QuoteSink) -> None: ...

    async def stop(self) -> None: ...

    def instruments(self, day: date) -> list[Instrument]:
        """Contracts listed on ``day``, indices included."""
        ...

    def watch(self, names: Sequence[str]) -> None:
        """Ask for quotes of these contracts, on top of what is watched already."""
        ...

    def depth(self, name: str) -> Depth | None:
        """The present book of a contract; None where the source has none."""
        ...


class Playback(Protocol):
    """A feed whose time can be driven: the practice market and replays."""

    def pause(self) -> None: ...

    def resume(self, speed: float | None = None) -> None:
        """Run on; ``speed`` 0 is as fast as the engine takes it."""
        ...

    async def run_to(self, moment: datetime) -> None:
        """Play to a moment of market time, then hold. Returns when it is reached or the recording ends."""
        ...

    @property
    def paused(self) -> bool: ...

    @property
    def speed(self) -> float: ...


# ---------------------------------------------------------------- the store


class Journal(Protocol):
    """The durable sequence of facts."""

    async def append(self, facts: Sequence[Recorded]) -> None:
        """Make the facts durable, in one transaction with the read tables. Returns after the sync.

        Raises JournalBroken when they are not provably durable; the engine then takes no new risk.
        """
        ...

    async def read(
        self,
        after: int = 0,
        limit: int = 500,
        stream: str | None = None,
        text: str | None = None,
        last: bool = False,
    ) -> list[Recorded]: ...

    async def head(self) -> tuple[int, str]:
        """Newest sequence number and its chain hash; (0, '') when empty."""
        ...

    async def save_checkpoint(self, seq: int, digest: str) -> None:
        """Remember the state's digest at ``seq``, to be compared at the next start."""
        ...

    def commit_percentiles(self) -> tuple[float, float] | None:
        """Median and 99th percentile of recent commit times in milliseconds; None before the first."""
        ...

    async def verify(self) -> JournalVerdict:
        """Walk the hash chain from the first fact to the last."""
        ...

    async def backup(self, target: str) -> JournalCopied:
        """Copy the journal as it is now into a new file, checked before the answer. Raises Refusal, JournalBroken."""
        ...

    async def close(self) -> None: ...


class JournalBroken(Exception):
    """The journal cannot prove that facts are durable or unaltered. ``text`` says what and what to do.

    ``passing`` is true where only this append was refused and a later one may be taken.
    """

    def __init__(self, code: str, text: str, passing: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.passing = passing


# ---------------------------------------------------------------- what a console sees of the engine


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole trading state as of ``seq``, with the engine's health."""

    seq: int
    state: TradingState
    vitals: Vitals
    version: str


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One conflated delivery: the quotes that changed since the last, and the vitals of this instant."""

    vitals: Vitals
    quotes: tuple[Quote, ...]


class Tap(Protocol):
    """A conflated stream of quotes for one console."""

    def watch(self, names: Sequence[str]) -> None:
        """Replace the watched set; the next beat carries the latest quote of each newly watched name."""
        ...

    def __aiter__(self) -> AsyncIterator[Beat]: ...

    async def close(self) -> None: ...


class EnginePort(Protocol):
    """All that anyone above the engine may do with it."""

    async def submit(self, command: AnyCommand) -> Reply: ...

    async def query(self, query: AnyQuery) -> AnyAnswer: ...

    async def snapshot(self) -> Snapshot: ...

    def facts(self, after: int) -> AsyncIterator[Recorded]:
        """Every fact with a sequence number above ``after``: first the stored ones, then live, none lost."""
        ...

    def tap(self, hz: float) -> Tap: ...


__all__ = [
    "LOGIN_LOST",
    "Accepted",
    "AnyEvent",
    "Beat",
    "Broker",
    "BrokerOrder",
    "BrokerPosition",
    "BrokerTrade",
    "BrokerUnreachable",
    "BrokerUpdate",
    "Doubtful",
    "EnginePort",
    "Feed",
    "Journal",
    "JournalBroken",
    "LoginLost",
    "ModifyRequest",
    "NotSent",
    "PlaceOutcome",
    "PlaceRequest",
    "Playback",
    "QuoteSink",
    "Rejected",
    "Settlement",
    "Snapshot",
    "Tap",
    "UpdateSink",
]
