"""A market that an engine can stand on: where its quotes come from and who takes its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.engine.clock import Clock
from optconsole.engine.ports import Broker, Feed, Playback
from optconsole.engine.queries import Check


class MarketFeed(Feed, Protocol):
    """A feed that says of each contract how far its word holds."""

    def vouched(self, name: str) -> int | None:
        """When its quote of a contract was last known to be true, in epoch milliseconds; None for an unknown one."""
        ...


class PlayedFeed(MarketFeed, Playback, Protocol):
    """A feed whose time can be steered."""


def nothing() -> tuple[Check, ...]:
    """No reason against new risk."""
    return ()


@dataclass(frozen=True, slots=True)
class Market:
    """A stage that is set: where quotes come from and who takes orders.

    ``papers`` are those of ``brokers`` that are fed with quotes; ``playback`` is None where time is the world's.
    ``stops`` is what the market itself has against new risk.
    """

    clock: Clock
    feed: MarketFeed
    playback: PlayedFeed | None
    brokers: Mapping[str, Broker]
    papers: Sequence[PaperBroker]
    stops: Callable[[], tuple[Check, ...]] = nothing
