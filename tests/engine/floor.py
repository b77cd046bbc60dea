"""A broker and a duty loop for tests of what unfolds over many steps: facts in, duties carried as the engine does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import AnyCommand, Reply
from optconsole.engine.events import Recorded
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Order, OrderStatus, Product, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.state import apply
from optconsole.engine.trading import brackets, groups, parents, protection, reversing, supervision
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.handlers import View, decide
from tests.engine.facts import CALL, START, Story, index, option
from tests.engine.rules.test_pretrade import QUOTE, situation

MASTER = InstrumentMaster((index(), option(), option(right=Right.PUT)))
DUTIES = (brackets, protection, supervision, reversing, parents, groups)


class Floor:
    """The engine's loop without the engine, and a broker that does what the test says."""

    def __init__(self) -> None:
        self.story = Story()
        self.now = START
        self.quote: Quote = QUOTE
        self.queued = 0.0
        self.phase = MarketPhase.OPEN
        self._trades = 0
        self._commands = 0

    @property
    def orders(self) -> dict[str, Order]:
        return self.story.state.orders

    def situation(self) -> Situation:
        return replace(situation(self.quote, self.phase), now=self.now, queued=self.queued)

    def ask(self, asked: type[AnyCommand], /, **fields: object) -> Reply:
        """Submit a command and carry the duties as far as they go. Raises Refusal."""
        self._commands += 1
        command = asked(id=f"c{self._commands}", actor="key", **fields)  # type: ignore[arg-type]
        decision = decide(View(self.story.state, MASTER, self.situation(), "ABC"), command)
        self.settle(decision)
        self.carry()
        assert decision.reply is not None
        return decision.reply

    def settle(self, decision: Decision) -> None:
        for event in decision.facts:
            fact = Recorded(
                seq=self.story.state.seq + 1, at=self.now, actor=decision.actor, cause=decision.cause, event=event
            )
            self.story.facts.append(fact)
            self.story.state = apply(self.story.state.copy(), fact)

    def carry(self) -> None:
        """Every duty until it has nothing more to do."""
        for duty in DUTIES:
            for _ in range(100):
                step = duty.advance(self.story.state, MASTER, self.situation(), "ABC")
                if step is None:
                    break
                self.settle(step)
            else:
                raise AssertionError(f"{duty.__name__} never comes to rest")

    def tell(self, *events: ev.AnyEvent) -> None:
        self.settle(Decision("broker", "", list(events)))
        self.carry()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.carry()

    def trade_at(self, price: int) -> None:
        """Move the market."""
        self.quote = msgspec.structs.replace(self.quote, bid=price - 10, ask=price + 10, ltp=price)
        self.carry()

    def acknowledge(self, *names: str) -> None:
        for name in names or [each.id for each in self.orders.values() if each.status is OrderStatus.SENT]:
            self.tell(ev.OrderAcknowledged(order_id=name, broker_id=f"B{name}"))

    def fill(self, name: str, qty: int | None = None, price: int = 10_000, carry: bool = True) -> None:
        order = self.orders[name]
        self._trades += 1
        fact = ev.OrderFilled(
            order_id=name,
            trade_id=f"t{self._trades}",
            account=order.terms.account,
            contract=order.terms.contract,
            product=order.terms.product,
            side=order.terms.side,
            qty=order.remaining if qty is None else qty,
            price=price,
            charges=0,
            traded_at=START,
        )
        self.settle(Decision("broker", "", [fact]))
        if carry:
            self.carry()

    def cancelled(self, name: str) -> None:
        self.tell(ev.OrderCancelled(order_id=name))

    def rejected(self, name: str, code: str = "RMS") -> None:
        self.tell(ev.OrderRejected(order_id=name, code=code, reason="No."))

    def hold(self, qty: int, contract: str = CALL) -> None:
        """Start with a position of signed units."""
        self.tell(
            ev.PositionAdopted(account="paper", product=Product.NRML, contract=contract, lot=65, qty=qty, price=10_000)
        )

    def position(self, contract: str = CALL) -> int:
        held = self.story.state.positions.get(f"paper/NRML/{contract}")
        return 0 if held is None else held.qty

    def working(self) -> list[Order]:
        return [order for order in self.orders.values() if not order.status.final]

    def sizes(self, side: Side | None = None) -> list[int]:
        return [each.terms.qty for each in self.orders.values() if side is None or each.terms.side is side]

    def notices(self) -> list[str]:
        return [notice.code for notice in self.story.state.notices]
