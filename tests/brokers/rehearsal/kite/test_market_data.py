"""Kite's instruments, quotes, candles and binary stream."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import struct

import pytest
from websockets.asyncio.client import ClientConnection, connect

from optconsole.brokers.rehearsal.kite.contracts import KiteContracts
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.quotes import Depth, Quote
from tests.brokers.paper.stage import CALL, DAY, INDEX, LOT
from tests.brokers.rehearsal.kite.conftest import Desk
from tests.brokers.rehearsal.stage import quoted, until


def test_a_month_s_last_expiry_is_named_by_its_month_and_others_by_their_day() -> None:
    contracts = KiteContracts(listing("NIFTY", DAY, 25_000_00, 1))
    symbols = {row.instrument.expiry.isoformat(): row.symbol for row in contracts.rows if row.instrument.right}
    assert symbols["2026-11-23"].startswith("NIFTY26NOV2")
    assert symbols["2026-12-01"].startswith("NIFTY26D012")
    assert symbols["2026-12-29"].startswith("NIFTY26DEC2")
    assert {row.symbol for row in contracts.rows if row.kind == "FUT"} >= {"NIFTY26NOVFUT", "NIFTY26DECFUT"}


async def test_the_instruments_file_has_the_documented_columns(desk: Desk) -> None:
    answer = await desk.http.get("/instruments/NFO")
    assert answer.headers["content-encoding"] == "gzip"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    row = next(row for row in rows if row["tradingsymbol"] == desk.call.symbol)
    assert int(row["instrument_token"]) == int(row["exchange_token"]) * 256 + 2
    assert (row["name"], row["strike"], row["tick_size"], row["lot_size"]) == ("NIFTY", "25000", "0.05", str(LOT))
    assert (row["segment"], row["instrument_type"], row["last_price"]) == ("NFO-OPT", "CE", "100.0")
    every = (await desk.http.get("/instruments")).text
    assert "256265,1001,NIFTY 50," in every


async def test_quotes_come_by_key_and_unknown_keys_are_absent(desk: Desk) -> None:
    keys = [f"NFO:{desk.call.symbol}", "NSE:NIFTY 50", "NFO:NOTHING"]
    full = await desk.get("/quote", i=keys)
    assert list(full) == keys[:2]
    option = full[keys[0]]
    assert (option["last_price"], option["ohlc"]["close"], option["net_change"]) == (100, 95, 5.0)
    assert option["depth"]["buy"][0] == {"price": 99.95, "quantity": 50 * LOT, "orders": 13}
    assert len(option["depth"]["sell"]) == 5
    assert "depth" not in full[keys[1]]
    assert set((await desk.get("/quote/ltp", i=keys[:1]))[keys[0]]) == {"instrument_token", "last_price"}
    assert "ohlc" in (await desk.get("/quote/ohlc", i=keys[:1]))[keys[0]]


async def test_candles_are_made_of_what_was_quoted(desk: Desk) -> None:
    for price in (104_00, 97_00, 99_00):
        quoted(desk.market, CALL, price)
    await desk.market.advance(60)
    quoted(desk.market, CALL, 98_00)
    span = {"from": "2026-11-18 09:15:00", "to": "2026-11-18 15:30:00"}
    path = f"/instruments/historical/{desk.call.token}"
    minutes = (await desk.get(f"{path}/minute", **span))["candles"]
    assert minutes[0][:5] == ["2026-11-18T10:00:00+0530", 100, 104, 97, 99]
    assert minutes[1][1:5] == [98, 98, 98, 98]
    whole = (await desk.get(f"{path}/15minute", **span, oi=1))["candles"]
    assert whole == [["2026-11-18T10:00:00+0530", 100, 104, 97, 98, 0, 0]]
    answer = await desk.http.get(f"{path}/minute", params={"from": "2026-01-01", "to": "2026-11-18"})
    assert (answer.status_code, answer.json()["error_type"]) == (400, "InputException")


# ------------------------------------------------------------------ the stream


def opened(desk: Desk) -> connect:
    login = desk.served.credentials
    query = f"api_key={login['api_key']}&access_token={login['access_token']}"
    return connect(f"{desk.served.ws_url}?{query}", proxy=None)


async def said(stream: ClientConnection, **message: object) -> None:
    await stream.send(json.dumps(message))


async def packets(stream: ClientConnection) -> list[bytes]:
    """The next frame that is no heartbeat, taken apart."""
    async with asyncio.timeout(5):
        while True:
            data = await stream.recv()
            if isinstance(data, str) or len(data) < 2:
                continue
            found, place = [], 2
            for _ in range(struct.unpack_from(">H", data)[0]):
                (length,) = struct.unpack_from(">H", data, place)
                found.append(data[place + 2 : place + 2 + length])
                place += 2 + length
            assert place == len(data)
            return found


async def test_a_silent_stream_beats_with_one_byte(desk: Desk) -> None:
    async with opened(desk) as stream:
        assert [await stream.recv() for _ in range(3)] == [b"\x00"] * 3


async def test_a_subscription_without_a_mode_is_a_quote(desk: Desk) -> None:
    async with opened(desk) as stream:
        await said(stream, a="subscribe", v=[desk.call.token])
        (packet,) = await packets(stream)
    assert len(packet) == 44
    token, last, lot, _average, _volume, buy, sell, first, high, low, close = struct.unpack(">11i", packet)
    assert (token, last, lot, close) == (desk.call.token, 100_00, LOT, 95_00)
    assert (buy, sell, first, high, low) == (50 * LOT, 50 * LOT, 100_00, 100_00, 100_00)


async def test_each_mode_has_its_length_and_an_index_its_own(desk: Desk) -> None:
    index = desk.kite.contracts().of(INDEX.name).token
    assert index == 256265
    async with opened(desk) as stream:
        lengths = {}
        for mode in ("ltp", "quote", "full"):
            await said(stream, a="mode", v=[mode, [desk.call.token, index]])
            lengths[mode] = [len(packet) for packet in await packets(stream)]
    assert lengths == {"ltp": [8, 8], "quote": [44, 28], "full": [184, 32]}


async def test_a_full_packet_carries_five_levels_a_side(desk: Desk) -> None:
    stamp = desk.market.stamp()
    bids, asks = ((123_40, 650), (123_35, 260)), ((123_50, 390),)
    quote = Quote(CALL.name, stamp, 123_40, 650, 123_50, 390, 123_45, 1_950_000, 3_449_550, 3_299_985, 120_10)
    async with opened(desk) as stream:
        await said(stream, a="mode", v=["full", [desk.call.token]])
        await packets(stream)
        desk.market.show(quote, Depth(CALL.name, stamp, bids, asks))
        (packet,) = await packets(stream)
    assert struct.unpack_from(">5I", packet, 44) == (stamp // 1000, 3_449_550, 3_449_550, 3_299_985, stamp // 1000)
    assert struct.unpack_from(">IiH", packet, 64) == (650, 123_40, 3)
    assert struct.unpack_from(">IiH", packet, 64 + 12) == (260, 123_35, 1)
    assert struct.unpack_from(">IiH", packet, 64 + 60) == (390, 123_50, 2)
    assert packet[64 + 72 :] == bytes(48)


async def test_what_is_unsubscribed_ticks_no_more(desk: Desk) -> None:
    index = desk.kite.contracts().of(INDEX.name).token
    async with opened(desk) as stream:
        await said(stream, a="mode", v=["ltp", [desk.call.token, index]])
        await packets(stream)
        await said(stream, a="unsubscribe", v=[desk.call.token])
        await said(stream, a="mode", v=["ltp", [index]])
        await packets(stream)
        quoted(desk.market, CALL, 101_00)
        quoted(desk.market, INDEX, 25_010_00, booked=False)
        (packet,) = await packets(stream)
    assert struct.unpack(">Ii", packet) == (index, 25_010_00)


@pytest.mark.parametrize("message", ["{", '{"a":"mode","v":["x",[1]]}', '{"a":"subscribe","v":["1"]}', "[]"])
async def test_nonsense_gets_an_error_message_and_the_stream_lives_on(desk: Desk, message: str) -> None:
    async with opened(desk) as stream:
        await stream.send(message)
        while isinstance(data := await stream.recv(), bytes):
            pass
        assert json.loads(data)["type"] == "error"
        await said(stream, a="subscribe", v=[desk.call.token])
        assert len((await packets(stream))[0]) == 44


async def test_more_than_three_thousand_instruments_are_refused_in_words(desk: Desk) -> None:
    async with opened(desk) as stream:
        await said(stream, a="subscribe", v=list(range(3001)))
        while isinstance(data := await stream.recv(), bytes):
            pass
        assert "3000" in json.loads(data)["data"]


async def test_orders_are_told_on_the_stream(desk: Desk) -> None:
    async with opened(desk) as stream:
        await until(lambda: desk.served.server.peers != set())
        order_id = await desk.place(tag="W1")
        while isinstance(data := await stream.recv(), bytes):
            pass
    message = json.loads(data)
    assert message["type"] == "order"
    row = message["data"]
    assert (row["order_id"], row["status"], row["unfilled_quantity"]) == (order_id, "COMPLETE", 0)
    assert "tags" not in row
