"""What the tests ask of a running engine: its command line for what they judge, its socket for what they wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optconsole.engine import queries as q
from optconsole.engine.clock import fresh_id
from optconsole.engine.commands import AnyCommand, PlaceOrder, Reply
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import Snapshot
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from tests.e2e.process import run_json


def near_call(home: Path) -> str:
    """The NIFTY call of the second expiry nearest to the spot."""
    chain = run_json(home, "chain", "NIFTY")
    row = min(chain["strikes"], key=lambda each: abs(each["strike_paise"] - chain["spot_paise"]))
    return str(row["call"]["name"])


def buy(home: Path, contract: str, *words: str) -> dict[str, Any]:
    return dict(run_json(home, "order", "place", "buy", contract, "--lots", "1", *words))


def orders(home: Path) -> list[dict[str, Any]]:
    """Every order as a trader's script would list them."""
    return list(run_json(home, "orders")["orders"])


def facts(home: Path, kind: str) -> list[dict[str, Any]]:
    """Every fact of a kind in the journal."""
    found = run_json(home, "journal", "list", "--limit", "1000")["facts"]
    return [fact for fact in found if fact["event"]["type"] == kind]


def quote(home: Path, name: str) -> Quote:
    async def ask(link: SocketLink) -> Quote:
        answer = await link.query(q.GetQuotes(names=(name,)))
        assert isinstance(answer, q.QuoteList)
        return answer.quotes[0]

    return _visit(home, ask)


def lot_of(home: Path, contract: str) -> int:
    async def ask(link: SocketLink) -> int:
        answer = await link.query(q.FindInstruments(underlying=contract.split()[0]))
        assert isinstance(answer, q.InstrumentList)
        return next(each.lot for each in answer.instruments if each.name == contract)

    return int(_visit(home, ask))


def look(home: Path) -> Snapshot:
    """The engine's state and health now."""
    return _visit(home, lambda link: link.snapshot())


def submit(home: Path, command: AnyCommand) -> Reply:
    return _visit(home, lambda link: link.submit(command))


def held(home: Path) -> dict[str, int]:
    """Open positions by contract."""
    return {each.key.contract: each.qty for each in look(home).state.positions.values() if each.qty}


def until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait for what the engine is about to do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def stops_around(home: Path, contract: str) -> list[str]:
    """A buy stop just above the market and a sell stop just below it, so that one of them triggers soon."""
    placed: list[str] = []
    for side in Side:
        for _ in range(100):
            last = quote(home, contract).ltp
            assert last is not None
            terms = OrderTerms(
                account="paper",
                contract=contract,
                side=side,
                qty=lot_of(home, contract),
                type=OrderType.SL_M,
                trigger=last + 10 * side.sign,
            )
            reply = submit(home, PlaceOrder(id=fresh_id(), actor="test", terms=terms))
            if reply.ok:
                placed += reply.ids
                break
            assert reply.code == "TRIGGER_PASSED", reply
    assert len(placed) == 2
    return placed


def _visit(home: Path, ask: Callable[[SocketLink], Any]) -> Any:
    async def visit() -> Any:
        link = await SocketLink.connect(socket_path(home))
        try:
            async with asyncio.timeout(20):
                return await ask(link)
        finally:
            await link.close()

    return asyncio.run(visit())
