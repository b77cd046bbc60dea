"""Orders in trouble: silent brokers, answers that died with the engine, reports that come late."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine import requests
from optconsole.engine.commands import CancelOrder, EngageKill
from optconsole.engine.events import Recorded
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, Side
from optconsole.engine.ports import BrokerTrade, BrokerUpdate
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from tests.runtime.conftest import Open, Trader, codes_told
from tests.runtime.test_house import abandon, open_quantities


def configure(home: Path, line: str) -> None:
    """Tune the paper broker, whatever store the home is on."""
    path = home / "config.toml"
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{known}[paper]\n{line}\n", encoding="utf-8")


def below_the_market(house: House, instrument: Instrument, by: int = 1_000) -> int:
    quote = house.engine.board.get(instrument.name)
    assert quote is not None
    assert quote.bid is not None
    low = quote.bid - by
    return low - low % instrument.tick


async def resting(house: House, trader: Trader) -> Order:
    call = await trader.at_the_money()
    return await trader.place(call, Side.BUY, type=OrderType.LIMIT, price=below_the_market(house, call))


async def append(house: House, *events: ev.AnyEvent) -> None:
    """What a crash leaves behind: the facts are durable, what they announce has not left."""
    engine = house.engine
    at = engine.world.clock.now()
    await engine.world.journal.append(
        [
            Recorded(seq=engine.state.seq + place, at=at, actor="test", cause="x", event=event)
            for place, event in enumerate(events, start=1)
        ]
    )


@pytest.mark.parametrize("kind", ["cancel", "change"])
async def test_a_cancel_or_change_cut_short_by_a_crash_leaves_an_order_that_can_be_cancelled(
    opened: Open, home: Path, kind: str
) -> None:
    first = await open_house(RunOptions(home=home, hold=True))
    order = await resting(first, Trader(first))
    asked = ev.OrderChangeAsked(order_id=order.id, terms=order.terms)
    await append(first, ev.OrderCancelAsked(order_id=order.id) if kind == "cancel" else asked)
    await abandon(first)

    again = await opened(hold=True)
    assert again.engine.state.orders[order.id].pending is Pending.NONE
    assert (await again.engine.submit(CancelOrder(id="c", actor="test", order_id=order.id))).ok
    await Trader(again).until(lambda: again.engine.state.orders[order.id].status is OrderStatus.CANCELLED)


async def test_an_order_the_exchange_never_took_is_resolved_and_holds_up_no_kill(
    opened: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await open_house(RunOptions(home=home))
    trader = Trader(first)
    call = await trader.at_the_money()
    assert (await trader.place(call, Side.SELL)).status is OrderStatus.FILLED
    await first.stop("over")

    configure(home, "ack_latency_ms = 400")
    house = await opened()
    trader = Trader(house)
    monkeypatch.setattr(requests, "CALL_DEADLINE", 0.05)
    lost = await trader.place(call, Side.SELL)
    assert lost.status is OrderStatus.EXPIRED
    assert codes_told(house)[-2:] == ["ORDER_UNKNOWN", "ORDER_NOT_SENT"]
    monkeypatch.setattr(requests, "CALL_DEADLINE", 8.0)
    assert (await house.engine.submit(EngageKill(id="k", actor="test"))).ok
    await trader.until(lambda: not open_quantities(house))


async def test_trades_reported_late_on_a_day_are_counted_before_the_next_day_opens(opened: Open, home: Path) -> None:
    configure(home, "update_latency_ms = 700")
    house = await opened(start_at="15:39", speed=0.0, rate=20, hold=True)
    engine, trader = house.engine, Trader(house)
    first_day, moment = engine.state.day, engine.world.clock.now()
    assert first_day is not None
    call = await trader.at_the_money()
    await house.feed.run_to(moment.replace(hour=15, minute=39, second=59))
    await trader.place(call, Side.BUY)
    house.feed.resume(0.0)
    await trader.until(lambda: engine.state.day is not None and engine.state.day > first_day, 60.0)
    house.feed.pause()
    await engine.settled()
    assert list(open_quantities(house).values()) == [call.lot]


async def test_the_preview_takes_the_premium_off_once_and_counts_resting_orders(opened: Open) -> None:
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    await resting(house, trader)
    terms = OrderTerms(account="paper", contract=call.name, side=Side.BUY, qty=call.lot, type=OrderType.MARKET)
    before = await house.engine.query(q.GetFunds(account="paper"))
    preview = await house.engine.query(q.PreviewOrder(terms=terms))
    assert isinstance(before, q.FundsAnswer)
    assert isinstance(preview, q.OrderPreview)
    assert preview.protection is not None
    assert preview.margin is not None
    assert preview.margin == preview.protection * call.lot
    assert preview.free_after == before.free - preview.margin


async def test_a_row_that_cannot_be_taken_in_is_an_alarm_and_costs_nothing_else(opened: Open) -> None:
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    await trader.place(call, Side.SELL)
    broker = house.engine.world.brokers["paper"]
    (trade,) = await broker.trades()
    heard: list[BrokerUpdate] = []
    await broker.connect(heard.append)
    await trader.place(call, Side.SELL)
    (told,) = (row for row in heard if isinstance(row, BrokerTrade))
    assert told.trade_id != trade.trade_id
    hear = house.engine.hearer("paper")
    hear(msgspec.structs.replace(told, side=None))
    for row in heard:
        hear(row)
    await house.engine.settled()
    assert codes_told(house) == ["BROKER_ROW_REFUSED"]
    assert list(open_quantities(house).values()) == [-2 * call.lot]
    (letter,) = house.engine.state.letters.values()
    assert letter.kind == "trade"
    again = await house.engine.submit(cmd.ReplayLetter(id="again", actor="test", letter_id=letter.id))
    assert (again.ok, again.code) == (False, "LETTER_UNREADABLE")
    assert (await house.engine.submit(cmd.DropLetter(id="drop", actor="test", letter_id=letter.id))).ok
    assert house.engine.state.letters == {}


async def test_a_row_that_failed_once_is_heard_again_from_its_letter(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await opened(hold=True)
    trader = Trader(house)
    call = await trader.at_the_money()
    intake = house.engine._worker.hearing.intake

    def fail(*_given: object) -> None:
        raise RuntimeError("not today")

    with monkeypatch.context() as broken:
        broken.setattr(intake, "_trade_row", fail)
        await trader.engine.submit(
            cmd.PlaceOrder(
                id="sell",
                actor="test",
                terms=OrderTerms(
                    account="paper", contract=call.name, side=Side.SELL, qty=call.lot, type=OrderType.MARKET
                ),
            )
        )
        await house.engine.settled()
    assert open_quantities(house) == {}
    (letter,) = house.engine.state.letters.values()
    await house.engine.submit(cmd.ReplayLetter(id="again", actor="test", letter_id=letter.id))
    await house.engine.settled()
    assert list(open_quantities(house).values()) == [-call.lot]
    assert house.engine.state.letters == {}


async def test_the_book_is_read_when_asked_for_and_only_of_an_account_that_has_a_broker(opened: Open) -> None:
    house = await opened(hold=True)
    asked = await house.engine.submit(cmd.ReadBookNow(id="r", actor="test", account="paper"))
    assert (asked.ok, asked.code) == (True, "READING")
    await house.engine.settled()
    (account,) = house.engine.vitals().brokers
    assert account.account == "paper"
    assert account.book_age is not None
    refused = await house.engine.submit(cmd.ReadBookNow(id="r2", actor="test", account="nobody"))
    assert (refused.ok, refused.code) == (False, "UNKNOWN_ACCOUNT")
    assert "paper" in refused.text
