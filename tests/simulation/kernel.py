"""The virtual machine: a loop that jumps to its next timer, choices off tapes of bytes, time of a simulated day."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import Context, ContextVar
from datetime import datetime, timedelta
from typing import Any, Final

from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import JournalBroken

CONCERNS: Final = ("swarm", "network", "market", "operator", "crash", "schedule")
"""Parts of the environment with a tape of their own. Each fault has one too: taking one away shifts no other."""
OWNER: ContextVar[int] = ContextVar("OWNER", default=0)
"""Which life of the engine runs; 0 is the environment. Tasks inherit it from who starts them."""


EXPECTED: Final = (Refusal, JournalBroken)
"""What the engine's own work may end with: both are told to whoever asked."""


class Deadlock(RuntimeError):
    """Nothing can run and no timer is armed: a wake-up was lost."""


class _NoIO(selectors.BaseSelector):
    """Accepts registrations, reports nothing ready, and turns waiting into time."""

    def __init__(self, now: list[float]) -> None:
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._now = now

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[number] = key = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing runnable and no timer armed")
        if timeout > 0:
            self._now[0] += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        self._keys.clear()


class SimLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time. ``shuffle`` is the chance a turn's ready callbacks run in another order.

    asyncio promises first in, first out, so 0 keeps every failure a real one; more explores orders beyond it.
    """

    def __init__(self, schedule: TapeRandom | None = None, shuffle: float = 0.0) -> None:
        self._virtual = [0.0]
        self._schedule, self._shuffle = schedule, shuffle
        self.turns = 0
        self.lives: dict[int, dict[asyncio.Task[Any], None]] = {}
        self.defects: list[str] = []
        self._paused: int | None = None
        self._parked: list[asyncio.Handle] = []
        super().__init__(_NoIO(self._virtual))
        self._clock_resolution = 1e-9
        self.set_task_factory(self._born)  # type: ignore[arg-type]

    def time(self) -> float:
        return self._virtual[0]

    def run_in_executor(self, *_args: Any) -> Any:  # type: ignore[override]
        raise RuntimeError("threads are not allowed under simulation")

    def _run_once(self) -> None:
        self.turns += 1
        ready: Any = self._ready  # type: ignore[attr-defined]
        if self._paused is not None:
            self._park(ready)
        if self._shuffle and self._schedule is not None and len(ready) > 1 and self._schedule.happens(self._shuffle):
            self._schedule.shuffle(ready)
        super()._run_once()  # type: ignore[misc]

    def _born(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        owner = OWNER.get() if context is None else context.get(OWNER, 0)
        life = self.lives.setdefault(owner, {})
        life[task] = None
        task.add_done_callback(lambda ended: self._ended(owner, ended))
        return task

    def _ended(self, owner: int, task: asyncio.Task[Any]) -> None:
        """Let go of a task; one of an engine that died of an error nobody expects of it is a defect."""
        self.lives[owner].pop(task, None)
        error = None if task.cancelled() or not owner else task.exception()
        if error is not None and not isinstance(error, EXPECTED):
            self.defects.append(f"task {task.get_name()} died of {error!r}")

    def pause(self, owner: int) -> None:
        """Let nothing of a life run while time and everybody else go on: a machine that was suspended."""
        self._paused = owner

    @property
    def paused(self) -> bool:
        """True while a life stands still."""
        return self._paused is not None

    def resume(self) -> None:
        """Let the paused life run again: all that became due meanwhile, at once and in order."""
        if self._paused is not None:
            self._paused, parked, self._parked = None, self._parked, []
            self._ready.extend(parked)  # type: ignore[attr-defined]

    def _park(self, ready: Any) -> None:
        for _ in range(len(ready)):
            handle = ready.popleft()
            (self._parked if handle._context.get(OWNER, 0) == self._paused else ready).append(handle)

    def timers(self, owner: int) -> int:
        """Armed timers of a life."""
        scheduled: Any = self._scheduled  # type: ignore[attr-defined]
        return sum(not handle.cancelled() and handle._context.get(OWNER, 0) == owner for handle in scheduled)

    def kill(self, owner: int) -> list[asyncio.Task[Any]]:
        """Drop every task of one life, oldest first, in an order that no address decides."""
        doomed = list(self.lives.get(owner, ()))
        for task in doomed:
            task.cancel()
        return doomed


class OrderedTaskGroup:
    """Tasks that end together. asyncio's own group keeps a set, whose cancel order follows addresses."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task in the group."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._tasks.pop(ended, None))
        return task

    async def end(self) -> None:
        """Cancel what still runs, oldest first, and wait for it."""
        doomed = list(self._tasks)
        for task in doomed:
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)


class TapeRandom(random.Random):
    """Every choice comes off a list of bytes. 0, or running out, means: nothing goes wrong.

    ``used`` is what was read, so that a run drawn from ``more`` can be replayed and shrunk from its tape.
    """

    def __init__(self, tape: Iterable[int] = (), more: Callable[[], bytes] | None = None) -> None:
        super().__init__(0)
        self._tape = bytearray(tape)
        self._more = more
        self._at = 0

    @property
    def used(self) -> bytes:
        """The bytes read so far."""
        return bytes(self._tape[: self._at])

    def byte(self) -> int:
        """The next choice as it lies on the tape."""
        if self._at >= len(self._tape):
            if self._more is None:
                return 0
            self._tape += self._more()
        self._at += 1
        return self._tape[self._at - 1]

    def random(self) -> float:
        value = self.byte()
        return 0.9999 if value == 0 else (value - 1) / 255

    def happens(self, chance: float) -> bool:
        """True with about this chance; never on a quiet tape. No chance, no byte."""
        return chance > 0 and self.random() < chance

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * (1 - self.random())

    def randint(self, a: int, b: int) -> int:
        return a + int((b - a + 1) * (1 - self.random()) * 0.999999)

    def pick(self, options: Any) -> Any:
        """One of a sequence; the first on a quiet tape."""
        return options[self.randint(0, len(options) - 1)]

    def shuffle(self, x: Any) -> None:
        for i in range(len(x) - 1, 0, -1):
            j = self.randint(0, i)
            x[i], x[j] = x[j], x[i]


class Tapes(dict[str, TapeRandom]):
    """Tapes by name, made when first asked for."""

    def __init__(self, make: Callable[[str], TapeRandom]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> TapeRandom:
        tape = self[name] = self._make(name)
        return tape

    def used(self) -> dict[str, bytes]:
        """What was read of each."""
        return {name: tape.used for name, tape in self.items()}


def seeded_tapes(seed: int | str) -> Tapes:
    """Endless tapes whose bytes depend on the seed and their name alone."""
    return Tapes(lambda name: TapeRandom(more=_source(f"{seed}/{name}")))


def recorded_tapes(tapes: Mapping[str, bytes]) -> Tapes:
    """Tapes that end: a replay, or what a shrinker tries."""
    return Tapes(lambda name: TapeRandom(tapes.get(name, b"")))


def _source(seed: str) -> Callable[[], bytes]:
    generator = random.Random(seed)
    return lambda: generator.randbytes(64)


class SimClock:
    """The engine's clock on virtual time: the wall is the day's moment plus virtual seconds."""

    def __init__(self, loop: SimLoop, start: datetime) -> None:
        self._loop = loop
        self._start = self._base = start
        self._mark = loop.time()
        self._skipped = 0.0
        self._seen = (self._mark, start)

    def now(self) -> datetime:
        at = self._loop.time()
        if at != self._seen[0]:  # it is asked many times an instant
            self._seen = at, self._base + timedelta(microseconds=round((at - self._mark) * 1e6))
        return self._seen[1]

    def monotonic(self) -> float:
        return self._loop.time()

    @property
    def passed(self) -> float:
        """Seconds since the start, with the hours that were skipped."""
        return self._skipped + self._loop.time()

    def stepped(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jump(self, moment: datetime) -> None:
        """Move the wall forward over hours in which nothing is simulated."""
        self._base, self._mark = max(moment, self.now()), self._loop.time()
        self._skipped = (self._base - self._start).total_seconds() - self._mark
        self._seen = self._mark, self._base


class HostClock:
    """The clock of the machine an engine runs on: its wall may step away from the true time, its monotonic never."""

    def __init__(self, true: SimClock) -> None:
        self._true = true
        self.off = timedelta(0)

    def boot(self) -> WallClock:
        """What a process that starts now makes of it: the shipped clock, which remembers nothing of an earlier one."""
        return _ProcessClock(self, self._true)

    def wall(self) -> datetime:
        """The time of day as the machine has it."""
        return self._true.now() + self.off


class _ProcessClock(WallClock):
    """The shipped clock over virtual time. Hours that are skipped pass on its machine too, so that no step is seen."""

    def __init__(self, host: HostClock, true: SimClock) -> None:
        self._true = true
        super().__init__(host.wall, lambda: true.passed)

    def monotonic(self) -> float:
        return self._true.monotonic()
