"""I-10, protection, and I-12, hedge first: open shorts against the stops and hedges that are really there.

The rows read here are agreed ahead of the engine that writes them: ``WORDS`` is the one place to change them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerTrade
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.court import Court, Watcher

UNCOVERED: Final = 5.0
"""Seconds for which a short may stand without cover before an alarm is due."""
STALE: Final = 10.0


class Words(NamedTuple):
    """Row types that say what a position was promised."""

    asked: str = "ProtectionAsked"
    dropped: str = "ProtectionDropped"
    armed: str = "GuardArmed"
    disarmed: str = "GuardDisarmed"
    begun: str = "StructureBegun"
    alarms: tuple[str, ...] = ("UNPROTECTED", "PROTECTION_FAILED", "PRICE_STALE", "FEED_STALE")


WORDS: Final = Words()
Key = tuple[str, str, str]
"""Account, contract and product."""


class Cover(Watcher):
    """Positions for which protection was asked: a stop at the exchange, an armed guard that sees, or an alarm."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._asked: set[Key] = set()
        self._guards: Counter[Key] = Counter()
        self._bare: dict[Key, float] = {}

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        if row.type not in WORDS[:4]:
            return
        key = (body["account"], body["contract"], body["product"])
        match row.type:
            case WORDS.asked:
                self._asked.add(key)
            case WORDS.dropped:
                self._asked.discard(key)
                self._guards.pop(key, None)
            case WORDS.armed:
                self._guards[key] = body["qty"]
            case WORDS.disarmed:
                self._guards.pop(key, None)

    def tick(self) -> None:
        court = self.court
        for key in self._asked:
            missing = -court.truth.net(*key) - self._covered(key)
            if missing <= 0:
                self._bare.pop(key, None)
                continue
            since = self._bare.setdefault(key, court.now)
            if court.awake_for(since) > UNCOVERED + 1 and not court.alarmed(WORDS.alarms, since, key[1]):
                self._bare[key] = court.now + 3600
                court.breach("I-10", f"{missing} {key[1]} are short without cover for {court.now - since:.0f} s")

    def _covered(self, key: Key) -> int:
        """Units that stops at the exchange would buy back, and those of a guard that sees a price."""
        account, contract, product = key
        books = self.court.truth.venues[account].books
        stops = sum(
            order.remaining
            for order in books.resting(contract)
            if order.trigger is not None and order.side is Side.BUY and order.product.value == product
        )
        sees = self.court.up_since is not None and self.court.now - self.court.quoted_at <= STALE
        return stops + (self._guards[key] if sees else 0)

    def paused(self, seconds: float) -> None:
        self._bare = {key: at + seconds for key, at in self._bare.items()}


class HedgeFirst(Watcher):
    """Legs under one parent: after each fill no more is short than is hedged, and what was allowed."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._allowed: dict[str, int] = {}
        self._net: dict[str, Counter[str]] = {}

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        if row.type == WORDS.begun:
            self._allowed[body["structure_id"]] = body["uncovered"]

    def traded(self, trade: BrokerTrade) -> None:
        paper = self.court.by_tag.get(trade.tag)
        if paper is None or paper.parent not in self._allowed:
            return
        net = self._net.setdefault(paper.parent, Counter())
        net[trade.contract] += trade.side.sign * trade.qty
        right = trade.contract[-2:]
        alike = [qty for name, qty in net.items() if name.endswith(right)]
        short = -sum(qty for qty in alike if qty < 0) - sum(qty for qty in alike if qty > 0)
        if short > self._allowed[paper.parent]:
            self.court.breach("I-12", f"{paper.parent}: {short} {right} are short without a hedge after {trade.tag}")
