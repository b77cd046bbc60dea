"""The wire between an engine and the exchange that outlives it: its faults, and a log of every call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.orders import OrderStatus
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
from tests.simulation.kernel import SimLoop, TapeRandom
from tests.simulation.swarm import Faults
from tests.simulation.venue import Books, Venue, now

Act = Callable[[], Coroutine[Any, Any, PlaceOutcome]]


@dataclass(frozen=True, slots=True)
class Call:
    """One order call as it left: virtual time, life of the engine, account, verb and what it named."""

    at: float
    life: int
    account: str
    verb: str
    tag: str
    broker_id: str
    request: PlaceRequest | ModifyRequest | None


class Judge(Protocol):
    """Who watches the wire. ``refused`` are tags that the network did not let out."""

    refused: set[str]

    def left(self, call: Call) -> None: ...

    def arriving(self, call: Call) -> int: ...

    def taken(self, call: Call, broker_id: str, room: int) -> None: ...

    def read(self, account: str, answered: bool, true: bool) -> None: ...


class Wire:
    """One account's network. Latencies are drawn apart from faults."""

    def __init__(self, venue: Venue, loop: SimLoop, faults: Faults, choices: TapeRandom) -> None:
        self.venue, self.loop, self.faults, self.choices = venue, loop, faults, choices
        venue.told = self._happened
        self.judge: Judge | None = None
        self.calls: list[Call] = []
        self.on_the_way: dict[asyncio.TimerHandle, int] = {}
        self.filter: Callable[[BrokerUpdate], bool] = lambda _update: True
        self._sink: UpdateSink | None = None
        self._stream_due = 0.0
        self._replica: Books | None = None

    def attach(self, sink: UpdateSink | None) -> None:
        """The stream goes to this sink from now on; what is under way to an earlier one is lost with it."""
        self._sink = sink

    def latency(self) -> float:
        """Seconds one way."""
        return 0.002 + self.choices.byte() / 255 * 0.08

    # ------------------------------------------------------------ order calls

    def send(self, call: Call, act: Act, verbs: str) -> asyncio.Future[PlaceOutcome]:
        """Put a call on the wire. The future is its answer; it may never come."""
        faults = self.faults
        answer: asyncio.Future[PlaceOutcome] = self.loop.create_future()
        if faults.lasting("net.dns_fail", 1, 15, call) or faults.strikes(f"{verbs}.not_sent", call) is not None:
            if self.judge is not None:
                self.judge.refused.add(call.tag)
            self._answer(answer, NotSent("connection refused"))
            return answer
        self.calls.append(call)
        if self.judge is not None:
            self.judge.left(call)
        if faults.lasting("auth.revoke", 5, 40, call):
            self._answer(answer, Doubtful("403 token is invalid"))
            return answer
        if faults.lasting(f"{verbs}.429", 0.5, 8, call):
            paced = self.venue.dialect.paces
            self._answer(answer, Rejected("429", "too many requests") if paced else Doubtful("429 too many requests"))
            return answer
        if (tape := faults.strikes(f"{verbs}.drop", call)) is not None:
            if tape.happens(0.5):
                self._answer(answer, Doubtful("connection reset"))
            return answer
        return self._travel(call, act, answer, verbs)

    def _travel(
        self, call: Call, act: Act, answer: asyncio.Future[PlaceOutcome], verbs: str
    ) -> asyncio.Future[PlaceOutcome]:
        """A call that reaches the broker, sooner or later, or is refused by its risk desk."""
        faults, place = self.faults, verbs == "place"
        if (tape := faults.strikes(f"{verbs}.late", call)) is not None:
            self._answer(answer, Doubtful("504 gateway timeout"))
            return self._carry(call, tape.uniform(1, 40), act, answer, silent=True)
        if faults.strikes(f"{verbs}.accept_drop", call) is not None:
            return self._carry(call, self.latency(), act, answer, silent=True)
        if place and faults.strikes("place.lied", call) is not None:
            self._answer(answer, Doubtful("400 order could not be placed, retry after some time"))
            return self._carry(call, self.latency(), act, answer, silent=True)
        if place and faults.strikes("place.reject", call) is not None:
            self._answer(answer, Rejected("RMS", "RMS: blocked by the risk desk"))
            return answer
        if (tape := faults.strikes(f"{verbs}.slow", call)) is not None:
            return self._carry(call, tape.uniform(0.5, 6.5), act, answer, silent=False)
        if (tape := faults.strikes(f"{verbs}.trickle", call)) is not None:
            return self._carry(call, self.latency(), act, answer, silent=False, back=tape.uniform(7.5, 8.5))
        return self._carry(call, self.latency(), act, answer, silent=False)

    def _carry(
        self,
        call: Call,
        wait: float,
        act: Act,
        answer: asyncio.Future[PlaceOutcome],
        silent: bool,
        back: float | None = None,
    ) -> asyncio.Future[PlaceOutcome]:
        """Let a call arrive after ``wait``; when ``silent`` the exchange's own answer is lost."""

        def arrive() -> None:
            del self.on_the_way[handle]
            room = 0 if self.judge is None else self.judge.arriving(call)
            outcome = now(act())
            if isinstance(outcome, Accepted) and call.verb == "place":
                if self.judge is not None:
                    self.judge.taken(call, outcome.broker_id, room)
                self.venue.accepted(outcome.broker_id)
            if not silent:
                self._answer(answer, outcome, back)

        handle = self.loop.call_later(wait, arrive)
        self.on_the_way[handle] = call.life
        return answer

    def _answer(self, answer: asyncio.Future[PlaceOutcome], outcome: PlaceOutcome, wait: float | None = None) -> None:
        back = self.latency() if wait is None else wait
        self.loop.call_later(back, lambda: None if answer.done() else answer.set_result(outcome))

    def forget(self, life: int) -> None:
        """An embedded exchange's calls die with their process; a remote one's bytes have left."""
        if self.venue.dialect.embedded:
            for handle in [handle for handle, owner in self.on_the_way.items() if owner == life]:
                handle.cancel()
                del self.on_the_way[handle]

    # ------------------------------------------------------------ the stream

    def _happened(self, update: BrokerUpdate) -> None:
        """Something was done at the exchange: tell the engine, in order unless the stream is at fault."""
        faults, now_, sink = self.faults, self.loop.time(), self._sink
        if sink is None or not self.filter(update):
            return
        gone = [faults.lasting("ws.freeze", 5, 30, update), faults.lasting("ws.drop", 0.5, 10, update)]
        lost = [faults.strikes(verb, update) is not None for verb in ("ws.lose", "ws.garbage")]
        if any(gone) or any(lost) or faults.on("auth.revoke"):
            return
        # two timers of one instant have no order among them
        self._stream_due = due = max(self._stream_due + 1e-6, now_ + self.latency())
        if (tape := faults.strikes("ws.delay", update)) is not None:
            due = now_ + tape.uniform(0.5, 12)
        if isinstance(update, BrokerOrder) and faults.strikes("ws.word", update) is not None:
            update = msgspec.structs.replace(update, status=OrderStatus.UNKNOWN)
        self._deliver(sink, update, due)
        if (tape := faults.strikes("ws.dup", update)) is not None:
            self._deliver(sink, update, due + tape.uniform(0.1, 5))
        if (tape := faults.strikes("ws.impossible", update)) is not None:
            self._deliver(sink, impossible(update, tape), due + 0.001)

    def _deliver(self, sink: UpdateSink, update: BrokerUpdate, due: float) -> None:
        self.loop.call_at(due, lambda: sink(update) if self._sink is sink else None)

    # ------------------------------------------------------------ reads

    async def read(self) -> Books:
        """The books as a client gets them. Raises BrokerUnreachable."""
        try:
            return await self._read()
        except (BrokerUnreachable, asyncio.CancelledError):  # or nobody waits for it any more
            self.looked(answered=False, true=False)
            raise

    def looked(self, answered: bool, true: bool) -> None:
        """Say what came of a look at the book."""
        if self.judge is not None:
            self.judge.read(self.venue.account.id, answered, true)

    async def _read(self) -> Books:
        faults = self.faults
        if (tape := faults.strikes("read.slow")) is not None:
            await asyncio.sleep(tape.uniform(0.5, 6))
        elif (tape := faults.strikes("read.trickle")) is not None:
            await asyncio.sleep(tape.uniform(7, 20))
        else:
            await asyncio.sleep(self.latency())
        while self.venue.dialect.embedded and self.on_the_way:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.05)
        if faults.lasting("net.dns_fail", 1, 15):
            raise BrokerUnreachable("no such host")
        if faults.lasting("auth.revoke", 5, 40):
            raise BrokerUnreachable("403 token is invalid")
        if faults.lasting("read.429", 0.5, 8):
            raise BrokerUnreachable("429 too many requests")
        if faults.strikes("read.unreachable") is not None:
            raise BrokerUnreachable("no answer")
        return self._answered()

    def _answered(self) -> Books:
        """A successful read: true, or of a replica that stands still, or cut short, or empty."""
        faults = self.faults
        true, standing = False, faults.on("read.stale")
        if faults.lasting("read.stale", 3, 40):
            if not standing or self._replica is None:
                self._replica = self.venue.shown()
            books = self._replica
        else:
            self._replica, books = None, self.venue.shown()
        if (tape := faults.strikes("read.partial")) is not None:
            orders, trades = tape.randint(0, len(books.orders)), tape.randint(0, len(books.trades))
            books = Books(books.orders[:orders], books.trades[:trades], books.positions, books.settlements)
        elif faults.strikes("read.empty") is not None:
            books = Books([], [], [], [])
        else:
            true = self._replica is None
        if not true:
            self.looked(answered=False, true=False)
        return books


def impossible(update: BrokerUpdate, tape: TapeRandom) -> BrokerUpdate:
    """A row that a decoder lets through and no exchange can have meant."""
    kind = tape.byte() % 3
    if isinstance(update, BrokerOrder):
        return (
            msgspec.structs.replace(update, filled=update.qty + 65),
            msgspec.structs.replace(update, price=-update.price),
            msgspec.structs.replace(update, qty=0, filled=0),
        )[kind]
    if isinstance(update, BrokerTrade):
        return (
            msgspec.structs.replace(update, trade_id=update.trade_id + "X", qty=0),
            msgspec.structs.replace(update, trade_id=update.trade_id + "X", price=-1),
            msgspec.structs.replace(update, trade_id=update.trade_id + "X", qty=-update.qty),
        )[kind]
    return msgspec.structs.replace(update, qty=update.qty + 65)


class SimBroker:
    """``engine.ports.Broker`` for one account and one life of the engine."""

    def __init__(self, wire: Wire, life: int, point: CrashPoint) -> None:
        self._wire, self._life, self._point = wire, life, point
        self.dead = False

    @property
    def name(self) -> str:
        return self.account.broker

    @property
    def account(self) -> Account:
        return self._wire.venue.account

    @property
    def book_is_proof(self) -> bool:
        return self._wire.venue.dialect.embedded

    async def connect(self, sink: UpdateSink) -> None:
        self._wire.attach(sink)

    async def close(self) -> None:
        self._wire.attach(None)

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        act: Act = lambda: self._wire.venue.exchange.place(request)  # noqa: E731
        return await self._call("place", request.tag, "", request, act, "place")

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        act: Act = lambda: self._wire.venue.exchange.modify(request)  # noqa: E731
        return await self._call("modify", "", request.broker_id, request, act, "change")

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        act: Act = lambda: self._wire.venue.exchange.cancel(broker_id)  # noqa: E731
        return await self._call("cancel", "", broker_id, None, act, "change")

    async def _call(
        self, verb: str, tag: str, broker_id: str, request: PlaceRequest | ModifyRequest | None, act: Act, verbs: str
    ) -> PlaceOutcome:
        await self._point("send.before")
        if self.dead:
            return NotSent("the machine is off")
        call = Call(self._wire.loop.time(), self._life, self.account.id, verb, tag, broker_id, request)
        answer = self._wire.send(call, act, verbs)
        await self._point("send.after")
        outcome = await answer
        await self._point("reply.before")
        return outcome

    async def orders(self) -> list[BrokerOrder]:
        return (await self._wire.read()).orders

    async def trades(self) -> list[BrokerTrade]:
        return (await self._wire.read()).trades

    async def positions(self) -> list[BrokerPosition]:
        positions = (await self._wire.read()).positions
        self._wire.looked(answered=True, true=True)
        return positions

    async def settlements(self) -> list[Settlement]:
        return (await self._wire.read()).settlements

    async def funds(self) -> Funds:
        return await self._wire.venue.exchange.funds()

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return await self._wire.venue.exchange.margin(requests)

    def vitals(self) -> BrokerVitals:
        """What an adapter knows of its links: a connection that is gone, never one that is silently frozen."""
        faults = self._wire.faults
        stream = LinkState.DEAD if faults.on("ws.drop") or faults.on("auth.revoke") else LinkState.LIVE
        calls = LinkState.DEAD if faults.on("auth.revoke") or faults.on("net.dns_fail") else LinkState.LIVE
        return BrokerVitals(name=self.name, quotes=stream, order_read=calls, order_write=calls)
