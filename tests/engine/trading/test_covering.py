"""The law of every exit, against an exchange that fills, loses and delays as it likes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import AbandonFlatten, Flatten, SetStop
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus, Product, Side
from optconsole.engine.model.positions import Position
from optconsole.engine.trading.covering import claimed, held, room
from optconsole.engine.trading.decision import Effect, SendCancel, SendModify, SendPlace
from tests.engine.facts import CALL, terms
from tests.engine.trading.bench import Bench

LOT = 65


@dataclass
class True_:
    """An order as the exchange has it."""

    qty: int
    filled: int = 0
    alive: bool = True
    told: int = 0

    @property
    def rest(self) -> int:
        return self.qty - self.filled if self.alive else 0


@dataclass
class Exchange:
    """The truth: what arrives here counts, whatever the engine was told."""

    bench: Bench
    qty: int
    orders: dict[str, True_] = field(default_factory=dict)
    flying: dict[str, Effect] = field(default_factory=dict)
    asked: list[Effect] = field(default_factory=list)

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SendPlace):
                self.flying[effect.order_id] = effect
            else:
                self.asked.append(effect)

    def arrive(self, order_id: str, told: bool) -> None:
        effect = self.flying.pop(order_id)
        assert isinstance(effect, SendPlace)
        working = sum(order.rest for order in self.orders.values())
        assert effect.request.side is Side.SELL
        assert effect.request.qty <= self.qty - working, "more works to close than is open"
        self.orders[order_id] = True_(effect.request.qty)
        if told:
            self.bench.seen(order_id)
        elif self.bench.state.orders[order_id].status is OrderStatus.SENT:
            self.bench.tell(ev.OrderDoubted(order_id=order_id, cause="silence"))

    def lose(self, order_id: str, how: str) -> None:
        if how == "reject":
            del self.flying[order_id]
            self.bench.tell(ev.OrderRejected(order_id=order_id, code="RMS", reason="no"))
        elif self.bench.state.orders[order_id].status is OrderStatus.SENT:
            self.bench.tell(ev.OrderDoubted(order_id=order_id, cause="silence"))

    def fill(self, order_id: str, lots: int, told: bool) -> None:
        order = self.orders[order_id]
        qty = min(lots * LOT, order.rest)
        order.filled += qty
        self.qty -= qty
        assert self.qty >= 0, "past flat"
        if told:
            self.tell_fills(order_id)

    def tell_fills(self, order_id: str) -> None:
        order = self.orders[order_id]
        if self.bench.state.orders[order_id].broker_id is None:
            self.bench.ack(order_id)
        if order.filled > order.told:
            self.bench.trade(order_id, order.filled - order.told)
            order.told = order.filled

    def answer(self, how: str) -> None:
        """Answer the oldest change or cancel: done, refused, or done with the answer lost."""
        effect = self.asked.pop(0)
        order, bench = self.orders[effect.order_id], self.bench
        if isinstance(effect, SendModify):
            possible = order.alive and effect.request.qty > order.filled
            if possible and how != "refuse":
                order.qty = effect.request.qty
            if bench.state.orders[effect.order_id].asked is None:
                return
            if possible and how == "do":
                bench.accept(effect.order_id)
            else:
                code = "NOT_CONFIRMED" if how == "lose" else "NO"
                bench.tell(ev.OrderChangeRefused(order_id=effect.order_id, code=code, reason=how))
        elif isinstance(effect, SendCancel):
            if how != "refuse":
                order.alive = False
            if bench.state.orders[effect.order_id].status.final:
                return
            if how == "do" or not order.rest:
                self.tell_fills(effect.order_id)
                if not bench.state.orders[effect.order_id].status.final:
                    bench.tell(ev.OrderCancelled(order_id=effect.order_id))
            else:
                bench.tell(ev.OrderCancelRefused(order_id=effect.order_id, code="NO", reason=how))

    def read_book(self) -> None:
        """The engine reads the book: it learns of everything that arrived."""
        for order_id, order in self.orders.items():
            if self.bench.state.orders[order_id].status.final:
                continue
            self.tell_fills(order_id)
            if not order.alive and not self.bench.state.orders[order_id].status.final:
                self.bench.tell(ev.OrderCancelled(order_id=order_id))


def step(exchange: Exchange, data: st.DataObject) -> None:
    bench, draw = exchange.bench, data.draw
    match draw(st.sampled_from(["wait", "arrive", "lose", "fill", "answer", "book", "ask", "price"])):
        case "wait":
            exchange.take(bench.settle(draw(st.sampled_from([0.3, 1.0, 2.0, 6.0, 25.0]))))
        case "arrive" if exchange.flying:
            exchange.arrive(draw(st.sampled_from(sorted(exchange.flying))), draw(st.booleans()))
        case "lose" if exchange.flying:
            exchange.lose(draw(st.sampled_from(sorted(exchange.flying))), draw(st.sampled_from(["reject", "doubt"])))
        case "fill" if any(order.rest for order in exchange.orders.values()):
            names = sorted(name for name, order in exchange.orders.items() if order.rest)
            exchange.fill(draw(st.sampled_from(names)), draw(st.integers(1, 4)), draw(st.booleans()))
        case "answer" if exchange.asked:
            exchange.answer(draw(st.sampled_from(["do", "refuse", "lose"])))
        case "book":
            exchange.read_book()
        case "price":
            bench.quote(CALL, draw(st.sampled_from([7_000, 8_500, 9_500, 10_000, 10_500, 12_500])))
        case "ask":
            ask(bench, draw(st.sampled_from(["all", "part", "stop", "give up"])), exchange)
    exchange.take(bench.settle())


def ask(bench: Bench, what: str, exchange: Exchange) -> None:
    name = f"c{bench.state.seq}"
    try:
        match what:
            case "all":
                decision = bench.ask(Flatten(id=name, actor="key"))
            case "part":
                decision = bench.ask(Flatten(id=name, actor="key", percent=40))
            case "stop":
                mark = bench.quotes[CALL].ltp or 0
                decision = bench.ask(
                    SetStop(
                        id=name, actor="key", account="paper", product=Product.NRML, contract=CALL, stop=mark - 1_000
                    )
                )
            case _:
                wish = next(iter(bench.state.flattening), "none")
                decision = bench.ask(AbandonFlatten(id=name, actor="key", flatten_id=wish))
    except Refusal:
        return
    exchange.take(decision.effects)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_order_of_fills_losses_and_delays_makes_an_exit_go_past_flat(data: st.DataObject) -> None:
    bench = Bench()
    bench.hold(8 * LOT)
    exchange = Exchange(bench, 8 * LOT)
    for _ in range(data.draw(st.integers(5, 40))):
        step(exchange, data)


def position(bench: Bench) -> Position:
    return next(iter(bench.state.positions.values()))


def test_a_change_under_way_counts_at_its_larger_size_whichever_way_it_ends() -> None:
    bench = Bench()
    bench.hold(260)
    order = bench.order(terms(Side.SELL, 130, 11_000))
    assert room(bench.state, position(bench), bench.since) == 130
    bench.tell(ev.OrderChangeAsked(order_id=order, terms=terms(Side.SELL, 195, 11_000)))
    assert room(bench.state, position(bench), bench.since) == 65
    bench.tell(ev.OrderChangeAsked(order_id=order, terms=terms(Side.SELL, 65, 11_000)))
    assert room(bench.state, position(bench), bench.since) == 130


def test_of_purchases_long_in_doubt_one_alone_is_not_counted_on() -> None:
    bench = Bench()
    bench.hold(-260)
    names = [bench.order(terms(Side.BUY, 65, 9_000), acknowledged=False) for _ in range(2)]
    bench.tell(*(ev.OrderDoubted(order_id=name, cause="silence") for name in names))
    assert room(bench.state, position(bench), bench.since) == 130
    bench.settle(20)
    assert room(bench.state, position(bench), bench.since) == 195
    assert claimed(bench.working(), bench.since) == 65


@pytest.mark.parametrize(
    ("ours", "theirs", "counted"), [(195, 65, 65), (195, -65, 0), (-195, -260, 195), (65, 130, 65)]
)
def test_where_the_books_differ_the_smaller_quantity_counts(ours: int, theirs: int, counted: int) -> None:
    bench = Bench()
    bench.hold(ours)
    bench.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=CALL, ours=ours, theirs=theirs))
    assert held(bench.state, position(bench)) == counted
