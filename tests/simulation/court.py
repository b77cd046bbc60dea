"""Where breaches are collected, and what every watcher may look at: ground truth, the wire and durable rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from optconsole.engine.ports import BrokerTrade
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.broker import Call
from tests.simulation.kernel import SimClock, SimLoop
from tests.simulation.lots import CAPS
from tests.simulation.papers import Alarm, Breach, Paper
from tests.simulation.swarm import Swarm
from tests.simulation.truth import Truth

ASLEEP: Final[Mapping[str, str]] = {
    "I-25/valid-until": "valid_until on every intent that adds risk, looked at again when it leaves",
}
"""Checks that are written and judge nothing yet, and the feature of the engine each waits for."""


class Court:
    """One run's evidence and findings."""

    def __init__(
        self,
        loop: SimLoop,
        clock: SimClock,
        truth: Truth,
        swarm: Swarm,
        tolerated: Collection[str],
        woken: Collection[str],
    ) -> None:
        self.loop, self.clock, self.truth, self.swarm = loop, clock, truth, swarm
        self.breaches: list[Breach] = []
        self.alarms: list[Alarm] = []
        self.papers: dict[str, Paper] = {}
        self.by_tag: dict[str, Paper] = {}
        self.day = 0
        self.up_since: float | None = None
        self.started_at = 0.0
        self.still_until = 0.0
        self.quoted_at = 0.0
        self.blind_at: dict[str, float] = {}
        self.seen_at: dict[str, float] = {}
        self.asked_at: dict[str, float] = {}
        self.refused: set[str] = set()
        self.others_in: set[tuple[str, str]] = set()
        self.others_at: dict[tuple[str, str], float] = {}
        self.outdated: set[str] = set()
        self.caps = CAPS
        self.killed = False
        self.stepped_at = -math.inf
        self.price: Callable[[str], int | None] = lambda _name: None
        self._tolerated, self._woken = tolerated, woken

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.loop.time()

    def breach(self, invariant: str, text: str, known: str = "") -> None:
        """Note a breach, unless its check is asleep or it is one of the ``known`` gaps that this run tolerates."""
        if (known and known in self._tolerated) or (invariant in ASLEEP and invariant not in self._woken):
            return
        self.breaches.append(Breach(invariant, text, self.day, self.now))

    def judges(self, invariant: str) -> bool:
        """Whether a check is awake: one that costs much asks before it looks."""
        return invariant not in ASLEEP or invariant in self._woken

    def alarmed(self, codes: Collection[str], since: float, subject: str = "") -> bool:
        """Whether such a notice was raised since then; with a subject, about it."""
        return any(
            alarm.code in codes and alarm.at >= since and subject in ("", alarm.subject)
            for alarm in reversed(self.alarms)
        )

    def awake_for(self, since: float) -> float:
        """Seconds for which something has lasted since then under a running engine; 0 while it is down."""
        return 0.0 if self.up_since is None else self.now - max(since, self.up_since)


class Watcher:
    """One invariant's eyes: each hook is called with what just happened, none must look."""

    def __init__(self, court: Court) -> None:
        self.court = court

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        """A row became durable."""

    def left(self, call: Call, paper: Paper | None) -> None:
        """An order call leaves the engine; ``paper`` is the order of ours that it is about."""

    def taken(self, call: Call, broker_id: str) -> None:
        """The exchange accepted an order."""

    def traded(self, trade: BrokerTrade) -> None:
        """A trade at an exchange, at most a second ago."""

    def tick(self) -> None:
        """A second passed within the session."""

    def paused(self, seconds: float) -> None:
        """The engine's machine stood still, or its store, for so long."""

    def settled(self) -> None:
        """Nothing went wrong for a minute: what was due has happened, or never will."""

    def day_over(self) -> None:
        """The day's activity and quiet minute are over."""
