"""Quotes over real sockets: what is watched is asked for on every socket anew, and a feed that is down is filled in."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pytest

from optconsole.brokers.zerodha.instruments import KiteMaster
from optconsole.brokers.zerodha.subscriptions import Subscriptions
from optconsole.engine.clock import WallClock
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST
from tests.brokers.zerodha.loopback import Asked, Bench, bench, error, good
from tests.brokers.zerodha.samples import (
    CALL,
    CALL_TOKEN,
    DAY,
    FULL,
    INDEX,
    INDEX_TOKEN,
    LISTED_CALL,
    LISTED_INDEX,
    TOKEN_DEAD,
    option,
)
from tests.brokers.zerodha.test_frames import frame_of
from tests.brokers.zerodha.test_ticks import FULL_QUOTE


@dataclass
class Screen:
    """What a feed delivered."""

    desk: Bench
    quotes: list[Quote] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, quotes: Sequence[Quote]) -> None:
        self.quotes += quotes
        self._news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.quotes) < count:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def feeding(**changes: object) -> AsyncIterator[Screen]:
    async with bench(connected=False, **changes) as desk:
        screen = Screen(desk)
        desk.kite.answers["GET /quote"] = good({})
        await desk.gateway.feed.start(screen.take)
        yield screen


class SteppedClock(WallClock):
    """The machine's clock, ``ahead`` of it by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = 0.0
        start = datetime.now(IST)
        zero = time.monotonic()
        super().__init__(lambda: start + timedelta(seconds=self.monotonic() - zero), self._machine_time)

    def _machine_time(self) -> float:
        return time.monotonic() + self.ahead


def asked_for(desk: Bench) -> list[tuple[str, tuple[int, ...]]]:
    """(what, tokens) of each message, in order."""
    shown = []
    for message in desk.kite.told:
        what, value = str(message["a"]), message["v"]
        assert isinstance(value, list)
        tokens = value[1] if what == "mode" else value
        shown.append((f"{what} {value[0]}" if what == "mode" else what, tuple(tokens)))
    return shown


async def test_what_is_watched_is_asked_for_in_full_and_ticks_arrive() -> None:
    async with feeding() as screen:
        screen.desk.gateway.feed.watch([CALL.name, "NIFTY 01DEC26 1 CE"])
        await screen.desk.kite.until(lambda: len(screen.desk.kite.told) == 2)
        assert asked_for(screen.desk) == [("subscribe", (CALL_TOKEN,)), ("mode full", (CALL_TOKEN,))]
        await screen.desk.kite.say(b"\x00")
        await screen.desk.kite.say(FULL)
        await screen.until(1)
        assert screen.quotes == [FULL_QUOTE]
        assert screen.desk.gateway.feed.depth(CALL.name) is not None
        assert screen.desk.kite.addresses == ["/?api_key=demo_api_key&access_token=demo_access"]


async def test_after_a_loss_everything_is_asked_for_again_with_the_token_of_then() -> None:
    async with feeding() as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        feed.watch([CALL.name])
        await kite.until(lambda: len(kite.told) == 2)
        feed.watch([INDEX.name])
        await kite.until(lambda: len(kite.told) == 4)
        kite.told.clear()
        kite.tokens = {"renewed"}
        screen.desk.vault["access_token"] = "renewed"
        kite.drop()
        await kite.until(lambda: len(kite.told) == 2)
        assert asked_for(screen.desk) == [
            ("subscribe", (CALL_TOKEN, INDEX_TOKEN)),
            ("mode full", (CALL_TOKEN, INDEX_TOKEN)),
        ]
        assert kite.addresses[-1].endswith("access_token=renewed")


async def test_a_dead_token_is_tried_once_and_a_new_one_at_once() -> None:
    async with feeding() as screen:
        kite = screen.desk.kite
        await kite.until(lambda: len(kite.lines) == 1)
        kite.tokens = {"renewed"}
        kite.drop()
        await kite.until(lambda: len(kite.addresses) == 2)
        screen.desk.vault["access_token"] = "renewed"
        await kite.until(lambda: len(kite.addresses) == 3 and len(kite.lines) == 1)
        assert [address.rpartition("=")[2] for address in kite.addresses] == ["demo_access", "demo_access", "renewed"]


async def test_what_is_dropped_is_asked_for_no_more() -> None:
    async with feeding() as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        feed.watch([CALL.name, INDEX.name])
        await kite.until(lambda: len(kite.told) == 2)
        feed.drop([CALL.name])
        await kite.until(lambda: len(kite.told) == 3)
        assert asked_for(screen.desk)[-1] == ("unsubscribe", (CALL_TOKEN,))
        assert feed.vouched(CALL.name) is None


async def test_another_days_file_brings_its_own_tokens() -> None:
    async with feeding() as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        feed.watch([CALL.name])
        await kite.until(lambda: len(kite.told) == 2)
        moved = msgspec.structs.replace(LISTED_CALL, token=str(CALL_TOKEN + 256))
        feed.adopt(KiteMaster(DAY + timedelta(days=1), [moved]))
        await kite.until(lambda: len(kite.told) == 5)
        assert set(asked_for(screen.desk)[2:]) == {
            ("unsubscribe", (CALL_TOKEN,)),
            ("subscribe", (CALL_TOKEN + 256,)),
            ("mode full", (CALL_TOKEN + 256,)),
        }
        await kite.say(FULL)
        await kite.say(frame_of(struct.pack(">Ii", CALL_TOKEN + 256, 77_00)))
        await screen.until(1)
        assert [quote.ltp for quote in screen.quotes] == [77_00]
        assert screen.desk.notes.kinds == ["UNKNOWN_TOKEN"]
        assert [row.name for row in feed.instruments(DAY + timedelta(days=1))] == [CALL.name]
        assert feed.instruments(DAY) == []


async def test_more_than_a_socket_takes_goes_to_another_and_what_fits_nowhere_is_told() -> None:
    strikes = [
        msgspec.structs.replace(
            LISTED_CALL, instrument=option(20_000 + n), symbol=f"S{n}", token=str((n + 1) * 256 + 2)
        )
        for n in range(8)
    ]
    async with feeding(sockets=2, per_socket=3, per_message=2) as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        feed.adopt(KiteMaster(DAY, strikes))
        names = [row.instrument.name for row in strikes]
        feed.watch(names)
        await kite.until(lambda: len(kite.lines) == 2 and len(kite.told) == 8)
        tokens = [(n + 1) * 256 + 2 for n in range(8)]
        told = asked_for(screen.desk)
        assert {part for part in told if part[0] == "subscribe"} == {
            ("subscribe", tuple(tokens[0:2])),
            ("subscribe", (tokens[2],)),
            ("subscribe", tuple(tokens[3:5])),
            ("subscribe", (tokens[5],)),
        }
        assert screen.desk.notes.kinds == ["SUBSCRIPTIONS_FULL"]
        feed.drop(names[:1])
        await kite.until(lambda: len(kite.told) == 11)
        assert set(asked_for(screen.desk)[8:]) >= {("unsubscribe", (tokens[0],)), ("subscribe", (tokens[6],))}


# ---------------------------------------------------------------- while the stream is down


def quote_row(token: int = CALL_TOKEN, last: float = 123.45, **more: object) -> dict[str, object]:
    return {
        "instrument_token": token,
        "timestamp": "2026-11-24 14:00:00",
        "last_price": last,
        "volume": 1950000,
        "oi": 3449550,
        "lower_circuit_limit": 0.05,
        "upper_circuit_limit": 900,
        "ohlc": {"open": 118, "high": 127, "low": 116.5, "close": 120.1},
        "depth": {
            "buy": [{"price": 123.4, "quantity": 650, "orders": 5}],
            "sell": [{"price": 123.5, "quantity": 390, "orders": 4}],
        },
        **more,
    }


CALL_KEY, INDEX_KEY = f"NFO:{LISTED_CALL.symbol}", "NSE:NIFTY 50"


async def test_quotes_are_asked_for_while_the_stream_is_down_and_only_then() -> None:
    async with feeding() as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        kite.tokens = set()
        await kite.until(lambda: len(kite.addresses) == 1)
        kite.drop()
        kite.answers["GET /quote"] = good({CALL_KEY: quote_row()})
        feed.watch([CALL.name])
        await screen.until(1)
        assert screen.quotes[0] == FULL_QUOTE
        assert kite.calls("GET", "/quote")[-1].query == {"i": [CALL_KEY]}
        vouched = feed.vouched(CALL.name)
        assert vouched is not None
        assert feed.silent_for() is None


async def test_a_login_that_is_gone_is_not_asked_again_and_again() -> None:
    refused = 0

    def gone(_asked: Asked) -> tuple[int, bytes]:
        nonlocal refused
        refused += 1
        return 403, TOKEN_DEAD

    async with feeding(probe_every=0.01) as screen:
        kite = screen.desk.kite
        kite.tokens, kite.answers["GET /quote"] = set(), gone
        kite.drop()
        screen.desk.gateway.feed.watch([CALL.name])
        await kite.until(lambda: refused == 1)
        screen.desk.vault["access_token"] = "renewed"
        kite.answers["GET /quote"] = good({CALL_KEY: quote_row()})
        await screen.until(1)
        assert refused == 1


async def test_a_stream_that_heartbeats_and_tells_nothing_of_a_market_that_moves_is_opened_anew() -> None:
    """MD-5: the reply to a question is the proof, since a quiet market is as silent."""
    async with feeding(silence=0.4, probe_every=0.05) as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        kite.answers["GET /quote"] = good({CALL_KEY: quote_row()})
        feed.watch([CALL.name])
        await kite.until(lambda: len(kite.told) == 2)
        await kite.say(FULL)
        await screen.until(1)
        beats = asyncio.create_task(beating(screen))
        await kite.until(lambda: len(kite.calls("GET", "/quote")) == 1)
        assert len(kite.addresses) == 1
        kite.answers["GET /quote"] = good({CALL_KEY: quote_row(last=130.0, volume=1950065)})
        await kite.until(lambda: len(kite.told) == 4)
        beats.cancel()
        assert "MUTE_STREAM" in screen.desk.notes.kinds
        assert screen.quotes[-1].ltp == 130_00
        assert len(kite.addresses) == 2


async def beating(screen: Screen) -> None:
    """Nothing but heartbeats, as fast as Kite's clients would notice their absence."""
    while True:
        await asyncio.sleep(0.05)
        await screen.desk.kite.say(b"\x00")


async def test_a_contract_of_which_nothing_came_is_asked_for_and_subscribed_again() -> None:
    async with feeding(silence=0.3, probe_every=0.05) as screen:
        feed, kite = screen.desk.gateway.feed, screen.desk.kite
        kite.answers["GET /quote"] = good({CALL_KEY: quote_row()})
        feed.watch([CALL.name])
        await kite.until(lambda: len(kite.told) == 2)
        beats = asyncio.create_task(beating(screen))
        await kite.until(lambda: len(kite.told) == 4)
        beats.cancel()
        assert asked_for(screen.desk)[2:] == [("subscribe", (CALL_TOKEN,)), ("mode full", (CALL_TOKEN,))]
        assert screen.quotes == [FULL_QUOTE]
        assert len(kite.addresses) == 1


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ({CALL_KEY: quote_row(INDEX_TOKEN)}, "WRONG_INSTRUMENT"),
        ({INDEX_KEY: quote_row(INDEX_TOKEN)}, "WRONG_INSTRUMENT"),
        ({CALL_KEY: quote_row(last=905.0)}, "BAD_TICK"),
        ({CALL_KEY: quote_row(last=-1)}, "BAD_TICK"),
        ({CALL_KEY: quote_row(timestamp="noon")}, "BAD_TICK"),
        ({}, None),
    ],
)
async def test_a_quote_of_something_else_or_out_of_its_band_is_laid_aside(
    rows: dict[str, object], kind: str | None
) -> None:
    async with bench(connected=False) as desk:
        desk.kite.answers["GET /quote"] = good(rows)
        assert await desk.gateway.broker.market.quotes([LISTED_CALL]) == []
        assert desk.notes.kinds == ([] if kind is None else [kind])


async def test_an_index_has_a_price_and_no_book() -> None:
    row = {"instrument_token": INDEX_TOKEN, "last_price": 25012.35, "ohlc": {"close": 24987.6}}
    async with bench(connected=False) as desk:
        desk.kite.answers["GET /quote"] = good({INDEX_KEY: row})
        (quote,) = await desk.gateway.broker.market.quotes([LISTED_INDEX])
        assert (quote.name, quote.ltp, quote.prev_close, quote.booked) == ("NIFTY", 25_012_35, 24_987_60, False)


async def test_a_heartbeat_vouches_for_what_has_ticked_since_the_socket_was_opened() -> None:
    async with feeding(clock=SteppedClock()) as screen:
        feed, kite, clock = screen.desk.gateway.feed, screen.desk.kite, screen.desk.clock
        assert isinstance(clock, SteppedClock)
        feed.watch([CALL.name, INDEX.name])
        await kite.until(lambda: len(kite.told) == 2)
        await kite.say(FULL)
        await screen.until(1)
        ticked = feed.vouched(CALL.name)
        assert ticked is not None
        clock.ahead += 4.0
        await kite.say(b"\x00")
        await kite.say(frame_of(struct.pack(">Ii", INDEX_TOKEN, 25_000_00)))
        await screen.until(2)
        vouched = feed.vouched(CALL.name)
        assert vouched is not None
        assert vouched - ticked >= 4_000
        clock.ahead += 3.0
        silent = feed.vouched(CALL.name)
        assert silent is not None
        assert silent - vouched < 1_000
        assert feed.vouched("NIFTY 01DEC26 1 CE") is None


async def test_candles_are_asked_in_the_pieces_that_kite_allows() -> None:
    bar = ["2026-11-24T09:15:00+0530", 118, 127.5, 116.5, 120.1, 1950, 34]
    async with bench(connected=False) as desk:
        path = f"/instruments/historical/{CALL_TOKEN}/day"
        desk.kite.answers[f"GET {path}"] = good({"candles": [bar]})
        end = desk.clock.now()
        read = await desk.gateway.broker.market.candles(LISTED_CALL, "day", end - timedelta(days=3000), end, oi=True)
        assert len(read) == len(desk.kite.calls("GET", path)) == 2
        assert (read[0].open, read[0].high, read[0].close, read[0].volume, read[0].oi) == (
            11800,
            12750,
            12010,
            1950,
            34,
        )
        assert desk.kite.calls("GET", path)[0].query["oi"] == ["1"]
        desk.kite.answers[f"GET {path}"] = error(400, "InputException", "Too many days")
        with pytest.raises(Exception, match="Too many days"):
            await desk.gateway.broker.market.candles(LISTED_CALL, "day", end, end)
        with pytest.raises(Exception, match="BAD_INTERVAL"):
            await desk.gateway.broker.market.candles(LISTED_CALL, "2minute", end, end)


def test_the_sockets_carry_what_is_wanted_and_no_more_than_they_can() -> None:
    wanted = Subscriptions(2, 2)
    wanted.add(range(6))
    assert [wanted.on(0), wanted.on(1), list(wanted.waiting)] == [[0, 1], [2, 3], [4, 5]]
    wanted.drop([1, 5])
    assert [wanted.on(0), wanted.on(1), list(wanted.waiting)] == [[0, 4], [2, 3], []]
    wanted.only([3, 9])
    assert [wanted.on(0), wanted.on(1)] == [[9], [3]]
    assert (wanted.slot_of(9), wanted.slot_of(0)) == (0, None)
