"""The watch over time: four times a second, whether the machine stood still, and what waits for time alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from optconsole.engine.clock import Clock
from optconsole.engine.composites import unfinished
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import Standing
from optconsole.engine.observe.log import incident
from optconsole.engine.observe.meters import Meters
from optconsole.engine.shell.hearing import BLIND
from optconsole.engine.shell.inbox import Inbox, Nudged, Unreadable
from optconsole.engine.shell.pacing import INTERVAL, STALLED
from optconsole.engine.shell.record import Record
from optconsole.engine.watching import BookWatch

LATE: Final = 0.25
"""Seconds by which the loop is late when a stop may have come too late (H05)."""
SLEPT_LONG: Final = 10.0
"""Seconds by which the loop's own timer is late when the machine, not the work, must have been the cause."""
CLOCK_OFF: Final = 1.0


class Vigil:
    """Watches the loop, the clock and the brokers' silence.

    ``sees`` says whether an account's silence is still untold; ``awake`` is called each time while facts can be stored,
    ``look`` each time.
    """

    def __init__(
        self,
        clock: Clock,
        meters: Meters,
        inbox: Inbox,
        watches: Mapping[str, BookWatch],
        record: Record,
        sees: Callable[[str], bool],
        awake: Callable[[], None],
        look: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._meters = meters
        self._inbox = inbox
        self._watches = watches
        self._record = record
        self._sees = sees
        self._awake = awake
        self._look = look

    async def run(self) -> None:
        """Watch for ever."""
        stepped = self._clock.stepped()
        while True:
            before = self._meters.beat = self._clock.monotonic()
            await asyncio.sleep(INTERVAL)
            self._measure(max(0.0, self._clock.monotonic() - before - INTERVAL))
            if abs(self._clock.stepped() - stepped) > CLOCK_OFF:
                self._clock_was_set(self._clock.stepped() - stepped)
                stepped = self._clock.stepped()
            try:
                self._pass_time()
            except Exception as error:  # what waits for time alone is looked at again in a quarter of a second
                code = incident("duty", error)
                text = f"The watch over time failed (incident {code}); the log tells why."
                self._inbox.warn_once(self._record.state, "DUTY_FAILED", text)

    def _pass_time(self) -> None:
        self._look()
        if self._record.broken is None:
            self._awake()
            self._tell_blindness()
            if on_duty(self._record.state):
                self._inbox.put(Nudged())

    def _tell_blindness(self) -> None:
        """A reading may try for half a minute before it gives up; the trader is not left to guess for so long."""
        for account, watch in self._watches.items():
            if self._sees(account) and watch.blind_for() >= BLIND:
                self._inbox.put(Unreadable(account, f"no answer for {watch.blind_for():.0f} s"))

    def _measure(self, lag: float) -> None:
        """What a loop that stood still for ``lag`` seconds means. With nothing open it made nothing late."""
        self._meters.loop_lag.add(lag * 1000)
        if lag > STALLED:
            self._woke(lag)
        state = self._record.state
        if LATE < lag <= SLEPT_LONG and state.ready and on_duty(state):
            self._inbox.warn_once(
                state,
                "LOOP_LAG",
                f"The engine stood still for {lag:.1f} s, and stops and exits were late by as much; something keeps "
                "the machine or the engine too busy.",
                level="warning",
            )

    def _woke(self, slept: float) -> None:
        """Whatever was known of brokers is as old as the sleep: no entry leaves before their books were read again."""
        for watch in self._watches.values():
            watch.forget()
        if slept > SLEPT_LONG:
            self._inbox.warn(
                "MACHINE_SLEPT",
                f"The machine stood still for {slept:.0f} s; the brokers' books are read again before any entry.",
                level="warning",
            )

    def _clock_was_set(self, step: float) -> None:
        self._inbox.warn(
            "CLOCK_SET",
            f"The machine's clock was set by {step:+.0f} s. Deadlines keep the machine's own time; check the time "
            "service before anything scheduled is trusted.",
        )


def on_duty(state: TradingState) -> bool:
    """Whether time alone may make a step due."""
    return bool(
        state.flattening
        or unfinished(state)
        or any(scope.standing is not Standing.ACTIVE for scope in state.scopes.values())
        or any(position.qty for position in state.positions.values())
        or any(order.status.working for order in state.orders.values())
        or any(book.status is BasketStatus.ACTIVE for book in state.baskets.values())
        or any(not run.status.over for run in state.runs.values())
    )
