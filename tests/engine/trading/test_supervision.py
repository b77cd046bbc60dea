from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import EngageKill, SetStop
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import ladder
from tests.engine.facts import CALL, DAY, option, terms
from tests.engine.trading.bench import OTHER_CALL, Bench, cancelled, changed, flatten, placed, sent_ids


def test_a_flatten_lives_until_its_scope_is_flat_and_says_what_it_did() -> None:
    bench = Bench()
    bench.hold(130)
    resting = bench.order(terms(Side.BUY, 65, 9_000))
    effects = flatten(bench)
    assert cancelled(effects) == [resting]
    bench.tell(ev.OrderCancelled(order_id=resting))
    (closer,) = sent_ids(bench.settle())
    bench.ack(closer)
    bench.settle()
    assert "f" in bench.state.flattening
    bench.trade(closer)
    bench.settle()
    assert bench.state.flattening == {}
    ended = next(fact.event for fact in bench.facts if isinstance(fact.event, ev.FlattenEnded))
    assert (ended.orders, ended.cancelled, ended.closed, ended.text) == ((closer,), 1, 1, "")


def test_shorts_are_bought_back_before_longs_are_sold_and_longs_only_as_far_as_shorts_are_gone() -> None:
    bench = Bench()
    bench.hold(260, OTHER_CALL)
    bench.hold(-260)
    effects = flatten(bench)
    assert placed(effects) == [(CALL, Side.BUY, 260)]
    (buy,) = sent_ids(effects)
    bench.ack(buy)
    bench.trade(buy, 130)
    assert placed(bench.settle()) == [(OTHER_CALL, Side.SELL, 130)]
    bench.trade(buy)
    assert placed(bench.settle()) == [(OTHER_CALL, Side.SELL, 130)]


def test_a_stop_on_a_hedge_is_not_turned_while_the_short_is_open() -> None:
    bench = Bench()
    bench.hold(130, OTHER_CALL)
    stop = bench.order(terms(Side.SELL, 130, 8_000, OrderType.SL, OTHER_CALL, trigger=8_500))
    bench.hold(-130)
    effects = flatten(bench)
    assert cancelled(effects) == [stop]  # a stop of the trader's own hand goes; a guard's would wait
    assert placed(effects) == [(CALL, Side.BUY, 130)]


def test_an_order_acknowledged_late_is_cancelled_and_what_it_closes_is_not_closed_twice() -> None:
    bench = Bench()
    bench.hold(130)
    silent = bench.order(terms(Side.SELL, 130, 12_000), acknowledged=False)
    assert flatten(bench) == []
    bench.ack(silent)
    assert cancelled(bench.settle()) == [silent]
    bench.tell(ev.OrderCancelled(order_id=silent))
    assert placed(bench.settle()) == [(CALL, Side.SELL, 130)]


def test_orders_of_others_are_not_touched_and_what_they_close_is_not_closed_again() -> None:
    bench = Bench()
    bench.hold(-130)
    bench.foreign(Side.BUY, 65, filled=False)
    effects = flatten(bench)
    assert cancelled(effects) == []
    assert placed(effects) == [(CALL, Side.BUY, 65)]


def test_a_kill_that_leaves_units_to_an_order_of_others_says_so() -> None:
    bench = Bench()
    bench.hold(-65)
    bench.foreign(Side.BUY, 65, filled=False)
    bench.ask(EngageKill(id="k", actor="key", why="test"))
    bench.settle()
    (told,) = [notice.text for notice in bench.state.notices if notice.code == "NOT_FLAT"]
    assert "of others closes 65 units" in told


def test_a_closing_order_never_crosses_an_order_of_others_in_the_same_account() -> None:
    bench = Bench()
    bench.hold(130)
    bench.foreign(Side.BUY, 65, filled=False)  # at 100.00
    (effect,) = flatten(bench)
    assert effect.request.price == 10_005  # type: ignore[union-attr]


def test_an_order_of_others_that_keeps_a_closing_order_from_trading_is_told() -> None:
    bench = Bench()
    bench.hold(65)
    bench.foreign(Side.BUY, 65, filled=False)  # at 100.00
    flatten(bench)
    bench.ack(list(bench.state.orders)[-1])
    bench.settle(2)
    (told,) = [notice.text for notice in bench.state.notices if notice.code == "NOT_FLAT"]
    assert "of others rests where it would trade" in told


def test_a_refused_cancellation_is_repeated_after_a_rest_and_not_at_once() -> None:
    bench = Bench()
    bench.hold(130)
    resting = bench.order(terms(Side.SELL, 130, 12_000))
    flatten(bench)
    bench.tell(ev.OrderCancelRefused(order_id=resting, code="BUSY", reason="later"))
    assert bench.settle() == []
    assert bench.settle(4) == []
    assert cancelled(bench.settle(1)) == [resting]


@pytest.mark.parametrize(("max_lots", "pieces"), [(200, [1755, 195]), (2, [130] * 15)])
def test_a_position_above_the_freeze_or_the_own_limit_is_closed_in_slices(max_lots: int, pieces: list[int]) -> None:
    bench = Bench()
    bench.limits = OrderLimits(max_lots=max_lots)
    bench.hold(1950)
    assert [qty for _, _, qty in placed(flatten(bench))] == pieces


def test_a_freeze_that_is_refused_is_learned_by_halves() -> None:
    bench = Bench()
    bench.hold(1300)
    (closer,) = sent_ids(flatten(bench))
    bench.tell(ev.OrderRejected(order_id=closer, code="FREEZE_QUANTITY", reason="too large"))
    assert bench.settle() == []
    assert [qty for _, _, qty in placed(bench.settle(2))] == [650, 650]


def test_units_that_are_no_whole_lot_are_named_and_the_rest_is_closed() -> None:
    bench = Bench()
    bench.hold(150)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    bench.trade(closer)
    assert bench.settle() == []
    assert "20 units are less than a lot of 65" in bench.state.notices[-1].text
    bench.tell(ev.SessionClosed(day=DAY))
    bench.settle()
    assert bench.state.flattening == {}


def test_a_position_without_a_price_is_named_in_an_alarm_and_closed_once_it_has_one() -> None:
    bench = Bench()
    bench.hold(130)
    quote = bench.quotes.pop(CALL)
    assert flatten(bench) == []
    assert bench.alarms() == ["NOT_FLAT"]
    bench.settle(1)
    assert bench.alarms() == ["NOT_FLAT"]
    bench.quotes[CALL] = quote
    assert len(placed(bench.settle())) == 1


def test_a_cheap_short_is_bought_back_however_far_the_spread_is_from_the_last_trade() -> None:
    bench = Bench()
    bench.hold(-130)
    bench.quotes[CALL] = Quote(name=CALL, ts=0, bid=5, bid_qty=65, ask=5_000, ask_qty=65, ltp=100)
    (effect,) = flatten(bench)
    assert effect.request.price == 2_100  # type: ignore[union-attr]


# ---------------------------------------------------------------- the ladder


def test_an_order_that_does_not_fill_climbs_to_the_edge_of_the_band_and_alarms_there() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    assert bench.settle(1) == []
    prices = []
    for _ in range(3):
        (step,) = changed(bench.settle(2))
        prices.append(step[2])
        assert bench.settle(5) == []  # not while the change is unanswered
        bench.accept(closer)
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] == 6_000
    assert bench.alarms() == ["ESCALATED"]
    assert bench.settle(10) == []
    bench.quote(CALL, 8_000)
    assert [price for _, _, price, _ in changed(bench.settle(2))] == [4_800]
    assert bench.alarms() == ["ESCALATED"]


def test_nothing_climbs_on_an_old_price_nor_while_the_market_is_closed() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    bench.age = 11.0
    assert bench.settle(3) == []
    assert "too old" in bench.state.flattening["f"].held
    bench.age, bench.phase = 0.0, MarketPhase.CLOSED
    assert bench.settle(3) == []
    assert bench.state.flattening["f"].held == "the market is closed"
    bench.phase = MarketPhase.OPEN
    assert len(changed(bench.settle())) == 1


def uncalled(day: int, phase: MarketPhase, behind: float) -> Bench:
    """A long position on a day of November 2026 without a known session; its price is so many seconds old."""
    bench = Bench()
    bench.hold(130)
    bench.tell(ev.SessionClosed(day=bench.now.date()))
    bench.now, bench.phase = datetime(2026, 11, day, 11, 0, tzinfo=IST), phase
    bench.quote(CALL, 10_000, ts=millis(bench.now) - round(behind * 1000))
    return bench


@pytest.mark.parametrize(
    ("day", "phase", "behind", "acts"),
    [
        (28, MarketPhase.CLOSED, 1, True),
        (29, MarketPhase.CLOSED, 59, True),
        (25, MarketPhase.HOLIDAY, 1, True),
        (28, MarketPhase.CLOSED, 61, False),
        (28, MarketPhase.CLOSED, 19 * 3600, False),
        (25, MarketPhase.CLOSED, 1, False),
        (25, MarketPhase.PRE_OPEN, 1, False),
    ],
)
def test_exits_act_on_a_day_that_the_calendar_does_not_know_when_prices_move(
    day: int, phase: MarketPhase, behind: float, acts: bool
) -> None:
    """T02: a session called for a Saturday; not the last prices of Friday, nor the evening of any other day."""
    bench = uncalled(day, phase, behind)
    assert [units for _, _, units in placed(flatten(bench))] == ([130] if acts else [])
    assert ("UNKNOWN_SESSION" in {notice.code for notice in bench.state.notices}) is acts
    assert ("f" in bench.state.flattening) is acts


def test_a_stop_guards_on_a_day_that_the_calendar_does_not_know_when_prices_move() -> None:
    """T02: the stop stands at the exchange, though no session was known of."""
    for behind, stands in ((1, True), (100, False)):
        bench = uncalled(28, MarketPhase.CLOSED, behind)
        bench.ask(SetStop(id="s", actor="key", account="paper", product=Product.NRML, contract=CALL, stop=9_000))
        stops = [units for _, _, units in placed(bench.settle())]
        assert stops == ([130] if stands else [])


def test_an_order_changed_too_often_is_replaced_by_one_that_begins_where_it_ended() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    price = 10_000
    for _ in range(200):
        price -= 50 if price > 500 else 0
        bench.quote(CALL, max(price, 500))
        effects = bench.settle(2)
        if changed(effects):
            bench.accept(closer)
        if cancelled(effects):
            break
    assert bench.state.orders[closer].changes == ladder.MOST_CHANGES
    bench.tell(ev.OrderCancelled(order_id=closer))
    (again,) = bench.settle()
    edge = ladder.price(Side.SELL, bench.quotes[CALL], option(), ladder.LAST)
    assert again.request.price == edge  # type: ignore[union-attr]


def test_an_exchange_that_refuses_for_ever_gets_a_bounded_number_of_orders() -> None:
    bench = Bench()
    bench.hold(130)
    sent = sent_ids(flatten(bench))
    for _ in range(3600):
        for order_id in [order.id for order in bench.working()]:
            bench.tell(ev.OrderRejected(order_id=order_id, code="RMS", reason="no"))
        sent += sent_ids(bench.settle(1))
    assert 25 <= len(sent) <= 40
    assert bench.alarms().count("NOT_FLAT") == 1


# ---------------------------------------------------------------- doubt


def test_a_sale_in_doubt_is_waited_for_until_it_is_resolved() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.tell(ev.OrderDoubted(order_id=closer, cause="silence"))
    assert bench.settle(600) == []
    bench.tell(ev.OrderPresumedAbsent(order_id=closer, reads=3))
    assert placed(bench.settle()) == [(CALL, Side.SELL, 130)]


def test_a_purchase_in_doubt_is_sent_once_more_after_20_seconds_and_what_is_too_much_is_sold() -> None:
    bench = Bench()
    bench.hold(-130)
    (first,) = sent_ids(flatten(bench))
    bench.tell(ev.OrderDoubted(order_id=first, cause="silence"))
    assert bench.settle(19) == []
    (second,) = sent_ids(bench.settle(1))
    assert bench.settle(60) == []
    bench.ack(second)
    bench.trade(second)
    assert bench.settle() == []
    assert "f" in bench.state.flattening  # the first is still in doubt
    bench.ack(first)
    bench.trade(first)
    assert bench.qty() == 130
    assert placed(bench.settle()) == [(CALL, Side.SELL, 130)]


def test_a_purchase_sent_once_more_goes_when_the_first_turns_up_at_work() -> None:
    bench = Bench()
    bench.hold(-130)
    (first,) = sent_ids(flatten(bench))
    bench.tell(ev.OrderDoubted(order_id=first, cause="silence"))
    (second,) = sent_ids(bench.settle(20))
    bench.ack(second)
    bench.settle()
    bench.ack(first)
    assert cancelled(bench.settle()) == [second]


def test_an_exit_by_somebody_else_takes_back_what_would_go_past_flat() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    bench.foreign(Side.SELL, 130)
    assert cancelled(bench.settle()) == [closer]
    bench.tell(ev.OrderCancelled(order_id=closer))
    bench.settle()
    assert bench.state.flattening == {}


def test_an_exit_counts_on_no_more_than_the_broker_shows() -> None:
    bench = Bench()
    bench.hold(195)
    bench.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=CALL, ours=195, theirs=65))
    assert placed(flatten(bench)) == [(CALL, Side.SELL, 65)]


# ---------------------------------------------------------------- part exits


def test_a_part_exit_ends_at_the_quantity_fixed_when_it_began() -> None:
    bench = Bench()
    key = bench.hold(325)
    resting = bench.order(terms(Side.SELL, 65, 12_000))
    effects = flatten(bench, percent=50)
    assert (placed(effects), cancelled(effects)) == ([(CALL, Side.SELL, 130)], [])
    assert bench.state.flattening["f"].targets == {str(key): 195}
    (closer,) = sent_ids(effects)
    bench.ack(closer)
    bench.trade(closer)
    assert bench.settle() == []
    assert bench.state.flattening == {}
    assert bench.state.orders[resting].status is OrderStatus.OPEN


def test_a_part_exit_that_orders_by_hand_leave_no_room_for_says_so_and_ends() -> None:
    bench = Bench()
    bench.hold(-130)
    bench.order(terms(Side.BUY, 130, 15_500, OrderType.SL, trigger=15_000))
    assert flatten(bench, percent=50) == []
    assert bench.state.flattening == {}
    assert bench.state.notices[-1].text == f"Not closed: {CALL}: orders that already work to close it hold 65 units."


def test_a_part_exit_whose_hedge_waits_for_a_short_that_is_left_to_the_trader_says_so_and_ends() -> None:
    bench = Bench()
    bench.hold(130, OTHER_CALL)
    bench.hold(-130)
    bench.order(terms(Side.BUY, 130, 15_500, OrderType.SL, trigger=15_000))
    assert flatten(bench, percent=50) == []
    assert bench.state.flattening == {}
    assert bench.state.notices[-1].text == (
        f"Not closed: {CALL}: orders that already work to close it hold 65 units; "
        f"{OTHER_CALL}: it hedges what is left to others."
    )


def test_what_would_add_to_a_position_goes_when_a_part_of_it_is_to_go() -> None:
    bench = Bench()
    bench.hold(130)
    adding = bench.order(terms(Side.BUY, 65, 9_990))
    effects = flatten(bench, percent=50)
    assert cancelled(effects) == [adding]
    assert placed(effects) == []
    bench.tell(ev.OrderCancelled(order_id=adding))
    assert placed(bench.settle()) == [(CALL, Side.SELL, 65)]


# ---------------------------------------------------------------- the kill switch, the day's end


def test_a_kill_begins_again_by_itself_when_something_of_ours_turns_up() -> None:
    bench = Bench()
    lost = bench.order(terms(Side.BUY, 65), acknowledged=False)
    bench.tell(ev.OrderDoubted(order_id=lost, cause="silence"), ev.OrderPresumedAbsent(order_id=lost, reads=3))
    bench.ask(EngageKill(id="k", actor="key"))
    assert bench.settle() == []
    assert bench.state.flattening == {}
    bench.ack(lost)
    assert cancelled(bench.settle()) == [lost]
    bench.trade(lost)
    (closer,) = sent_ids(bench.settle())
    bench.ack(closer)
    bench.trade(closer)
    bench.settle()
    assert (bench.qty(), bench.state.flattening) == (0, {})


def test_what_others_trade_after_the_kill_is_told_and_not_touched() -> None:
    bench = Bench()
    bench.hold(130)
    bench.ask(EngageKill(id="k", actor="key"))
    (closer,) = sent_ids(bench.settle())
    bench.ack(closer)
    bench.foreign(Side.BUY, 65)
    bench.trade(closer)
    assert bench.settle() == []
    assert (bench.qty(), bench.state.flattening) == (65, {})
    assert bench.alarms().count("FOREIGN_AFTER_KILL") == 1


def test_what_others_close_after_the_kill_is_not_closed_again() -> None:
    bench = Bench()
    bench.hold(130)
    bench.tell(ev.KillEngaged(why="x"))
    bench.foreign(Side.SELL, 65)
    assert placed(bench.settle()) == [(CALL, Side.SELL, 65)]


def test_a_session_that_ends_says_what_is_open_and_a_kill_goes_on() -> None:
    bench = Bench()
    bench.hold(130)
    flatten(bench)
    bench.ask(EngageKill(id="k", actor="key"))
    bench.phase = MarketPhase.CLOSED
    bench.tell(ev.SessionClosed(day=DAY))
    bench.settle()
    assert list(bench.state.flattening) == ["k"]
    assert f"the session ended with {CALL} 130 units" in " ".join(notice.text for notice in bench.state.notices)
    for order in bench.working():
        bench.tell(ev.OrderExpired(order_id=order.id, reason="day over"))
    bench.tell(ev.SessionOpened(day=DAY + timedelta(days=1)))
    bench.phase = MarketPhase.OPEN
    bench.settle(60)
    assert placed(bench.settle(60)) or any(order.role == "K" for order in bench.working())


@pytest.mark.parametrize("why", ["flatten", "kill"])
def test_a_flatten_of_an_earlier_day_is_given_up_at_the_open_as_it_would_have_been_at_the_close(why: str) -> None:
    bench = Bench()
    bench.hold(65)
    bench.phase = MarketPhase.CLOSED
    bench.tell(ev.FlattenBegun(flatten_id="f", kind="all", name="", percent=100, why=why))
    bench.settle()
    bench.now += timedelta(days=3)
    bench.tell(ev.SessionOpened(day=bench.now.date()))
    bench.phase = MarketPhase.OPEN
    assert len(placed(bench.settle())) == (why == "kill")
    assert bool(bench.state.flattening) == (why == "kill")
