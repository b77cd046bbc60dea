"""A console that reads nothing: the engine keeps its pace, and what is kept for the console stays bounded."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import msgspec

from optconsole import __version__
from optconsole.engine.events import Recorded
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import Beat
from optconsole.link import wire
from optconsole.link.client import SocketLink
from optconsole.link.delivery import BUFFER, Delivery
from optconsole.link.server import LinkServer
from optconsole.link.streams import FoldedTap
from tests.link.small_engine import CALL, SmallEngine, until


async def stalled(path: Path) -> asyncio.StreamWriter:
    """A console that subscribes to everything and then never reads."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1024)
    writer.write(wire.frame(wire.Hello(wire.PROTOCOL, __version__)))
    await wire.read_body(reader, 1024)
    writer.transport.pause_reading()
    writer.write(wire.frame(wire.OpenFacts(1, 0)))
    writer.write(wire.frame(wire.OpenTap(2, 20.0)))
    writer.write(wire.frame(wire.WatchTap(2, (CALL,))))
    await writer.drain()
    return writer


async def test_the_engine_keeps_its_pace_and_memory_stays_bounded(engine: SmallEngine, path: Path) -> None:
    server = LinkServer(engine, path, stall=60.0)
    await server.start()
    writer = await stalled(path)
    await until(lambda: server.consoles == 1)
    facts = [engine.notice("y" * 100) for _ in range(20_000)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    watcher = await SocketLink.connect(path)
    for price in range(2_000):
        engine.quote(Quote(CALL, price, ltp=price))
        if price % 100 == 0:
            await watcher.ping()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(facts) == 20_000
    assert grown < 4_000_000
    await watcher.close()
    writer.transport.abort()
    await server.close()


async def test_a_console_stalled_past_the_deadline_is_let_go(
    engine: SmallEngine, server: LinkServer, path: Path
) -> None:
    writer = await stalled(path)
    await until(lambda: server.consoles == 1)
    for _ in range(5_000):
        engine.notice("z" * 500)
    await until(lambda: server.consoles == 0)
    await until(lambda: engine.live_readers == 0)
    writer.transport.abort()


async def test_a_console_behind_is_fed_from_the_journal_and_misses_nothing(engine: SmallEngine) -> None:
    got: list[Recorded] = []
    open_gate = asyncio.Event()

    async def slow(facts: tuple[Recorded, ...]) -> None:
        await open_gate.wait()
        got.extend(facts)

    delivery = Delivery(engine, 0, slow)
    task = asyncio.create_task(delivery.run())
    for number in range(3 * BUFFER):
        engine.notice(str(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await until(lambda: delivery.waiting >= BUFFER - 300)
    assert delivery.waiting <= BUFFER
    await until(lambda: engine.live_readers == 0)  # the engine holds no stream open for a stalled console
    open_gate.set()

    def read_on() -> bool:
        delivery.read_up_to(len(got))
        return got == engine.journal

    await until(read_on)
    assert engine.journal_reads > 1
    task.cancel()


async def test_no_more_facts_are_under_way_than_agreed(engine: SmallEngine) -> None:
    for _ in range(3 * wire.FACTS_AHEAD):
        engine.notice("n")
    got: list[Recorded] = []

    async def take(facts: tuple[Recorded, ...]) -> None:
        got.extend(facts)

    delivery = Delivery(engine, 0, take)
    task = asyncio.create_task(delivery.run())
    await until(lambda: len(got) >= wire.FACTS_AHEAD)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(got) == wire.FACTS_AHEAD
    delivery.read_up_to(10**9)
    await until(lambda: len(got) == 2 * wire.FACTS_AHEAD)
    task.cancel()


async def test_a_slow_reader_over_the_socket_gets_every_fact_in_order(
    engine: SmallEngine, server: LinkServer, path: Path
) -> None:
    link = await SocketLink.connect(path)
    seen = 0
    async for fact in link.facts(0):
        seen += 1
        assert fact.seq == seen
        if seen <= 3_000:
            engine.notice("more")
            engine.notice("and more")
        if fact.seq == len(engine.journal):
            break
    assert seen > 6_000
    await link.close()


class Upstream:
    def check(self) -> None:
        """The link holds."""

    def watch(self, rid: int, names: object) -> None:
        raise AssertionError

    def drop_stream(self, rid: int) -> None:
        raise AssertionError


async def test_beats_that_were_not_read_fold_into_the_latest(engine: SmallEngine) -> None:
    tap = FoldedTap(Upstream(), 1)
    other = Quote("NIFTY", 0, ltp=1)
    for price in range(100):
        vitals = msgspec.structs.replace(engine.vitals(), inbox=price)
        tap.add(Beat(vitals=vitals, quotes=(Quote(CALL, price, ltp=price), *((other,) if price == 3 else ()))))
    beat = await anext(aiter(tap))
    assert beat.vitals.inbox == 99
    assert {quote.name: quote.ltp for quote in beat.quotes} == {CALL: 99, "NIFTY": 1}
