"""Brackets: what an entry fills is guarded from its first fill on, and never for more than is open."""

from __future__ import annotations

import pytest

from optconsole.engine.commands import CancelOrder, Flatten, PlaceOrder
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, Role, Side
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.quotes import Quote
from tests.engine.facts import CALL, terms
from tests.engine.floor import Floor

KEY = f"paper/NRML/{CALL}"


def entry(floor: Floor, qty: int = 130, **more: object) -> None:
    fields = {"stop": 11_000, "target": 8_000, **more}
    assert floor.ask(PlaceOrder, terms=terms(Side.SELL, qty), **fields).ok
    floor.acknowledge()


def guards(floor: Floor) -> list[Order]:
    return [order for order in floor.orders.values() if order.role is Role.STOP]


def test_nothing_is_guarded_before_the_entry_fills() -> None:
    floor = Floor()
    entry(floor)
    assert not guards(floor)
    floor.ask(CancelOrder, order_id="O1")
    floor.cancelled("O1")
    assert not floor.story.state.brackets


def test_a_partial_fill_is_guarded_at_once_and_the_rest_as_it_fills() -> None:
    floor = Floor()
    entry(floor)
    floor.fill("O1", 65)
    guard = floor.story.state.protections[KEY]
    assert (guard.stop, guard.target) == (11_000, 8_000)
    assert [(order.terms.side, order.terms.qty) for order in guards(floor)] == [(Side.BUY, 65)]
    floor.acknowledge()
    floor.fill("O1")
    floor.wait(10)
    assert list(floor.story.state.protections) == [KEY]
    assert not floor.story.state.brackets


def test_a_parent_is_guarded_from_the_first_fill_of_any_part() -> None:
    floor = Floor()
    entry(floor, qty=2600)
    floor.fill("O2")
    assert sum(order.remaining for order in guards(floor)) == 845
    floor.fill("O1")
    floor.wait(1)
    assert not floor.story.state.brackets


def test_a_market_beyond_the_stop_by_the_time_of_the_fill_is_left_at_once() -> None:
    floor = Floor()
    entry(floor)
    floor.trade_at(11_500)
    floor.fill("O1")
    assert "NOT_GUARDED" in floor.notices()
    closing = [order for order in floor.orders.values() if order.role.closes]
    assert [(order.terms.side, order.terms.qty) for order in closing] == [(Side.BUY, 130)]


def test_a_fill_before_the_first_quote_is_guarded_and_not_closed() -> None:
    floor = Floor()
    entry(floor)
    floor.quote = Quote(name=CALL, ts=0)
    floor.fill("O1")
    assert "NOT_GUARDED" not in floor.notices()
    assert [(order.terms.side, order.terms.qty) for order in guards(floor)] == [(Side.BUY, 130)]
    assert not floor.story.state.flattening


def test_a_target_by_hand_that_rests_already_does_not_make_a_bracket_close_the_position() -> None:
    floor = Floor()
    floor.hold(-65)
    assert floor.ask(PlaceOrder, terms=terms(Side.BUY, 65, 8_000)).ok
    floor.acknowledge()
    assert floor.ask(PlaceOrder, terms=terms(Side.SELL, 65, 10_100), stop=11_000).ok
    floor.acknowledge()
    floor.fill("O2")
    assert not floor.story.state.flattening
    assert floor.story.state.protections[KEY].mode is StopMode.LOCAL
    assert not guards(floor)
    assert "STOP_LOCAL" in floor.notices()


def test_a_flatten_takes_the_guard_away_and_none_comes_back() -> None:
    floor = Floor()
    entry(floor)
    floor.fill("O1")
    floor.acknowledge()
    floor.ask(Flatten)
    floor.cancelled("O2")
    floor.acknowledge()
    floor.fill("O3")
    floor.wait(60)
    assert floor.position() == 0
    assert not floor.working()


@pytest.mark.parametrize(
    ("fields", "held", "code"),
    [
        ({"stop": 9_000}, 0, "WRONG_SIDE"),
        ({"stop": 11_000, "target": 10_500}, 0, "WRONG_SIDE"),
        ({"stop": 11_003}, 0, "TICK_SIZE"),
        ({"stop": 11_000}, 130, "NOTHING_TO_GUARD"),
    ],
)
def test_a_guard_that_could_not_work_refuses_the_entry(fields: dict[str, int], held: int, code: str) -> None:
    floor = Floor()
    if held:
        floor.hold(held)
    with pytest.raises(Refusal) as refused:
        floor.ask(PlaceOrder, terms=terms(Side.SELL, 130), **fields)
    assert refused.value.code == code
    assert not floor.orders


def test_a_denied_entry_leaves_no_guard_waiting() -> None:
    floor = Floor()
    assert not floor.ask(PlaceOrder, terms=terms(Side.SELL, 100), stop=11_000).ok
    assert not floor.story.state.brackets
