"""Disks that fail, for real: the kernel itself refuses what would lie beyond a file's limit."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Side
from optconsole.engine.model.timeline import IST

NOON = datetime(2025, 8, 29, 12, tzinfo=IST)
CALL = "NIFTY 02SEP25 24500 CE"


@contextmanager
def full_disk(limit: int = 60_000) -> Iterator[None]:
    """Writes that begin beyond ``limit`` bytes of any file fail, as they do when no block is left to give."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Book:
    """Numbers facts in the order they are made."""

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq

    def facts(self, *events: AnyEvent) -> list[Recorded]:
        made = []
        for event in events:
            self.seq += 1
            at = NOON + timedelta(milliseconds=self.seq)
            made.append(Recorded(seq=self.seq, at=at, actor="cli", cause=f"c{self.seq}", event=event))
        return made


def terms(side: Side = Side.BUY, qty: int = 75) -> OrderTerms:
    return OrderTerms(account="A", contract=CALL, side=side, qty=qty, type=OrderType.LIMIT, price=10_000)


def intended(name: str, risk: RiskClass) -> ev.OrderIntended:
    return ev.OrderIntended(order_id=name, terms=terms(), tag=f"T{name}", risk=risk, lot=75)


def opening() -> list[AnyEvent]:
    """An open day with one entry at work and one exit at work."""
    return [
        ev.EngineStarted(version="1", world="practice", epoch=1),
        ev.AccountOpened(account=Account(id="A", broker="paper", mode=Mode.PAPER, capital=1)),
        ev.SessionOpened(day=NOON.date()),
        intended("O1", RiskClass.INCREASE),
        ev.OrderSent(order_id="O1", attempt=0),
        ev.OrderAcknowledged(order_id="O1", broker_id="B1"),
        intended("O2", RiskClass.REDUCE),
        ev.OrderSent(order_id="O2", attempt=0),
        ev.OrderAcknowledged(order_id="O2", broker_id="B2"),
    ]


def padding(count: int) -> list[AnyEvent]:
    """Facts that make the log long: what follows lies beyond any small limit."""
    return [ev.NoticeRaised(level="info", code="PAD", text="x" * 900) for _ in range(count)]
