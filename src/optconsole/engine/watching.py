"""One reader of each broker's book: whoever wants the book waits for the same reading, and nobody hammers a broker.

Updates that a broker pushes are hints and may be lost (reliability W04); the book is read all day, every two seconds
while something works and less often otherwise. What fails is tried again with growing pauses; a broker that fails on
and on is told by ``health``, and the rules then take no new risk on it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from optconsole.engine.clock import Clock, Rng
from optconsole.engine.deadlines import within
from optconsole.engine.model.health import AccountHealth
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import (
    LOGIN_LOST,
    Broker,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    NotSent,
    PlaceOutcome,
    Rejected,
)
from optconsole.engine.rules.limits import FundsSeen

READ_DEADLINE: Final = 8.0
FUNDS_DEADLINE: Final = 2.0
REST: Final = 1.0
"""Seconds between two readings of a broker's book, however many ask for one."""
TRIES: Final = 3
LONGEST_PAUSE: Final = 8.0
BREAK_AFTER: Final = 3
"""Orders that failed in a row before entries are held back."""
BREAK_FIRST: Final = 5.0
BREAK_LONGEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class Book:
    """A broker's whole book as of one reading, begun at the monotonic second ``asked``."""

    account: str
    asked: float
    orders: Sequence[BrokerOrder]
    trades: Sequence[BrokerTrade]
    positions: Sequence[BrokerPosition]


class BookWatch:
    """Reads one account's book when wanted and when its pace says so; knows how well the broker answers.

    ``pace`` gives the seconds until the next reading that nobody asked for; ``begun`` is called as a reading begins
    and what it returns goes to ``deliver`` with the book. ``rested`` is called when nothing more comes of a reading.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        rng: Rng,
        pace: Callable[[], float],
        deliver: Callable[[Book], None],
        failed: Callable[[str, str], None],
        rested: Callable[[], None],
    ) -> None:
        self._rested = rested
        self._broker = broker
        self._clock = clock
        self._rng = rng
        self._pace = pace
        self._deliver = deliver
        self._failed = failed
        self._wanted = asyncio.Event()
        self._hurried = False
        self._reading = False
        self._read_at: float | None = None
        self._began_at = -REST
        self._ended_at = clock.monotonic()
        self._blind_since: float | None = None
        self._failures = 0
        self._refusing_until = 0.0
        self._lost = ""
        self._closed = False
        self.funds: FundsSeen | None = None
        """The broker's last word on money; None before it said anything."""

    # ------------------------------------------------------------ what others ask

    @property
    def busy(self) -> bool:
        """Whether a reading is wanted or under way."""
        return not self._closed and (self._reading or self._wanted.is_set())

    def want(self) -> None:
        """Have the book read soon."""
        self._wanted.set()

    def hurry(self) -> None:
        """Have the book read at once, however short ago it was read: something is about to be closed."""
        self._hurried = True
        self._wanted.set()

    def forget(self) -> None:
        """What was read is too old to go by; have it read again."""
        self._read_at = None
        self._wanted.set()

    def close(self) -> None:
        """Count as done, whatever is still wanted or under way."""
        self._closed = True

    def health(self) -> AccountHealth:
        """How well the broker can be reached now."""
        now = self._clock.monotonic()
        return AccountHealth(
            book_age=None if self._read_at is None else now - self._read_at,
            refusing_for=max(0.0, self._refusing_until - now),
            failures=self._failures,
            lost=self._lost,
        )

    def blind_for(self) -> float:
        """Machine seconds for which readings have been tried and none was whole; 0 after one that was."""
        return 0.0 if self._blind_since is None else self._clock.monotonic() - self._blind_since

    def answered(self, outcome: PlaceOutcome) -> None:
        """Learn from the outcome of a request: failures in a row open the breaker, any word of the broker closes it."""
        if isinstance(outcome, Rejected) and outcome.code == LOGIN_LOST:
            self._login_lost(outcome.reason)
            return
        if isinstance(outcome, NotSent) and outcome.held:
            return  # our own queue held it back: the broker was not asked
        if not isinstance(outcome, Doubtful | NotSent):
            self._failures, self._refusing_until = 0, 0.0
            return
        self._failures += 1
        if self._failures >= BREAK_AFTER:
            pause = min(BREAK_LONGEST, BREAK_FIRST * 2 ** (self._failures - BREAK_AFTER))
            self._refusing_until = self._clock.monotonic() + pause

    # ------------------------------------------------------------ reading

    async def run(self) -> None:
        """Read for ever. Whatever one reading meets, the next one comes."""
        while True:
            await self._due()
            rest = self._began_at + REST - self._clock.monotonic()
            if rest > 0 and not self._hurried:
                await self._clock.sleep(rest)
            self._reading, self._hurried = True, False
            self._wanted.clear()
            try:
                self._deliver(await self.read())
                await self.read_funds()
            except LoginLost as gone:
                self._login_lost(str(gone))
            except BrokerUnreachable as failed:
                self._failed(self._broker.account.id, str(failed))
            except Exception as error:
                self._failed(self._broker.account.id, f"incident {incident('book', error)}")
            finally:
                self._reading = False
                self._ended_at = self._clock.monotonic()
                self._rested()

    async def _due(self) -> None:
        """Wait until the book is wanted or its pace says so, which quickens when an order begins to work."""
        while not self._wanted.is_set():
            left = self._ended_at + max(self._pace(), REST) - self._clock.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, REST)):
                    await self._wanted.wait()

    async def read(self) -> Book:
        """The book now, with a few tries. Raises BrokerUnreachable; LoginLost at once."""
        tries = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=self._pause,
            retry=retry_if_exception(_worth_another_try),
            sleep=self._clock.sleep,
            reraise=True,
        )
        if self._blind_since is None:
            self._blind_since = self._clock.monotonic()
        book: Book = await tries(self._once)
        self._read_at = self._clock.monotonic()
        self._blind_since = None
        self._lost = ""
        return book

    async def read_funds(self) -> None:
        """Hear what the broker says of money. It is worth knowing, and no reason to hold up the book."""
        asked = self._clock.now()
        with contextlib.suppress(BrokerUnreachable):
            self.funds = FundsSeen(await within(FUNDS_DEADLINE, self._broker.funds()), asked)

    async def _once(self) -> Book:
        self._began_at = self._clock.monotonic()
        return await within(READ_DEADLINE, self._whole(self._began_at))

    async def _whole(self, began: float) -> Book:
        orders, trades = await self._broker.orders(), await self._broker.trades()
        return Book(self._broker.account.id, began, orders, trades, await self._broker.positions())

    def _pause(self, state: RetryCallState) -> float:
        """Full jitter over a doubling span, so that many clients do not come back together."""
        return self._rng.uniform(0.0, min(LONGEST_PAUSE, 0.5 * 2**state.attempt_number))

    def _login_lost(self, reason: str) -> None:
        self._lost = reason or "the broker refused the token."
        self._failed(self._broker.account.id, self._lost)


def _worth_another_try(error: BaseException) -> bool:
    return isinstance(error, BrokerUnreachable) and not isinstance(error, LoginLost)
