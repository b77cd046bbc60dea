"""Faults of a live day, done to the adapter by its rehearsal: nothing is doubled, nothing lost, nothing guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from optconsole.brokers.angelone.login import login, logout, renew
from optconsole.brokers.angelone.settings import BUDGETS
from optconsole.brokers.rehearsal.faults import decode_faults
from optconsole.brokers.rehearsal.smartapi.limits import CAPS
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
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
    ModifyRequest,
    PlaceRequest,
    Rejected,
)
from tests.brokers.paper.stage import CALL, DAY, INDEX
from tests.brokers.rehearsal.stage import until
from tests.contract.angelone_rig import AngelRig, rehearsed

TAG = "V1AAA000000001X"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[AngelRig]:
    async with rehearsed(tmp_path, silence=0.8, ping_every=0.2) as opened:
        await opened.show((99_00, 650), (101_00, 650), 100_00)
        yield opened


def arm(rig: AngelRig, *faults: str) -> None:
    rig.served.plan.add(decode_faults(f"[{','.join(faults)}]".encode()))


def request(price: int = 100_00, trigger: int | None = None, tag: str = TAG, lots: int = 1) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account="angel",
        instrument=CALL,
        side=Side.BUY,
        qty=lots * CALL.lot,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=Validity.DAY,
    )


class Seen:
    def __init__(self) -> None:
        self.quotes: list[Quote] = []

    def __call__(self, quotes: Sequence[Quote]) -> None:
        self.quotes.extend(quotes)


# ------------------------------------------------------------ orders


@pytest.mark.parametrize(
    "fault",
    [
        '{"verb":"rest.accept_drop","op":"place"}',
        '{"verb":"rest.accept_drop","op":"place","hang":true}',
        '{"verb":"rest.reply","op":"place","status":200,"body":"{}","exec":true}',
        '{"verb":"rest.reply","op":"place","status":502,"body":"<html>","exec":true}',
        '{"verb":"rest.reply","op":"place","status":400,"exec":true,'
        '"body":"{\\"status\\":false,\\"message\\":\\"timed out\\",\\"errorcode\\":\\"AB2001\\",\\"data\\":null}"}',
        '{"verb":"rest.late","op":"place","seconds":0.05,"status":504,"body":"<html>"}',
        '{"verb":"rest.partial","op":"place","cut":30}',
    ],
)
async def test_an_order_that_was_taken_while_its_answer_was_lost_is_in_doubt_and_found_by_its_tag(
    tmp_path: Path, fault: str
) -> None:
    async with rehearsed(tmp_path, deadline=0.5) as rig:
        await rig.show((99_00, 650), (101_00, 650), 100_00)
        arm(rig, fault)
        assert isinstance(await rig.broker.place(request()), Doubtful)
        await rig.served.wire.settled()
        (row,) = await rig.broker.orders()
        assert (row.tag, row.qty, row.price) == (TAG, CALL.lot, 100_00)
        assert rig.served.wire.executed["place"] == 1


async def test_an_order_that_never_arrived_is_in_doubt_as_well_and_in_no_book(rig: AngelRig) -> None:
    arm(rig, '{"verb":"rest.drop","op":"place"}')
    assert isinstance(await rig.broker.place(request()), Doubtful)
    assert await rig.broker.orders() == []


async def test_the_rate_limit_s_plain_text_is_no_lost_login_and_nothing_was_placed(rig: AngelRig) -> None:
    body = '"status":403,"body":"Access denied because of exceeding access rate"'
    arm(rig, f'{{"verb":"rest.reply","op":"*",{body}}}')
    outcome = await rig.broker.place(request())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "RATE_LIMITED"
    with pytest.raises(BrokerUnreachable) as unread:
        await rig.broker.orders()
    assert not isinstance(unread.value, LoginLost)
    rig.served.plan.clear()
    assert await rig.broker.orders() == []
    assert isinstance(await rig.broker.place(request()), Accepted)


async def test_orders_from_another_address_are_refused_while_everything_else_goes_on(rig: AngelRig) -> None:
    arm(rig, '{"verb":"net.egress"}')
    outcome = await rig.broker.place(request())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "IP_REFUSED"
    assert await rig.broker.orders() == []
    vitals = rig.broker.vitals()
    assert (vitals.order_read, vitals.order_write) == (LinkState.LIVE, LinkState.STALE)


async def test_a_change_and_a_cancel_whose_answers_are_lost_are_seen_in_the_book(rig: AngelRig) -> None:
    placed = await rig.broker.place(request(price=90_00))
    assert isinstance(placed, Accepted)
    arm(rig, '{"verb":"rest.accept_drop","op":"modify"}', '{"verb":"rest.accept_drop","op":"cancel"}')
    change = ModifyRequest(broker_id=placed.broker_id, qty=2 * CALL.lot, price=91_00, trigger=None)
    assert isinstance(await rig.broker.modify(change), Doubtful)
    (row,) = await rig.broker.orders()
    assert (row.qty, row.price) == (2 * CALL.lot, 91_00)
    assert isinstance(await rig.broker.cancel(placed.broker_id), Doubtful)
    (row,) = await rig.broker.orders()
    assert row.status is OrderStatus.CANCELLED
    again = await rig.broker.cancel(placed.broker_id)
    assert isinstance(again, Rejected)
    assert again.code == "ORDER_DONE"


@pytest.mark.parametrize("verb", ["rest.empty", "rest.partial"])
async def test_books_that_lack_rows_are_read_as_they_are_and_one_that_breaks_off_is_not_read(
    rig: AngelRig, verb: str
) -> None:
    await rig.broker.place(request(price=90_00))
    arm(rig, f'{{"verb":"{verb}","op":"book","times":1}}')
    assert await rig.broker.orders() == []
    arm(rig, '{"verb":"rest.partial","op":"book","cut":40,"times":1}')
    with pytest.raises(BrokerUnreachable):
        await rig.broker.orders()
    assert len(await rig.broker.orders()) == 1


async def test_an_order_taken_and_then_refused_by_the_risk_desk_ends_with_its_reason(rig: AngelRig) -> None:
    arm(rig, '{"verb":"ex.reject_after_ack"}')
    placed = await rig.broker.place(request())
    assert isinstance(placed, Accepted)
    await rig.inbox.until(
        lambda rows: any(isinstance(row, BrokerOrder) and row.status is OrderStatus.REJECTED for row in rows)
    )
    (row,) = await rig.broker.orders()
    assert (row.code, row.reason) == ("BROKER_REJECTED", "RMS:Blocked for the client")


# ------------------------------------------------------------ updates


async def test_updates_that_are_lost_are_in_the_books(rig: AngelRig) -> None:
    arm(rig, '{"verb":"ws.lose","op":"orders"}')
    placed = await rig.broker.place(request(price=102_00))
    assert isinstance(placed, Accepted)
    rows: list[BrokerTrade] = []
    async with asyncio.timeout(10):
        while not rows:
            rows = await rig.broker.trades()
    assert [(row.qty, row.price, row.tag) for row in rows] == [(CALL.lot, 101_00, TAG)]
    assert rig.inbox.rows == []


async def test_updates_twice_in_disorder_and_with_garbage_between_tell_each_trade_once(rig: AngelRig) -> None:
    arm(
        rig,
        '{"verb":"ws.dup","op":"orders"}',
        '{"verb":"ws.reorder","op":"orders","nth":1}',
        '{"verb":"ws.garbage","op":"orders","hex":"00ff"}',
    )
    placed = await rig.broker.place(request(price=102_00))
    assert isinstance(placed, Accepted)
    await rig.inbox.until(
        lambda rows: any(isinstance(row, BrokerOrder) and row.status is OrderStatus.FILLED for row in rows)
    )
    trades = [row for row in rig.inbox.rows if isinstance(row, BrokerTrade)]
    assert [(row.qty, row.price) for row in trades] == [(CALL.lot, 101_00)]
    filled = next(row for row in rig.inbox.rows if isinstance(row, BrokerOrder) and row.filled)
    assert rig.inbox.rows.index(trades[0]) < rig.inbox.rows.index(filled)
    assert {kind for kind, _ in rig.evidence} == {"BAD_UPDATE"}


@pytest.mark.parametrize("verb", ["ws.drop", "ws.freeze", "ws.half_open"])
async def test_what_was_filled_while_the_order_socket_was_dead_is_told_when_it_lives_again(
    rig: AngelRig, verb: str
) -> None:
    arm(rig, f'{{"verb":"{verb}","op":"orders","nth":1}}')
    placed = await rig.broker.place(request(price=102_00))
    assert isinstance(placed, Accepted)
    await rig.inbox.until(
        lambda rows: any(isinstance(row, BrokerOrder) and row.status is OrderStatus.FILLED for row in rows)
    )
    assert any(isinstance(row, BrokerTrade) for row in rig.inbox.rows)


# ------------------------------------------------------------ the login


async def test_a_day_s_login_by_authenticator_its_renewal_and_its_end(rig: AngelRig) -> None:
    def nobody(question: str, _secret: bool) -> str:
        raise AssertionError(question)

    done = await login(rig.settings, rig.credentials, nobody, WallClock())
    rig.credentials.held.update({name: secret.reveal() for name, secret in done.secrets.items()})
    assert await rig.broker.orders() == []
    renewed = await renew(rig.settings, rig.credentials, WallClock())
    with pytest.raises(LoginLost):  # the old one died with the renewal
        await rig.broker.orders()
    rig.credentials.held.update({name: secret.reveal() for name, secret in renewed.secrets.items()})
    assert await rig.broker.orders() == []
    await logout(rig.settings, rig.credentials, WallClock())
    with pytest.raises(LoginLost):
        await rig.broker.orders()


async def test_a_night_ends_the_login_and_another_day_s_is_used_without_a_restart(rig: AngelRig) -> None:
    seen = Seen()
    rig.gateway.feed.watch([CALL.name])
    await rig.gateway.feed.start(seen)
    await until(lambda: rig.gateway.feed.state is LinkState.LIVE)
    rig.served.dialect.revoke(True)
    await until(lambda: rig.gateway.feed.state is LinkState.DEAD)
    with pytest.raises(LoginLost):
        await rig.broker.orders()
    outcome = await rig.broker.place(request())
    assert isinstance(outcome, Rejected)
    assert outcome.code == LOGIN_LOST
    asked = rig.served.wire.calls["book"]
    for _ in range(5):
        with pytest.raises(LoginLost):
            await rig.broker.orders()
    assert rig.served.wire.calls["book"] == asked
    rig.credentials.held.update(rig.served.dialect.login())
    assert await rig.broker.orders() == []
    await until(lambda: rig.gateway.feed.state is LinkState.LIVE)
    await rig.show((99_00, 650), (101_00, 650), 100_50)
    await until(lambda: any(quote.ltp == 100_50 for quote in seen.quotes))
    placed = await rig.broker.place(request())
    assert isinstance(placed, Accepted)
    await rig.inbox.until(
        lambda rows: any(row.broker_id == placed.broker_id for row in rows if hasattr(row, "broker_id"))
    )


# ------------------------------------------------------------ quotes


async def test_quotes_and_the_book_are_the_market_s(rig: AngelRig) -> None:
    seen = Seen()
    rig.gateway.feed.watch([CALL.name, INDEX.name])
    await rig.gateway.feed.start(seen)
    await until(lambda: len({quote.name for quote in seen.quotes}) == 2)
    await rig.show((99_50, 130), (100_50, 65), 100_00)
    await until(lambda: any(quote.bid == 99_50 for quote in seen.quotes))
    quote = next(each for each in reversed(seen.quotes) if each.name == CALL.name)
    shown = rig.market.quote(CALL.name)
    assert shown is not None
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty, quote.ltp, quote.ts) == (
        shown.bid,
        shown.bid_qty,
        shown.ask,
        shown.ask_qty,
        shown.ltp,
        shown.ts,
    )
    book = rig.gateway.feed.depth(CALL.name)
    assert book is not None
    assert (book.bids[0], book.asks[0]) == ((99_50, 130), (100_50, 65))
    assert next(each.ltp for each in seen.quotes if each.name == INDEX.name) == 25_000_00
    (asked,) = await rig.broker.services.quotes(
        [row for row in (await rig.gateway.load_master(DAY)).rows() if row.instrument.name == CALL.name]
    )
    assert (asked.bid, asked.ask, asked.ltp) == (99_50, 100_50, 100_00)


@pytest.mark.parametrize("verb", ["ws.drop", "ws.freeze", "ws.half_open"])
async def test_a_stream_of_quotes_that_dies_is_opened_anew_and_asked_for_all(rig: AngelRig, verb: str) -> None:
    seen = Seen()
    rig.gateway.feed.watch([CALL.name])
    await rig.gateway.feed.start(seen)
    await until(lambda: bool(seen.quotes))
    seen.quotes.clear()
    arm(rig, f'{{"verb":"{verb}","op":"ticks","times":1}}')
    await rig.show((99_50, 130), (100_50, 65), 100_10)
    await until(lambda: any(quote.ltp == 100_10 for quote in seen.quotes))
    await rig.show((99_50, 130), (100_50, 65), 100_20)
    await until(lambda: any(quote.ltp == 100_20 for quote in seen.quotes))


async def test_while_the_stream_is_refused_quotes_come_by_rest(rig: AngelRig) -> None:
    seen = Seen()
    arm(rig, '{"verb":"ws.refuse_auth","op":"connect"}')
    rig.gateway.feed.watch([CALL.name])
    await rig.gateway.feed.start(seen)
    await until(lambda: bool(seen.quotes))
    assert [(quote.name, quote.bid, quote.ask) for quote in seen.quotes] == [(CALL.name, 99_00, 101_00)]
    assert rig.gateway.feed.state is LinkState.DEAD


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ('{"verb":"rest.partial","op":"instruments","cut":500}', "MASTER_UNREACHABLE"),
        ('{"verb":"rest.reply","op":"instruments","status":404,"body":""}', "MASTER_UNREACHABLE"),
        ('{"verb":"rest.reply","op":"instruments","status":200,"body":"[]"}', "MASTER_BAD"),
        ('{"verb":"rest.reply","op":"instruments","status":200,"body":"<html>"}', "MASTER_BAD"),
    ],
)
async def test_a_damaged_instrument_file_leaves_the_one_before(rig: AngelRig, fault: str, code: str) -> None:
    arm(rig, fault)
    with pytest.raises(Refusal) as refused:
        await rig.gateway.load_master(DAY)
    assert refused.value.code == code
    assert isinstance(await rig.broker.place(request()), Accepted)


async def test_within_its_own_budgets_the_adapter_never_meets_the_broker_s_limits(tmp_path: Path) -> None:
    async with rehearsed(tmp_path, caps=CAPS, budgets=BUDGETS) as rig:
        await rig.show((99_00, 650), (101_00, 650), 100_00)
        tags = [f"V1AAA0000000{number:02}X" for number in range(12)]
        outcomes = await asyncio.gather(*(rig.broker.place(request(price=90_00, tag=tag)) for tag in tags))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        books = await asyncio.gather(
            rig.broker.orders(), rig.broker.trades(), rig.broker.positions(), rig.broker.orders()
        )
        assert [len(book) for book in books] == [12, 0, 0, 12]
