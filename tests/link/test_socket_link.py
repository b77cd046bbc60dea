"""The socket link offers what the engine port offers, over a real socket."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import queries as q
from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Side
from optconsole.engine.ports import EnginePort
from optconsole.engine.state import digest
from optconsole.link import wire
from optconsole.link.client import SocketLink
from optconsole.link.local import LocalLink
from optconsole.link.protocol import EngineLink, LinkLost
from optconsole.link.server import LinkServer
from tests.link.small_engine import CALL, LOT, SRC, SmallEngine, until


def order(contract: str = CALL, type_: OrderType = OrderType.LIMIT) -> cmd.PlaceOrder:
    price = 100_00 if type_ is OrderType.LIMIT else None
    terms = OrderTerms(account="paper", contract=contract, side=Side.SELL, qty=LOT, type=type_, price=price)
    return cmd.PlaceOrder(id=f"c-{contract}-{type_}", actor="cli", terms=terms)


@pytest.fixture(params=["local", "socket"])
async def link(request: pytest.FixtureRequest, engine: SmallEngine, server: LinkServer, path: Path) -> EngineLink:
    """Both kinds of link: nothing above may be able to tell them apart."""
    port: EnginePort = engine
    return LocalLink(port) if request.param == "local" else await SocketLink.connect(path)


async def test_an_order_placed_over_the_link_is_in_the_engine(link: EngineLink, engine: SmallEngine) -> None:
    reply = await link.submit(order())
    assert reply.ok
    assert engine.state.orders[reply.ids[0]].status is OrderStatus.OPEN
    await link.close()


async def test_a_refused_command_is_a_reply_with_its_code(link: EngineLink) -> None:
    reply = await link.submit(order("NIFTY 24NOV26 1 CE"))
    assert (reply.ok, reply.code) == (False, "NOT_LISTED")
    await link.close()


async def test_the_snapshot_is_the_engines_state_to_the_last_bit_and_not_the_state_itself(
    link: EngineLink, engine: SmallEngine
) -> None:
    await link.submit(order(type_=OrderType.MARKET))
    taken = await link.snapshot()
    assert digest(taken.state) == digest(engine.state)
    taken.state.orders.clear()
    taken.state.seq = 0
    assert engine.state.orders
    assert engine.state.seq == len(engine.journal)
    await link.close()


async def test_facts_come_stored_first_then_live_without_gap(link: EngineLink, engine: SmallEngine) -> None:
    seen = []
    async with aclosing(link.facts(1)) as facts:  # type: ignore[type-var]
        async for fact in facts:
            seen.append(fact)
            if len(seen) == 2:
                await link.submit(order())
            if len(seen) == 5:
                break
    assert seen == engine.journal[1:6]
    assert seen[0].at.utcoffset() == engine.journal[1].at.utcoffset()
    await link.close()


async def test_a_tap_gives_the_watched_quotes_and_later_changes(link: EngineLink, engine: SmallEngine) -> None:
    tap = link.tap(10.0)
    tap.watch([CALL])
    beats = aiter(tap)
    first = await anext(beats)
    assert [quote.name for quote in first.quotes] == [CALL]
    changed = msgspec.structs.replace(engine.quotes[CALL], ltp=102_00)
    engine.quote(changed)
    assert (await anext(beats)).quotes == (changed,)
    await tap.close()
    await link.close()


async def test_every_kind_of_question_is_answered(link: EngineLink, engine: SmallEngine) -> None:
    for query in (q.GetQuotes(names=(CALL,)), q.ListUnderlyings(), q.FindInstruments(), q.GetVitals(), q.ReadJournal()):
        assert await link.query(query) == await engine.query(query)
    await link.close()


async def test_a_closed_link_says_so(link: EngineLink) -> None:
    await link.close()
    with pytest.raises(LinkLost):
        await link.snapshot()


async def test_a_fault_of_the_engine_is_told_and_the_link_lives_on(
    server: LinkServer, engine: SmallEngine, path: Path
) -> None:
    link = await SocketLink.connect(path)
    engine.break_queries(RuntimeError("boom"))
    with pytest.raises(Refusal) as caught:
        await link.query(q.GetVitals())
    assert caught.value.code == "ENGINE_FAULT"
    engine.break_queries(Refusal("CLOSED", "The market is closed."))
    with pytest.raises(Refusal, match="The market is closed"):
        await link.query(q.GetVitals())
    assert (await link.snapshot()).seq == engine.state.seq
    await link.close()


async def test_an_impossible_tap_rate_is_refused(server: LinkServer, path: Path) -> None:
    link = await SocketLink.connect(path)
    for hz in (0.0, -1.0, 1e9):
        with pytest.raises(Refusal) as caught:
            await anext(aiter(link.tap(hz)))
        assert caught.value.code == "BAD_RATE"
    await link.close()


async def test_two_consoles_see_the_same_facts_and_are_counted(
    server: LinkServer, engine: SmallEngine, path: Path
) -> None:
    consoles = [await SocketLink.connect(path) for _ in range(2)]
    assert server.consoles == 0, "a script's visit is no console"
    taps = [console.tap(5.0) for console in consoles]
    for tap in taps:
        tap.watch([CALL])
        await anext(aiter(tap))
    assert (server.consoles, engine.consoles) == (2, 2)
    await consoles[0].submit(order())
    for console in consoles:
        facts = console.facts(0)
        assert [await anext(facts) for _ in engine.journal] == engine.journal
    await taps[0].close()
    await consoles[0].ping()
    await until(lambda: server.consoles == 1)
    await consoles[0].close()
    assert (await consoles[1].snapshot()).seq == engine.state.seq
    await consoles[1].close()


async def test_the_engine_going_away_ends_every_wait_with_link_lost(
    server: LinkServer, engine: SmallEngine, path: Path
) -> None:
    link = await SocketLink.connect(path)
    facts = link.facts(engine.state.seq)
    waiting = asyncio.ensure_future(anext(facts))
    tap = link.tap(5.0)
    beat = asyncio.ensure_future(anext(aiter(tap)))
    await link.ping()
    await server.close()
    for task in (waiting, beat):
        with pytest.raises(LinkLost):
            await task
    with pytest.raises(LinkLost):
        await link.submit(order())
    await link.close()


async def test_a_console_that_leaves_frees_its_streams(server: LinkServer, engine: SmallEngine, path: Path) -> None:
    link = await SocketLink.connect(path)
    await anext(link.facts(0))
    assert engine.live_readers == 1
    await link.close()
    await until(lambda: engine.live_readers == 0)


CONSOLE = """
import asyncio, sys
from pathlib import Path
from optconsole.link.client import SocketLink

async def main():
    link = await SocketLink.connect(Path(sys.argv[1]))
    tap = link.tap(20.0)
    tap.watch([sys.argv[2]])
    await anext(aiter(tap))
    async for fact in link.facts(0):
        if fact.seq == 3:
            print("watching", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_killed_or_stopped_console_changes_nothing_in_the_engine(
    blow: signal.Signals, server: LinkServer, engine: SmallEngine, path: Path
) -> None:
    program = (sys.executable, "-c", CONSOLE, str(path), CALL)
    console = await asyncio.create_subprocess_exec(
        *program, stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=SRC)
    )
    try:
        assert console.stdout is not None
        assert await console.stdout.readline() == b"watching\n"
        assert server.consoles == 1
        console.send_signal(blow)
        other = await SocketLink.connect(path)
        for number in range(5_000):
            engine.notice("x" * 200)
            if number % 50 == 0:
                engine.quote(msgspec.structs.replace(engine.quotes[CALL], ltp=100_00 + number))
                assert (await other.snapshot()).seq == engine.state.seq
        await until(lambda: server.consoles == 0)
        assert (await other.submit(order())).ok
        await other.close()
    finally:
        if console.returncode is None:
            console.kill()
        await console.wait()


async def test_a_connection_gives_access_up_for_good_whatever_its_commands_say(
    engine: SmallEngine, server: LinkServer, path: Path
) -> None:
    """P07: the engine hears every command under the connection's access, and an observer makes no copies."""
    heard: list[Access] = []
    carry_out = engine.submit

    async def submit(command: cmd.AnyCommand) -> cmd.Reply:
        heard.append(command.access)
        return await carry_out(command)

    engine.submit = submit  # type: ignore[method-assign]
    for access in Access:
        link = await SocketLink.connect(path, access)
        await link.submit(msgspec.structs.replace(order(), id=access.value, access=Access.ADMIN))
        await link.close()
    assert heard == [Access.OBSERVER, Access.OPERATOR, Access.ADMIN]

    watching = await SocketLink.connect(path, Access.OBSERVER)
    with pytest.raises(Refusal) as refused:
        await watching._ask(lambda rid: wire.TakeAccess(rid, Access.ADMIN), wire.Pong)
    assert refused.value.code == "ADMIN_NEEDED"
    with pytest.raises(Refusal) as refused:
        await watching.query(q.BackupJournal(target="copy.db"))
    assert refused.value.code == "OBSERVER"
    assert (await watching.snapshot()).state.seq == engine.state.seq
    await watching.close()
