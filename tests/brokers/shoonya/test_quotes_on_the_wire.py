"""Quotes over a real socket: logging in, subscribing, and what is done when the other side goes quiet or lies."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import BrokerUnreachable
from tests.brokers.shoonya.loopback import Bench, Shoonya, bench, shoonya
from tests.brokers.shoonya.stage import CALL, PUT, master

TICK = {"t": "tf", "e": "NFO", "tk": "58662"}


class Board:
    def __init__(self) -> None:
        self.seen: list[Quote] = []

    def take(self, quotes: Sequence[Quote]) -> None:
        self.seen += quotes

    def last(self, name: str) -> Quote | None:
        return next((quote for quote in reversed(self.seen) if quote.name == name), None)


def reply(token: str = "58662", symbol: str = "NIFTY24NOV26C25000", price: str = "123.45") -> bytes:
    return json.dumps({"stat": "Ok", "exch": "NFO", "token": token, "tsym": symbol, "lp": price}).encode()


async def opened_feed(opened: Bench, *names: str) -> Board:
    board = Board()
    opened.gateway.feed.watch(names)
    await opened.gateway.feed.start(board.take)
    return board


async def test_the_stream_logs_in_with_the_token_and_orders_and_quotes_share_it() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL, "SENSEX")
        await opened.gateway.broker.connect(lambda _update: None)
        await house.until(lambda: board.last(CALL) is not None and board.last("SENSEX") is not None)
        login, orders = house.frames[:2]
        assert login == {"t": "a", "uid": "FA1234", "actid": "FA1234", "source": "API", "accesstoken": "acc-demo"}
        assert orders == {"t": "o", "actid": "FA1234"}
        assert house.sent("t") == [{"t": "t", "k": "NFO|58662#BSE|1"}]
        assert len(house.sockets) == 1
        quote = board.last(CALL)
        assert quote is not None
        assert (quote.ltp, quote.bid, quote.bid_qty, quote.booked) == (100_00, 99_95, 65, True)
        assert opened.gateway.broker.vitals().quotes is LinkState.LIVE


@pytest.mark.parametrize(("kind", "word"), [("ak", "Ok"), ("ck", "OK"), ("ak", "ok")])
async def test_the_acknowledgement_of_the_login_comes_in_many_spellings(kind: str, word: str) -> None:
    async with shoonya() as house, bench(house) as opened:
        house.ack_kind, house.ack = kind, word
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)


@pytest.mark.parametrize("word", ["NOT_OK", "Not_Ok"])
async def test_a_refused_login_is_not_asked_again_until_there_is_another_token(word: str) -> None:
    async with shoonya() as house, bench(house) as opened:
        house.ack = word
        board = await opened_feed(opened, CALL)
        assert opened.gateway.broker.vitals().quotes is LinkState.CLOSED
        assert len(house.sent("a")) == 1
        assert house.sent("t") == []
        house.ack, opened.keys.held["access_token"] = "OK", "acc-new"
        await house.until(lambda: board.last(CALL) is not None)
        assert [frame["accesstoken"] for frame in house.sent("a")] == ["acc-demo", "acc-new"]


async def test_a_new_token_is_used_without_a_restart() -> None:
    async with shoonya() as house, bench(house) as opened:
        await opened_feed(opened, CALL)
        opened.keys.held["access_token"] = "acc-new"
        await house.until(lambda: len(house.sent("t")) == 2)
        assert house.sent("a")[-1]["accesstoken"] == "acc-new"


async def test_an_update_changes_what_it_carries_and_nothing_else() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        await house.push(**TICK, bq1="130", lp="NA")
        await house.until(lambda: len(board.seen) == 2)
        quote = board.last(CALL)
        assert quote is not None
        assert (quote.ltp, quote.bid_qty) == (100_00, 130)
        assert opened.gateway.feed.vouched(CALL) is not None
        assert opened.gateway.feed.vouched(PUT) is None


async def test_after_a_reconnection_everything_is_subscribed_again_and_seeded_anew() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL, PUT)
        await house.until(lambda: len(board.seen) == 2)
        await house.push(**TICK, lp="101.00")
        await house.sockets[-1].close()
        await house.until(lambda: len(house.sent("t")) == 2)
        await house.until(lambda: len(board.seen) >= 5)
        assert house.sent("t")[0]["k"] == house.sent("t")[1]["k"]
        assert house.sent("o") == [{"t": "o", "actid": "FA1234"}] * 2
        quote = board.last(CALL)
        assert quote is not None
        assert quote.ltp == 100_00


async def test_a_tick_that_is_another_contracts_price_is_kept_out_and_laid_down() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, "NIFTY")
        await house.until(lambda: len(board.seen) == 1)
        await house.push(t="tf", e="NSE", tk="26000", lp="25010.00")
        opened.gateway.feed.watch([CALL])
        await house.until(lambda: len(board.seen) == 3)
        await house.push(**TICK, lp="25010.00")
        await house.push(**TICK, lp="101.00")
        await house.until(lambda: (found := board.last(CALL)) is not None and found.ltp == 101_00)
        assert [quote.ltp for quote in board.seen if quote.name == CALL] == [100_00, 101_00]
        assert opened.desk.kinds() == ["BAD_TICK"]


async def test_frames_that_are_none_are_laid_down_and_the_stream_lives_on() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        for junk in ("{", "[]", '{"t":7}', b"\xff\x00", '{"t":"om"}', '{"t":"zz"}', '{"t":"tf"}', '{"t":"tf","e":1}'):
            await house.sockets[-1].send(junk)
        await house.push(**TICK, lp="101.00")
        await house.until(lambda: len(board.seen) == 2)
        assert len(house.sockets) == 1
        assert opened.desk.kinds().count("BAD_FRAME") == 4


async def test_a_token_that_names_another_contract_today_is_not_taken() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        await house.push(**{**TICK, "t": "tk"}, ts="BANKNIFTY24NOV26C58000", lp="700.00")
        await house.until(lambda: "WRONG_INSTRUMENT" in opened.desk.kinds())
        await house.push(**TICK, lp="701.00")
        await house.until(lambda: bool(house.asked("GetQuotes")))
        assert [quote.ltp for quote in board.seen] == [100_00]


async def test_what_is_not_confirmed_is_asked_again_told_and_polled() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.carried = 1
        house.answer("GetQuotes", reply("58663", "NIFTY24NOV26P25000", "55.00"))
        board = await opened_feed(opened, CALL, PUT)
        await house.until(lambda: (found := board.last(PUT)) is not None and found.ltp == 55_00)
        assert opened.gateway.feed.unstreamed() == [PUT]
        assert [frame["k"] for frame in house.sent("t")] == ["NFO|58662#NFO|58663", "NFO|58663"]
        assert "NOT_STREAMED" in opened.desk.kinds()


async def test_what_is_held_changes_places_with_what_is_not() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.carried = 1
        house.answer("GetQuotes", reply())
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        opened.gateway.feed.watch([PUT])
        opened.gateway.feed.hold([PUT])
        await house.until(lambda: board.last(PUT) is not None)
        assert house.sent("u") == [{"t": "u", "k": "NFO|58662"}]
        assert opened.gateway.feed.unstreamed() == [CALL]


async def test_room_on_the_stream_is_given_to_what_had_none() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.carried = 1
        await opened_feed(opened, CALL, PUT)
        await house.until(lambda: opened.gateway.feed.unstreamed() == [PUT])
        opened.gateway.feed.drop([CALL])
        await house.until(lambda: house.confirmed == {"NFO|58663"})


async def test_a_stream_that_confirms_nothing_at_all_is_opened_anew_with_the_token_of_the_moment() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.mute = True
        board = await opened_feed(opened, CALL)
        await house.until(lambda: len(house.sockets) >= 2)
        assert "MUTE_STREAM" in opened.desk.kinds()
        house.mute = False
        await house.until(lambda: board.last(CALL) is not None)


async def test_a_stream_that_flowed_and_went_silent_is_opened_anew() -> None:
    async with shoonya() as house, bench(house, silence=0.6) as opened:
        house.answers_heartbeats = False
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        await house.push(**TICK, lp="101.00")
        await house.until(lambda: len(house.sockets) >= 2)


async def test_a_stream_that_is_only_quiet_is_left_alone_while_it_answers() -> None:
    async with shoonya() as house, bench(house, silence=0.6) as opened:
        await opened_feed(opened, CALL)
        await house.until(lambda: len(house.sent("h")) >= 3)
        assert len(house.sockets) == 1


async def test_depth_is_subscribed_when_it_is_looked_at() -> None:
    async with shoonya() as house, bench(house) as opened:
        board = await opened_feed(opened, CALL)
        await house.until(lambda: board.last(CALL) is not None)
        feed = opened.gateway.feed
        assert feed.depth(CALL) is None
        await house.until(lambda: feed.depth(CALL) is not None)
        assert house.sent("d") == [{"t": "d", "k": "NFO|58662"}]
        depth = feed.depth(CALL)
        assert depth is not None
        assert depth.bids == ((99_95, 65),)
        assert feed.depth(PUT) is None


async def test_subscriptions_leave_in_batches() -> None:
    async with shoonya() as house, bench(house, batch=2) as opened:
        board = await opened_feed(opened, CALL, PUT, "SENSEX")
        await house.until(lambda: len(board.seen) == 3)
        assert [frame["k"] for frame in house.sent("t")] == ["NFO|58662#NFO|58663", "BSE|1"]


async def ask(house: Shoonya, opened: Bench) -> dict[str, str]:
    listed = master().of(CALL)
    assert listed is not None
    return await opened.gateway.questions.quote(listed)


async def test_a_quote_of_another_instrument_is_asked_for_again() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.answer("GetQuotes", reply("26000", "Nifty 50", "25010.00"), reply())
        assert (await ask(house, opened))["lp"] == "123.45"
        assert opened.desk.kinds() == ["WRONG_INSTRUMENT"]


async def test_a_quote_that_is_never_ours_is_refused() -> None:
    async with shoonya() as house, bench(house) as opened:
        house.answer("GetQuotes", reply("26000", "Nifty 50", "25010.00"))
        with pytest.raises(BrokerUnreachable):
            await ask(house, opened)
        assert len(house.asked("GetQuotes")) == 3
