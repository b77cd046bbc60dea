"""A stage: the market an engine plays on, with its clock, its place in the home and its feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from optconsole.engine.clock import MarketClock
from optconsole.engine.model.accounts import Mode
from optconsole.engine.ports import Feed, Playback
from optconsole.runtime.places import Place

DayHook = Callable[[date], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]
Alarm = Callable[[datetime], datetime | None]


class PlayedFeed(Feed, Playback, Protocol):
    """A feed whose time can be steered."""

    def vouched(self, name: str) -> int | None:
        """When its quote of a contract was last known to be true, in epoch milliseconds; None for an unknown one."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything about a market that does not know the engine yet. ``title`` is shown in the frame.

    ``cadence`` is the market seconds that usually pass between two deliveries of the feed.
    """

    title: str
    mode: Mode
    place: Place
    clock: MarketClock
    build_feed: Callable[[DayHook, DayHook, Settled, Alarm], PlayedFeed]
    cadence: float = 0.0
