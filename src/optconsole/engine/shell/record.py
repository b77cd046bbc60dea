"""The record: the trading state and the journal it comes from, which never disagree."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime

from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import Journal, JournalBroken
from optconsole.engine.publisher import Publisher
from optconsole.engine.state import apply
from optconsole.engine.trading.decision import Decision


class Record:
    """The state as of the last fact that is durable. ``broken`` says why none is taken any more."""

    def __init__(self, journal: Journal, state: TradingState) -> None:
        self.state = state
        self.broken: JournalBroken | None = None
        self._journal = journal
        self._publisher = Publisher(journal)
        self._publisher.start_at(state.seq)
        self._log = logging.getLogger("optconsole.engine")

    def book(self) -> TradingState:
        """The state as it is now."""
        return self.state

    def follow(self, after: int) -> AsyncIterator[Recorded]:
        """Every fact with a sequence number above ``after``, for ever."""
        return self._publisher.follow(after)

    async def add(self, decision: Decision, at: datetime) -> None:
        """Make a decision's facts durable, apply and publish them. Raises JournalBroken, IllegalTransition."""
        facts = [
            Recorded(seq=self.state.seq + place, at=at, actor=decision.actor, cause=decision.cause, event=event)
            for place, event in enumerate(decision.facts, start=1)
        ]
        # Folding into a copy first keeps an impossible fact out of the journal for ever.
        after = self.state.copy()
        for fact in facts:
            apply(after, fact)
        await self._journal.append(facts)
        self.state = after
        self._publisher.publish(facts)

    def lost(self, broken: JournalBroken) -> None:
        """Facts cannot be proven durable; unless that may pass, none are taken any more."""
        if not broken.passing:
            self.broken = broken
        self._log.error("the journal did not take a fact: %s", broken.text)

    def distrust(self, broken: JournalBroken) -> None:
        """The store said, without being asked to write, that this engine's time is over."""
        if not broken.passing and self.broken is None:
            self.broken = broken
            self._log.error("the journal is lost: %s", broken.text)
