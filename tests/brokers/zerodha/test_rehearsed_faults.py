"""The adapter against its rehearsal on a bad day: each fault by its verb, over real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.brokers.rehearsal import faults as f
from optconsole.brokers.transport.rest import RestClient
from optconsole.brokers.zerodha.login import log_in
from optconsole.brokers.zerodha.refusals import IP_REFUSED, RATE_LIMITED
from optconsole.brokers.zerodha.settings import KiteSettings
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import (
    LOGIN_LOST,
    Accepted,
    BrokerOrder,
    BrokerTrade,
    BrokerUnreachable,
    Doubtful,
    LoginLost,
    Rejected,
)
from tests.brokers.paper.stage import CALL, INDEX
from tests.brokers.rehearsal.stage import quoted, until
from tests.brokers.transport.certificates import Authority
from tests.contract.test_broker import MANY, accepted, order, row, told
from tests.contract.zerodha_rig import Vault, ZerodhaRig, rehearsed

S = OrderStatus
TAG = "V1AAA000000001X"


async def ready(rig: ZerodhaRig, *faults: f.Fault) -> None:
    """A market to trade in, and faults in force."""
    await rig.show((99_00, MANY), (101_00, MANY), 100_00)
    rig.served.plan.add(faults)


async def in_book(rig: ZerodhaRig) -> list[BrokerOrder]:
    return [each for each in await rig.broker.orders() if each.tag == TAG]


# ---------------------------------------------------------------- orders whose answer is lost (B01-B06, B16-B18)


@pytest.mark.parametrize(
    ("fault", "there"),
    [
        (f.RestAcceptDrop(op="place"), True),
        (f.RestAcceptDrop(op="place", hang=True), True),
        (f.RestDrop(op="place"), False),
        (f.RestDrop(op="place", hang=True), False),
        (f.RestReply(op="place", status=502, body="<html>Bad Gateway</html>", exec=True), True),
        (f.RestReply(op="place", status=200, body="<html>fine</html>", exec=True), True),
        (f.RestReply(op="place", status=200, body="{}", exec=True), True),
        (f.RestReply(op="place", status=504, body='{"status":"error","error_type":"NetworkException"}'), False),
        (f.RestSlow(op="place", seconds=30), True),
        (f.RestTrickle(op="place", gap=5), True),
        (f.RestPartial(op="place", cut=10), True),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_order_without_a_proof_is_in_doubt_was_sent_once_and_is_found_by_its_tag(
    tmp_path: Path, fault: f.Fault, there: bool
) -> None:
    async with rehearsed(tmp_path, deadline=0.4) as rig:
        await ready(rig, fault)
        outcome = await rig.broker.place(order(rig))
        assert isinstance(outcome, Doubtful), outcome
        assert rig.served.wire.calls["place"] == 1
        assert len(await in_book(rig)) == there


async def test_an_order_that_turns_up_late_is_told_though_it_was_not_there(tmp_path: Path) -> None:
    """B03, B04: a bad request that was none."""
    body = '{"status":"error","message":"Order request timed out","error_type":"OrderException"}'
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.RestLate(op="place", seconds=0.2, status=400, body=body))
        assert isinstance(await rig.broker.place(order(rig, price=102_00)), Doubtful)
        assert await in_book(rig) == []
        await rig.inbox.until(lambda rows: any(isinstance(each, BrokerOrder) and each.tag == TAG for each in rows))
        (found,) = await in_book(rig)
        assert found.filled == CALL.lot


async def test_too_many_requests_were_not_taken(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.RestReply(op="place", status=429, body='{"error_type":"NetworkException"}', times=1))
        outcome = await rig.broker.place(order(rig))
        assert isinstance(outcome, Rejected)
        assert outcome.code == RATE_LIMITED
        assert await in_book(rig) == []
        assert isinstance(await rig.broker.place(order(rig, tag="V1AAA000000002X")), Accepted)


async def test_a_cancel_without_an_answer_is_in_doubt_and_the_book_tells(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.RestAcceptDrop(op="cancel"))
        broker_id = await accepted(rig, order(rig))
        assert isinstance(await rig.broker.cancel(broker_id), Doubtful)
        assert (await row(rig, broker_id)).status is S.CANCELLED
        assert rig.served.wire.executed["cancel"] == 1


async def test_orders_from_another_address_are_refused_and_reads_go_on(tmp_path: Path) -> None:
    """B21."""
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.NetEgress(op="*"))
        outcome = await rig.broker.place(order(rig))
        assert isinstance(outcome, Rejected)
        assert outcome.code == IP_REFUSED
        assert "203.0.113.9" in outcome.reason
        assert await rig.broker.orders() == []
        vitals = rig.broker.vitals()
        assert (vitals.order_write, vitals.order_read) == (LinkState.DEAD, LinkState.LIVE)
        assert "203.0.113.9" in vitals.note


@pytest.mark.parametrize(
    "fault",
    [
        f.RestReply(op="*", status=200, body="<html>"),
        f.RestReply(op="*", status=429, body='{"status":"error","error_type":"NetworkException"}'),
        f.RestPartial(op="*", cut=12),
        f.RestDrop(op="*"),
        f.RestTrickle(op="*", gap=5),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_reading_that_is_cut_or_none_is_never_a_book(tmp_path: Path, fault: f.Fault) -> None:
    """B10, B14, B18."""
    async with rehearsed(tmp_path, deadline=0.4) as rig:
        await ready(rig)
        await accepted(rig, order(rig))
        rig.served.plan.add([fault])
        for read in (rig.broker.orders, rig.broker.trades, rig.broker.positions, rig.broker.funds):
            with pytest.raises(BrokerUnreachable):
                await read()


# ---------------------------------------------------------------- logins that die (B08, B09, W02, W07, W13)


async def test_a_login_that_dies_in_the_night_is_told_and_the_next_one_is_taken_without_a_restart(
    tmp_path: Path,
) -> None:
    async with rehearsed(tmp_path) as rig:
        await until(lambda: rig.broker.vitals().quotes is LinkState.LIVE)
        connects = rig.served.wire.calls
        before = connects["connect"]
        await ready(rig, f.AuthRollover(op="book", times=1))
        with pytest.raises(LoginLost):
            await rig.broker.orders()
        outcome = await rig.broker.place(order(rig))
        assert isinstance(outcome, Rejected)
        assert outcome.code == LOGIN_LOST
        await until(lambda: connects["connect"] == before + 1)
        await log_in_again(rig)
        assert await rig.broker.orders() == []
        assert isinstance(await rig.broker.place(order(rig, tag="V1AAA000000002X")), Accepted)
        await rig.inbox.until(lambda rows: any(isinstance(each, BrokerOrder) for each in rows))
        await until(lambda: rig.broker.vitals().quotes is LinkState.LIVE)
        assert connects["connect"] == before + 2


async def log_in_again(rig: ZerodhaRig) -> None:
    """The ceremony: the browser's page, its redirect pasted, a new token in the vault."""
    browser = RestClient(rig.served.url, rig.served.market.clock)
    pasted = (await browser.call("GET", str(rig.served.ready["login_path"]))).headers["location"]
    await browser.close()
    settings = KiteSettings(rest_url=rig.served.url, ws_url=rig.served.ws_url)
    login = await log_in(settings, Vault(rig.served), rig.served.market.clock, lambda _question, _secret: pasted)
    assert login.user == "AB1234"
    assert (login.expires_at - rig.served.market.now()) < timedelta(days=1)
    rig.served.credentials["access_token"] = login.secrets["access_token"].reveal()


async def test_a_stream_that_is_refused_is_not_tried_again_and_again(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, started=False) as rig:
        await ready(rig, f.WsRefuseAuth(op="connect"))
        await rig.start()
        await until(lambda: "refused" in rig.broker.vitals().note)
        assert rig.broker.vitals().quotes is LinkState.DEAD
        assert rig.served.wire.calls["connect"] == 1
        # what is pushed is missed, and yet the order is told
        broker_id = await accepted(rig, order(rig, price=102_00))
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.FILLED))


# ---------------------------------------------------------------- streams that lie (W01-W05, W10)


class Screen:
    """Quotes of the feed."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self._news = asyncio.Event()

    def take(self, quotes: Sequence[Quote]) -> None:
        self.quotes += quotes
        self._news.set()

    async def until(self, ltp: int) -> Quote:
        async with asyncio.timeout(10):
            while True:
                for quote in self.quotes:
                    if quote.name == CALL.name and quote.ltp == ltp and quote.booked:
                        return quote
                self._news.clear()
                await self._news.wait()


async def watching(rig: ZerodhaRig) -> Screen:
    screen = Screen()
    await rig.gateway.feed.start(screen.take)
    rig.gateway.feed.watch([CALL.name, INDEX.name])
    return screen


async def test_quotes_of_the_rehearsal_arrive_as_they_were_shown(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig)
        screen = await watching(rig)
        quote = await screen.until(100_00)
        assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (99_00, MANY, 101_00, MANY)
        await rig.show((102_00, 65), (103_00, 130), 102_50)
        await screen.until(102_50)
        depth = rig.gateway.feed.depth(CALL.name)
        assert depth is not None
        assert (depth.bids, depth.asks) == (((102_00, 65),), ((103_00, 130),))
        assert rig.evidence.rows == []


@pytest.mark.parametrize("kind", [f.WsFreeze, f.WsHalfOpen, f.WsDrop])
async def test_a_stream_that_dies_in_silence_is_opened_anew_and_asked_for_everything(
    tmp_path: Path, kind: type[f.WsFreeze] | type[f.WsHalfOpen] | type[f.WsDrop]
) -> None:
    async with rehearsed(tmp_path, silence=0.4) as rig:
        await ready(rig, kind(op="ticks", nth=3))
        screen = await watching(rig)
        await screen.until(100_00)
        opened = rig.served.wire.calls["connect"]
        for ltp in range(100_50, 101_00, 5):
            await rig.show((99_00, MANY), (101_00, MANY), ltp)
        await rig.show((104_00, MANY), (106_00, MANY), 105_00)
        await screen.until(105_00)
        assert rig.served.wire.calls["connect"] == opened + 1


async def test_while_no_stream_is_let_in_quotes_are_asked_for(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, started=False, probe_every=0.05) as rig:
        await ready(rig, f.WsRefuseAuth(op="connect"))
        await rig.start()
        screen = await watching(rig)
        await screen.until(100_00)
        assert rig.gateway.feed.silent_for() is None
        assert rig.gateway.feed.vouched(CALL.name) is not None


@pytest.mark.parametrize(
    "fault",
    [
        f.WsLose(op="order"),
        f.WsDup(op="order"),
        f.WsReorder(op="order"),
        f.WsGarbage(op="order", text='{"type":"order","data":[]}'),
        f.WsGarbage(op="order", hex="00ff00b8"),
        f.WsDrop(op="order", times=1),
    ],
    ids=["lost", "twice", "out of order", "bad text", "bad frame", "cut"],
)
async def test_whatever_becomes_of_the_messages_each_fill_is_told_once_and_before_the_end(
    tmp_path: Path, fault: f.Fault
) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, fault)
        broker_id = await accepted(rig, order(rig, price=102_00))
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.FILLED))
        trades = [each for each in rig.inbox.rows if isinstance(each, BrokerTrade)]
        assert [(each.qty, each.price) for each in trades] == [(CALL.lot, 101_00)]
        final = next(each for each in rig.inbox.rows if isinstance(each, BrokerOrder) and each.status.final)
        assert rig.inbox.rows.index(trades[0]) < rig.inbox.rows.index(final)


# ---------------------------------------------------------------- exchanges, masters, certificates


async def test_an_order_that_is_refused_after_it_was_accepted_is_told_with_the_brokers_reason(tmp_path: Path) -> None:
    """B15."""
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.ExRejectAfterAck(op="place", reason="RMS:Blocked\u202e for the client"))
        broker_id = await accepted(rig, order(rig))
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.REJECTED))
        last = rig.inbox.rows[-1]
        assert isinstance(last, BrokerOrder)
        assert last.reason == "RMS:Blocked\\u202e for the client"


async def test_a_stop_refused_at_its_trigger_is_told(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.ExRejectAtTrigger(op="place"))
        broker_id = await accepted(rig, order(rig, price=112_00, trigger=110_00))
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.TRIGGER_PENDING))
        await rig.show((109_00, MANY), (111_00, MANY), 110_00)
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.REJECTED))


async def test_a_part_that_trades_is_told_and_the_rest_goes_on_working(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, f.ExPartial(op="place", units=CALL.lot))
        broker_id = await accepted(rig, order(rig, lots=3, price=102_00))
        await rig.inbox.until(lambda rows: told(rows, broker_id, S.PARTIAL))
        found = await row(rig, broker_id)
        assert (found.qty, found.filled, found.status) == (3 * CALL.lot, CALL.lot, S.PARTIAL)


@pytest.mark.parametrize("fault", [f.RestPartial(op="instruments"), f.RestReply(op="instruments", status=200)])
async def test_a_master_that_is_cut_is_refused_and_the_one_before_stays(tmp_path: Path, fault: f.Fault) -> None:
    async with rehearsed(tmp_path) as rig:
        await ready(rig, fault)
        with pytest.raises(Refusal, match="MASTER_BAD"):
            await rig.gateway.load_master(rig.served.market.now().date())
        assert isinstance(await rig.broker.place(order(rig)), Accepted)


async def test_a_quote_of_another_instrument_never_reaches_the_board(tmp_path: Path) -> None:
    async with rehearsed(tmp_path) as rig:
        quoted(rig.served.market, CALL, 100_00)
        listed = rig.master.of(CALL.name)
        assert listed is not None
        body = '{"status":"success","data":{"%s:%s":{"instrument_token":256265,"last_price":25000}}}'
        fault = f.RestReply(op="quote", status=200, body=body % (listed.segment, listed.symbol))
        rig.served.plan.add([fault])
        assert await rig.gateway.broker.market.quotes([listed]) == []
        assert rig.evidence.rows[0].startswith("WRONG_INSTRUMENT")


async def test_over_tls_the_rehearsals_own_authority_is_trusted_and_no_other(tmp_path: Path) -> None:
    """B23: for REST and for the stream."""
    authority, stranger = Authority.fresh(tmp_path), Authority.fresh(tmp_path, "stranger")
    server = authority.server(tmp_path)
    async with rehearsed(tmp_path / "a", tls=server, roots=authority.roots) as rig:
        await ready(rig)
        await (await watching(rig)).until(100_00)
        assert rig.served.url.startswith("https://")
    async with rehearsed(tmp_path / "b", started=False, tls=server, roots=stranger.roots) as rig:
        with pytest.raises(Refusal, match="MASTER_UNREACHABLE"):
            await rig.gateway.load_master(rig.served.market.now().date())
        with pytest.raises(BrokerUnreachable):
            await rig.gateway.broker.connect(rig.inbox.take)
        assert rig.served.wire.calls.total() == 0
        await rig.gateway.feed.start(lambda _quotes: None)
        await until(lambda: rig.gateway.broker.vitals().note != "")
        assert rig.served.wire.calls["connect"] == 0
