"""The market behind: what it remembers of prices, and the practice market playing under it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from optconsole.brokers.rehearsal.market import Market, Session
from optconsole.brokers.rehearsal.opening import open_market
from optconsole.brokers.rehearsal.tokens import Tokens
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.runtime.rates import paper_rules
from tests.brokers.paper.stage import CALL, INDEX, LISTED, at
from tests.brokers.rehearsal.stage import quoted


async def test_a_day_s_open_high_and_low_are_remembered(market: Market) -> None:
    for price in (104_00, 96_00, 101_00):
        quoted(market, CALL, price)
    assert market.session(CALL.name) == Session(open=100_00, high=104_00, low=96_00)


async def test_the_book_is_the_best_prices_where_no_deeper_one_is_shown(market: Market) -> None:
    depth = market.depth(CALL.name)
    assert depth is not None
    assert (depth.bids, depth.asks) == (((99_95, 50 * CALL.lot),), ((100_05, 50 * CALL.lot),))
    assert market.depth(INDEX.name) is None


async def test_the_practice_market_plays_and_can_be_moved_on(tmp_path: Path) -> None:
    calendar = Calendar.load()
    market = await open_market(
        tmp_path, calendar=calendar, rules=paper_rules(calendar), listing=listing, seed=3, start=at("10:00")
    )
    heard = asyncio.Event()
    market.listen(lambda quotes: heard.set())
    async with asyncio.timeout(10):
        await heard.wait()
        before = market.now()
        await market.advance(300)
    assert (market.now() - before).total_seconds() >= 300
    assert any(instrument.tradable for instrument in market.instruments())
    await market.close()


def test_tokens_are_stable_unique_and_keep_those_given_by_the_exchange() -> None:
    pairs = [(instrument, "NFO") for instrument in LISTED]
    first, second = Tokens(pairs, {INDEX.name: 1001}), Tokens(reversed(pairs), {INDEX.name: 1001})
    tokens = {instrument.name: first.of(instrument.name) for instrument in LISTED}
    assert len(set(tokens.values())) == len(LISTED)
    assert tokens == {instrument.name: second.of(instrument.name) for instrument in LISTED}
    assert first.at("NFO", 1001) == INDEX
    assert first.at("NSE", 1001) is None
