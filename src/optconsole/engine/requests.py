"""Requests on their way to brokers: each leaves once, in the order of urgency, within what an exchange allows a second.

No broker takes more than ten orders a second from one client (SEBI circular of 4 Feb 2025). A kill in a storm must not
find those ten spent on entries, so each kind of request may use only a share of them, and exits all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from enum import IntEnum
from typing import Any, Final

from optconsole.engine.clock import Clock, cancelled_from_outside
from optconsole.engine.model.orders import Order, RiskClass, Role
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import Broker, Doubtful, NotSent, PlaceOutcome
from optconsole.engine.trading.decision import SendCancel, SendModify, SendPlace

CALL_DEADLINE: Final = 8.0
"""Seconds after which a silent broker call is in doubt (reliability: one POST, total deadline 8 s)."""
ENTRY_LIFE: Final = 5.0
"""Seconds after its intent in which an order that adds risk may still leave; a later one meets another market."""
SECOND: Final = 1.1
"""The rolling second, with a little over for what the network bunches together."""
MINUTE: Final = 60.0
SHORTEST_REST: Final = 0.001

Request = SendPlace | SendModify | SendCancel
Deliver = Callable[[Request, PlaceOutcome], None]
Bar = Callable[[Request], str]
"""Why an order that adds risk may not leave any more, empty while it may."""
Spawn = Callable[[Coroutine[Any, Any, None], str], None]


class Urgency(IntEnum):
    """Who goes first, and who stops first when the budget runs out."""

    EXIT = 0
    PROTECT = 1
    CANCEL = 2
    ENTRY = 3


A_SECOND: Final = {Urgency.EXIT: 10, Urgency.PROTECT: 9, Urgency.CANCEL: 8, Urgency.ENTRY: 6}
A_MINUTE: Final = {Urgency.EXIT: 400, Urgency.PROTECT: 380, Urgency.CANCEL: 360, Urgency.ENTRY: 300}
"""Requests of all kinds that may have left in the window when one of this kind leaves."""


def urgency(request: Request, order: Order) -> Urgency:
    """How urgent a request about an order is."""
    if isinstance(request, SendCancel):
        return Urgency.CANCEL
    if order.role in (Role.STOP, Role.TARGET):
        return Urgency.PROTECT
    if order.role.closes or order.risk is not RiskClass.INCREASE:
        return Urgency.EXIT
    return Urgency.ENTRY


class Requests:
    """The queue before the brokers. ``deliver`` gets exactly one outcome for each request.

    ``barred`` is asked when an order that adds risk is about to leave: a kill may have come while it waited (I-13).
    """

    def __init__(
        self,
        clock: Clock,
        brokers: Mapping[str, Broker],
        deliver: Deliver,
        spawn: Spawn,
        barred: Bar = lambda _request: "",
    ) -> None:
        self._clock = clock
        self._brokers = brokers
        self._deliver = deliver
        self._spawn = spawn
        self._barred = barred
        self._waiting: dict[Urgency, deque[tuple[Request, str, float]]] = {kind: deque() for kind in Urgency}
        self._left: deque[float] = deque()
        self._wakes_at: float | None = None

    @property
    def waiting(self) -> int:
        """Requests that have not left."""
        return sum(map(len, self._waiting.values()))

    def last_second(self) -> int:
        """Requests that left in the last second."""
        return self._count(self._clock.monotonic(), 1.0)

    def delay(self, kind: Urgency) -> float:
        """Seconds until one more request of this kind could leave, behind all that waits before it."""
        ahead = sum(len(queue) for other, queue in self._waiting.items() if other <= kind)
        pace = self._pause(kind, self._clock.monotonic())
        return pace + ahead / A_SECOND[kind]

    def put(self, request: Request, account: str, kind: Urgency, decided: float) -> None:
        """Take one request, decided at that monotonic second; it leaves at once if its share of the budget allows."""
        self._waiting[kind].append((request, account, decided))
        self._pump()

    def _pump(self) -> None:
        while (kind := self._next()) is not None:
            now = self._clock.monotonic()
            request, account, since = self._waiting[kind][0]
            late = f"{now - since:.0f} s passed before it could leave" if now - since > ENTRY_LIFE else ""
            why = (late or self._barred(request)) if kind is Urgency.ENTRY else ""
            if why:
                self._waiting[kind].popleft()
                self._deliver(request, NotSent(why, held=True))
                continue
            pause = self._pause(kind, now)
            if pause > 0:
                self._wake(now + pause, pause)
                return
            self._waiting[kind].popleft()
            self._left.append(now)
            self._spawn(self._send(request, self._brokers[account]), f"send-{request.order_id}")

    def _next(self) -> Urgency | None:
        return next((kind for kind in Urgency if self._waiting[kind]), None)

    def _wake(self, at: float, pause: float) -> None:
        """Look again at that monotonic second, unless that is about to happen sooner: the urgent wait less long."""
        if self._wakes_at is None or at < self._wakes_at:
            self._wakes_at = at
            # a rest of nothing at all would not bring the window on by one tick
            self._spawn(self._resume(at, max(pause, SHORTEST_REST)), "send-pace")

    async def _resume(self, at: float, pause: float) -> None:
        try:
            await self._clock.sleep(pause)
        finally:
            if self._wakes_at == at:
                self._wakes_at = None
        self._pump()

    def _count(self, now: float, window: float) -> int:
        while self._left and now - self._left[0] > MINUTE:
            self._left.popleft()
        count = 0
        for moment in reversed(self._left):
            if now - moment >= window:
                break
            count += 1
        return count

    def _pause(self, kind: Urgency, now: float) -> float:
        """Seconds until the windows have room for one more of this kind; 0 when they have."""
        pause = 0.0
        for window, most in ((SECOND, A_SECOND[kind]), (MINUTE, A_MINUTE[kind])):
            if self._count(now, window) >= most:
                oldest = self._left[-most]
                pause = max(pause, window - (now - oldest))
        return pause

    async def _send(self, request: Request, broker: Broker) -> None:
        """One request, one answer. Whatever is not an answer is doubt, never an error to swallow."""
        outcome: PlaceOutcome
        try:
            async with asyncio.timeout(CALL_DEADLINE):
                outcome = await _call(broker, request)
        except TimeoutError:
            outcome = Doubtful(f"no answer within {CALL_DEADLINE:.0f} s")
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            outcome = Doubtful("the broker adapter gave the call up")
        except Exception as error:
            outcome = Doubtful(f"the broker adapter failed (incident {incident('broker', error)})")
        self._deliver(request, outcome)


async def _call(broker: Broker, request: Request) -> PlaceOutcome:
    match request:
        case SendPlace(_, wanted):
            return await broker.place(wanted)
        case SendModify(_, _, change):
            return await broker.modify(change)
        case SendCancel(_, _, broker_id):
            return await broker.cancel(broker_id)
