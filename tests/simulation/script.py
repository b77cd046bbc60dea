"""A quiet run whose trader follows a script: for one scenario, exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time
from typing import Any

from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply, SaveBasket, SetBasketStatus
from optconsole.engine.core import Engine
from optconsole.engine.model.baskets import Allocation, Basket, BasketStatus
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import BrokerUpdate
from tests.simulation.broker import Wire
from tests.simulation.kernel import SimLoop, recorded_tapes
from tests.simulation.market import DAYS, LOT, OPTIONS
from tests.simulation.papers import Breach
from tests.simulation.swarm import Trigger
from tests.simulation.venue import PLAIN, Dialect, Venue
from tests.simulation.world import Setting, Simulation, reap, still

CALL = OPTIONS[0].name


class Scene:
    """One engine that runs, on a day on which nothing goes wrong by itself."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._count = 0

    @property
    def engine(self) -> Engine:
        """The engine that lives now."""
        life = self.simulation.life
        assert life is not None
        return life.engine

    @property
    def wire(self) -> Wire:
        """The first account's network."""
        return next(iter(self.simulation.wires.values()))

    @property
    def venue(self) -> Venue:
        """The first account's exchange."""
        return self.wire.venue

    def order(self, verb: str, **trigger: Any) -> None:
        """Order a fault: ``at``, ``nth``, ``when`` or ``p`` say when, ``times`` how often, ``seconds`` how long."""
        self.simulation.swarm.ordered.append(Trigger(verb, **trigger))

    async def ask(self, command: AnyCommand) -> Reply:
        """Send a command and let a second pass."""
        life = self.simulation.lives
        self.simulation.checker.asked(command, life)
        reply = await self.engine.submit(command)
        self.simulation.checker.answered(command, reply, life)
        await asyncio.sleep(1.2)
        return reply

    async def place(
        self,
        side: Side,
        lots: int,
        price: int | None = None,
        name: str = "",
        account: str = "SIM1",
        product: Product = Product.NRML,
    ) -> Reply:
        """A market order, or a limit order at ``price``."""
        self._count += 1
        terms = OrderTerms(
            account=account,
            contract=CALL,
            side=side,
            qty=lots * LOT,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=price,
            product=product,
        )
        return await self.ask(PlaceOrder(id=name or f"p{self._count}", actor="key:sim", terms=terms))

    async def stop(self, side: Side, lots: int, trigger: int, account: str = "SIM1") -> Reply:
        """A stop order with its limit two rupees behind the trigger."""
        self._count += 1
        terms = OrderTerms(
            account=account,
            contract=CALL,
            side=side,
            qty=lots * LOT,
            type=OrderType.SL,
            price=trigger + side.sign * 200,
            trigger=trigger,
        )
        return await self.ask(PlaceOrder(id=f"p{self._count}", actor="key:sim", terms=terms))

    async def crash(self) -> None:
        """The machine dies and comes back."""
        await self.simulation.bury(crash=True)
        await self.simulation.rise()

    async def show(self, price: int, lots: int) -> None:
        """The market of the contract moves, with so many lots on either side, and the engine sees it."""
        self.engine.on_quotes([self.market_at(price, lots)])
        await self.wait(0.5)

    def market_at(self, price: int, lots: int) -> Quote:
        """The market of the contract moves at the exchanges."""
        path = self.simulation.market.paths[CALL]
        path.price, path.bid_qty, path.ask_qty = price, lots * LOT, lots * LOT
        quote = self.simulation.market.quote(CALL)
        for venue in self.simulation.venues:
            venue.on_quotes([quote])
        return quote

    async def start(self, *strategies: Strategy, accounts: Sequence[str] = ("SIM1",)) -> None:
        """Write a basket of these strategies and let it run."""
        self._count += 1
        name = f"b{self._count}"
        allocations = tuple(Allocation(account=account) for account in accounts)
        basket = Basket(name=name, strategies=strategies, allocations=allocations)
        for command in (
            SaveBasket(id=f"save-{name}", actor="key:sim", basket=basket),
            SetBasketStatus(id=f"start-{name}", actor="key:sim", name=name, status=BasketStatus.ACTIVE),
        ):
            reply = await self.ask(command)
            assert reply.ok, reply.text

    async def live(self, seconds: int, index: int | None = None) -> None:
        """Seconds of a market that stands where the chain's index is, or moves it there, under the judge's eyes."""
        chain, simulation = self.simulation.market.chain, self.simulation
        assert chain is not None
        chain.index = chain.index if index is None else index
        for _ in range(seconds):
            quotes = [*simulation.market.step(), *chain.whole(simulation.clock.now().date())]
            self.engine.on_quotes(simulation.market.feed(quotes))
            simulation.checker.quoted_at = simulation.loop.time()
            for venue in simulation.venues:
                venue.on_quotes(quotes)
            await asyncio.sleep(1.0)
            simulation.checker.tick()

    async def wait(self, seconds: float) -> None:
        """Let time pass under the judge's eyes."""
        until = self.simulation.loop.time() + seconds
        while (left := until - self.simulation.loop.time()) > 0:
            await asyncio.sleep(min(left, 1.0))
            self.simulation.checker.tick()

    def lose(self, kind: type[BrokerUpdate]) -> None:
        """From now on the stream loses updates of a kind."""
        self.wire.filter = lambda update: not isinstance(update, kind)


def play(
    script: Callable[[Scene], Awaitable[None]],
    *dialects: Dialect,
    woken: frozenset[str] = frozenset(),
    strategies: bool = False,
) -> list[Breach]:
    """Run a script over accounts of these dialects and say what it broke, tolerating nothing.

    With ``strategies`` the option chain is listed too.
    """
    tapes = recorded_tapes({})
    loop = SimLoop(tapes["schedule"])

    setting = Setting(tolerated=frozenset(), woken=woken, dialects=dialects or (PLAIN,), strategies=strategies)

    async def run() -> list[Breach]:
        simulation = Simulation(loop, tapes, setting)
        simulation.clock.jump(datetime.combine(DAYS[0], time(9, 20), IST))
        simulation.open_exchange()
        await simulation.rise()
        try:
            await script(Scene(simulation))
            return simulation.checker.breaches
        finally:
            await simulation.bury(crash=True)
            await reap(loop)
            for venue in simulation.venues:
                venue.close()

    with still():
        try:
            return loop.run_until_complete(run())
        finally:
            loop.close()
