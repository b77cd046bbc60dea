"""Reverse: first flat, then the other way, and never both at once."""

from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import EngageKill, Flatten, Reverse, Scope, ScopeKind
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Role, Side
from tests.engine.facts import CALL, PUT, terms
from tests.engine.floor import Floor

HERE = Scope(ScopeKind.CONTRACT, CALL)


def long_call(qty: int = 130) -> Floor:
    floor = Floor()
    floor.hold(qty)
    return floor


def test_the_opposite_opens_only_once_the_position_is_flat() -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    assert floor.sizes() == [130]
    floor.fill("O1", 65)
    assert floor.sizes() == [130]
    floor.fill("O1")
    assert floor.sizes(Side.SELL) == [130, 130]
    floor.acknowledge()
    floor.fill("O2")
    assert floor.position() == -130


def test_what_still_works_in_the_contract_is_gone_before_anything_closes() -> None:
    floor = long_call()
    resting = floor.story.order(terms(Side.SELL, 130, 12_000))
    floor.ask(Reverse, scope=HERE)
    assert len(floor.orders) == 1
    floor.cancelled(resting)
    assert floor.sizes() == [130, 130]


def test_a_large_position_is_reversed_in_parts() -> None:
    floor = long_call(2600)
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    for name in ("O1", "O2"):
        floor.fill(name)
    assert floor.sizes() == [1755, 845, 1755, 845]
    assert list(floor.story.state.parents) == ["P1"]


def test_nothing_is_opened_when_the_close_is_rejected() -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.rejected("O1")
    floor.wait(200)
    assert "NOT_REVERSED" in floor.notices()
    assert not floor.story.state.reversals
    assert not floor.story.state.parents


def test_nothing_is_opened_when_the_close_takes_too_long() -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    floor.wait(121)
    floor.fill("O1")
    assert floor.position() == 0
    assert not floor.story.state.parents
    assert "NOT_REVERSED" in floor.notices()


def test_nothing_is_opened_while_an_order_there_is_in_doubt() -> None:
    floor = long_call()
    doubted = floor.story.order(terms(Side.BUY, 65), acknowledged=False)
    floor.tell(ev.OrderDoubted(order_id=doubted, cause="timeout"), ev.OrderPresumedAbsent(order_id=doubted, reads=3))
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    floor.fill("O2")
    assert floor.position() == 0
    assert not floor.story.state.parents


@pytest.mark.parametrize(("kind", "fields"), [(Flatten, {"scope": HERE}), (EngageKill, {})])
def test_who_flattens_or_kills_meanwhile_ends_flat(kind: type, fields: dict[str, object]) -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    floor.ask(kind, **fields)
    floor.fill("O1")
    floor.wait(10)
    assert floor.position() == 0
    assert not floor.story.state.parents


def test_a_flatten_that_nobody_asked_for_by_hand_ends_the_reversal_too() -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    floor.tell(ev.FlattenBegun(flatten_id="limit", kind="all", name="", percent=100, why="day loss"))
    floor.fill("O1")
    assert floor.position() == 0
    assert not floor.story.state.parents


def test_a_restart_in_between_closes_but_opens_nothing() -> None:
    floor = long_call()
    floor.ask(Reverse, scope=HERE)
    floor.acknowledge()
    floor.tell(
        ev.EngineStarted(version="1", world="practice", epoch=2), ev.EngineReady(orders_checked=0, fills_adopted=0)
    )
    floor.fill("O1")
    assert floor.position() == 0
    assert not floor.story.state.parents


def test_a_reversal_that_could_not_open_closes_nothing() -> None:
    floor = long_call()
    floor.tell(ev.KillEngaged(why="test"))
    with pytest.raises(Refusal) as refused:
        floor.ask(Reverse, scope=HERE)
    assert refused.value.code == "KILLED"
    assert not floor.story.state.reversals
    assert all(order.role is Role.KILL for order in floor.orders.values())


def test_only_what_is_open_is_reversed_and_only_once() -> None:
    floor = long_call()
    with pytest.raises(Refusal, match="could be reversed"):
        floor.ask(Reverse, scope=Scope(ScopeKind.CONTRACT, PUT))
    floor.ask(Reverse, scope=HERE)
    with pytest.raises(Refusal, match="already"):
        floor.ask(Reverse, scope=HERE)
