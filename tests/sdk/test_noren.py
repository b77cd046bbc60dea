"""Shoonya's own SDK against our rehearsal of it: it must not notice, and must see what the ledger holds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.dialect import NorenDialect, open_noren
from optconsole.brokers.rehearsal.opening import CAPITAL
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.engine.model.orders import OrderStatus
from tests.brokers.paper.stage import CALL
from tests.brokers.rehearsal.stage import a_still_market
from tests.sdk.environments import run_sdk, sdk_python

PACKAGES = ("NorenRestApiOAuth==0.0.41", "websocket-client==1.9.2", "requests==2.34.2")
HERE = Path(__file__).parent
STATUS = {OrderStatus.FILLED: "COMPLETE", OrderStatus.CANCELLED: "CANCELED"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return sdk_python("noren", PACKAGES)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    market = await a_still_market(tmp_path)
    served = await serve(await open_noren(market, limits={}), market)
    yield served
    await served.close()
    await market.close()


async def test_a_day_over_the_sdk_is_the_ledgers_day(python: Path, served: Served, tmp_path: Path) -> None:
    dialect, market = served.dialect, served.market
    assert isinstance(dialect, NorenDialect)
    symbol = dialect.desk.symbols.of(CALL.name)
    assert symbol is not None
    now = market.now().timestamp()
    about = {"name": CALL.name, "tsym": symbol.tsym, "token": symbol.token, "since": now - 3600, "until": now}
    seen = await run_sdk(python, HERE / "noren_day.py", served.ready | about, tmp_path)
    _logins_are_as_documented(seen)
    _reads_name_the_contract(seen, symbol.tsym, symbol.token)
    _ticks_are_the_market(seen["ticks"], symbol.token)
    await _orders_are_the_ledgers(seen, market)
    _updates_tell_every_step(seen["updates"])


def _logins_are_as_documented(seen: dict[str, Any]) -> None:
    assert seen["wrong"] is None
    assert seen["login"][1:2] == ["FA1234"]
    assert (seen["opened"], seen["errors"]) == (1, [])
    assert seen["out"]["stat"] == "Ok"
    # the SDK reads a dead session as "no orders": the very trap that an adapter must not fall into
    assert seen["after"] is None
    assert seen["empty"] == [None] * 4


def _reads_name_the_contract(seen: dict[str, Any], tsym: str, token: str) -> None:
    assert float(seen["limits"]["cash"]) * 100 == CAPITAL
    assert [row["token"] for row in seen["search"]["values"]] == [token]
    assert (seen["quote"]["token"], seen["quote"]["lp"], seen["info"]["ls"]) == (token, "100.00", "65")
    assert tsym in {row["tsym"] for row in seen["chain"]["values"]}
    assert float(seen["span"]["span"]) > 0
    assert float(seen["greeks"]["cal_delta"]) == pytest.approx(0.5, abs=0.1)
    assert seen["minutes"][0]["intc"] == "96.80"
    assert [json.loads(row)["intl"] for row in seen["days"]] == ["96.80"]


def _ticks_are_the_market(ticks: list[dict[str, str]], token: str) -> None:
    first = ticks[:3]
    assert [(tick["t"], tick["tk"]) for tick in first] == [("tk", token), ("dk", token), ("dk", "26000")]
    assert (first[0]["lp"], first[1]["bp1"], first[1]["sp1"]) == ("100.00", "99.95", "100.05")
    later = ticks[3:]
    assert {tick["t"] for tick in later} == {"tf", "df"}
    assert {tick["lp"] for tick in later if "lp" in tick} == {"96.80"}
    assert not any("ts" in tick or "c" in tick for tick in later)


async def _orders_are_the_ledgers(seen: dict[str, Any], market: Market) -> None:
    assert (seen["market"], seen["gone"], seen["exit"]) == (None, None, None)
    assert seen["modified"]["result"] == seen["cancelled"]["result"] == seen["numbers"]["SDKREST"]
    rows = {row["remarks"]: row for row in seen["book"]}
    assert {tag: row["norenordno"] for tag, row in rows.items()} == seen["numbers"]
    truth = {order.tag: order for order in await market.broker.orders()}
    assert rows.keys() == {*truth, "SDKBAD"}  # the exchange never heard of what the risk desk refused
    for tag, order in truth.items():
        row = rows[tag]
        shown = (row["status"], int(row["qty"]), int(row.get("fillshares", 0)), row["prc"])
        assert shown == (STATUS[order.status], order.qty, order.filled, f"{order.price / 100:.2f}")
    assert (rows["SDKBAD"]["status"], rows["SDKBAD"]["rejby"]) == ("REJECTED", "RED")
    fills = await market.broker.trades()
    told = [(row["trantype"], int(row["flqty"]), row["flprc"]) for row in reversed(seen["trades"])]
    assert told == [(fill.side.value[0], fill.qty, f"{fill.price / 100:.2f}") for fill in fills]
    assert [row["netqty"] for row in seen["positions"]] == ["0"]
    realised = sum(-fill.side.sign * fill.qty * fill.price for fill in fills)
    assert seen["positions"][0]["rpnl"] == f"{realised / 100:.2f}"
    assert [row["rpt"] for row in seen["history"]] == ["Fill", "New", "PendingNew", "NewAck"]


def _updates_tell_every_step(updates: list[dict[str, str]]) -> None:
    steps: dict[str, list[str]] = {}
    for row in updates:
        steps.setdefault(row["remarks"], []).append(row["reporttype"])
    fresh = ["NewAck", "PendingNew", "New"]
    assert steps["SDKBUY"] == [*fresh, "Fill"]
    changed = ["ModAck", "PendingReplace", "Replaced", "CanAck", "PendingCancel", "Canceled"]
    assert steps["SDKREST"] == [*fresh, *changed]
    assert steps["SDKSTOP"] == [*fresh, "New", "Fill"]
    assert steps["SDKBAD"] == ["NewAck", "PendingNew", "Rejected"]
