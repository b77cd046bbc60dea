"""What a console sees of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.queries import AnyAnswer, AnyQuery


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
