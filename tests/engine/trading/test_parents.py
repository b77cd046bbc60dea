"""Orders that leave in parts: never more than was asked, never again what is not proven, and always said why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelAll, CancelOrder, EngageKill, Flatten, ModifyOrder, PlaceOrder
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, OrderStatus, OrderType, Pending, RiskClass, Side
from optconsole.engine.model.parents import Parent, ParentStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import tags
from optconsole.engine.rules.contingency import committed, filled
from optconsole.engine.trading.parents import kids_of
from tests.engine.facts import terms
from tests.engine.floor import Floor

BIG = 40 * 65


def parent(floor: Floor, name: str = "P1") -> Parent:
    return floor.story.state.parents[name]


def kids(floor: Floor, name: str = "P1") -> list[Order]:
    return kids_of(floor.story.state, name)


def sell(floor: Floor, qty: int = BIG, **more: object) -> None:
    reply = floor.ask(PlaceOrder, terms=terms(Side.SELL, qty), **more)
    assert (reply.ok, reply.ids) == (True, ("P1",))


def test_forty_lots_leave_as_twenty_seven_and_thirteen() -> None:
    floor = Floor()
    sell(floor)
    assert [kid.terms.qty for kid in kids(floor)] == [1755, 845]
    assert [tags.decode(kid.tag).part for kid in kids(floor)] == [0, 1]  # type: ignore[union-attr]
    assert len({kid.tag for kid in kids(floor)}) == 2


def test_an_order_the_exchange_takes_whole_stays_one_order() -> None:
    floor = Floor()
    assert floor.ask(PlaceOrder, terms=terms(Side.SELL, 1755)).ids == ("O1",)
    assert not floor.story.state.parents


def test_a_parent_is_done_when_all_of_it_is_filled() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge()
    floor.fill("O1")
    assert parent(floor).status is ParentStatus.WORKING
    floor.fill("O2")
    assert parent(floor).status is ParentStatus.DONE
    assert floor.position() == -BIG


def test_a_whole_order_that_breaks_a_rule_leaves_no_part() -> None:
    floor = Floor()
    reply = floor.ask(PlaceOrder, terms=terms(Side.SELL, BIG, price=10_003))
    assert (reply.ok, reply.code) == (False, "TICK_SIZE")
    assert [order.status for order in floor.orders.values()] == [OrderStatus.DENIED]


def test_the_limit_of_lots_holds_for_the_whole_not_for_a_part() -> None:
    assert Floor().ask(PlaceOrder, terms=terms(Side.SELL, 65 * 201)).code == "MAX_LOTS"


# ---------------------------------------------------------------- what ends an entry


def test_an_entry_is_not_sent_again_when_a_part_is_rejected() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge("O1")
    floor.rejected("O2")
    floor.wait(60)
    assert (parent(floor).status, parent(floor).why) == (ParentStatus.STOPPED, "O2 was rejected (No.)")
    assert floor.sizes() == [1755, 845]
    assert "PARENT_STOPPED" in floor.notices()


def test_a_part_in_doubt_sends_no_further_part_of_an_entry() -> None:
    floor = Floor()
    sell(floor, parts=4, every=30.0)
    floor.tell(ev.OrderDoubted(order_id="O1", cause="timeout"))
    floor.wait(31)
    assert parent(floor).status is ParentStatus.STOPPED
    assert parent(floor).why == "what became of O1 is unknown"
    assert len(floor.orders) == 1


def test_the_kill_switch_stops_an_entry_between_its_parts() -> None:
    floor = Floor()
    sell(floor, parts=4, every=30.0)
    floor.acknowledge()
    floor.tell(ev.KillEngaged(why="limit"))
    assert (parent(floor).status, parent(floor).why) == (ParentStatus.STOPPED, "the kill switch is on")


@pytest.mark.parametrize(("kind", "fields"), [(CancelAll, {}), (Flatten, {}), (EngageKill, {})])
def test_who_closes_everything_also_stops_what_is_still_to_be_sent(kind: type, fields: dict[str, object]) -> None:
    floor = Floor()
    sell(floor, parts=4, every=30.0)
    floor.acknowledge()
    floor.fill("O1")
    floor.ask(kind, **fields)
    floor.wait(100)
    assert parent(floor).status is ParentStatus.STOPPED
    assert sum(floor.sizes(Side.SELL)) == 650


def test_an_entry_that_a_restart_interrupts_is_not_taken_up_again() -> None:
    floor = Floor()
    floor.queued = 2.0
    sell(floor)
    floor.tell(
        ev.EngineStarted(version="1", world="practice", epoch=2), ev.EngineReady(orders_checked=0, fills_adopted=0)
    )
    floor.queued = 0.0
    floor.carry()
    assert not floor.orders
    assert "restarted" in parent(floor).why


def test_parts_wait_for_the_rate_of_the_exchange_instead_of_being_refused() -> None:
    floor = Floor()
    floor.queued = 2.0
    sell(floor)
    assert not floor.orders
    floor.queued = 0.0
    floor.carry()
    assert floor.sizes() == [1755, 845]


def test_what_the_close_of_the_session_ends_is_no_alarm() -> None:
    floor = Floor()
    sell(floor, parts=4, every=30.0)
    floor.acknowledge()
    floor.phase = MarketPhase.CLOSED
    floor.wait(60)
    assert len(floor.orders) == 1
    floor.tell(ev.OrderExpired(order_id="O1", reason="day"))
    assert (parent(floor).status, parent(floor).why) == (ParentStatus.STOPPED, "the session ended")
    assert not floor.notices()


def test_the_parts_of_yesterday_are_forgotten() -> None:
    floor = Floor()
    sell(floor)
    floor.tell(ev.SessionOpened(day=floor.now.date() + timedelta(days=1)))
    assert not floor.story.state.parents


# ---------------------------------------------------------------- parts by plan


def test_parts_by_number_leave_one_after_another_as_they_fill() -> None:
    floor = Floor()
    sell(floor, qty=5 * 65, parts=3)
    assert floor.sizes() == [130]
    floor.acknowledge()
    floor.fill("O1", 65)
    assert floor.sizes() == [130]
    floor.fill("O1")
    assert floor.sizes() == [130, 130]
    floor.acknowledge()
    floor.fill("O2")
    assert floor.sizes() == [130, 130, 65]


def test_timed_parts_leave_at_their_interval() -> None:
    floor = Floor()
    sell(floor, qty=4 * 65, parts=2, every=30.0)
    floor.acknowledge()
    floor.wait(29)
    assert len(floor.orders) == 1
    floor.wait(1)
    assert floor.sizes() == [130, 130]


def test_the_rest_is_given_up_and_cancelled_when_the_price_drifts() -> None:
    floor = Floor()
    sell(floor, qty=4 * 65, parts=2, every=30.0, drift=20)
    floor.acknowledge()
    floor.trade_at(10_100)
    assert parent(floor).status is ParentStatus.WORKING
    floor.trade_at(10_105)
    assert (parent(floor).status, parent(floor).why) == (ParentStatus.STOPPED, "the price moved too far")
    assert floor.orders["O1"].pending is Pending.CANCEL


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"parts": 50}, "BAD_PARTS"),
        ({"parts": 6}, "BAD_PARTS"),
        ({"every": 5.0}, "BAD_PARTS"),
        ({"drift": 5}, "BAD_PARTS"),
        ({"parts": 2, "every": -1.0}, "BAD_PARTS"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(fields: dict[str, object], code: str) -> None:
    floor = Floor()
    try:
        reply = floor.ask(PlaceOrder, terms=terms(Side.SELL, 5 * 65), **fields)
        assert not reply.ok
        found = reply.code
    except Refusal as refused:
        found = refused.code
    assert found == code
    assert not floor.story.state.parents


# ---------------------------------------------------------------- exits


def test_an_exit_sends_again_what_was_rejected_in_smaller_parts() -> None:
    floor = Floor()
    floor.hold(BIG)
    sell(floor)
    assert parent(floor).risk is RiskClass.REDUCE
    floor.acknowledge("O2")
    floor.rejected("O1")
    floor.wait(1)
    assert floor.sizes() == [1755, 845, 845, 845, 65]
    assert sum(order.terms.qty for order in floor.working()) == BIG


def test_an_exit_never_sends_more_than_is_open_now() -> None:
    floor = Floor()
    floor.hold(BIG)
    sell(floor)
    floor.acknowledge("O2")
    floor.hold(-1755)  # somebody closed by hand what the first part was for
    floor.rejected("O1")
    floor.wait(1)
    assert floor.sizes() == [1755, 845]
    floor.fill("O2")
    assert floor.position() == 0
    assert parent(floor).why == "nothing of the position is left to close"


def test_an_exit_waits_for_the_part_in_doubt_and_sends_the_others() -> None:
    floor = Floor()
    floor.hold(BIG)
    sell(floor)
    floor.tell(ev.OrderDoubted(order_id="O1", cause="timeout"))
    floor.rejected("O2")
    floor.wait(1)
    assert sum(floor.sizes()) - 845 == BIG
    assert parent(floor).status is ParentStatus.WORKING


def test_an_exit_that_is_rejected_again_and_again_stops_with_an_alarm() -> None:
    floor = Floor()
    floor.hold(130)
    floor.ask(PlaceOrder, terms=terms(Side.SELL, 130), parts=2)
    for _ in range(10):
        for order in floor.working():
            floor.rejected(order.id)
        floor.wait(2)
    assert len(floor.orders) == 4
    assert floor.notices().count("PARENT_STOPPED") == 1
    assert floor.story.state.notices[-1].level == "alarm"


def test_an_exit_that_a_restart_interrupts_goes_on_from_what_is_open() -> None:
    floor = Floor()
    floor.hold(BIG)
    sell(floor, parts=4)
    floor.acknowledge()
    floor.tell(ev.EngineStarted(version="1", world="p", epoch=2), ev.EngineReady(orders_checked=0, fills_adopted=0))
    floor.fill("O1")
    assert floor.sizes() == [650, 650]


# ---------------------------------------------------------------- what the trader asks of it


def test_cancelling_a_parent_cancels_its_parts_and_sends_no_more() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge("O1")
    floor.ask(CancelOrder, order_id="P1")
    assert floor.orders["O1"].pending is Pending.CANCEL
    floor.acknowledge("O2")
    assert floor.orders["O2"].pending is Pending.CANCEL
    floor.cancelled("O1")
    floor.cancelled("O2")
    floor.wait(60)
    assert floor.sizes() == [1755, 845]
    with pytest.raises(Refusal, match="cannot be cancelled"):
        floor.ask(CancelOrder, order_id="P1")


def test_a_new_price_goes_to_every_part_and_to_those_to_come() -> None:
    floor = Floor()
    sell(floor, parts=4, every=30.0)
    floor.acknowledge()
    floor.ask(ModifyOrder, order_id="P1", price=10_100)
    asked = floor.orders["O1"].asked
    assert asked is not None
    assert asked.price == 10_100
    floor.tell(ev.OrderChanged(order_id="O1", terms=asked))
    floor.wait(31)
    assert [kid.terms.price for kid in kids(floor)] == [10_100, 10_100]


def test_a_parent_shrinks_from_its_end_and_never_below_what_is_filled() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge()
    floor.fill("O1", 1300)
    floor.ask(ModifyOrder, order_id="P1", qty=1690)
    assert floor.orders["O2"].pending is Pending.CANCEL
    first = floor.orders["O1"].asked
    assert first is not None
    assert first.qty == 1690
    floor.tell(ev.OrderChanged(order_id="O1", terms=first))
    floor.cancelled("O2")
    floor.fill("O1")
    assert (parent(floor).status, filled(kids(floor))) == (ParentStatus.DONE, 1690)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"qty": BIG + 65}, "ONLY_LESS"),
        ({"qty": 100}, "ONLY_LESS"),
        ({"qty": 65}, "BELOW_FILLED"),
        ({"price": 10_000}, "NO_CHANGE"),
        ({"trigger": 10_000}, "NO_TRIGGER"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(fields: dict[str, int], code: str) -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge()
    floor.fill("O1", 650)
    before = floor.story.state.seq
    with pytest.raises(Refusal) as refused:
        floor.ask(ModifyOrder, order_id="P1", **fields)
    assert refused.value.code == code
    assert floor.story.state.seq == before


def test_a_change_waits_for_a_part_the_broker_has_not_answered() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge("O1")
    with pytest.raises(Refusal) as refused:
        floor.ask(ModifyOrder, order_id="P1", price=10_100)
    assert refused.value.code == "NOT_ACKNOWLEDGED"
    assert floor.orders["O1"].pending is Pending.NONE


# ---------------------------------------------------------------- the law

STEP = st.tuples(
    st.sampled_from(("ack", "fill", "part", "reject", "cancel", "expire", "doubt", "absent", "wait")),
    st.integers(0, 40),
)


@given(
    steps=st.lists(STEP, min_size=10, max_size=40),
    held=st.sampled_from((0, BIG, BIG + 650)),
    lots=st.integers(2, 60),
    plan=st.sampled_from(({}, {"parts": 2}, {"parts": 2, "every": 5.0})),
)
def test_parts_together_never_exceed_the_parent_whatever_becomes_of_them(
    steps: list[tuple[str, int]], held: int, lots: int, plan: dict[str, float]
) -> None:
    floor = Floor()
    if held:
        floor.hold(held)
    qty = lots * 65
    reply = floor.ask(PlaceOrder, terms=terms(Side.SELL, qty), **plan)
    for word, pick in steps:
        _happen(floor, word, pick)
        if reply.ids[0] == "P1":
            assert committed(kids(floor)) <= qty
            assert filled(kids(floor)) <= qty
            if parent(floor).risk is RiskClass.REDUCE:
                assert floor.position() >= 0
    if reply.ids[0] == "P1" and filled(kids(floor)) == qty:
        assert parent(floor).status is ParentStatus.DONE


SENT = (OrderStatus.SENT, OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT)
MAY_HAPPEN: dict[str, Callable[[Order], bool]] = {
    "ack": lambda order: order.status in SENT,
    "fill": lambda _order: True,
    "part": lambda order: order.remaining > 65,
    "reject": lambda order: order.status in SENT,
    "cancel": lambda _order: True,
    "expire": lambda _order: True,
    "doubt": lambda order: order.status is OrderStatus.SENT,
    "absent": lambda order: order.status is OrderStatus.UNKNOWN,
}
HAPPENS: dict[str, Callable[[Floor, str], None]] = {
    "ack": lambda floor, name: floor.acknowledge(name),
    "fill": lambda floor, name: floor.fill(name),
    "part": lambda floor, name: floor.fill(name, 65),
    "reject": lambda floor, name: floor.rejected(name),
    "cancel": lambda floor, name: floor.cancelled(name),
    "expire": lambda floor, name: floor.tell(ev.OrderExpired(order_id=name, reason="day")),
    "doubt": lambda floor, name: floor.tell(ev.OrderDoubted(order_id=name, cause="timeout")),
    "absent": lambda floor, name: floor.tell(ev.OrderPresumedAbsent(order_id=name, reads=3)),
}


def _happen(floor: Floor, word: str, pick: int) -> None:
    """What a broker may say of any order at any time; a late arrival fills what was given up."""
    if word == "wait":
        floor.wait(pick)
        return
    alive = floor.working()
    if alive and MAY_HAPPEN[word](order := alive[pick % len(alive)]):
        HAPPENS[word](floor, order.id)


def test_a_market_order_above_the_freeze_has_a_worst_price_in_every_part() -> None:
    floor = Floor()
    floor.ask(PlaceOrder, terms=msgspec.structs.replace(terms(Side.SELL, BIG), type=OrderType.MARKET, price=None))
    assert all(kid.terms.protection is not None for kid in kids(floor))


@pytest.mark.parametrize(("gone", "sent"), [(60, 2), (1_200, 1)])
def test_a_timed_part_of_an_entry_does_not_leave_after_the_machine_slept(gone: int, sent: int) -> None:
    floor = Floor()
    floor.ask(PlaceOrder, terms=terms(Side.BUY, 195, 10_010), parts=3, every=5.0)
    floor.acknowledge()
    floor.wait(gone)
    assert len(floor.orders) == sent


def test_a_part_is_not_made_larger_than_its_parent_leaves_room_for() -> None:
    floor = Floor()
    sell(floor)
    floor.acknowledge()
    with pytest.raises(Refusal, match="PART_OF_PARENT"):
        floor.ask(ModifyOrder, order_id="O2", qty=845 + 65)
    assert floor.ask(ModifyOrder, order_id="O2", qty=845 - 65).ok
