"""The paper exchange as a process of its own: it outlives engines, and it alone knows what really happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.brokers.paper.broker import PaperBroker
from optconsole.brokers.paper.settings import PaperSettings
from optconsole.engine.clock import seeded
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerTrade,
    BrokerUpdate,
    Doubtful,
    ModifyRequest,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
)
from optconsole.runtime.rates import paper_rules
from tests.crash import wire
from tests.crash.market import ACCOUNT, LISTED, HostClock, opening

CALLS: Final = "calls.jsonl"
CLOSING_ROLES: Final = "XK"
LINGER_SECONDS: Final = 2.0
Request = PlaceRequest | ModifyRequest | None


@dataclass(eq=False)
class Peer:
    """One connection. ``life`` is 0 for the test's own."""

    writer: asyncio.StreamWriter
    life: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, message: wire.Frame) -> None:
        if not self.writer.is_closing():
            self.writer.write(wire.pack(message))


class ExchangeProcess:
    """Serves engines and the test on one port. ``journal`` is the file whose bytes must show an order before it comes.

    Faults of a call: ``reject``; ``drop`` (never arrives, silence); ``lost`` (done, the call's connection breaks);
    ``silent`` (done, no answer); ``slow`` (done, answered late); ``late`` (an error at once, done later); ``die``
    (done, and the exchange's machine goes down).
    """

    def __init__(self, folder: Path, clock: HostClock, journal: Path, proof: bool) -> None:
        self._clock, self._journal, self._proof = clock, journal, proof
        self._log = (folder / CALLS).open("ab", buffering=0)
        self._calls = [msgspec.json.decode(line, type=wire.Call) for line in (folder / CALLS).read_bytes().splitlines()]
        self._paper = PaperBroker(
            ACCOUNT, clock, folder / "exchange.db", PaperSettings(), paper_rules(Calendar.load()), seeded(1)
        )
        self._faults: dict[str, tuple[str, float]] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._peers: list[Peer] = []
        self._engine: Peer | None = None
        self._barriers: dict[int, asyncio.Future[None]] = {}
        self._barrier = 0
        self._latest = {quote.name: quote for quote in opening(clock)}

    async def serve(self) -> int:
        """Listen; returns the port."""
        await self._paper.connect(self._happened)
        self._paper.load(LISTED)
        self._paper.on_quotes(tuple(self._latest.values()))
        server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    # ------------------------------------------------------------ connections

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(writer)
        self._peers.append(peer)
        with suppress(OSError, EOFError):
            while True:
                await self._hear(peer, await wire.take(reader))
        if peer is self._engine:
            self._engine = None
        peer.gone.set()
        self._peers.remove(peer)
        writer.close()

    async def _hear(self, peer: Peer, message: wire.Any) -> None:
        match message:
            case wire.Hello(life):
                peer.life, self._engine = life, peer
                peer.say(wire.Quoted(tuple(self._latest.values())))
            case wire.Place(rid, request):
                await self._order_call(peer, rid, "place", request.tag, "", request)
            case wire.Modify(rid, request):
                await self._order_call(peer, rid, "modify", "", request.broker_id, request)
            case wire.Cancel(rid, broker_id):
                await self._order_call(peer, rid, "cancel", "", broker_id, None)
            case wire.Read(rid):
                if self._proof:
                    await self._arrived(peer)
                peer.say(await self._books(rid))
            case wire.Margin(rid, requests):
                peer.say(wire.Amount(rid, await self._paper.margin(requests)))
            case wire.Reached(number):
                self._barriers.pop(number).set_result(None)
            case _:
                await self._steered(peer, message)

    async def _steered(self, peer: Peer, message: wire.Any) -> None:
        """What the test asks."""
        match message:
            case wire.Show(rid, quotes):
                self._latest.update((quote.name, quote) for quote in quotes)
                if self._engine is not None:
                    self._engine.say(wire.Quoted(quotes))
                self._paper.on_quotes(quotes)
                peer.say(wire.Done(rid))
            case wire.Arm(rid, verb, fault, seconds):
                self._faults = {verb: (fault, seconds)} if verb else {}
                peer.say(wire.Done(rid))
            case wire.Trap(rid):
                assert self._engine is not None
                self._engine.say(message)
                peer.say(wire.Done(rid))
            case wire.Settle(rid):
                peer.say(wire.Done(rid, await self._settled()))
            case wire.Tell(rid):
                peer.say(wire.Truth(rid, tuple(self._calls), await self._books(rid)))
            case _:
                raise AssertionError(f"nobody says {message} to an exchange")

    async def _settled(self) -> str:
        if self._late:
            await asyncio.wait(set(self._late))
        peer = self._engine
        if peer is None:
            return "gone"
        self._barrier += 1
        reached = self._barriers[self._barrier] = asyncio.get_running_loop().create_future()
        peer.say(wire.Barrier(self._barrier))
        left = asyncio.ensure_future(peer.gone.wait())
        await asyncio.wait((reached, left), return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        return "" if reached.done() else "gone"

    async def _arrived(self, reader: Peer) -> None:
        """What is missing from this book never existed: so all that dead engines sent has to be in it."""
        others = [peer.gone.wait() for peer in self._peers if peer.life and peer is not reader]
        if others:
            await asyncio.wait_for(asyncio.gather(*others), LINGER_SECONDS)
        if self._late:
            await asyncio.wait(set(self._late))

    # ------------------------------------------------------------ order calls

    async def _order_call(self, peer: Peer, rid: int, verb: str, tag: str, broker_id: str, request: Request) -> None:
        fault, seconds = self._faults.pop(verb, ("", 0.0))
        call = self._noted(peer, verb, tag, broker_id, request)
        if fault == "drop":
            return
        if fault == "reject":
            peer.say(wire.told(rid, Rejected("RMS", "RMS: blocked by the risk desk")))
            return
        if fault == "late":
            peer.say(wire.told(rid, Doubtful("504 gateway timeout")))
            task = asyncio.get_running_loop().create_task(self._late_call(call, request, seconds))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return
        outcome = await self._act(call, request)
        if fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "slow":
            await asyncio.sleep(seconds)
        if fault == "lost":
            peer.say(wire.Told(rid, "Lost"))
        elif fault != "silent":
            peer.say(wire.told(rid, outcome))

    async def _late_call(self, call: wire.Call, request: Request, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._act(call, request)

    async def _act(self, call: wire.Call, request: Request) -> PlaceOutcome:
        match request:
            case PlaceRequest():
                return await self._paper.place(request)
            case ModifyRequest():
                return await self._paper.modify(request)
            case None:
                return await self._paper.cancel(call.broker_id)

    def _noted(self, peer: Peer, verb: str, tag: str, broker_id: str, request: Request) -> wire.Call:
        call = wire.Call(
            life=peer.life,
            verb=verb,
            tag=tag or self._tag(broker_id),
            broker_id=broker_id,
            qty=request.qty if request is not None else 0,
            durable=self._durable(verb, tag or self._tag(broker_id)),
            room=self._room(request) if isinstance(request, PlaceRequest) else 0,
            at=self._clock.monotonic(),
            price=request.price if request is not None else 0,
        )
        self._calls.append(call)
        self._log.write(msgspec.json.encode(call) + b"\n")
        return call

    def _tag(self, broker_id: str) -> str:
        order = self._paper._books.find(broker_id)
        return "" if order is None else order.tag

    def _durable(self, verb: str, tag: str) -> bool:
        """Whether the journal's bytes, WAL or file, show what this call does. No SQLite is asked: it has its own locks.

        The order's number is the counter in its tag.
        """
        if verb == "place":
            found = [f'"tag":"{tag}"', f'{{"type":"OrderSent","order_id":"O{_number(tag)}"']
        else:
            asked = "OrderChangeAsked" if verb == "modify" else "OrderCancelAsked"
            found = [f'{{"type":"{asked}","order_id":"O{_number(tag)}"']
        stored = b""
        for path in (self._journal, self._journal.with_name(self._journal.name + "-wal")):
            with suppress(FileNotFoundError):
                stored += path.read_bytes()
        return all(text.encode() in stored for text in found)

    def _room(self, request: PlaceRequest) -> int:
        """Units that an order on this side can close, less those that others work to close already."""
        books = self._paper._books
        held = -request.side.sign * books.net(request.instrument.name, request.product)
        rest = sum(order.remaining for order in books.resting(request.instrument.name) if order.side is request.side)
        return max(held - rest, 0)

    # ------------------------------------------------------------ what it tells

    async def _books(self, rid: int) -> wire.Books:
        paper = self._paper
        return wire.Books(
            rid,
            tuple(order.row() for order in paper._books.orders.values()),
            tuple(await paper.trades()),
            tuple(await paper.positions()),
            tuple(await paper.settlements()),
            await paper.funds(),
        )

    def _happened(self, update: BrokerUpdate) -> None:
        if self._engine is None:
            return
        match update:
            case BrokerOrder():
                self._engine.say(wire.OrderRow(update))
            case BrokerTrade():
                self._engine.say(wire.TradeRow(update))
            case _:
                self._engine.say(wire.SettledRow(update))


def _number(tag: str) -> int:
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for digit in tag[4:10]:
        number = number * 32 + digits.index(digit)
    return number


def run(spec: dict[str, Any]) -> None:
    """Be an exchange until killed."""

    async def live() -> None:
        exchange = ExchangeProcess(
            Path(spec["folder"]), HostClock(Path(spec["clock"])), Path(spec["journal"]), spec["proof"]
        )
        port = await exchange.serve()
        os.write(1, json.dumps({"pid": os.getpid(), "ready": {"port": port}}).encode() + b"\n")
        await asyncio.Event().wait()

    asyncio.run(live())
