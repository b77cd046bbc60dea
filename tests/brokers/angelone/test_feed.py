"""Quotes over real sockets: whole, sane, asked for again, and by REST where no socket carries them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from optconsole.brokers.rehearsal.wire import as_json, plain
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from optconsole.engine.model.vitals import LinkState
from tests.brokers.angelone.peer import MASTER, QUOTE, TICKS, Desk, desk, success
from tests.brokers.angelone.stage import CALL, NOW, SCRIPS, scrip
from tests.brokers.angelone.test_frames import AT, LTP_PACKET, SNAP_PACKET

PUT = "NIFTY 24NOV26 25000 PE"


def snap(token: str = "58662", segment: int = 2, ltp: int = 123_45, at: int = AT) -> bytes:
    head = struct.pack("<BB25sqqq", 3, segment, token.encode(), 1, at, ltp)
    return head + SNAP_PACKET[51:]


def index(ltp: int) -> bytes:
    return struct.pack("<BB25sqqq", 2, 1, b"99926000", 1, AT, ltp) + bytes(72)


class Seen:
    """Quotes as the sink got them."""

    def __init__(self, it: Desk) -> None:
        self.quotes: list[Quote] = []
        self._it = it

    def __call__(self, quotes: Sequence[Quote]) -> None:
        self.quotes.extend(quotes)
        self._it.bench.wake()


async def started(it: Desk, *names: str) -> Seen:
    seen = Seen(it)
    it.feed.watch(names)
    await it.feed.start(seen)
    await it.bench.until(lambda: bool(it.bench.said))
    return seen


def asked(it: Desk) -> list[tuple[int, int, dict[int, list[str]]]]:
    """(action, mode, tokens by segment) of each request on the stream."""
    return [
        (
            each["action"],
            each["params"]["mode"],
            {group["exchangeType"]: group["tokens"] for group in each["params"]["tokenList"]},
        )
        for each in it.bench.said
    ]


def row(**other: Any) -> dict[str, Any]:
    return {
        "exchange": "NFO",
        "tradingSymbol": "NIFTY24NOV2625000CE",
        "symbolToken": "58662",
        "ltp": 125.5,
        "close": 120.1,
        "exchFeedTime": "24-Nov-2026 10:15:03",
        "tradeVolume": 2_000_000,
        "opnInterest": 3_449_550,
        "lowerCircuit": 0.05,
        "upperCircuit": 245,
        "depth": {"buy": [{"price": 125.4, "quantity": 65, "orders": 1}], "sell": []},
    } | other


def fetched(*rows: dict[str, Any]) -> Any:
    return success({"fetched": list(rows), "unfetched": []})


async def test_a_contract_is_subscribed_with_its_book_and_an_index_without() -> None:
    async with desk(connected=False) as it:
        await started(it, CALL, PUT, "NIFTY", "SENSEX 26NOV26 80000 CE")
        await it.bench.until(lambda: len(it.bench.said) == 2)
        assert sorted(asked(it), key=str) == [
            (1, 2, {1: ["99926000"]}),
            (1, 3, {2: ["58662", "58663"], 4: ["58662"]}),
        ]
        shake = it.bench.handshakes[0].headers
        assert (shake["authorization"], shake["x-api-key"], shake["x-client-code"], shake["x-feed-token"]) == (
            "Bearer J.W.T",
            "demo_key",
            "A1",
            "F.T",
        )


async def test_a_packet_is_a_quote_with_a_book_behind_it() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL)
        it.bench.push(TICKS, SNAP_PACKET)
        await it.bench.until(lambda: bool(seen.quotes))
        assert seen.quotes == [
            Quote(
                name=CALL,
                ts=AT,
                bid=123_40,
                bid_qty=650,
                ask=123_50,
                ask_qty=390,
                ltp=123_45,
                volume=1_950_000,
                oi=3_449_550,
                prev_close=120_10,
            )
        ]
        book = it.feed.depth(CALL)
        assert book is not None
        assert (len(book.bids), len(book.asks)) == (5, 5)
        assert it.feed.depth(PUT) is None


async def test_equal_tokens_of_two_segments_are_two_contracts() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL, "SENSEX 26NOV26 80000 CE")
        it.bench.push(TICKS, snap(segment=4, ltp=200_00), snap(segment=2))
        await it.bench.until(lambda: len(seen.quotes) == 2)
        assert [(quote.name, quote.ltp) for quote in seen.quotes] == [
            ("SENSEX 26NOV26 80000 CE", 200_00),
            (CALL, 123_45),
        ]


async def test_garbage_is_counted_and_the_stream_goes_on() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL)
        it.bench.push(TICKS, b"", b"\x03garbage", SNAP_PACKET[:-1], snap(at=-1), "pong", "{nonsense", SNAP_PACKET)
        await it.bench.until(lambda: bool(seen.quotes))
        assert it.notes.kinds() == ["BAD_FRAME"] * 4 + ["STREAM_ERROR"]
        assert it.feed.state is LinkState.LIVE


async def test_a_price_outside_the_band_and_the_index_on_an_option_are_not_passed_on() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, "NIFTY", CALL)
        it.bench.push(TICKS, index(200_00), snap(ltp=200_00), snap(ltp=246_00), snap(ltp=-5), LTP_PACKET)
        await it.bench.until(lambda: len(seen.quotes) == 2)
        assert [(quote.name, quote.ltp) for quote in seen.quotes] == [("NIFTY", 200_00), (CALL, 123_45)]
        assert it.notes.kinds() == ["SPOT_AS_OPTION", "OUTSIDE_BAND", "BAD_PRICE"]


async def test_the_band_of_the_book_judges_the_packets_that_carry_none() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL)
        wild = LTP_PACKET[:43] + struct.pack("<q", 12_345_00)
        it.bench.push(TICKS, snap(), wild, snap(ltp=124_00))
        await it.bench.until(lambda: len(seen.quotes) == 2)
        assert it.notes.kinds() == ["OUTSIDE_BAND"]


async def test_after_a_drop_everything_wanted_is_asked_for_again_with_the_token_of_that_moment() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL, PUT)
        it.feed.drop([PUT])
        await it.bench.until(lambda: len(it.bench.said) == 2)
        it.credentials.held["access_token"] = "NEW"
        it.bench.said.clear()
        it.bench.sockets[TICKS][0].abort()
        await it.bench.until(lambda: bool(it.bench.said))
        assert asked(it) == [(1, 3, {2: ["58662"]})]
        assert it.bench.handshakes[-1].headers["authorization"] == "Bearer NEW"
        it.bench.push(TICKS, SNAP_PACKET)
        await it.bench.until(lambda: bool(seen.quotes))


async def test_dropping_unsubscribes_and_late_packets_are_no_quotes() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL, PUT)
        it.feed.drop([CALL])
        await it.bench.until(lambda: len(it.bench.said) == 2)
        assert asked(it)[-1] == (0, 3, {2: ["58662"]})
        it.bench.push(TICKS, SNAP_PACKET, snap("58663"))
        await it.bench.until(lambda: bool(seen.quotes))
        assert [quote.name for quote in seen.quotes] == [PUT]
        assert (it.feed.strays, it.feed.vouched(CALL)) == (1, None)


async def test_a_socket_that_falls_silent_is_left_for_a_new_one() -> None:
    async with desk(connected=False, silence=0.6, ping_every=0.2) as it:
        await started(it, CALL)
        it.bench.pong = False
        it.bench.said.clear()
        await it.bench.until(lambda: bool(it.bench.said))
        assert len(it.bench.handshakes) == 2


async def test_a_refused_stream_is_not_tried_again_with_the_same_token() -> None:
    async with desk(connected=False) as it:
        it.bench.refuse[TICKS] = plain("", 401)
        it.feed.watch([CALL])
        await it.feed.start(Seen(it))
        await it.bench.until(lambda: it.bench.count(QUOTE) == 1)
        assert (it.feed.state, len(it.bench.handshakes)) == (LinkState.DEAD, 1)
        del it.bench.refuse[TICKS]
        it.credentials.held["access_token"] = "NEW"
        await it.bench.until(lambda: bool(it.bench.said))
        assert len(it.bench.handshakes) == 2


async def test_contracts_spread_over_sockets_and_what_is_beyond_them_is_asked_for_by_rest() -> None:
    async with desk(connected=False, tokens_a_socket=1, sockets=2) as it:
        it.bench.tell(QUOTE, fetched(row(symbolToken="51111", tradingSymbol="NIFTY24NOV26FUT", upperCircuit=0)))
        seen = await started(it, CALL, PUT, "NIFTY 24NOV26 FUT")
        await it.bench.until(lambda: len(it.bench.said) == 2)
        assert len(it.bench.sockets[TICKS]) == 2
        await it.bench.until(lambda: bool(seen.quotes))
        assert it.bench.bodies(QUOTE)[0] == {"mode": "FULL", "exchangeTokens": {"NFO": ["51111"]}}
        assert [quote.name for quote in seen.quotes] == ["NIFTY 24NOV26 FUT"]
        assert it.notes.kinds() == ["SUBSCRIPTION_CAP"]
        it.feed.drop([CALL])
        await it.bench.until(lambda: len(it.bench.said) == 4)
        assert (1, 3, {2: ["51111"]}) in asked(it)


async def test_while_the_stream_is_down_rest_is_asked_for_fifty_at_a_time() -> None:
    rows = [
        *SCRIPS,
        *(
            scrip(str(80_000 + n), f"NIFTY24NOV26{26_000 + n}CE", "NIFTY", strike=f"{2_600_000 + n * 100}")
            for n in range(60)
        ),
    ]
    async with desk(connected=False) as it:
        it.bench.tell(MASTER, as_json(rows))
        # the only contracts this account ever had are fewer: start as on a first morning
        it.gateway._master = None
        master = await it.gateway.load_master(NOW.date())
        it.bench.refuse[TICKS] = plain("busy", 429)
        it.bench.tell(QUOTE, fetched(row()))
        seen = Seen(it)
        it.feed.watch([CALL, *(each.instrument.name for each in master.rows() if each.token.startswith("80"))])
        await it.feed.start(seen)
        await it.bench.until(lambda: it.bench.count(QUOTE) == 2)
        first, second = (body["exchangeTokens"]["NFO"] for body in it.bench.bodies(QUOTE))
        assert len(first) == 50
        assert len({*first, *second}) == 61
        (quote, *_) = seen.quotes
        assert (quote.name, quote.ltp, quote.bid, quote.ask, quote.volume) == (CALL, 125_50, 125_40, None, 2_000_000)
        book = it.feed.depth(CALL)
        assert book is not None
        assert (book.bids, book.asks) == (((125_40, 65),), ())


async def test_a_quote_of_another_contract_than_was_asked_for_is_evidence_and_no_quote() -> None:
    async with desk(connected=False) as it:
        it.bench.refuse[TICKS] = plain("busy", 429)
        wrong = (
            row(symbolToken="58663"),
            row(exchange="BFO"),
            row(tradingSymbol="NIFTY24NOV2625000PE"),
            row(ltp=999),
            row(ltp="?"),
            "nothing",
        )
        it.bench.tell(QUOTE, fetched(*wrong, row()))  # type: ignore[arg-type]
        seen = Seen(it)
        it.feed.watch([CALL])
        await it.feed.start(seen)
        await it.bench.until(lambda: bool(seen.quotes))
        assert [quote.ltp for quote in seen.quotes] == [125_50]
        assert sorted(it.notes.kinds()) == ["BAD_ROW"] * 2 + ["OUTSIDE_BAND"] + ["WRONG_INSTRUMENT"] * 3


async def test_what_was_watched_before_the_contracts_were_known_is_watched_once_they_are() -> None:
    async with desk(connected=False) as it:
        await started(it, CALL, "NIFTY 01JAN27 1 CE")
        it.bench.said.clear()
        it.feed.adopt(await it.gateway.load_master(NOW.date()))
        assert it.feed.vouched("NIFTY 01JAN27 1 CE") is None
        assert "NOT_LISTED" in it.notes.kinds()
        assert it.feed.instruments(NOW.date())


async def test_a_contract_is_vouched_for_while_the_stream_tells_of_others() -> None:
    async with desk(connected=False) as it:
        seen = await started(it, CALL, PUT)
        assert it.feed.vouched(CALL) is None
        it.bench.push(TICKS, SNAP_PACKET)
        await it.bench.until(lambda: len(seen.quotes) == 1)
        first = it.feed.vouched(CALL)
        assert first is not None
        assert abs(first - millis(it.clock.now())) < 5_000
        await it.clock.sleep(0.02)
        it.bench.push(TICKS, snap("58663"))
        await it.bench.until(lambda: len(seen.quotes) == 2)
        later = it.feed.vouched(CALL)
        assert later is not None
        assert later > first
        assert it.feed.silent_for() is not None


async def test_a_stream_that_is_stuck_while_it_answers_is_found_by_rest_and_opened_anew() -> None:
    async with desk(connected=False, silence=1.0, ping_every=0.2) as it:
        it.bench.tell(QUOTE, fetched(row(exchFeedTime="24-Nov-2026 14:00:30")))
        seen = await started(it, CALL)
        it.bench.push(TICKS, SNAP_PACKET)
        await it.bench.until(lambda: len(seen.quotes) == 1)
        await it.bench.until(lambda: len(it.bench.handshakes) == 2)
        assert [quote.ltp for quote in seen.quotes] == [123_45, 125_50]
