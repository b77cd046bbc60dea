"""The WebSocket: login within it, snapshots then changes, one socket for a token, and its bad habits."""

from __future__ import annotations

import json
import random

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK, InvalidStatus

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from optconsole.engine.model.quotes import Depth, Quote
from tests.brokers.paper.stage import CALL, INDEX, LISTED
from tests.brokers.rehearsal.noren.stage import Ears, Noren, ears
from tests.brokers.rehearsal.stage import quoted


def key(noren: Noren, name: str = CALL.name) -> str:
    symbol = noren.dialect.desk.symbols.of(name)
    assert symbol is not None
    return symbol.key


async def test_a_refused_login_is_told_and_the_socket_stays_open(noren: Noren) -> None:
    stream = await ears(noren, login=False)
    assert (await stream.connect("acc-wrong"))["s"].upper() == "NOT_OK"
    await stream.say(t="t", k="NSE|26000")
    assert await stream.quiet() == []
    assert (await stream.connect(noren.token))["s"] == "OK"
    await stream.socket.close()


async def test_the_protocol_before_oauth_is_refused(noren: Noren) -> None:
    stream = await ears(noren, login=False)
    await stream.say(t="c", uid="FA1234", susertoken=noren.token)
    assert await stream.next() == {"t": "ck", "s": "NOT_OK"}
    await stream.socket.close()


async def test_a_snapshot_names_the_contract_and_an_update_only_what_changed(
    noren: Noren, stream: Ears, market: Market
) -> None:
    await stream.say(t="t", k=f"{key(noren)}#NSE|26000")
    first, index = await stream.next(), await stream.next()
    assert (first["t"], first["ts"], first["lp"], first["c"]) == ("tk", "NIFTY23NOV26C25000", "100.00", "95.00")
    assert (first["bp1"], first["sp1"], first["pc"], first["ls"], first["ti"]) == (
        "99.95",
        "100.05",
        "5.26",
        "65",
        "0.05",
    )
    assert (index["e"], index["tk"], index["lp"]) == ("NSE", "26000", "25000.00")
    assert "bp1" not in index
    exch, token = key(noren).split("|")
    await noren.served.market.advance(1)
    quote = market.quote(CALL.name)
    assert quote is not None
    market.show(Quote(CALL.name, market.stamp(), 99_95, 585, 100_05, quote.ask_qty, 100_00, prev_close=95_00))
    update = await stream.next()
    assert update == {"t": "tf", "e": exch, "tk": token, "bq1": "585", "ft": update["ft"]}


async def test_nothing_new_is_not_told(noren: Noren, stream: Ears, market: Market) -> None:
    await stream.say(t="t", k=key(noren))
    await stream.next()
    await market.advance(5)
    quoted(market, CALL, 100_00)
    assert await stream.quiet() == []


async def test_depth_has_five_levels_and_is_a_stream_of_its_own(noren: Noren, stream: Ears, market: Market) -> None:
    bids = tuple((99_95 - 5 * rank, 65) for rank in range(5))
    quote = Quote(CALL.name, market.stamp(), 99_95, 65, 100_05, 130, 100_00, prev_close=95_00)
    market.show(quote, Depth(CALL.name, quote.ts, bids, ((100_05, 130),)))
    await stream.say(t="d", k=key(noren))
    snapshot = await stream.next()
    assert snapshot["t"] == "dk"
    assert [snapshot[f"bp{rank}"] for rank in range(1, 6)] == ["99.95", "99.90", "99.85", "99.80", "99.75"]
    assert (snapshot["sp2"], snapshot["sq2"], snapshot["so2"]) == ("0.00", "0", "0")
    assert (snapshot["tbq"], snapshot["tsq"]) == ("325", "130")
    await stream.say(t="t", k=key(noren))
    assert (await stream.next())["t"] == "tk"
    quoted(market, CALL, 101_00)
    assert {(await stream.next())["t"], (await stream.next())["t"]} == {"tf", "df"}


async def test_unsubscribing_echoes_the_keys_and_ends_the_stream_of_that_kind(
    noren: Noren, stream: Ears, market: Market
) -> None:
    await stream.say(t="t", k=key(noren))
    await stream.say(t="d", k=key(noren))
    await stream.say(t="u", k=key(noren))
    assert (await stream.until(t="uk"))["k"] == key(noren)
    quoted(market, CALL, 101_00)
    assert [frame["t"] for frame in await stream.quiet()] == ["df"]


async def test_a_second_socket_closes_the_first_with_1000(noren: Noren, stream: Ears) -> None:
    second = await ears(noren)
    with pytest.raises(ConnectionClosedOK) as closed:
        await stream.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000
    await second.socket.close()


async def test_scrips_beyond_the_ceiling_are_dropped_without_a_word(noren: Noren, stream: Ears) -> None:
    noren.dialect.hazards = Hazards(most_scrips=2)
    await stream.say(t="t", k="#".join(key(noren, item.name) for item in LISTED))
    assert len(await stream.quiet()) == 2
    noren.dialect.hazards = Hazards(most_scrips=None)
    await stream.say(t="t", k="#".join(key(noren, item.name) for item in LISTED))
    assert len(await stream.quiet()) == len(LISTED)


async def test_an_unknown_scrip_is_not_acknowledged(stream: Ears) -> None:
    await stream.say(t="t", k="NFO|1#rubbish#")
    assert await stream.quiet() == []


async def test_a_mute_socket_takes_yesterday_s_token_and_says_nothing(noren: Noren, market: Market) -> None:
    noren.dialect.hazards = Hazards(mute=True)
    await market.advance(20 * 3600)
    stream = await ears(noren)
    await stream.say(t="t", k="NSE|26000")
    assert (await stream.next())["t"] == "tk"
    quoted(market, INDEX, 25_100_00, booked=False)
    assert await stream.quiet() == []
    await stream.socket.close()


async def test_prices_may_be_not_available_and_come_with_the_next_change(
    noren: Noren, stream: Ears, market: Market
) -> None:
    noren.dialect.hazards = Hazards(not_available=1)
    await stream.say(t="t", k=key(noren))
    await stream.next()
    quoted(market, CALL, 101_00)
    assert (await stream.next())["lp"] == "NA"
    noren.dialect.hazards = Hazards()
    await market.advance(1)
    quoted(market, CALL, 101_05)
    assert (await stream.next())["lp"] == "101.05"


async def test_acknowledgements_vary_in_spelling(noren: Noren) -> None:
    noren.dialect.hazards = Hazards(casing=True, one_socket=False)
    spelt = set()
    for _ in range(3):
        stream = await ears(noren, login=False)
        spelt.add((await stream.connect(noren.token))["s"])
        await stream.socket.close()
    assert spelt == {"OK", "Ok", "ok"}


async def test_heartbeats_may_go_unanswered(noren: Noren, stream: Ears) -> None:
    noren.dialect.hazards = Hazards(heartbeats=False)
    await stream.say(t="h")
    await stream.say(t="o", actid="FA1234")
    assert (await stream.next())["t"] == "ok"


async def test_rubbish_is_dropped_and_the_socket_lives(noren: Noren, stream: Ears) -> None:
    for junk in ("{", "[]", "1", '{"t":1}', '{"t":"t","k":7}'):
        await stream.socket.send(junk)
    assert await stream.quiet() == []


async def test_updates_of_orders_come_only_to_who_asked(noren: Noren, stream: Ears) -> None:
    await noren.until(await noren.place(), "OPEN")
    assert await stream.quiet() == []
    await stream.say(t="o", actid="FA1234")
    await noren.until(await noren.place(remarks="T2"), "OPEN")
    assert {frame["remarks"] for frame in await stream.quiet() if frame["t"] == "om"} == {"T2"}


async def test_positions_are_told_with_a_fill(noren: Noren, stream: Ears) -> None:
    await stream.say(t="p", actid="FA1234")
    assert (await stream.next())["t"] == "pk"
    await noren.place(prc="101.00")
    told = await stream.until(t="pm")
    assert (told["tsym"], told["netqty"]) == ("NIFTY23NOV26C25000", "65")


async def test_another_path_has_no_stream(noren: Noren) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{noren.served.ws_url}/NorenWSTP/")
    assert refused.value.response.status_code == 502


async def test_frames_are_text_whose_values_are_text(noren: Noren, stream: Ears) -> None:
    await stream.socket.send(json.dumps({"t": "d", "k": key(noren)}))
    raw = await stream.socket.recv()
    assert isinstance(raw, str)
    assert all(isinstance(value, str) for value in json.loads(raw).values())


async def test_updates_laid_over_the_snapshot_are_the_book_that_a_new_snapshot_shows(
    noren: Noren, stream: Ears, market: Market
) -> None:
    draw = random.Random("overlay")
    await stream.say(t="d", k=key(noren))
    view = dict(await stream.next())
    for step in range(120):
        price = 100_00 + 5 * draw.randrange(-60, 60)
        bids = tuple((price - 5 * rank, 65 * draw.randrange(1, 9)) for rank in range(1, draw.randrange(1, 6)))
        asks = tuple((price + 5 * rank, 65 * draw.randrange(1, 9)) for rank in range(1, draw.randrange(1, 6)))
        bid, ask = (bids or ((None, 0),))[0], (asks or ((None, 0),))[0]
        quote = Quote(CALL.name, market.stamp(), *bid, *ask, price, 65 * step, 65 * draw.randrange(9), 0, 95_00)
        market.show(quote, Depth(CALL.name, quote.ts, bids, asks))
    for frame in await stream.quiet():
        assert frame["t"] == "df"
        view |= frame
    await stream.say(t="d", k=key(noren))
    fresh = await stream.next()
    volatile = {"t", "ft", "ltt"}
    assert {name: text for name, text in view.items() if name not in volatile} == {
        name: text for name, text in fresh.items() if name not in volatile
    }


async def test_what_happens_while_a_socket_is_being_closed_is_not_told_to_it(
    noren: Noren, stream: Ears, market: Market
) -> None:
    await stream.say(t="t", k=key(noren))
    await stream.next()
    await noren.dialect.streams.end_all()
    quoted(market, CALL, 104_00)  # before the client can have said good-bye
    with pytest.raises(ConnectionClosedOK):
        await stream.next()
