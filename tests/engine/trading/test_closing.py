from __future__ import annotations

from datetime import timedelta

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import (
    AbandonFlatten,
    CancelAll,
    CancelOrder,
    EngageKill,
    Flatten,
    ModifyOrder,
    PlaceOrder,
    ReleaseKill,
    Scope,
    ScopeKind,
)
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, OrderType, Side
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.trading import closing
from tests.engine.facts import CALL, PUT, terms
from tests.engine.trading.bench import Bench, cancelled, flatten, placed, sent_ids


def test_an_empty_scope_is_refused_not_ignored() -> None:
    bench = Bench()
    bench.hold(130)
    with pytest.raises(Refusal) as refused:
        bench.ask(Flatten(id="f", actor="key", scope=Scope(ScopeKind.UNDERLYING, "SENSEX")))
    assert refused.value.code == "NOTHING_OPEN"


@pytest.mark.parametrize("percent", [0, 101, -5])
def test_a_percentage_outside_1_to_100_is_refused(percent: int) -> None:
    bench = Bench()
    bench.hold(130)
    with pytest.raises(Refusal) as refused:
        bench.ask(Flatten(id="f", actor="key", percent=percent))
    assert refused.value.code == "BAD_PERCENT"


@pytest.mark.parametrize(
    ("scope", "contracts"),
    [
        (Scope(ScopeKind.CONTRACT, "nifty 01dec26  24500 ce"), {CALL}),
        (Scope(ScopeKind.UNDERLYING, "nifty"), {CALL, PUT}),
        (Scope(ScopeKind.ACCOUNT, "paper"), {CALL, PUT}),
        (Scope(ScopeKind.EXPIRY, "nifty 01dec26"), {CALL, PUT}),
        (Scope(ScopeKind.EXPIRY, "2026-12-01"), {CALL, PUT}),
        (Scope(ScopeKind.POSITION, f"paper/nrml/{PUT}"), {PUT}),
    ],
)
def test_the_scope_bounds_what_is_closed(scope: Scope, contracts: set[str]) -> None:
    bench = Bench()
    bench.hold(130)
    bench.hold(130, PUT)
    assert {name for name, _, _ in placed(flatten(bench, scope=scope))} == contracts


@pytest.mark.parametrize(
    "scope",
    [Scope(ScopeKind.POSITION, "paper/NRML"), Scope(ScopeKind.EXPIRY, "NIFTY soon"), Scope(ScopeKind.CONTRACT, "?")],
)
def test_a_scope_that_names_nothing_is_refused(scope: Scope) -> None:
    bench = Bench()
    bench.hold(130)
    with pytest.raises(Refusal):
        bench.ask(Flatten(id="f", actor="key", scope=scope))


def test_cancel_all_leaves_alone_what_is_being_cancelled_already_and_what_guards_or_closes() -> None:
    bench = Bench()
    first, second = bench.order(terms(price=12_000)), bench.order(terms(price=12_500))
    bench.tell(ev.OrderCancelAsked(order_id=first))
    assert cancelled(bench.ask(CancelAll(id="c", actor="key")).effects) == [second]
    bench.hold(130, PUT)
    closer = sent_ids(flatten(bench, scope=Scope(ScopeKind.CONTRACT, PUT)))
    bench.ack(*closer)
    decision = bench.ask(CancelAll(id="c2", actor="key", scope=Scope(ScopeKind.CONTRACT, PUT)))
    assert decision.effects == []
    assert decision.reply is not None
    assert "1 that guard or close a position stay" in decision.reply.text


def test_a_living_flatten_is_not_cancelled_by_hand_nor_traded_against() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    for command in (
        CancelOrder(id="c", actor="key", order_id=closer),
        ModifyOrder(id="m", actor="key", order_id=closer, price=9_000),
    ):
        with pytest.raises(Refusal) as refused:
            bench.ask(command)
        assert refused.value.code == "CLOSING"
        assert "give up the flatten f" in refused.value.text
    bench.ask(PlaceOrder(id="p", actor="key", terms=terms(Side.BUY, 65)))
    assert [order.reason_code for order in bench.state.orders.values() if order.status is OrderStatus.DENIED] == [
        "CLOSING"
    ]


def test_a_flatten_that_is_given_up_takes_its_orders_with_it_and_leaves_the_position() -> None:
    bench = Bench()
    bench.hold(130)
    (closer,) = sent_ids(flatten(bench))
    bench.ack(closer)
    bench.ask(AbandonFlatten(id="a", actor="key", flatten_id="f"))
    assert bench.state.flattening == {}
    assert cancelled(bench.settle()) == [closer]
    bench.tell(ev.OrderCancelled(order_id=closer))
    assert bench.settle(10) == []
    assert bench.qty() == 130


def test_a_kill_is_not_given_up_and_a_flatten_must_exist() -> None:
    bench = Bench()
    bench.hold(130)
    bench.ask(EngageKill(id="k", actor="key"))
    for name, code in (("k", "KILLED"), ("x", "NO_SUCH_FLATTEN")):
        with pytest.raises(Refusal) as refused:
            bench.ask(AbandonFlatten(id="a", actor="key", flatten_id=name))
        assert refused.value.code == code


def test_engaging_the_kill_again_changes_nothing() -> None:
    bench = Bench()
    bench.hold(130)
    bench.order(terms(Side.BUY, 65, 9_000))
    assert len(cancelled(bench.ask(EngageKill(id="k", actor="key")).effects)) == 1
    again = bench.ask(EngageKill(id="k2", actor="key"))
    assert (again.facts, again.effects) == ([], [])
    assert [wish.why for wish in bench.state.flattening.values()] == ["kill"]


def test_a_release_while_the_market_is_closed_leaves_nothing_that_would_close_at_the_open() -> None:
    bench = Bench()
    bench.hold(65)
    bench.phase = MarketPhase.CLOSED
    bench.ask(EngageKill(id="k", actor="key", why="test"))
    bench.settle(70)
    assert bench.state.flattening
    released = bench.ask(ReleaseKill(id="r", actor="key", typed="UNLOCK"))
    assert released.reply is not None
    assert f"Still open: {CALL} 65." in released.reply.text
    bench.phase = MarketPhase.OPEN
    assert bench.settle(1) == []
    assert not bench.state.flattening


def test_release_needs_the_typed_word_a_minute_and_no_order_of_ours_at_work_or_in_doubt() -> None:
    bench = Bench()
    bench.tell(ev.KillEngaged(why="test"))

    def release(typed: str, seconds: int) -> str:
        try:
            closing.release_kill(
                bench.state, ReleaseKill(id="r", actor="key", typed=typed), lambda _engaged: timedelta(seconds=seconds)
            )
        except Refusal as refused:
            return refused.code
        return "RELEASED"

    assert release("unlock", 61) == "TYPE_UNLOCK"
    assert release("UNLOCK", 59) == "KILL_HOLD"
    assert release("UNLOCK", 60) == "RELEASED"
    bench.foreign(Side.BUY, 65, filled=False)
    assert release("UNLOCK", 60) == "RELEASED"
    doubted = bench.order(terms(Side.SELL, type=OrderType.LIMIT), acknowledged=False)
    bench.tell(ev.OrderDoubted(order_id=doubted, cause="silence"))
    assert release("UNLOCK", 60) == "ORDERS_WORK"
    bench.tell(ev.OrderDoubtReleased(order_id=doubted, why="looked"))
    assert release("UNLOCK", 60) == "RELEASED"
