"""A quiet run whose trader follows a script: for one scenario, exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.ports import BrokerUpdate
from tests.simulation.broker import ACCOUNT
from tests.simulation.kernel import SimLoop, recorded_tapes
from tests.simulation.market import LOT, OPTIONS
from tests.simulation.papers import Breach
from tests.simulation.world import Simulation, reap, still

CALL = OPTIONS[0].name


class Scene:
    """One engine that runs, on a day on which nothing goes wrong by itself."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._count = 0

    async def ask(self, command: AnyCommand) -> Reply:
        """Send a command and let a second pass."""
        life = self.simulation.life
        assert life is not None
        reply = await life.engine.submit(command)
        self.simulation.checker.answered(command, reply)
        await asyncio.sleep(1.2)
        return reply

    async def place(self, side: Side, lots: int, price: int | None = None, name: str = "") -> Reply:
        """A market order, or a limit order at ``price``."""
        self._count += 1
        terms = OrderTerms(
            account=ACCOUNT.id,
            contract=CALL,
            side=side,
            qty=lots * LOT,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=price,
        )
        return await self.ask(PlaceOrder(id=name or f"p{self._count}", actor="key:sim", terms=terms))

    async def crash(self) -> None:
        """The machine dies and comes back."""
        await self.simulation.bury(crash=True)
        await self.simulation.rise()

    async def show(self, price: int, lots: int) -> None:
        """The market of the contract moves, with so many lots on either side."""
        path = self.simulation.market.paths[CALL]
        path.price, path.bid_qty, path.ask_qty = price, lots * LOT, lots * LOT
        quotes = [self.simulation.market.quote(CALL)]
        life = self.simulation.life
        assert life is not None
        life.engine.on_quotes(quotes)
        self.simulation.network.exchange.on_quotes(quotes)
        await asyncio.sleep(0.5)

    def lose(self, kind: type[BrokerUpdate]) -> None:
        """From now on the stream loses updates of a kind."""
        network = self.simulation.network
        network.filter = lambda update: not isinstance(update, kind)


def play(script: Callable[[Scene], Awaitable[None]]) -> list[Breach]:
    """Run a script and say what it broke, tolerating nothing."""
    tapes = recorded_tapes({})
    loop = SimLoop(tapes["schedule"])

    async def run() -> list[Breach]:
        simulation = Simulation(loop, tapes, frozenset(), frozenset())
        simulation.open_exchange()
        await simulation.rise()
        try:
            await script(Scene(simulation))
            return simulation.checker.breaches
        finally:
            await simulation.bury(crash=True)
            await reap(loop)
            simulation.network.exchange._ledger.close()

    with still():
        try:
            return loop.run_until_complete(run())
        finally:
            loop.close()
