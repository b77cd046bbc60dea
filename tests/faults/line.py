"""The way between an engine and its exchange, made wrong exactly as a test says, on virtual time."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from optconsole.engine.core import Engine
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order
from optconsole.engine.ports import BrokerOrder, Doubtful, PlaceOutcome
from tests.simulation.market import OPTIONS
from tests.simulation.papers import Breach
from tests.simulation.script import Scene, play

Call = Callable[[], Awaitable[PlaceOutcome]]
Fault = Callable[[Call], Awaitable[PlaceOutcome]]
"""What becomes of one call; calling it lets the exchange carry it out."""


async def _never() -> Any:
    await asyncio.get_running_loop().create_future()


async def lost(_call: Call) -> PlaceOutcome:
    """The request never arrives and nobody says so."""
    outcome: PlaceOutcome = await _never()
    return outcome


async def answer_lost(call: Call) -> PlaceOutcome:
    """The exchange carries it out; its answer is lost."""
    await call()
    outcome: PlaceOutcome = await _never()
    return outcome


def late(seconds: float) -> Fault:
    """An error now; the exchange carries it out ``seconds`` later."""

    async def later(call: Call) -> None:
        await asyncio.sleep(seconds)
        await call()

    async def fault(call: Call) -> PlaceOutcome:
        _UNDER_WAY.add(asyncio.get_running_loop().create_task(later(call)))
        return Doubtful("504 gateway timeout")

    return fault


_UNDER_WAY: set[asyncio.Task[None]] = set()


def slow_answer(seconds: float) -> Fault:
    """Carried out at once, answered ``seconds`` later."""

    async def fault(call: Call) -> PlaceOutcome:
        outcome = await call()
        await asyncio.sleep(seconds)
        return outcome

    return fault


def answered(outcome: PlaceOutcome) -> Fault:
    """This answer, and nothing is carried out."""

    async def fault(_call: Call) -> PlaceOutcome:
        return outcome

    return fault


class Line:
    """The broker of a scene: faults for the next calls of a verb, and readings as a test wants them."""

    def __init__(self, scene: Scene) -> None:
        life = scene.simulation.life
        assert life is not None
        scene.simulation.swarm.quiet = False  # a day with faults, so that alarms are expected
        self.scene = scene
        self.engine: Engine = life.engine
        self.broker: Any = life.brokers[0]
        self.calls: list[tuple[float, str]] = []
        self.readings = 0
        self.unreadable: Exception | None = None
        self.shown: Callable[[list[BrokerOrder]], list[BrokerOrder]] = list
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        for verb in ("place", "modify", "cancel"):
            setattr(self.broker, verb, self._through(verb, getattr(self.broker, verb)))
        self._orders = self.broker.orders
        self.broker.orders = self._read

    def _through(self, verb: str, real: Callable[[Any], Awaitable[PlaceOutcome]]) -> Any:
        async def call(wanted: Any) -> PlaceOutcome:
            self.calls.append((self.scene.simulation.loop.time(), verb))
            faults = self._faults[verb]
            return await (faults.popleft()(lambda: real(wanted)) if faults else real(wanted))

        return call

    async def _read(self) -> list[BrokerOrder]:
        self.readings += 1
        if self.unreadable is not None:
            raise self.unreadable
        return self.shown(await self._orders())

    def will(self, verb: str, *faults: Fault) -> None:
        """The next calls of a verb meet these."""
        self._faults[verb].extend(faults)

    def mute(self) -> None:
        """The stream tells nothing any more."""
        self.scene.wire.filter = lambda _update: False

    def count(self, verb: str) -> int:
        return sum(each == verb for _, each in self.calls)

    def order(self, name: str) -> Order:
        return self.engine.state.orders[name]

    def held(self) -> dict[str, int]:
        """Open units by contract, as the console says."""
        return {each.key.contract: each.qty for each in self.engine.state.positions.values() if each.qty}

    def at_exchange(self) -> dict[str, int]:
        """The same, as the exchange says."""
        return {row.contract: row.qty for row in self.scene.venue.picture().positions if row.qty}

    def codes(self) -> list[str]:
        """Codes of all notices so far."""
        return [notice.code for notice in self.engine.state.notices]

    async def wait(self, seconds: float, quoted: Instrument = OPTIONS[0]) -> None:
        """Let time pass while quotes of one contract go on coming."""
        for _ in range(int(seconds)):
            self.engine.on_quotes([self.scene.simulation.market.quote(quoted.name)])
            await asyncio.sleep(1.0)


def scene(script: Callable[[Scene], Awaitable[None]]) -> Sequence[Breach]:
    """Run a script; the simulation's judge says what it broke.

    A given fault strikes before the wire on which the judge sees requests leave: what it says of their moment is
    about the fault and not about the engine.
    """
    _UNDER_WAY.clear()
    return [breach for breach in play(script) if breach.invariant != "I-25" and "was held back" not in breach.text]
