"""A client that outlives engines: asks, asks again under the same id when the engine died, and starts it anew."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Side
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.link.protocol import LinkLost
from tests.crash import market, wire
from tests.crash.engine_process import JOURNAL
from tests.crash.market import ACCOUNT, LOT, HostClock
from tests.crash.nursery import Child, Nursery, Steering

DOWN_SECONDS: Final = 3.0
"""Market seconds between a death and the next start."""
FLAT_SECONDS: Final = 120.0
"""Far more than it takes: the judge looks at what was lost or doubled, not at how fast a busy machine is."""
STARTS: Final = 5


@dataclass
class Plan:
    """One run: the point of the day at which an engine is to die, and how.

    With ``again`` the next life dies too, at that point of its own: in its recovery, as a rule.
    """

    at: int = 0
    again: int = 0
    signal: int = signal.SIGKILL
    proof: bool = True
    mutant: str = ""


@dataclass
class Heard:
    """What the client was told, for the judge."""

    replies: dict[str, Reply] = field(default_factory=dict)
    commands: dict[str, AnyCommand] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    starts: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    flat: list[wire.Truth] = field(default_factory=list)
    """The exchange when a kill had done its work."""


class Trader:
    """A home, an exchange and an engine that is started as often as it takes."""

    def __init__(self, nursery: Nursery, folder: Path, plan: Plan) -> None:
        self.nursery, self.folder, self.plan = nursery, folder, plan
        self.home = folder / "home"
        self.points = folder / "points"
        self.clock = HostClock(folder / "clock")
        self.heard = Heard()
        self.lives = 0
        self.exchange: Steering
        self.engine: Child
        self._exchange_child: Child
        self._port = 0
        self._struck_again = False
        self._link: SocketLink | None = None
        self._count = 0

    # ------------------------------------------------------------ processes

    async def open(self) -> None:
        """Start the exchange, then the engine."""
        await self.raise_exchange()
        await self.rise()

    async def raise_exchange(self) -> None:
        """Start the exchange on its ledger, which outlives it."""
        folder = self.folder / "exchange"
        folder.mkdir(exist_ok=True)
        child = self._exchange_child = await self.nursery.bear(
            "exchange",
            folder=str(folder),
            clock=str(self.folder / "clock"),
            journal=str(self.home / JOURNAL),
            proof=self.plan.proof,
        )
        words = await child.ready()
        assert words is not None, "the exchange does not start"
        self._port = words["ready"]["port"]
        self.exchange = await Steering.connect(self._port)

    async def bring_back_exchange(self) -> None:
        """The exchange dies of itself; a successor takes up its ledger."""
        await self._exchange_child.gone()
        await self.exchange.close()
        await self.raise_exchange()

    async def start_engine(self, **more: object) -> Child:
        """A process on the home, whatever comes of it."""
        self.lives += 1
        plan = self.plan
        spec = {"at": self._next_strike(), "signal": plan.signal, "proof": plan.proof, "mutant": plan.mutant}
        return await self.nursery.bear(
            "engine",
            home=str(self.home),
            port=self._port,
            clock=str(self.folder / "clock"),
            points=str(self.points),
            life=self.lives,
            **{**spec, **more},
        )

    def _next_strike(self) -> int:
        """The point, counted over the day, at which the next life is to die; 0 for none."""
        passed = self.points.read_bytes().count(b"\n") if self.points.exists() else 0
        if passed < self.plan.at:
            return self.plan.at
        if self.plan.again and not self._struck_again:
            self._struck_again = True
            return passed + self.plan.again
        return 0

    async def rise(self) -> None:
        """Start the engine until one is ready and linked."""
        for _ in range(STARTS):
            self.engine = await self.start_engine()
            words = await self.engine.ready()
            if words is not None and "ready" in words:
                self.heard.starts.append(words["ready"])
                try:
                    self._link = await SocketLink.connect(socket_path(self.home))
                    return
                except Refusal:
                    pass  # it died between its word and our call
            elif words is not None:
                self.heard.refusals.append(f"{words['refused']}: {words['text']}")
            self.heard.ends.append(await self.engine.gone())
            self.clock.pass_by(DOWN_SECONDS)
        raise RuntimeError(f"the engine does not start: {self.heard.ends} {self.heard.refusals}")

    async def revive(self) -> None:
        """The engine is gone or going: wait for its end, then start it again."""
        await self._unlink()
        self.heard.ends.append(await self.engine.gone())
        self.clock.pass_by(DOWN_SECONDS)
        await self.rise()

    async def stop(self) -> int:
        """Ask the engine to stop; its exit status."""
        await self._unlink()
        self.engine.send(signal.SIGTERM)
        status = await self.engine.gone()
        self.heard.ends.append(status)
        return status

    async def close(self) -> None:
        """End what still runs."""
        await self._unlink()
        await self.exchange.close()
        for child in (self.engine, self._exchange_child):
            await child.kill()

    async def _unlink(self) -> None:
        if self._link is not None:
            await self._link.close()
            self._link = None

    # ------------------------------------------------------------ trading

    @property
    def link(self) -> SocketLink:
        """The link to the engine that runs."""
        assert self._link is not None
        return self._link

    async def ask(self, command: AnyCommand) -> Reply:
        """Have a command carried out, and let all that follows from it settle."""
        reply = await self.submit(command)
        await self.settle()
        return reply

    async def submit(self, command: AnyCommand) -> Reply:
        """Send a command, again and again under its id until there is an answer."""
        self.heard.commands[command.id] = command
        while True:
            # the machine's monotonic clock is the test's, so the test stamps as a console does
            stamp = self.clock.monotonic() if command.asked is None else command.asked
            try:
                reply = await self.link.submit(msgspec.structs.replace(command, asked=stamp))
                break
            except LinkLost:
                await self.revive()
        self.heard.replies[command.id] = reply
        return reply

    async def place(
        self,
        name: str,
        contract: Instrument,
        side: Side,
        lots: int,
        type: OrderType = OrderType.MARKET,
        price: int | None = None,
        trigger: int | None = None,
    ) -> str:
        """Send an order; its id."""
        reply = await self.ask(order(name, contract, side, lots, type, price, trigger))
        return reply.ids[0] if reply.ids else ""

    async def show(self, contract: Instrument, price: int, bid_lots: int = 20, ask_lots: int = 20) -> None:
        """The market of a contract moves."""
        await self.exchange.show(market.quote(self.clock, contract, price, bid_lots, ask_lots))
        await self.settle()

    async def settle(self) -> None:
        """Wait until the engine, restarted where necessary, has taken in all that happened."""
        while not await self.exchange.settle():
            await self.revive()

    async def state(self) -> TradingState:
        """What consoles are shown."""
        while True:
            try:
                return (await self.link.snapshot()).state
            except LinkLost:
                await self.revive()

    async def until_flat(self) -> None:
        """Wait for flattens to end. They cannot while an order is in doubt."""
        async with asyncio.timeout(FLAT_SECONDS):
            while (state := await self.state()).flattening and not doubted(state):
                await asyncio.sleep(0.05)
                await self.settle()


def order(
    name: str,
    contract: Instrument,
    side: Side,
    lots: int,
    type: OrderType = OrderType.MARKET,
    price: int | None = None,
    trigger: int | None = None,
) -> PlaceOrder:
    """The command for an order; ``name`` is its id."""
    terms = OrderTerms(
        account=ACCOUNT.id, contract=contract.name, side=side, qty=lots * LOT, type=type, price=price, trigger=trigger
    )
    return PlaceOrder(id=name, actor="key:crash", terms=terms)


def doubted(state: TradingState) -> bool:
    """Whether it is not known of some order what became of it."""
    return any(row.status in (OrderStatus.UNKNOWN, OrderStatus.SENT) for row in state.orders.values())
