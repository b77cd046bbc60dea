"""A bench for the duties: facts and quotes at a time of one's own, every step settled as the core does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import Order, Product, RiskClass, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.state import apply
from optconsole.engine.trading import protection, supervision
from optconsole.engine.trading.decision import Decision, Effect, SendCancel, SendModify, SendPlace
from optconsole.engine.trading.handlers import View, decide
from tests.engine.facts import CALL, PUT, START, Story, index, option, terms

MASTER = InstrumentMaster((index(), option(), option(right=Right.PUT), option(strike=2_460_000)))
OTHER_CALL = option(strike=2_460_000).name
DUTIES = (protection, supervision)
STEPS = 60


class Bench(Story):
    """A story whose clock only moves when it is told to."""

    def __init__(self) -> None:
        self.now = START
        self.phase = MarketPhase.OPEN
        self.age: float | None = 0.0
        self.watched_for = 3600.0
        self.limits = OrderLimits()
        self.quotes: dict[str, Quote] = {}
        super().__init__()
        for name in (CALL, PUT, OTHER_CALL):
            self.quote(name, 10_000)

    def tell(self, *events: AnyEvent, actor: str = "test") -> Story:
        for event in events:
            fact = Recorded(seq=self.state.seq + 1, at=self.now, actor=actor, cause="", event=event)
            self.facts.append(fact)
            self.state = apply(self.state.copy(), fact)
        return self

    def quote(self, name: str, price: int, spread: int = 10, ts: int | None = None) -> None:
        """The market of a contract: last trade at ``price``, ``spread`` paise to either side."""
        self.quotes[name] = Quote(
            name=name,
            ts=len(self.facts) + sum(each.ts for each in self.quotes.values()) + 1 if ts is None else ts,
            bid=price - spread,
            bid_qty=6_500,
            ask=price + spread,
            ask_qty=6_500,
            ltp=price,
        )

    def since(self, moment: datetime) -> timedelta:
        """How long ago something happened."""
        return self.now - moment

    @property
    def situation(self) -> Situation:
        return Situation(
            now=self.now,
            phase=self.phase,
            quote=self.quotes.get,
            limits=self.limits,
            age=lambda _name: self.age,
            watched_for=self.watched_for,
        )

    def ask(self, command: cmd.AnyCommand) -> Decision:
        """Carry out a command."""
        decision = decide(View(self.state, MASTER, self.situation, "ABC"), command)
        self.tell(*decision.facts, actor=command.actor)
        return decision

    def hold(self, qty: int, contract: str = CALL, product: Product = Product.NRML) -> PositionKey:
        """A position of so many signed units."""
        side = Side.BUY if qty > 0 else Side.SELL
        order = self.order(terms(side, abs(qty), contract=contract, product=product))
        self.fill(order, abs(qty), 10_000, f"t{order}")
        return PositionKey("paper", product, contract)

    def settle(self, seconds: float = 0.0) -> list[Effect]:
        """Let time pass, then let every duty go as far as it can. Returns what would be sent."""
        self.now += timedelta(seconds=seconds)
        sent: list[Effect] = []
        for duty in DUTIES:
            for _ in range(STEPS):
                step = duty.advance(self.state, MASTER, self.situation, "ABC")
                if step is None:
                    break
                self.tell(*step.facts, actor=step.actor)
                sent += step.effects
            else:
                raise AssertionError(f"{duty.__name__} never comes to rest")
        return sent

    # what the broker says

    def ack(self, *order_ids: str) -> None:
        for name in order_ids:
            self.tell(ev.OrderAcknowledged(order_id=name, broker_id=f"B{name}"))

    def seen(self, *order_ids: str) -> None:
        """Acknowledged, and shown by the broker's book."""
        for name in order_ids:
            if self.state.orders[name].broker_id is None:
                self.ack(name)
            self.tell(ev.OrderConfirmed(order_id=name))

    def trade(self, order_id: str, qty: int | None = None, price: int = 10_000) -> None:
        order = self.state.orders[order_id]
        self.fill(order_id, order.remaining if qty is None else qty, price, f"t{order_id}-{order.filled}")

    def accept(self, order_id: str) -> None:
        """The broker accepts the change that was asked."""
        asked = self.state.orders[order_id].asked
        assert asked is not None
        self.tell(ev.OrderChanged(order_id=order_id, terms=asked))

    def foreign(self, side: Side, qty: int, contract: str = CALL, filled: bool = True) -> str:
        """Somebody else trades, or rests an order, in the same account."""
        order_id = f"O{self.state.order_count + 1}"
        self.tell(
            ev.OrderAdopted(
                order_id=order_id,
                terms=terms(side, qty, contract=contract),
                tag="",
                broker_id=f"S{order_id}",
                risk=RiskClass.INCREASE,
                lot=65,
            )
        )
        if filled:
            self.fill(order_id, qty, 10_000, f"s{order_id}")
        return order_id

    # what can be read

    def qty(self, contract: str = CALL) -> int:
        return sum(each.qty for each in self.state.positions.values() if each.key.contract == contract)

    def working(self) -> list[Order]:
        return [order for order in self.state.orders.values() if order.status.working]

    def alarms(self) -> list[str]:
        return [notice.code for notice in self.state.notices if notice.level == "alarm"]


def flatten(bench: Bench, percent: int = 100, scope: cmd.Scope | None = None, name: str = "f") -> list[Effect]:
    """Ask for a flatten and let it take its first steps."""
    decision = bench.ask(cmd.Flatten(id=name, actor="key", percent=percent, scope=scope or cmd.Scope()))
    return [*decision.effects, *bench.settle()]


def placed(effects: Sequence[Effect]) -> list[tuple[str, Side, int]]:
    """Contract, side and quantity of what was sent."""
    return [
        (effect.request.instrument.name, effect.request.side, effect.request.qty)
        for effect in effects
        if isinstance(effect, SendPlace)
    ]


def sent_ids(effects: Sequence[Effect]) -> list[str]:
    return [effect.order_id for effect in effects if isinstance(effect, SendPlace)]


def cancelled(effects: Sequence[Effect]) -> list[str]:
    return [effect.order_id for effect in effects if isinstance(effect, SendCancel)]


def changed(effects: Sequence[Effect]) -> list[tuple[str, int, int, int | None]]:
    """Order, quantity, price and trigger of every change."""
    return [
        (effect.order_id, effect.request.qty, effect.request.price, effect.request.trigger)
        for effect in effects
        if isinstance(effect, SendModify)
    ]


__all__ = ["CALL", "OTHER_CALL", "PUT", "Bench", "cancelled", "changed", "flatten", "placed", "sent_ids"]
