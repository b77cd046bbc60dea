"""What every real broker's package offers to who composes an engine, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.secrets import Secret
from optconsole.engine.ports import Broker, Feed


class Credentials(Protocol):
    """One account's secrets as they are at this moment: read at every use and kept by nobody, so that a new token works
    without a restart."""

    def get(self, name: str) -> Secret | None:
        """The secret of a name such as ``api_key`` or ``access_token``; None where it is not set or has expired."""
        ...


class Evidence(Protocol):
    """Where an adapter lays down what it could not read, instead of guessing."""

    def __call__(self, kind: str, detail: str, sample: bytes | str) -> None:
        """``kind`` is UPPER_SNAKE and stable (UNKNOWN_STATUS, BAD_FRAME, BAD_ROW …), ``detail`` one sentence; the
        ``sample`` must hold no secret."""
        ...


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of a broker's instrument file: ours, and what the broker calls it.

    ``segment`` is the broker's exchange segment (NFO, BFO, NSE …); (``segment``, ``token``) is unique, ``token`` alone
    is not.
    """

    instrument: Instrument
    segment: str
    symbol: str
    token: str


class Almanac(Protocol):
    """What the instrument files of brokers leave out, known by who composes the engine."""

    def freeze(self, underlying: str) -> int | None:
        """Units at which an order of an underlying trips the exchange's freeze; None where unknown."""
        ...

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        """The aware IST moment at which contracts of an expiry stop trading."""
        ...

    def index_tick(self, underlying: str) -> int:
        """Paise."""
        ...


class Master(Protocol):
    """A broker's instrument file of one day, read and checked."""

    day: date

    def rows(self) -> Sequence[Listed]: ...

    def of(self, contract: str) -> Listed | None:
        """By our canonical name."""
        ...

    def at(self, segment: str, token: str) -> Listed | None: ...

    def named(self, segment: str, symbol: str) -> Listed | None:
        """By the broker's own symbol."""
        ...


class LiveFeed(Feed, Protocol):
    """A broker's quotes. ``watch`` asks for more, ``drop`` for less; what was asked for survives any reconnection."""

    def drop(self, names: Sequence[str]) -> None: ...

    def vouched(self, name: str) -> int | None:
        """When the source last said anything of a contract, epoch milliseconds; None for one that is not watched."""
        ...

    def silent_for(self) -> float | None:
        """Seconds since the last byte that proves the stream alive; None while there is no stream."""
        ...


class Gateway(Protocol):
    """One account at one broker, opened: orders and data may share a socket, so they come together."""

    @property
    def broker(self) -> Broker: ...

    @property
    def feed(self) -> LiveFeed: ...

    async def load_master(self, day: date) -> Master:
        """Download, check and adopt the day's instruments. Raises Refusal(MASTER_BAD | MASTER_UNREACHABLE)."""
        ...

    async def close(self) -> None: ...


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gave: secrets by name, when they die, and whose they are."""

    secrets: dict[str, Secret]
    expires_at: datetime
    user: str


Ask = Callable[[str, bool], str]
"""(question, whether the answer is secret) -> what the person typed."""
