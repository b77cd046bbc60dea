"""A broker and a feed over the socket of an exchange in another process, as an adapter for a real one would be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, TypeVar

from optconsole.engine.model.accounts import Account, Funds
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.engine.ports import (
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    QuoteSink,
    Settlement,
    UpdateSink,
)
from tests.crash import wire
from tests.crash.market import ACCOUNT, DAY, LISTED
from tests.crash.points import Points

ANSWER_SECONDS: Final = 3.0
T = TypeVar("T", bound=wire.Frame)
OnBarrier = Callable[[], Awaitable[None]]


class RemoteBroker:
    """``engine.ports.Broker`` on one connection, which is not made anew: a test that cuts it ends the engine too."""

    name = ACCOUNT.broker
    account: Account = ACCOUNT

    def __init__(self, port: int, life: int, proof: bool, points: Points) -> None:
        self.book_is_proof = proof
        self.feed = RemoteFeed()
        self.on_barrier: OnBarrier | None = None
        self._port, self._life, self._points = port, life, points
        self._writer: asyncio.StreamWriter | None = None
        self._sink: UpdateSink | None = None
        self._rid = 0
        self._waiting: dict[int, asyncio.Future[wire.Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, sink: UpdateSink) -> None:
        self._sink = sink
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(wire.pack(wire.Hello(self._life)))
        self._spawn(self._listen(reader))

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    # ------------------------------------------------------------ calls

    async def place(self, request: PlaceRequest) -> PlaceOutcome:
        return await self._call("place", lambda rid: wire.Place(rid, request))

    async def modify(self, request: ModifyRequest) -> PlaceOutcome:
        return await self._call("modify", lambda rid: wire.Modify(rid, request))

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        return await self._call("cancel", lambda rid: wire.Cancel(rid, broker_id))

    async def _call(self, verb: str, make: Callable[[int], wire.Frame]) -> PlaceOutcome:
        """Points: before the first byte, after the last one, and as soon as the answer is known to the asker."""
        writer = self._writer
        self._points.passed(f"send {verb}")
        if writer is None or writer.is_closing():
            return NotSent("no connection to the exchange")
        rid, answer = self._expect()
        writer.write(wire.pack(make(rid)))
        try:
            await writer.drain()
            self._points.passed(f"sent {verb}")
            async with asyncio.timeout(ANSWER_SECONDS):
                message = await answer
        except TimeoutError:
            return Doubtful(f"no answer within {ANSWER_SECONDS:.0f} s")
        except OSError as error:
            return Doubtful(f"the connection broke: {error}")
        self._points.passed(f"reply {verb}")
        assert isinstance(message, wire.Told)
        return wire.outcome_of(message)

    async def orders(self) -> list[BrokerOrder]:
        return list((await self._books()).orders)

    async def trades(self) -> list[BrokerTrade]:
        return list((await self._books()).trades)

    async def positions(self) -> list[BrokerPosition]:
        return list((await self._books()).positions)

    async def settlements(self) -> list[Settlement]:
        return list((await self._books()).settlements)

    async def funds(self) -> Funds:
        return (await self._books()).funds

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        return (await self._ask(lambda rid: wire.Margin(rid, tuple(requests)), wire.Amount)).paise

    def vitals(self) -> BrokerVitals:
        up = self._writer is not None and not self._writer.is_closing()
        state = LinkState.LIVE if up else LinkState.DEAD
        return BrokerVitals(name=self.name, quotes=state, order_read=state, order_write=state)

    async def _books(self) -> wire.Books:
        books = await self._ask(wire.Read, wire.Books)
        return books

    async def _ask(self, make: Callable[[int], wire.Frame], expected: type[T]) -> T:
        if self._writer is None or self._writer.is_closing():
            raise BrokerUnreachable("no connection to the exchange")
        rid, answer = self._expect()
        try:
            self._writer.write(wire.pack(make(rid)))
            async with asyncio.timeout(ANSWER_SECONDS):
                message = await answer
        except (OSError, TimeoutError) as error:
            raise BrokerUnreachable(str(error) or "no answer") from error
        assert isinstance(message, expected)
        return message

    # ------------------------------------------------------------ what comes in

    def _expect(self) -> tuple[int, asyncio.Future[wire.Any]]:
        self._rid += 1
        answer: asyncio.Future[wire.Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._rid] = answer
        return self._rid, answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, EOFError):
            while True:
                self._take(await wire.take(reader))
        assert self._writer is not None
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("the exchange hung up"))

    def _take(self, message: wire.Any) -> None:
        match message:
            case wire.OrderRow(row) | wire.TradeRow(row) | wire.SettledRow(row):
                assert self._sink is not None
                self._points.passed(f"row {type(row).__name__}")
                self._sink(row)
            case wire.Quoted(quotes):
                self.feed.deliver(quotes)
            case wire.Trap(_rid, point, number):
                self._points.trap(point, number)
            case wire.Barrier(number):
                self._spawn(self._barrier(number))
            case wire.Told(rid) | wire.Books(rid) | wire.Amount(rid):
                answer = self._waiting.pop(rid, None)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case _:
                raise AssertionError(f"an exchange does not say {message}")

    async def _barrier(self, number: int) -> None:
        if self.on_barrier is not None:
            await self.on_barrier()
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(wire.pack(wire.Reached(number)))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class RemoteFeed:
    """``engine.ports.Feed`` on the same connection. The newest quotes wait until somebody listens."""

    name = "far"

    def __init__(self) -> None:
        self._latest: dict[str, Quote] = {}
        self._sink: QuoteSink | None = None

    async def start(self, sink: QuoteSink) -> None:
        self._sink = sink
        sink(tuple(self._latest.values()))

    async def stop(self) -> None:
        self._sink = None

    def deliver(self, quotes: Sequence[Quote]) -> None:
        self._latest.update((quote.name, quote) for quote in quotes)
        if self._sink is not None:
            self._sink(quotes)

    def instruments(self, day: date) -> list[Instrument]:
        return list(LISTED) if day == DAY else []

    def watch(self, names: Sequence[str]) -> None:
        """Everything is quoted anyway."""

    def depth(self, name: str) -> Depth | None:
        return None
