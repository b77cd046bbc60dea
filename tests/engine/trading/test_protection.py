from __future__ import annotations

from datetime import timedelta

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import (
    AbandonFlatten,
    CancelOrder,
    ClearStop,
    EngageKill,
    PlaceOrder,
    Scope,
    ScopeKind,
    SetStop,
)
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Role, Side
from optconsole.engine.model.protection import Guard, Repair, StopMode
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.trading import keeping
from tests.engine.facts import CALL, DAY, PUT, terms
from tests.engine.trading.bench import OTHER_CALL, Bench, cancelled, changed, flatten, placed, sent_ids


def guard(
    bench: Bench,
    stop: int | None = 12_000,
    target: int | None = None,
    mode: StopMode = StopMode.BOTH,
    wide: int | None = None,
    contract: str = CALL,
) -> list[str]:
    """Guard the position and return the orders that leave."""
    command = SetStop(
        id="s",
        actor="key",
        account="paper",
        product=Product.NRML,
        contract=contract,
        stop=stop,
        target=target,
        mode=mode,
        wide=wide,
    )
    bench.ask(command)
    return sent_ids(bench.settle())


def guarded(qty: int = -130, **levels: int | StopMode | None) -> tuple[Bench, str]:
    """A position whose stop at the exchange is seen in the book."""
    bench = Bench()
    bench.hold(qty)
    (stop,) = guard(bench, **levels)  # type: ignore[arg-type]
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)
    return bench, stop


def state(bench: Bench) -> tuple[Guard, Repair]:
    (each,) = bench.state.protections.values()
    return each.state, each.reason


# ---------------------------------------------------------------- placing


def test_a_short_gets_a_stop_at_the_exchange_wide_of_the_tight_one_and_of_its_size() -> None:
    bench, stop = guarded()
    order = bench.state.orders[stop]
    assert (order.role, order.parent, order.terms.side, order.terms.qty) == (Role.STOP, "G1", Side.BUY, 130)
    assert (order.terms.type, order.terms.trigger) == (OrderType.SL, 13_000)
    assert order.terms.price is not None
    assert 13_000 < order.terms.price <= 18_200


def test_an_answer_alone_makes_no_stop_work_only_the_book_does() -> None:
    bench = Bench()
    bench.hold(-130)
    (stop,) = guard(bench)
    bench.ack(stop)
    bench.settle(1)
    assert state(bench) == (Guard.PLACING, Repair.NONE)
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)


def test_a_stop_that_the_book_does_not_show_within_5_seconds_is_an_alarm() -> None:
    bench = Bench()
    bench.hold(-130)
    (stop,) = guard(bench)
    bench.ack(stop)
    bench.settle(4)
    assert bench.alarms() == []
    bench.settle(1)
    assert (state(bench), bench.alarms()) == ((Guard.REPAIR, Repair.MISSING), ["STOP_MISSING"])
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)


def test_modes_say_who_watches() -> None:
    local = Bench()
    local.hold(-130)
    assert guard(local, mode=StopMode.LOCAL) == []
    broker, stop = guarded(mode=StopMode.BROKER)
    assert broker.state.orders[stop].terms.trigger == 12_000
    given, stop = guarded(wide=14_000)
    assert given.state.orders[stop].terms.trigger == 14_000
    target = Bench()
    target.hold(-130)
    assert guard(target, stop=None, target=8_000) == []


def test_a_large_position_gets_its_stop_in_slices() -> None:
    bench = Bench()
    bench.hold(-1950)
    assert [bench.state.orders[name].terms.qty for name in guard(bench)] == [1755, 195]


# ---------------------------------------------------------------- size


def test_a_stop_shrinks_at_once_with_the_position_and_is_never_made_larger() -> None:
    bench, stop = guarded(-260)
    bench.foreign(Side.BUY, 65)
    assert [(name, qty) for name, qty, _, _ in changed(bench.settle())] == [(stop, 195)]
    bench.accept(stop)
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)
    bench.foreign(Side.SELL, 130)
    effects = bench.settle()
    assert (placed(effects), changed(effects)) == ([(CALL, Side.BUY, 130)], [])


def test_of_a_stop_in_slices_only_one_gives_up_what_is_too_much() -> None:
    bench = Bench()
    bench.hold(-1950)
    slices = guard(bench)
    bench.seen(*slices)
    bench.settle()
    bench.foreign(Side.BUY, 65)
    assert [(name, qty) for name, qty, _, _ in changed(bench.settle())] == [(slices[1], 130)]
    assert bench.settle(1) == []
    bench.accept(slices[1])
    bench.foreign(Side.BUY, 195)
    effects = bench.settle()
    assert cancelled(effects) == [slices[1]]
    assert [(name, qty) for name, qty, _, _ in changed(effects)] == [(slices[0], 1690)]
    assert bench.settle(1) == []


def test_a_stop_that_will_not_shrink_is_replaced_and_one_that_hangs_is_an_alarm() -> None:
    bench, stop = guarded(-260)
    bench.foreign(Side.BUY, 130)
    bench.settle()
    bench.settle(5)
    assert (state(bench), bench.alarms()) == ((Guard.REPAIR, Repair.STALE_QTY), ["STOP_STALE_QTY"])
    bench.tell(ev.OrderChangeRefused(order_id=stop, code="NO", reason="no"))
    assert cancelled(bench.settle(1)) == [stop]
    bench.tell(ev.OrderCancelled(order_id=stop))
    assert placed(bench.settle()) == [(CALL, Side.BUY, 130)]


@pytest.mark.parametrize("closed", [130, 195])
def test_a_stop_goes_when_its_position_is_flat_or_turned(closed: int) -> None:
    bench, stop = guarded()
    bench.foreign(Side.BUY, closed)
    assert cancelled(bench.settle()) == [stop]
    assert bench.state.protections == {}


def test_a_part_exit_shrinks_the_stop_first_and_sends_then() -> None:
    bench, stop = guarded(-260)
    effects = flatten(bench, percent=50)
    assert (placed(effects), [(name, qty) for name, qty, _, _ in changed(effects)]) == ([], [(stop, 130)])
    bench.accept(stop)
    (closer,) = sent_ids(bench.settle())
    bench.seen(stop)
    bench.ack(closer)
    bench.trade(closer)
    bench.settle()
    assert (bench.qty(), bench.state.flattening) == (-130, {})
    assert state(bench) == (Guard.WORKING, Repair.NONE)


def test_an_order_by_hand_that_would_close_what_the_stop_closes_is_refused_with_the_way_out() -> None:
    bench, stop = guarded()
    reply = bench.ask(PlaceOrder(id="p", actor="key", terms=terms(Side.BUY, 65))).reply
    assert reply is not None
    assert (reply.ok, reply.code) == (False, "STOP_COVERS")
    assert "flatten" in reply.text
    with pytest.raises(Refusal) as refused:
        bench.ask(CancelOrder(id="c", actor="key", order_id=stop))
    assert refused.value.code == "PROTECTED"


# ---------------------------------------------------------------- repair


def test_a_stop_that_somebody_cancels_at_the_broker_is_placed_again_at_once_with_an_alarm() -> None:
    bench, stop = guarded()
    bench.now += timedelta(seconds=1)
    bench.tell(ev.OrderCancelled(order_id=stop))
    again = sent_ids(bench.settle())
    assert (len(again), state(bench), bench.alarms()) == (1, (Guard.REPAIR, Repair.MISSING), ["STOP_MISSING"])
    bench.now += timedelta(seconds=1)
    bench.seen(*again)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)
    bench.tell(ev.OrderCancelled(order_id=again[0]))
    assert sent_ids(bench.settle()) == []
    assert len(sent_ids(bench.settle(5))) == 1


def test_a_stop_that_is_refused_for_ever_is_tried_a_bounded_number_of_times_with_one_alarm() -> None:
    bench = Bench()
    bench.hold(-130)
    sent = guard(bench)
    for _ in range(900):
        for order in bench.working():
            bench.tell(ev.OrderRejected(order_id=order.id, code="RMS", reason="no"))
        sent += sent_ids(bench.settle(1))
    assert 8 <= len(sent) <= 15
    assert bench.alarms() == ["STOP_REJECTED"]
    bench.quote(CALL, 12_100)
    bench.settle()
    bench.quote(CALL, 12_100)
    assert placed(bench.settle()) == [(CALL, Side.BUY, 130)]  # the engine's own watch stands in for it


def test_a_stop_taken_for_a_limit_order_by_the_broker_is_cancelled() -> None:
    bench, stop = guarded()
    wrong = bench.state.orders[stop].terms
    bench.tell(
        ev.OrderChanged(order_id=stop, terms=terms(Side.BUY, wrong.qty, 9_000)), ev.OrderConfirmed(order_id=stop)
    )
    assert cancelled(bench.settle()) == [stop]


def test_a_sell_stop_in_doubt_is_not_placed_twice() -> None:
    bench = Bench()
    bench.hold(130)
    (stop,) = guard(bench, stop=8_000)
    bench.tell(ev.OrderDoubted(order_id=stop, cause="silence"))
    assert bench.settle(300) == []
    assert bench.alarms() == ["STOP_MISSING"]


def test_a_restart_has_to_see_the_stop_in_the_book_again() -> None:
    bench, stop = guarded()
    bench.tell(
        ev.EngineStarted(version="0", world="practice", epoch=2), ev.EngineReady(orders_checked=1, fills_adopted=0)
    )
    bench.settle()
    assert state(bench) == (Guard.PLACING, Repair.NONE)
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)


def test_a_stop_is_placed_anew_at_the_next_open_without_an_alarm() -> None:
    bench, stop = guarded()
    bench.phase = MarketPhase.CLOSED
    bench.tell(ev.OrderExpired(order_id=stop, reason="day over"), ev.SessionClosed(day=DAY))
    assert bench.settle(60) == []
    bench.tell(ev.SessionOpened(day=DAY + timedelta(days=1)))
    assert bench.settle(60_000) == []
    bench.phase = MarketPhase.OPEN
    assert placed(bench.settle(60)) == [(CALL, Side.BUY, 130)]
    assert (state(bench), bench.alarms()) == ((Guard.PLACING, Repair.NONE), [])


# ---------------------------------------------------------------- acting


@pytest.mark.parametrize(
    ("qty", "stop", "target", "price", "note", "side"),
    [
        (-130, 12_000, 8_000, 12_000, "LEG_SL", Side.BUY),
        (-130, 12_000, 8_000, 7_990, "LEG_TGT", Side.BUY),
        (130, 8_000, 12_000, 8_000, "LEG_SL", Side.SELL),
        (130, 8_000, 12_000, 12_010, "LEG_TGT", Side.SELL),
    ],
)
def test_two_quotes_beyond_a_level_close_the_position_under_its_reason_code(
    qty: int, stop: int, target: int, price: int, note: str, side: Side
) -> None:
    bench = Bench()
    bench.hold(qty)
    guard(bench, stop=stop, target=target, mode=StopMode.LOCAL)
    bench.quote(CALL, price)
    assert bench.settle() == []
    bench.quote(CALL, price)
    effects = bench.settle()
    assert placed(effects) == [(CALL, side, 130)]
    assert bench.state.orders[sent_ids(effects)[0]].terms.note == note


def test_one_bad_tick_closes_nothing_and_one_that_stands_for_a_second_does() -> None:
    bench = Bench()
    bench.hold(-130)
    guard(bench, mode=StopMode.LOCAL)
    bench.quote(CALL, 12_500)
    assert bench.settle() == []
    bench.quote(CALL, 10_000)
    assert bench.settle(0.3) == []
    bench.quote(CALL, 12_500)
    assert bench.settle(5) == []
    assert placed(bench.settle(1)) == [(CALL, Side.BUY, 130)]


def test_the_stop_at_the_exchange_becomes_the_closing_order_so_that_no_moment_is_naked() -> None:
    bench, stop = guarded()
    for _ in range(2):
        bench.quote(CALL, 12_100)
        effects = bench.settle()
    assert placed(effects) == []
    assert cancelled(effects) == []
    ((name, qty, price, trigger),) = changed(effects)
    assert (name, qty, trigger) == (stop, 130, None)
    assert price > 12_100
    bench.accept(stop)
    assert bench.state.orders[stop].status is OrderStatus.OPEN
    bench.trade(stop)
    bench.settle()
    assert (bench.state.protections, bench.state.flattening) == ({}, {})


@pytest.mark.parametrize("code", ["LPP", "NOT_CONFIRMED"])
def test_a_conversion_refused_or_in_doubt_is_followed_by_a_cancel_and_only_then_by_a_new_order(code: str) -> None:
    bench, stop = guarded()
    flatten(bench)
    bench.tell(ev.OrderChangeRefused(order_id=stop, code=code, reason="no"))
    assert cancelled(bench.settle(2)) == [stop]
    assert placed(bench.settle(3)) == []
    bench.tell(ev.OrderCancelled(order_id=stop))
    assert placed(bench.settle()) == [(CALL, Side.BUY, 130)]


def test_a_stop_that_triggers_and_does_not_fill_climbs_the_ladder_after_5_seconds() -> None:
    bench, stop = guarded(mode=StopMode.BROKER)
    bench.tell(ev.OrderTriggered(order_id=stop))
    bench.settle()
    assert state(bench) == (Guard.TRIGGERED, Repair.NONE)
    assert bench.settle(4) == []
    bench.quote(CALL, 15_000)
    effects = bench.settle(1)
    assert [name for name, *_ in changed(effects)] == [stop]
    assert "STOP_UNFILLED" in bench.alarms()


def test_a_stop_at_the_exchange_that_is_reached_and_stays_silent_is_acted_on_after_3_seconds() -> None:
    bench, stop = guarded(mode=StopMode.BROKER)
    bench.quote(CALL, 12_100)
    assert bench.settle() == []
    bench.quote(CALL, 12_150)
    assert bench.settle(2) == []
    assert [name for name, *_ in changed(bench.settle(1))] == [stop]
    assert bench.alarms() == ["STOP_SILENT"]


def test_a_filled_stop_ends_the_guard() -> None:
    bench, stop = guarded()
    bench.tell(ev.OrderTriggered(order_id=stop))
    bench.trade(stop)
    bench.settle()
    moved = [fact.event.state for fact in bench.facts if isinstance(fact.event, ev.ProtectionMoved)]
    assert moved[-1] is Guard.FILLED
    assert bench.state.protections == {}


def test_a_guard_that_cannot_see_says_so_once_and_the_stop_at_the_exchange_stands() -> None:
    bench, _ = guarded()
    bench.age = 10.5
    bench.quote(CALL, 12_500)
    assert bench.settle(5) == []
    bench.settle(5)
    assert bench.alarms() == ["GUARD_BLIND"]
    bench.age = 0.0
    bench.settle()
    bench.quote(CALL, 12_500)
    assert len(changed(bench.settle(1))) == 1


def test_a_short_without_a_guard_whose_price_is_gone_is_told_once_and_again_when_it_is_lost_again() -> None:
    bench = Bench()
    bench.hold(-130)
    bench.hold(130, OTHER_CALL)
    bench.age = 12.0
    bench.settle(1)
    bench.settle(60)
    assert [(each.code, each.subject) for each in bench.state.notices] == [("GUARD_BLIND", CALL)]
    bench.age = 0.0
    bench.settle(1)
    bench.age = 12.0
    bench.settle(1)
    assert [each.code for each in bench.state.notices] == ["GUARD_BLIND", "PRICE_BACK", "GUARD_BLIND"]


def test_a_market_watched_for_a_moment_only_is_not_called_silent() -> None:
    bench, _ = guarded()
    bench.hold(-65, OTHER_CALL)
    bench.age, bench.watched_for = 40_000.0, 3.0
    bench.settle(1)
    assert bench.alarms() == []
    bench.watched_for = 11.0
    bench.settle(1)
    assert bench.alarms() == ["GUARD_BLIND", "GUARD_BLIND"]


def test_a_stop_that_acted_does_not_act_twice_and_giving_up_its_flatten_ends_the_guard() -> None:
    bench = Bench()
    bench.hold(-130)
    guard(bench, mode=StopMode.LOCAL)
    for _ in range(4):
        bench.quote(CALL, 12_500)
        bench.settle(1)
    (wish,) = bench.state.flattening
    bench.ask(AbandonFlatten(id="a", actor="key", flatten_id=wish))
    assert (bench.state.protections, bench.state.flattening) == ({}, {})


def test_the_kill_turns_the_stops_and_ends_the_guards() -> None:
    bench, stop = guarded()
    bench.ask(EngageKill(id="k", actor="key"))
    assert [name for name, *_ in changed(bench.settle())] == [stop]
    bench.accept(stop)
    bench.trade(stop)
    bench.settle()
    bench.settle()
    assert (bench.state.protections, bench.state.flattening, bench.qty()) == ({}, {}, 0)


# ---------------------------------------------------------------- setting


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ({"stop": None}, "NO_LEVEL"),
        ({"stop": 12_003}, "TICK_SIZE"),
        ({"stop": 0}, "TICK_SIZE"),
        ({"stop": 9_900}, "LEVEL_PASSED"),
        ({"stop": None, "target": 10_100}, "LEVEL_PASSED"),
        ({"stop": 12_000, "wide": 11_000}, "WIDE_TIGHT"),
        ({"stop": 12_000, "wide": 13_000, "mode": StopMode.LOCAL}, "WIDE_ALONE"),
        ({"contract": PUT}, "NO_POSITION"),
    ],
)
def test_levels_that_could_not_guard_are_refused(levels: dict[str, int], code: str) -> None:
    bench = Bench()
    bench.hold(-130)
    with pytest.raises(Refusal) as refused:
        guard(bench, **levels)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_stop_beside_orders_that_close_the_position_is_refused_and_a_local_one_is_not() -> None:
    bench = Bench()
    bench.hold(-130)
    bench.order(terms(Side.BUY, 65, 8_000))
    with pytest.raises(Refusal) as refused:
        guard(bench)
    assert refused.value.code == "ORDERS_CLOSE"
    assert guard(bench, mode=StopMode.LOCAL) == []


def test_new_levels_move_the_stop_at_the_exchange_and_clearing_it_cancels_it() -> None:
    bench, stop = guarded()
    bench.quote(CALL, 9_000)
    assert guard(bench, stop=11_000) == []
    order = bench.state.orders[stop]
    assert order.asked is not None
    assert order.asked.trigger == 12_000
    bench.accept(stop)
    bench.seen(stop)
    bench.settle()
    assert state(bench) == (Guard.WORKING, Repair.NONE)
    bench.ask(ClearStop(id="c", actor="key", account="paper", product=Product.NRML, contract=CALL))
    assert cancelled(bench.settle()) == [stop]


def test_a_stop_that_is_moved_on_and_on_is_replaced_before_brokers_refuse_to_move_it() -> None:
    bench, stop = guarded()
    for number in range(keeping.MOST_MOVES):
        assert guard(bench, stop=12_000 - 5 * (number + 1), mode=StopMode.BROKER) == []
        bench.accept(stop)
        bench.seen(stop)
    assert bench.state.orders[stop].changes == keeping.MOST_MOVES
    guard(bench, stop=11_500, mode=StopMode.BROKER)
    bench.tell(ev.OrderCancelled(order_id=stop))
    (again,) = sent_ids(bench.settle())
    assert bench.state.orders[again].terms.trigger == 11_500


def test_nothing_is_guarded_under_the_kill_switch_nor_while_it_is_being_closed() -> None:
    bench = Bench()
    bench.hold(-130)
    flatten(bench, scope=Scope(ScopeKind.CONTRACT, CALL))
    with pytest.raises(Refusal) as refused:
        guard(bench)
    assert refused.value.code == "CLOSING"
    bench.tell(ev.KillEngaged(why="x"))
    with pytest.raises(Refusal) as refused:
        guard(bench)
    assert refused.value.code == "KILLED"
