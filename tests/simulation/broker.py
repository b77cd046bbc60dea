"""The network between an engine and the exchange that outlives it: faults, ground truth, and a log of every call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.accounts import Account, Funds, Mode
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    BrokerUpdate,
    Doubtful,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
    UpdateSink,
)
from tests.simulation.disk import CrashPoint
from tests.simulation.kernel import SimClock, SimLoop, TapeRandom
from tests.simulation.swarm import Swarm

ACCOUNT: Final = Account(id="SIM1", broker="sim", mode=Mode.PAPER, capital=10**11)
Act = Callable[[], Coroutine[Any, Any, PlaceOutcome]]


@dataclass(frozen=True, slots=True)
class Call:
    """One order call as it left: virtual time, life of the engine, verb and what it named."""

    at: float
    life: int
    verb: str
    tag: str
    broker_id: str
    request: PlaceRequest | ModifyRequest | None


class Judge(Protocol):
    """Who watches the wire."""

    def left(self, call: Call) -> None: ...

    def arriving(self, call: Call) -> int: ...

    def taken(self, call: Call, broker_id: str, room: int) -> None: ...


class Network:
    """One account's exchange and the wire to it. The exchange's ledger is real SQL in memory: it costs no sync."""

    def __init__(self, clock: SimClock, loop: SimLoop, swarm: Swarm, choices: TapeRandom, calendar: Calendar) -> None:
        self.clock, self.loop, self.swarm, self.choices = clock, loop, swarm, choices
        rules = PaperRules(
            hours=lambda exchange, day: (
                None if (session := calendar.session(day, exchange)) is None else (session.opens, session.closes)
            ),
            band=lambda _day, _instrument, price: (max(price * 3 // 10 // 5 * 5, 5), price * 3 // 5 * 5),
            charges=lambda _day, _instrument, _side, value: 20_00 + value // 1000,
            exercise=lambda _day, _instrument, value: value // 800,
            margin=lambda _held, _quote, _now: 0,
        )
        self.exchange = PaperBroker(ACCOUNT, clock, Path(":memory:"), PaperSettings(), rules, choices)
        _now(self.exchange.connect(self._happened))
        self.judge: Judge | None = None
        self.calls: list[Call] = []
        self.on_the_way: dict[asyncio.TimerHandle, int] = {}
        self._sink: UpdateSink | None = None
        self.filter: Callable[[BrokerUpdate], bool] = lambda _update: True
        self._stream_due = 0.0
        self._frozen: tuple[float, Books] | None = None

    # ------------------------------------------------------------ the wire

    def attach(self, sink: UpdateSink | None) -> None:
        """The stream goes to this sink from now on; what is under way to an earlier one is lost with it."""
        self._sink = sink

    def latency(self) -> float:
        """Seconds one way."""
        return 0.002 + self.choices.byte() / 255 * 0.08

    def send(self, call: Call, act: Act, verbs: str) -> asyncio.Future[PlaceOutcome]:
        """Put a call on the wire. The future is its answer; it may never come."""
        swarm, choices = self.swarm, self.choices
        answer: asyncio.Future[PlaceOutcome] = self.loop.create_future()
        if swarm.strikes(f"{verbs}.not_sent", choices):
            self._answer(answer, NotSent("connection refused"))
            return answer
        self.calls.append(call)
        if self.judge is not None:
            self.judge.left(call)
        if swarm.strikes(f"{verbs}.drop", choices):
            if choices.happens(0.5):
                self._answer(answer, Doubtful("connection reset"))
            return answer
        wait = choices.uniform(0.5, 6.5) if swarm.strikes(f"{verbs}.slow", choices) else self.latency()
        told: PlaceOutcome | None = None
        if swarm.strikes(f"{verbs}.late", choices):
            wait, told = choices.uniform(1, 40), Doubtful("504 gateway timeout")
        elif swarm.strikes(f"{verbs}.accept_drop", choices):
            return self._carry(call, wait, act, answer, silent=True)
        elif verbs == "place" and swarm.strikes("place.lied", choices):
            told = Doubtful("400 order could not be placed, retry after some time")
        elif verbs == "place" and swarm.strikes("place.reject", choices):
            self._answer(answer, Rejected("RMS", "RMS: blocked by the risk desk"))
            return answer
        if told is not None:
            self._answer(answer, told)
        return self._carry(call, wait, act, answer, silent=told is not None)

    def _carry(
        self, call: Call, wait: float, act: Act, answer: asyncio.Future[PlaceOutcome], silent: bool
    ) -> asyncio.Future[PlaceOutcome]:
        """Let a call arrive after ``wait``; when ``silent`` the exchange's own answer is lost."""

        def arrive() -> None:
            del self.on_the_way[handle]
            room = 0 if self.judge is None else self.judge.arriving(call)
            outcome = _now(act())
            if isinstance(outcome, Accepted) and self.judge is not None:
                self.judge.taken(call, outcome.broker_id, room)
            if not silent:
                self._answer(answer, outcome)

        handle = self.loop.call_later(wait, arrive)
        self.on_the_way[handle] = call.life
        return answer

    def _answer(self, answer: asyncio.Future[PlaceOutcome], outcome: PlaceOutcome) -> None:
        self.loop.call_later(self.latency(), lambda: None if answer.done() else answer.set_result(outcome))

    def forget(self, life: int) -> None:
        """An embedded exchange's calls die with their process; a remote one's bytes have left."""
        if self.swarm.embedded:
            for handle in [handle for handle, owner in self.on_the_way.items() if owner == life]:
                handle.cancel()
                del self.on_the_way[handle]

    def _happened(self, update: BrokerUpdate) -> None:
        """Something was done at the exchange: tell the engine, in order unless the stream is at fault."""
        swarm, choices, now = self.swarm, self.choices, self.loop.time()
        sink = self._sink
        if sink is None or not self.filter(update) or swarm.strikes("ws.lose", choices):
            return
        # two timers of one instant have no order among them
        self._stream_due = due = max(self._stream_due + 1e-6, now + self.latency())
        if swarm.strikes("ws.delay", choices):
            due = now + choices.uniform(0.5, 12)
        if isinstance(update, BrokerOrder) and swarm.strikes("ws.word", choices):
            update = msgspec.structs.replace(update, status=OrderStatus.UNKNOWN)
        times = [due, due + choices.uniform(0.1, 5)] if swarm.strikes("ws.dup", choices) else [due]
        for moment in times:
            self.loop.call_at(moment, lambda: sink(update) if self._sink is sink else None)

    # ------------------------------------------------------------ reads

    def books(self) -> Books:
        """The exchange's books as they are."""
        exchange = self.exchange
        return Books(
            _now(exchange.orders()), _now(exchange.trades()), _now(exchange.positions()), _now(exchange.settlements())
        )

    async def read(self) -> Books:
        """The books as a client gets them. Raises BrokerUnreachable."""
        swarm, choices = self.swarm, self.choices
        await asyncio.sleep(choices.uniform(0.5, 6) if swarm.strikes("read.slow", choices) else self.latency())
        while swarm.embedded and self.on_the_way:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.05)
        if swarm.strikes("read.unreachable", choices):
            raise BrokerUnreachable("no answer")
        if self._frozen is not None and (self._frozen[0] < self.loop.time() or swarm.off):
            self._frozen = None
        if self._frozen is None and swarm.strikes("read.stale", choices):
            self._frozen = (self.loop.time() + choices.uniform(3, 40), self.books())
        return self._frozen[1] if self._frozen is not None else self.books()

    # ------------------------------------------------------------ others at the same account

    def foreign(self, name: str, side: Side, qty: int, price: int) -> None:
        """The trader's phone: an order without our tag."""
        listed = {item.name: item for item in self.exchange._exchange.listed.values()}
        request = PlaceRequest(
            tag="",
            account=ACCOUNT.id,
            instrument=listed[name],
            side=side,
            qty=qty,
            type=OrderType.LIMIT,
            price=price,
            trigger=None,
            product=Product.NRML,
            validity=Validity.DAY,
        )
        _now(self.exchange.place(request))


@dataclass(frozen=True, slots=True)
class Books:
    """One look at the exchange."""

    orders: list[BrokerOrder]
    trades: list[BrokerTrade]
    positions: list[BrokerPosition]
    settlements: list[Settlement]


class SimBroker:
    """``engine.ports.Broker`` for one life of the engine."""

    name = "sim"
    account = ACCOUNT

    def __init__(self, network: Network, life: int, point: CrashPoint) -> None:
        self._network, self._life, self._point = network, life, point
        self.dead = False

    @property
    def book_is_proof(self) -> bool:
        return self._network.swarm.embedded

    async def connect(self, sink: UpdateSink) -> None:
        self._network.attach(sink)

    async def close(self) -> None:
        self._network.attach(None)

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        return await self._call(
            "place", request.tag, "", request, lambda: self._network.exchange.place(request), "place"
        )

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        act: Act = lambda: self._network.exchange.modify(request)  # noqa: E731
        return await self._call("modify", "", request.broker_id, request, act, "change")

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        act: Act = lambda: self._network.exchange.cancel(broker_id)  # noqa: E731
        return await self._call("cancel", "", broker_id, None, act, "change")

    async def _call(
        self, verb: str, tag: str, broker_id: str, request: PlaceRequest | ModifyRequest | None, act: Act, verbs: str
    ) -> PlaceOutcome:
        await self._point("send.before")
        if self.dead:
            return NotSent("the machine is off")
        call = Call(self._network.loop.time(), self._life, verb, tag, broker_id, request)
        answer = self._network.send(call, act, verbs)
        await self._point("send.after")
        outcome = await answer
        await self._point("reply.before")
        return outcome

    async def orders(self) -> list[BrokerOrder]:
        return (await self._network.read()).orders

    async def trades(self) -> list[BrokerTrade]:
        return (await self._network.read()).trades

    async def positions(self) -> list[BrokerPosition]:
        return (await self._network.read()).positions

    async def settlements(self) -> list[Settlement]:
        return (await self._network.read()).settlements

    async def funds(self) -> Funds:
        return await self._network.exchange.funds()

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return await self._network.exchange.margin(requests)

    def vitals(self) -> BrokerVitals:
        live = LinkState.LIVE
        return BrokerVitals(name=self.name, quotes=live, order_read=live, order_write=live)


def _now(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine of the exchange, which never waits: its own delays are zero."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("the exchange waited")
