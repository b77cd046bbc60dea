"""Zerodha's own SDK against our rehearsal of it: it must not notice, and must see what the ledger holds."""

from __future__ import annotations

import random
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from optconsole.brokers.rehearsal.kite.limits import UNLIMITED
from optconsole.brokers.rehearsal.kite.wire import Kite, KiteSettings, open_kite
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.opening import CAPITAL
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.brokers.rehearsal.wire import Request, Response
from optconsole.brokers.zerodha.frames import Packet, Walk
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.ports import Accepted, ModifyRequest, PlaceRequest
from tests.brokers.paper.stage import CALL, DAY, LOT
from tests.brokers.rehearsal.stage import a_still_market
from tests.contract.zerodha_rig import ZerodhaRig
from tests.sdk.environments import run_sdk, sdk_python

PACKAGES = ("kiteconnect==5.2.2", "autobahn==19.11.2", "requests==2.34.2", "Twisted==26.10.0", "setuptools<81")
HERE = Path(__file__).parent
FRAMES = 150
STATUS = {OrderStatus.FILLED: "COMPLETE", OrderStatus.CANCELLED: "CANCELLED"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return sdk_python("kite", PACKAGES)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    market = await a_still_market(tmp_path)
    served = await serve(await open_kite(market, KiteSettings(limits=UNLIMITED, heartbeat=0.2)), market)
    yield served
    await served.close()
    await market.close()


# ------------------------------------------------------------------ a day


async def test_a_day_over_the_sdk_is_the_ledgers_day(python: Path, served: Served, tmp_path: Path) -> None:
    kite, market = served.dialect, served.market
    assert isinstance(kite, Kite)
    contract = kite.contracts().of(CALL.name)
    assert contract is not None
    about = {
        "symbol": contract.symbol,
        "token": contract.token,
        "index": 256265,
        "name": CALL.name,
        "day": DAY.isoformat(),
    }
    seen = await run_sdk(python, HERE / "kite_day.py", served.ready | about, tmp_path)
    _reads_are_as_documented(seen, market)
    _ticks_are_the_market(seen["ticks"], contract.token)
    _refusals_are_the_sdks_own_exceptions(seen)
    await _orders_are_the_ledgers(seen, market)
    statuses = {row["tag"]: row["status"] for row in seen["updates"]}
    assert statuses == {
        "SDKBUY": "COMPLETE",
        "SDKMKT": "COMPLETE",
        "SDKREST": "CANCELLED",
        "SDKSTOP": "COMPLETE",
        "SDKSLICE": "CANCELLED",
    }


def _reads_are_as_documented(seen: dict[str, Any], market: Market) -> None:
    assert seen["login"] == [market.account.id, "ZERODHA", True]
    assert (seen["profile"], seen["funds"], seen["opened"]) == (market.account.id, CAPITAL / 100, 1)
    assert seen["empty"] == [[], [], {"net": [], "day": []}, [], []]
    listed = seen["listed"]
    assert (listed["strike"], listed["lot_size"], listed["tick_size"], listed["name"]) == (25000.0, LOT, 0.05, "NIFTY")
    assert listed["expiry"] == CALL.expiry.isoformat()
    assert (seen["quote"]["last_price"], seen["quote"]["depth"]["sell"][0]["price"]) == (100, 100.05)
    assert len(seen["ohlc"]) == 2
    assert len(seen["ltp"]) == 1
    assert seen["alone"] > 0
    assert seen["basket"]["final"]["total"] < seen["basket"]["initial"]["total"]
    assert [(row["open"], row["close"]) for row in seen["candles"]] == [(100, 96.8)]
    assert (seen["gtts"][0], seen["converted"], seen["out"]) == ("active", True, True)
    assert seen["note"]["total"] > 0
    assert seen["history"] == ["PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "OPEN", "COMPLETE"]


def _ticks_are_the_market(ticks: list[dict[str, Any]], token: int) -> None:
    quote = next(tick for tick in ticks if tick["instrument_token"] == token and tick["mode"] == "quote")
    full = next(tick for tick in ticks if tick["instrument_token"] == token and tick["mode"] == "full")
    index = next(tick for tick in ticks if tick["instrument_token"] == 256265)
    assert (quote["last_price"], quote["ohlc"]["close"]) == (100, 95)
    assert (full["depth"]["buy"][0]["price"], full["depth"]["sell"][0]["price"]) == (99.95, 100.05)
    assert full["depth"]["buy"][0]["quantity"] == 50 * LOT
    assert (index["tradable"], index["last_price"]) == (False, 25000)
    assert ticks[-1]["last_price"] == 96.8


def _refusals_are_the_sdks_own_exceptions(seen: dict[str, Any]) -> None:
    kinds = {name: refusal[:2] for name, refusal in seen["refused"].items()}
    assert kinds == {
        "unprotected": ["InputException", 400],
        "lot": ["InputException", 400],
        "unknown": ["OrderException", 400],
        "gone": ["OrderException", 400],
    }
    assert seen["after"][:2] == ["TokenException", 403]
    assert seen["errors"] == []


async def _orders_are_the_ledgers(seen: dict[str, Any], market: Market) -> None:
    rows = {row["order_id"]: row for row in seen["book"]}
    truth = {order.broker_id[1:]: order for order in await market.broker.orders()}
    assert {order_id[5:] for order_id in rows} == truth.keys()
    for order_id, row in rows.items():
        order = truth[order_id[5:]]
        shown = (row["status"], row["quantity"], row["filled_quantity"], row["price"])
        assert shown == (STATUS[order.status], order.qty, order.filled, order.price / 100)
    assert {rows[order_id]["tag"] for order_id in seen["ids"].values()} == set(seen["ids"])
    assert rows[seen["ids"]["SDKMKT"]]["tags"] == ["SDKMKT", "mktp", "mktp:2.00"]
    assert sum(rows[child["order_id"]]["quantity"] for child in seen["sliced"]["children"]) == 60 * LOT
    fills = await market.broker.trades()
    told = [(row["transaction_type"], row["quantity"], row["average_price"]) for row in seen["trades"]]
    assert sorted(told) == sorted((fill.side.value, fill.qty, fill.price / 100) for fill in fills)
    assert [row["quantity"] for row in seen["positions"]] == [LOT]
    assert [(row.product, row.qty) for row in await market.broker.positions()] == [(Product.MIS, LOT)]


# ------------------------------------------------------------------ frames


def _packet(draw: random.Random, length: int) -> bytes:
    """Any packet of a length, with prices and times as far as both parsers go."""
    segment = 9 if length in (28, 32) else draw.choice((1, 2, 3, 4, 5, 6, 7, 12))
    words = [draw.randrange(2**24) << 8 | segment, *(draw.randrange(2**31) for _ in range((length - 4) // 4))]
    body = bytearray(struct.pack(f">{len(words)}I", *words))
    if length == 184:
        for place in range(64, 184, 12):
            struct.pack_into(">H2x", body, place + 8, draw.randrange(2**16))
    return bytes(body)


def _as_parsed(packet: Packet) -> dict[str, Any]:
    """What the SDK must make of a packet, as far as it depends on nothing but its bytes."""
    tick: dict[str, Any] = {"instrument_token": packet.token, "last_price": packet.last_price / packet.divisor}
    if packet.open is not None:
        names = ("open", "high", "low", "close")
        tick["ohlc"] = {name: getattr(packet, name) / packet.divisor for name in names}
    if packet.volume is not None:
        tick |= {
            "last_traded_quantity": packet.last_qty,
            "average_traded_price": (packet.average_price or 0) / packet.divisor,
            "volume_traded": packet.volume,
            "total_buy_quantity": packet.buy_qty,
            "total_sell_quantity": packet.sell_qty,
        }
    if packet.stamped_at is not None:
        tick["exchange_timestamp"] = packet.stamped_at
    if packet.bids is not None and packet.asks is not None:
        sides = {"buy": packet.bids, "sell": packet.asks}
        tick |= {
            "last_trade_time": packet.traded_at,
            "oi": packet.oi,
            "oi_day_high": packet.oi_high,
            "oi_day_low": packet.oi_low,
            "depth": {name: [_level(level, packet.divisor) for level in side] for name, side in sides.items()},
        }
    return tick


def _level(level: tuple[int, int, int], divisor: int) -> dict[str, Any]:
    qty, price, orders = level
    return {"quantity": qty, "price": price / divisor, "orders": orders}


async def test_the_sdk_and_the_adapter_read_every_kind_of_packet_alike(python: Path, tmp_path: Path) -> None:
    draw = random.Random(20261123)
    lengths = (8, 28, 32, 44, 184)
    frames = []
    for _ in range(FRAMES):
        bodies = [_packet(draw, draw.choice(lengths)) for _ in range(draw.randrange(1, 7))]
        frames.append(struct.pack(">H", len(bodies)) + b"".join(struct.pack(">H", len(each)) + each for each in bodies))
    theirs = await run_sdk(python, HERE / "kite_packets.py", [frame.hex() for frame in frames], tmp_path)
    walk = Walk(lambda *_odd: None)
    for frame, parsed in zip(frames, theirs, strict=True):
        ours = [_as_parsed(packet) for packet in walk.packets(frame)]
        kept = [{name: tick[name] for name in own} for tick, own in zip(parsed, ours, strict=True)]
        assert kept == ours
    assert walk.unread == {}


# ------------------------------------------------------------------ requests


class Recorded(Kite):
    """Kite, with what it was asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[Request] = []

    async def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return await super().handle(request)


REDUNDANT = {"variety", "order_id", "parent_order_id"}
"""What the SDK repeats of the path in its form."""


def _plain(form: Mapping[str, str]) -> dict[str, str | float]:
    """A form by what it means: 101 and 101.00 are one price, and a price or trigger of 0 is none."""
    fields: dict[str, str | float] = {}
    for name, value in form.items():
        if name not in REDUNDANT:
            fields[name] = (
                float(value) if name in ("price", "trigger_price", "quantity", "disclosed_quantity") else value
            )
    return {name: value for name, value in fields.items() if value != 0.0 or name == "quantity"}


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Served]:
    market = await a_still_market(tmp_path)
    kite = Recorded(market, KiteSettings(limits=UNLIMITED, pause=0.0))
    await kite.orders.start()
    served = await serve(kite, market)
    yield served
    await served.close()
    await market.close()


async def test_the_adapter_asks_as_the_sdk_does(python: Path, recorded: Served, tmp_path: Path) -> None:
    ours = await _ours(recorded)
    calls = [call for request in ours for call in _sdk_calls(request)]
    await run_sdk(python, HERE / "kite_requests.py", recorded.ready | {"calls": calls}, tmp_path)
    theirs = _order_calls(recorded)
    assert len(ours) == 6
    for mine, sdk in zip(ours, theirs, strict=True):
        assert (mine.method, mine.path) == (sdk.method, sdk.path)
        assert mine.headers.get("x-kite-version") == sdk.headers["x-kite-version"] == "3"
        assert mine.headers["authorization"] == sdk.headers["authorization"]
        assert mine.headers.get("content-type") == sdk.headers.get("content-type")
        assert _plain(mine.form()) == _plain(sdk.form())


async def _ours(served: Served) -> list[Request]:
    """What the adapter sends to place, change and cancel a limit order and a stop."""
    rig = ZerodhaRig(served)
    try:
        await rig.start()
        for request in (_intent("OURLIMIT0000001"), _intent("OURSTOP00000001", trigger=97_00)):
            outcome = await rig.broker.place(request)
            assert isinstance(outcome, Accepted)
            new = ModifyRequest(broker_id=outcome.broker_id, qty=2 * LOT, price=88_50, trigger=request.trigger)
            assert isinstance(await rig.broker.modify(new), Accepted)
            assert isinstance(await rig.broker.cancel(outcome.broker_id), Accepted)
    finally:
        await rig.close()
    return _order_calls(served)


def _order_calls(served: Served) -> list[Request]:
    """The order calls since the last look."""
    kite = served.dialect
    assert isinstance(kite, Recorded)
    asked, kite.asked = kite.asked, []
    return [request for request in asked if request.path.startswith("/orders/regular")]


def _intent(tag: str, trigger: int | None = None) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account="Z1",
        instrument=CALL,
        side=Side.BUY if trigger is None else Side.SELL,
        qty=LOT,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=90_00,
        trigger=trigger,
        product=Product.NRML,
        validity=Validity.DAY,
    )


def _sdk_calls(request: Request) -> list[tuple[str, dict[str, Any]]]:
    """The SDK's call that means the same as one of our requests."""
    form = request.form()
    if request.method == "POST":
        return [("place_order", {"variety": "regular", **form})]
    terms = {"variety": "regular", "order_id": request.path.rsplit("/", 1)[1], **form}
    return [("modify_order" if request.method == "PUT" else "cancel_order", terms)]
