"""Our adapter beside Angel One's own SDK: the same requests for the same intents, the same packets read alike."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from optconsole.brokers.angelone import frames
from optconsole.brokers.rehearsal.wire import Request
from optconsole.engine.model.orders import Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import Accepted, ModifyRequest
from tests.brokers.angelone.peer import (
    CANCEL,
    MODIFY,
    PLACE,
    PLACED,
    QUOTE,
    RMS,
    TICKS,
    UPDATES,
    Desk,
    desk,
    success,
)
from tests.brokers.angelone.stage import CALL, ORDER, request
from tests.brokers.angelone.test_feed import fetched
from tests.sdk.environments import run_sdk, sdk_python
from tests.sdk.test_smartapi import PACKAGES

HERE = Path(__file__).parent
CANDLES = "/rest/secure/angelbroking/historical/v1/getCandleData"
HOLDINGS = "/rest/secure/angelbroking/portfolio/v1/getHolding"
MARGIN = "/rest/secure/angelbroking/margin/v1/batch"
TAGS = ["V1AAA000000001X", "V1AAA000000002X"]
EACH = 150

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> Path:
    return sdk_python("smartapi", PACKAGES)


async def test_the_same_intents_are_the_same_requests(python: Path, tmp_path: Path) -> None:
    async with desk() as it:
        it.bench.tell(PLACE, PLACED)
        it.bench.tell(MODIFY, PLACED)
        it.bench.tell(CANCEL, PLACED)
        it.bench.tell(RMS, success({"net": "1"}))
        it.bench.tell(HOLDINGS, success(None))
        it.bench.tell(QUOTE, fetched())
        it.bench.tell(QUOTE.rstrip("/"), fetched())
        it.bench.tell(CANDLES, success([]))
        it.bench.tell(MARGIN, success({"totalMarginRequired": 1}))
        it.bench.calls.clear()
        task = {"rest_url": it.settings.rest_url, "ws_url": it.settings.ws_url.removesuffix(TICKS), "order": ORDER}
        task |= {"symbol": "NIFTY24NOV2625000CE", "token": "58662", "tags": TAGS}
        assert await run_sdk(python, HERE / "smartapi_intents.py", task, tmp_path) is True
        theirs, their_streams, their_handshake = _taken(it)
        await _ours(it)
        ours, our_streams, our_handshake = _taken(it)
    assert [(each.method, each.path.rstrip("/")) for each in ours] == [
        (each.method, each.path.rstrip("/")) for each in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        _says_all(_body(mine), _body(other))
        _says_all(_headers(mine), _headers(other))
    assert [_stream(each) for each in our_streams] == [_stream(each) for each in their_streams]
    for name in ("authorization", "x-api-key", "x-client-code", "x-feed-token"):
        assert our_handshake.headers[name] == their_handshake.headers[name]


async def _ours(it: Desk) -> None:
    """What the SDK's script intends, in its order."""
    listed = (await it.gateway.load_master(datetime(2026, 11, 24, tzinfo=IST).date())).of(CALL)
    assert listed is not None
    it.bench.calls.clear()
    assert isinstance(await it.broker.place(request(tag=TAGS[0])), Accepted)
    await it.broker.place(request(price=121_00, trigger=121_50, side=Side.SELL, tag=TAGS[1]))
    # the bench gives both one number; the change is of the first
    await it.broker.modify(ModifyRequest(broker_id=ORDER, qty=130, price=124_00, trigger=None))
    await it.broker.cancel(ORDER)
    for read in (it.broker.orders, it.broker.trades, it.broker.positions, it.broker.funds, it.broker.services.holdings):
        await read()
    await it.broker.services.quotes([listed])
    begin, end = datetime(2026, 11, 24, 9, 15, tzinfo=IST), datetime(2026, 11, 24, 15, 30, tzinfo=IST)
    await it.broker.services.candles(listed, "ONE_MINUTE", begin, end)
    before = len(it.bench.calls)
    await it.broker.margin([request(side=Side.SELL)])
    del it.bench.calls[before]  # the positions that the batch is made of besides
    it.feed.watch([CALL])
    await it.feed.start(lambda _quotes: None)
    await it.bench.until(lambda: bool(it.bench.said))
    it.feed.drop([CALL])
    await it.bench.until(lambda: len(it.bench.said) == 2)


def _taken(it: Desk) -> tuple[list[Request], list[Any], Request]:
    """What came since it was last asked: requests, words on the stream, and how the stream was opened."""
    calls, said = list(it.bench.calls), list(it.bench.said)
    shake = next(each for each in reversed(it.bench.handshakes) if each.path != UPDATES)
    it.bench.calls.clear()
    it.bench.said.clear()
    return calls, said, shake


def _body(call: Request) -> Any:
    return msgspec.json.decode(call.body) if call.method == "POST" else {}


def _headers(call: Request) -> dict[str, str]:
    """Those the broker asks for; what the machine's own addresses are is nobody's business."""
    wanted = ("content-type", "accept", "x-usertype", "x-sourceid", "x-privatekey", "authorization")
    present = ("x-clientlocalip", "x-clientpublicip", "x-macaddress")
    return {name: call.headers[name] for name in wanted} | {name: "there" for name in present if call.headers[name]}


def _says_all(ours: Any, theirs: Any) -> None:
    """Every field of theirs is in ours with the same meaning; ours may say more."""
    if isinstance(theirs, Mapping):
        for key, value in theirs.items():
            _says_all(ours[key], value)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            _says_all(mine, other)
    else:
        assert str(ours) == str(theirs)


def _stream(said: Any) -> Any:
    return said["action"], said["params"]


async def test_random_packets_of_every_length_are_read_alike(python: Path, tmp_path: Path) -> None:
    packets = _random_packets(random.Random("lengths"))
    theirs = await run_sdk(python, HERE / "smartapi_packets.py", [each.hex() for each in packets], tmp_path)
    for packet, parsed in zip(packets, theirs, strict=True):
        tick = frames.decode(packet)
        assert tick is not None
        segment, token = parsed["exchange_type"], parsed["token"]
        assert (tick.mode, frames.cleaned(tick.key)) == (parsed["subscription_mode"], frames.key_of(segment, token))
        assert tick.at == parsed["exchange_timestamp"]
        if tick.mode == frames.DEPTH:
            sides = (parsed["depth_20_buy_data"], parsed["depth_20_sell_data"])
            assert frames.book(packet) == tuple(_levels(side) for side in sides)
            continue
        assert tick.ltp == parsed["last_traded_price"]
        if tick.mode == frames.LTP:
            continue
        assert (tick.volume, tick.prev_close) == (parsed["volume_trade_for_the_day"], parsed["closed_price"])
        if tick.mode == frames.SNAP:
            assert (tick.oi, tick.upper, tick.lower) == (
                parsed["open_interest"],
                parsed["upper_circuit_limit"],
                parsed["lower_circuit_limit"],
            )
            bids, asks = _levels(parsed["best_5_buy_data"]), _levels(parsed["best_5_sell_data"])
            assert frames.book(packet) == (bids, asks)
            assert (tick.bid, tick.ask) == (bids[0] if bids else None, asks[0] if asks else None)


def _random_packets(draw: random.Random) -> list[bytes]:
    """Random bytes behind a head that names a contract; the flags of a book are what they may be."""
    found = []
    for mode, size in frames.SIZES.items():
        for _ in range(EACH):
            segment, token = draw.choice([1, 2, 3, 4, 5, 7]), str(draw.randrange(1, 10 ** draw.randrange(1, 20)))
            packet = bytearray(bytes((mode,)) + frames.key_of(segment, token) + draw.randbytes(size - 27))
            if mode == frames.SNAP:
                for level in range(10):
                    start = 147 + 20 * level
                    packet[start : start + 2] = bytes((draw.randrange(2), 0))
            found.append(bytes(packet))
    return found


def _levels(side: list[dict[str, int]]) -> tuple[tuple[int, int], ...]:
    return tuple((each["price"], each["quantity"]) for each in side if each["price"] > 0 and each["quantity"] > 0)
