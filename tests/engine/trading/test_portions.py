"""The exit of a strategy closes what the strategy holds, bounded by what is open, and nobody else's units."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelAll, Flatten, Scope, ScopeKind, SetStop
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, Pending, Product, RiskClass, Role, Side
from optconsole.engine.trading.parents import standing_order
from tests.engine.facts import terms
from tests.engine.trading.bench import CALL, OTHER_CALL, Bench, cancelled, flatten, placed

LOT = 65
OWN = Scope(ScopeKind.STRATEGY, "am/x")


def held(bench: Bench, qty: int, source: str = "", contract: str = CALL) -> None:
    side = Side.BUY if qty > 0 else Side.SELL
    order = bench.order(msgspec.structs.replace(terms(side, abs(qty), contract=contract), source=source))
    bench.fill(order, abs(qty), 10_000, f"t{order}")


def rests(bench: Bench, side: Side, qty: int, source: str, price: int) -> str:
    return bench.order(msgspec.structs.replace(terms(side, qty, price), source=source))


def share(bench: Bench, source: str, contract: str = CALL) -> int:
    parts = bench.state.books.get(f"paper/NRML/{contract}", ())
    return sum(part.held.qty for part in parts if part.source == source)


def closers(bench: Bench) -> list[tuple[str, Side, int]]:
    return [
        (order.terms.source, order.terms.side, order.terms.qty) for order in bench.working() if order.role is Role.EXIT
    ]


def run(bench: Bench, rounds: int = 20) -> None:
    """The broker takes and fills whatever closes, and does what it is asked, until nothing more comes."""
    for _ in range(rounds):
        for order in bench.working():
            if order.broker_id is None:
                bench.ack(order.id)
            if bench.state.orders[order.id].pending is Pending.CANCEL:
                bench.tell(ev.OrderCancelled(order_id=order.id, reason="asked"))
            elif bench.state.orders[order.id].pending is Pending.MODIFY:
                bench.accept(order.id)
            elif order.role is Role.EXIT:
                bench.trade(order.id)
        bench.settle(1.0)


def test_an_exit_closes_its_own_share_and_leaves_the_hands() -> None:
    bench = Bench()
    held(bench, -2 * LOT, "am/x/ce")
    held(bench, -3 * LOT)
    held(bench, -LOT, "am/y")
    assert placed(flatten(bench, scope=OWN)) == [(CALL, Side.BUY, 2 * LOT)]
    assert closers(bench) == [("am/x/ce", Side.BUY, 2 * LOT)]
    run(bench)
    assert (share(bench, "am/x/ce"), share(bench, ""), share(bench, "am/y")) == (0, -3 * LOT, -LOT)
    assert bench.qty() == -4 * LOT
    assert not bench.state.flattening


def test_two_legs_in_one_contract_are_each_closed_on_their_own_behalf() -> None:
    bench = Bench()
    held(bench, -LOT, "am/x/a")
    held(bench, -2 * LOT, "am/x/b")
    held(bench, -LOT)
    flatten(bench, scope=OWN)
    assert closers(bench) == [("am/x/a", Side.BUY, LOT), ("am/x/b", Side.BUY, 2 * LOT)]
    run(bench)
    assert (share(bench, "am/x/a"), share(bench, "am/x/b"), share(bench, "")) == (0, 0, -LOT)


def test_what_others_hold_against_it_bounds_an_exit_by_the_live_position() -> None:
    bench = Bench()
    held(bench, -3 * LOT, "am/x")
    held(bench, 2 * LOT, "am/y")
    assert bench.qty() == -LOT
    assert placed(flatten(bench, scope=OWN)) == [(CALL, Side.BUY, LOT)]
    run(bench)
    assert bench.qty() == 0, "more would have opened a long position"
    assert not bench.state.flattening


def test_a_strategys_own_orders_go_before_it_is_closed_and_others_stay() -> None:
    bench = Bench()
    held(bench, -2 * LOT, "am/x")
    held(bench, -LOT)
    own = rests(bench, Side.BUY, LOT, "am/x", 8_000)
    hand = rests(bench, Side.BUY, LOT, "", 8_000)
    effects = flatten(bench, scope=OWN)
    assert own in cancelled(effects)
    assert hand not in cancelled(effects)
    assert placed(effects) == [(CALL, Side.BUY, LOT)], "what its own order may still buy is not bought twice"
    run(bench)
    assert share(bench, "am/x") == 0
    assert bench.state.orders[hand].status is OrderStatus.OPEN


def test_a_stop_of_the_whole_position_gives_up_the_strategys_share_and_keeps_the_rest() -> None:
    bench = Bench()
    held(bench, -2 * LOT, "am/x")
    held(bench, -LOT)
    bench.ask(
        SetStop(id="s", actor="key", account="paper", product=Product.NRML, contract=CALL, stop=12_000, wide=13_000)
    )
    bench.settle()
    stop = next(order.id for order in bench.working() if order.role is Role.STOP)
    bench.seen(stop)
    flatten(bench, scope=OWN)
    run(bench)
    assert share(bench, "am/x") == 0
    assert bench.qty() == -LOT
    assert [order.terms.qty - order.filled for order in bench.working() if order.role is Role.STOP] == [LOT]


def test_shorts_of_a_strategy_go_before_its_longs() -> None:
    bench = Bench()
    held(bench, -LOT, "am/x")
    held(bench, LOT, "am/x", OTHER_CALL)
    assert placed(flatten(bench, scope=OWN)) == [(CALL, Side.BUY, LOT)]
    run(bench)
    assert (bench.qty(), bench.qty(OTHER_CALL)) == (0, 0)


def test_the_hand_may_go_on_in_a_contract_that_a_strategy_leaves() -> None:
    bench = Bench()
    held(bench, -LOT, "am/x")
    held(bench, -LOT)
    flatten(bench, scope=OWN)
    order = rests(bench, Side.SELL, LOT, "am/y", 12_000)
    bench.settle(1.0)
    other = bench.state.orders[order].terms
    assert not standing_order(bench.state, other, RiskClass.INCREASE)
    own = msgspec.structs.replace(other, source="am/x/ce")
    assert standing_order(bench.state, own, RiskClass.INCREASE) == "it is being closed"


def test_cancel_all_of_a_strategy_leaves_the_others_orders() -> None:
    bench = Bench()
    own, other = rests(bench, Side.BUY, LOT, "am/x/ce", 8_000), rests(bench, Side.BUY, LOT, "am/xy", 8_000)
    assert cancelled(bench.ask(CancelAll(id="c", actor="key", scope=OWN)).effects) == [own]
    assert bench.state.orders[other].pending is Pending.NONE


@pytest.mark.parametrize(
    ("scope", "percent", "code"),
    [(OWN, 50, "BAD_PERCENT"), (Scope(ScopeKind.STRATEGY, "a;b"), 100, "LIMIT_NAME"), (OWN, 100, "NOTHING_OPEN")],
)
def test_an_exit_that_cannot_be_says_why(scope: Scope, percent: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        Bench().ask(Flatten(id="f", actor="key", scope=scope, percent=percent))
    assert refused.value.code == code


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "am/x", "am/x/ce", "pm"]), st.integers(-3, 3)), min_size=1, max_size=6))
def test_no_exit_of_a_strategy_takes_from_others_or_turns_the_position(trades: list[tuple[str, int]]) -> None:
    bench = Bench()
    for source, lots in trades:
        if lots:
            held(bench, lots * LOT, source)
    before = bench.qty()
    others = {name: share(bench, name) for name in ("", "pm")}
    own = share(bench, "am/x") + share(bench, "am/x/ce")
    try:
        flatten(bench, scope=OWN)
    except Refusal:
        return
    run(bench)
    assert {name: share(bench, name) for name in ("", "pm")} == others
    assert abs(bench.qty()) <= abs(before)
    assert bench.qty() * before >= 0
    assert abs(bench.qty() - before) <= max(abs(own), abs(before))
    assert not bench.state.flattening
