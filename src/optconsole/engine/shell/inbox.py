"""The one way in: all that may change the trading state waits here and is taken one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from optconsole.engine import events as ev
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import AnyEvent
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.plugins import StrategyAnswer
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import BrokerUpdate, PlaceOutcome
from optconsole.engine.requests import Request
from optconsole.engine.watching import Book


@dataclass(slots=True)
class Asked:
    """A command with the future its asker waits on."""

    command: AnyCommand
    answer: asyncio.Future[Reply]


@dataclass(slots=True)
class Heard:
    """A row from a broker. ``letter`` names the dead letter it was kept in."""

    account: str
    update: BrokerUpdate
    letter: str = ""


@dataclass(slots=True)
class Answered:
    """The outcome of one request of ours."""

    request: Request
    outcome: PlaceOutcome


@dataclass(slots=True)
class Stated:
    """Facts the shell itself knows, such as the start of a session."""

    facts: list[AnyEvent]
    done: asyncio.Future[None]
    actor: str = "engine"
    cause: str = ""


@dataclass(slots=True)
class Unreadable:
    """A broker's book could not be read."""

    account: str
    why: str


@dataclass(slots=True)
class Nudged:
    """Time has passed: what waits for it is looked at again."""


@dataclass(slots=True)
class StrategyAnswered:
    """What came of one call of a registered strategy."""

    answer: StrategyAnswer


Input = Asked | Heard | Answered | Stated | Book | Unreadable | StrategyAnswered | Nudged


class Inbox:
    """The queue of inputs, the tasks whose outcome comes back as one, and whether all of it is at rest.

    ``under_way`` says whether something else is still going on of which an input will come.
    """

    def __init__(self, under_way: Callable[[], bool]) -> None:
        self._queue: asyncio.Queue[Input] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._under_way = under_way
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = False

    @property
    def size(self) -> int:
        """Inputs waiting."""
        return self._queue.qsize()

    def put(self, item: Input) -> None:
        self._idle.clear()
        self._queue.put_nowait(item)

    async def take(self) -> Input:
        """The next input. Whoever takes it says ``done`` before taking another."""
        item = await self._queue.get()
        self._busy = True
        return item

    def done(self) -> None:
        """The input taken last needs nothing more."""
        self._busy = False
        self.look()

    async def settled(self) -> None:
        """Wait until the inbox is empty and every request of ours is answered."""
        while not self._idle.is_set():
            await self._idle.wait()

    async def state(self, facts: list[AnyEvent]) -> None:
        """Have facts stored. Raises Refusal when they were not."""
        if facts:
            await self._stated(Stated(facts, asyncio.get_running_loop().create_future()))

    async def pass_by(self) -> None:
        """Return when everything put in before was taken."""
        await self._stated(Stated([], asyncio.get_running_loop().create_future()))

    async def _stated(self, item: Stated) -> None:
        self.put(item)
        await item.done

    def state_later(self, facts: list[AnyEvent], actor: str = "engine", cause: str = "") -> None:
        """Have facts stored without waiting for it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # nobody waits; that it could not be stored is in the log already
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self.put(Stated(facts, done, actor, cause))

    def warn(self, code: str, text: str, level: str = "alarm") -> None:
        """Put an alarm into the journal without waiting for it."""
        self.state_later([ev.NoticeRaised(level=level, code=code, text=text)])

    def warn_once(self, state: TradingState, code: str, text: str, level: str = "alarm") -> None:
        """As ``warn``, but not again while the same alarm stands unacknowledged."""
        standing = (notice for notice in state.notices if notice.seq > state.acknowledged)
        if not any(notice.code == code for notice in standing):
            self.warn(code, text, level)

    # ------------------------------------------------------------ tasks

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run beside the engine's task. Requests to brokers are named ``send-…``: they are waited for."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def end(self) -> None:
        """Cancel every task and wait for it."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            incident("task", error)
        self.look()

    def look(self) -> None:
        """Something that was under way has ended: whoever waits until all is at rest may go on if it is."""
        sending = any(task.get_name().startswith("send-") for task in self._tasks)
        if self._queue.empty() and not self._busy and not sending and not self._under_way():
            self._idle.set()
