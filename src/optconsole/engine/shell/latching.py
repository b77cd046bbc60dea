"""The kill switch while nothing can be stored: latched in memory and in a file, cancelling at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.commands import EngageKill, Reply
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import Check
from optconsole.engine.rules.pretrade import REFUSE
from optconsole.engine.store.latch import KillLatch
from optconsole.engine.trading.decision import SendCancel
from optconsole.engine.trading.desk import cancellable
from optconsole.engine.trading.precedence import owned, steered

ACTOR: Final = "latch"
REST: Final = 2.0
"""Seconds between two attempts to store a kill that could not be stored."""
LATCHED: Final = "The kill switch is on, though the journal could not take it yet: nothing that adds risk may leave."


class UnstoredKill:
    """A kill that the journal did not take. ``cancel`` sends a request decided at that monotonic second."""

    def __init__(self, clock: Clock, latch: KillLatch | None, cancel: Callable[[SendCancel, float], None]) -> None:
        self._clock = clock
        self._latch = latch
        self._cancel = cancel
        self._command: EngageKill | None = None
        self._tried_at = 0.0

    @property
    def why(self) -> str:
        """Why nothing that adds risk may leave; empty while no kill waits to be stored."""
        return "" if self._command is None else LATCHED

    def stops(self) -> tuple[Check, ...]:
        """What forbids new risk."""
        return () if self._command is None else (Check(code="KILLED", severity=REFUSE, text=LATCHED),)

    def engage(self, state: TradingState, command: EngageKill, broken: JournalBroken) -> Reply:
        """Latch in memory and in a file, and cancel. Nothing is closed: an order needs its intent on record.

        Cancelling is safe to repeat; an order sent without a record could be sent twice. So stops and orders that are
        closing stay: nothing could take their place. The state says what the journal says, so the latch stands beside
        it; the command is given again until it is stored.
        """
        again = command.actor == ACTOR and self._command is not None
        kept = self._latch is not None and (again or self._latch.set(command.why or "asked"))
        self._command, self._tried_at = command, self._clock.monotonic()
        orders = () if again else tuple(filter(cancellable, state.orders.values()))
        cancels = [order for order in orders if not (steered(order) and owned(state, order))]
        for order in cancels:
            self._cancel(SendCancel(order.id, order.terms.account, order.broker_id or ""), self._tried_at)
        where = "in memory and in its latch file" if kept else "in memory only"
        return Reply(
            ok=True,
            code="KILLED_UNSTORED",
            text=f"Kill latched {where}, {len(cancels)} orders are being cancelled. Close positions at the broker: "
            f"{broken.text}",
            ids=tuple(order.id for order in cancels),
        )

    def again(self) -> EngageKill | None:
        """The kill to be given once more, if it is time."""
        if self._command is None or self._clock.monotonic() - self._tried_at < REST:
            return None
        self._tried_at = self._clock.monotonic()
        return EngageKill(id=f"{self._command.id}-{self._tried_at:.0f}", actor=ACTOR, why=self._command.why)

    def stored(self) -> None:
        """The journal says it now."""
        self._command = None
        if self._latch is not None:
            try:
                self._latch.clear()
            except OSError as error:
                logging.getLogger("optconsole.engine").error("the kill latch file could not be removed: %s", error)
