"""What Shoonya offers beyond the engine's ports, asked of a whole rehearsed broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from optconsole.brokers.shoonya.login import log_in, log_out
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import Accepted, BrokerUnreachable, LoginLost, PlaceRequest, Rejected
from tests.brokers.paper.stage import CALL, DAY, INDEX, at
from tests.contract.shoonya_rig import ShoonyaRig, shoonya


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ShoonyaRig]:
    async with shoonya(tmp_path) as opened:
        await opened.show((99_00, 650), (101_00, 650), 100_00)
        yield opened


def call(rig: ShoonyaRig) -> Listed:
    assert rig.gateway.master is not None
    listed = rig.gateway.master.of(CALL.name)
    assert listed is not None
    return listed


def order(rig: ShoonyaRig, price: int = 99_00) -> PlaceRequest:
    return PlaceRequest(
        tag="GTT1",
        account="FA",
        instrument=rig.instrument,
        side=Side.BUY,
        qty=rig.instrument.lot,
        type=OrderType.LIMIT,
        price=price,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
    )


async def test_the_freeze_that_no_file_holds_is_asked_for(rig: ShoonyaRig) -> None:
    master = await rig.gateway.load_master(DAY)
    found = master.of(CALL.name)
    assert found is not None
    assert (found.instrument.freeze, found.instrument.lot, found.instrument.tick) == (CALL.freeze, CALL.lot, CALL.tick)
    assert {row.instrument.kind for row in master.rows()} == set(Kind)


async def test_every_other_quote_may_be_anothers_and_none_is_believed(rig: ShoonyaRig) -> None:
    rig.hazards(wrong_quotes=50)
    master = await rig.gateway.load_master(DAY)
    index, call = master.of(INDEX.name), master.of(CALL.name)
    assert index is not None
    assert call is not None
    for _ in range(3):
        await rig.gateway.questions.quote(index)
        try:
            assert (await rig.gateway.questions.quote(call))["lp"] == "100.00"
        except BrokerUnreachable:
            continue
    assert "WRONG_INSTRUMENT" in [kind for kind, _, _ in rig.evidence]


async def test_quotes_stream_and_are_the_markets(rig: ShoonyaRig) -> None:
    seen: list[Quote] = []
    await rig.gateway.feed.start(seen.extend)
    rig.gateway.feed.watch([CALL.name, INDEX.name])
    await until(lambda: {quote.name for quote in seen} == {CALL.name, INDEX.name})
    await rig.show((99_50, 650), (100_50, 1300), 100_25)
    await until(lambda: any(quote.ltp == 100_25 for quote in seen))
    quote = [each for each in seen if each.name == CALL.name][-1]
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (99_50, 650, 100_50, 1300)
    rig.gateway.feed.depth(CALL.name)
    await until(lambda: rig.gateway.feed.depth(CALL.name) is not None)
    assert not [kind for kind, _, _ in rig.evidence]


async def test_values_that_are_none_and_odd_spellings_change_nothing(rig: ShoonyaRig) -> None:
    rig.hazards(not_available=2, casing=True, heartbeats=False)
    seen: list[Quote] = []
    await rig.gateway.feed.start(seen.extend)
    rig.gateway.feed.watch([CALL.name])
    await until(lambda: bool(seen))
    for step in range(6):
        await rig.show((99_00 + step * 5, 650), (101_00, 650), 100_00)
    await until(lambda: len(seen) >= 4)
    assert {quote.ltp for quote in seen} == {100_00}


async def test_what_an_order_needs_is_asked_before_it_is_sent(rig: ShoonyaRig) -> None:
    listed = call(rig)
    margin = await rig.gateway.portfolio.order_margin(order(rig), listed)
    assert margin.after >= margin.before
    span = await rig.gateway.portfolio.span([(listed, Product.NRML, -CALL.lot)])
    assert span.span > 0
    assert await rig.gateway.portfolio.holdings() == []


async def test_a_product_is_changed_by_the_broker_or_not_at_all(rig: ShoonyaRig) -> None:
    listed = call(rig)
    same = await rig.gateway.portfolio.convert(listed, Side.BUY, 65, Product.NRML, Product.NRML)
    assert isinstance(same, Rejected)
    other = await rig.gateway.portfolio.convert(listed, Side.BUY, 65, Product.NRML, Product.MIS)
    assert not isinstance(other, Accepted)


async def test_an_order_that_waits_at_the_broker_is_placed_listed_changed_and_cancelled(rig: ShoonyaRig) -> None:
    listed = call(rig)
    triggers = rig.gateway.triggers
    kept = await triggers.place(order(rig), listed, 90_00, above=False)
    assert isinstance(kept, Accepted)
    assert [row.get("al_id") for row in await triggers.pending()] == [kept.broker_id]
    assert isinstance(await triggers.modify(kept.broker_id, order(rig), listed, 91_00, above=False), Accepted)
    assert isinstance(await triggers.cancel(kept.broker_id), Accepted)
    assert await triggers.pending() == []
    gone = await triggers.cancel(kept.broker_id)
    assert isinstance(gone, Rejected)
    alert = await triggers.alert(listed, 120_00, above=True)
    assert isinstance(alert, Accepted)
    assert len(await triggers.alerts()) == 1
    assert isinstance(await triggers.cancel_alert(alert.broker_id), Accepted)


async def test_the_chain_around_a_strike_has_the_expiry_of_its_anchor(rig: ShoonyaRig) -> None:
    master = await rig.gateway.load_master(DAY)
    anchor, index = master.of(CALL.name), master.of(INDEX.name)
    assert anchor is not None
    assert index is not None
    found = await rig.gateway.history.chain(anchor, 25_000_00, 2, master)
    assert anchor in found
    assert {row.instrument.expiry for row in found} == {CALL.expiry}
    with pytest.raises(BrokerUnreachable):
        await rig.gateway.history.chain(index, 25_000_00, 2, master)
    assert any(row["tsym"] == anchor.symbol for row in await rig.gateway.history.search("NIFTY 25000", "NFO"))


async def test_candles_come_oldest_first_and_no_lengths_are_made_up(rig: ShoonyaRig) -> None:
    master = await rig.gateway.load_master(DAY)
    listed = master.of(CALL.name)
    assert listed is not None
    for minute in range(3):
        rig.market.clock.set(at("10:01") + timedelta(minutes=minute))
        await rig.show((99_00, 650), (101_00, 650), 100_00 + minute * 5)
    bars = await rig.gateway.history.candles(listed, at("09:15"), at("15:30"), 1)
    assert [bar.at for bar in bars] == sorted(bar.at for bar in bars)
    assert [bar.close for bar in bars][-3:] == [100_00, 100_05, 100_10]
    with pytest.raises(Refusal, match="minutes"):
        await rig.gateway.history.candles(listed, at("09:15"), at("15:30"), 7)
    days = await rig.gateway.history.days("NSE", "Nifty 50", at("09:15"), at("15:30"))
    assert [bar.close for bar in days] == [25_000_00]


async def test_a_day_begins_with_a_login_and_ends_with_a_logout(rig: ShoonyaRig) -> None:
    settings = ShoonyaSettings(
        rest_url=f"{rig.served.url}/NorenWClientAPI",
        login_url=f"{rig.served.url}/OAuthlogin/investor-entry-level/login",
    )
    rig.keys.held["api_secret"] = rig.served.credentials["api_secret"]
    asked: list[str] = []

    def ask(question: str, secret: bool) -> str:
        asked.append(question)
        page = next(word for word in question.split() if word.startswith("http"))
        return httpx.get(page, follow_redirects=False, trust_env=False).headers["location"]

    login = await asyncio.to_thread(lambda: asyncio.run(log_in(settings, rig.keys, rig.market.clock, ask)))
    assert login.user == "FA1234"
    rig.keys.held["access_token"] = login.secrets["access_token"].reveal()
    assert await rig.broker.orders() == []
    await log_out(settings, rig.keys, rig.market.clock)
    with pytest.raises(LoginLost):
        await rig.broker.orders()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for is another's state
            await asyncio.sleep(0.01)
