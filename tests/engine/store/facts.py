"""Legal facts by the thousand: a seeded trader who opens days, trades, cancels and settles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Side
from optconsole.engine.model.timeline import IST

START = datetime(2025, 8, 29, 9, 15, tzinfo=IST)
CONTRACTS = ("NIFTY 02SEP25 24500 CE", "NIFTY 02SEP25 24500 PE", "SENSEX 04SEP25 80000 CE")
ACCOUNTS = ("PAPER", "SECOND")


class Trader:
    """Yields facts that ``engine.state.apply`` accepts, the same for the same seed."""

    def __init__(self, seed: int = 1, restrained: bool = True) -> None:
        """``restrained`` False leaves out limits and trading states, which older stores know nothing of."""
        self._restrained = restrained
        self._draw = random.Random(seed)
        self._orders = 0
        self._trades = 0
        self._seq = 0
        self._day = date(2025, 8, 29)

    def facts(self) -> Iterator[Recorded]:
        """Without end."""
        yield self._record(ev.EngineStarted(version="0.1.0", world="practice", epoch=1))
        for name in ACCOUNTS:
            account = Account(id=name, broker="paper", mode=Mode.PAPER, capital=50_00_000_00)
            yield self._record(ev.AccountOpened(account=account))
        while True:
            yield self._record(ev.SessionOpened(day=self._day))
            for _ in range(self._draw.randint(3, 12)):
                for event in self._episode():
                    yield self._record(event)
            yield self._record(ev.SessionClosed(day=self._day))
            self._day += timedelta(days=1)

    def take(self, count: int) -> list[Recorded]:
        """The next facts of a fresh iteration."""
        source = self.facts()
        return [next(source) for _ in range(count)]

    def _record(self, event: AnyEvent) -> Recorded:
        self._seq += 1
        at = START + timedelta(milliseconds=137 * self._seq)
        return Recorded(seq=self._seq, at=at, actor="cli", cause=f"c{self._seq}", event=event)

    def _episode(self) -> Iterator[AnyEvent]:
        draw = self._draw
        if draw.random() < 0.2:
            yield ev.NoticeRaised(level="info", code="TEST", text=f"नोट {self._seq} ₹ \x1b[31m", subject="x")
        if self._restrained and draw.random() < 0.3:
            yield from self._restraint()
        terms = OrderTerms(
            account=draw.choice(ACCOUNTS),
            contract=draw.choice(CONTRACTS),
            side=draw.choice(list(Side)),
            qty=75 * draw.randint(1, 5),
            type=OrderType.LIMIT,
            price=5 * draw.randint(100, 5000),
            note="straddle",
            source=draw.choice(("", "morning/straddle")),
        )
        self._orders += 1
        name = f"O{self._orders}"
        if draw.random() < 0.1:
            yield ev.OrderDenied(order_id=name, terms=terms, code="MAX_QTY", reason="too many")
            return
        yield ev.OrderIntended(order_id=name, terms=terms, tag=f"T{self._orders:014d}", risk=RiskClass.INCREASE, lot=75)
        yield ev.OrderSent(order_id=name, attempt=1)
        if draw.random() < 0.1:
            yield ev.OrderDoubted(order_id=name, cause="timeout")
        if draw.random() < 0.1:
            yield ev.OrderRejected(order_id=name, code="RMS", reason="margin")
            return
        yield ev.OrderAcknowledged(order_id=name, broker_id=f"B{self._orders}")
        yield from self._fills(name, terms)

    def _restraint(self) -> Iterator[AnyEvent]:
        """A limit is set, nears its end and is reached; a state follows, and a person ends it."""
        draw = self._draw
        limit = Limit(
            level=Level.ACCOUNT, name=draw.choice(ACCOUNTS), kind=LimitKind.MAX_LOSS, value=draw.randint(1, 99)
        )
        level, name, kind = limit.level, limit.name, limit.kind
        yield ev.LimitSet(limit=limit)
        yield ev.LimitWarned(level=level, name=name, kind=kind, step=80, used=1)
        yield ev.LimitBroken(level=level, name=name, kind=kind, used=2, action=limit.action)
        daily = draw.random() < 0.5
        yield ev.TradingStateChanged(level=level, name=name, standing=Standing.REDUCING, why="loss", daily=daily)
        if draw.random() < 0.5:
            yield ev.TradingStateChanged(level=level, name=name, standing=Standing.ACTIVE, why="seen", rearms=True)
        if draw.random() < 0.5:
            yield ev.LimitRemoved(level=level, name=name, kind=kind, before=limit, why="done")

    def _fills(self, name: str, terms: OrderTerms) -> Iterator[AnyEvent]:
        draw = self._draw
        left = terms.qty
        while left and draw.random() < 0.8:
            size = min(left, 75 * draw.randint(1, 3))
            left -= size
            self._trades += 1
            yield ev.OrderFilled(
                order_id=name,
                trade_id=str(self._trades),
                account=terms.account,
                contract=terms.contract,
                product=terms.product,
                side=terms.side,
                qty=size,
                price=(terms.price or 0) + 5 * draw.randint(-3, 3),
                charges=draw.randint(20_00, 60_00),
                traded_at=datetime.combine(self._day, START.timetz()),
            )
        if left:
            yield ev.OrderCancelAsked(order_id=name)
            yield ev.OrderCancelled(order_id=name, reason="by user")
