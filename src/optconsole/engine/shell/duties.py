"""Duties: what looks at the state after every input and says the next step that is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.plugins import StrategyAnswer
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import JournalBroken
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.shell.inbox import Inbox
from optconsole.engine.trading import (
    brackets,
    groups,
    parents,
    protection,
    resolution,
    reversing,
    sentinel,
    supervision,
)
from optconsole.engine.trading.decision import Decision, Duty
from optconsole.engine.trading.risk import RiskWatch
from optconsole.engine.trading.runs.duty import Runs

STEPS_AT_ONCE: Final = 100
DUTIES: Final = (brackets, protection, supervision, reversing, parents, groups, resolution, sentinel)
"""Modules whose ``advance`` says the next step: guards, exits, orders that belong together, doubts."""


class Duties:
    """Carries the duties of an engine, each as far as it goes. ``settle`` stores and carries out one step."""

    def __init__(
        self,
        inbox: Inbox,
        book: Callable[[], TradingState],
        situation: Callable[[], Situation],
        settle: Callable[[Decision], Awaitable[None]],
        install: str,
        days: MarketDays,
    ) -> None:
        self._inbox = inbox
        self._book = book
        self._situation = situation
        self._settle = settle
        self._install = install
        self._risk = RiskWatch()
        self._runs = Runs(days)

    async def advance(self, master: InstrumentMaster, priced: bool) -> None:
        """Carry every duty as far as it goes now: not before the book is agreed and prices are known.

        Limits are watched while nothing is ``priced`` too: what cannot be priced is what they must know of.
        Raises JournalBroken.
        """
        if not self._book().ready:
            return
        seen = self._situation()
        for duty in (*DUTIES, self._runs, self._risk) if priced else (self._risk,):
            try:
                seen = await self._carry(duty.advance, master, seen)
            except JournalBroken:
                raise
            except Exception as error:  # one duty that fails must not keep the others from theirs
                text = f"A guard failed (incident {incident('duty', error)}); close by hand what it guards."
                self._inbox.warn_once(self._book(), "DUTY_FAILED", text)

    async def hear(self, master: InstrumentMaster, answer: StrategyAnswer) -> None:
        """Carry out what follows from what a registered strategy answered. Raises JournalBroken."""
        decision = self._runs.hear(self._book(), master, self._situation(), self._install, answer)
        if decision is not None:
            await self._settle(decision)

    async def _carry(self, duty: Duty, master: InstrumentMaster, seen: Situation) -> Situation:
        """Take a duty's steps. ``seen`` is the situation now; returns that after the last step."""
        for _ in range(STEPS_AT_ONCE):
            step = duty(self._book(), master, seen, self._install)
            if step is None:
                break
            await self._settle(step)
            seen = self._situation()
        return seen
