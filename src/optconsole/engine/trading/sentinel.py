"""A second pair of eyes in production: rules that must hold whatever the rest of the engine believes.

The simulation proves them on thousands of days; here they are looked at while real money is out. A breach is an alarm
that names the rule, once for each thing it is about until the trader has acknowledged it, and nothing that adds risk
leaves the account until a person allows it again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import Level, Standing, Sweep, scope_key
from optconsole.engine.model.orders import Order, OrderStatus, RiskClass
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.ports import BrokerOrder
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision

PREFIX: Final = "SENTINEL_"
ANSWER_DUE: Final = timedelta(seconds=15)
"""An order is acknowledged, refused or in doubt by then (I-17)."""
KILL_DUE: Final = timedelta(seconds=10)
_LIVE: Final = (OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.TRIGGER_PENDING)


class Breach(NamedTuple):
    """A rule that does not hold: what it is about, on which account, and what was found."""

    rule: str
    subject: str
    account: str
    text: str


def advance(state: TradingState, _master: InstrumentMaster, situation: Situation, _install: str) -> Decision | None:
    """Alarms for what the state itself shows to be wrong."""
    return _told(
        state, [*_silent(state, situation.now), *_risk_after_kill(state, situation.now), *_over_closing(state)]
    )


def inspect(state: TradingState, account: str, rows: Sequence[BrokerOrder]) -> Decision | None:
    """Alarms for what a broker's book shows to be wrong."""
    return _told(state, [*_twice(state, account, rows), *_risen(state, account, rows)])


def differs(state: TradingState, text: str) -> Decision | None:
    """The alarm for a state that its journal does not give (I-8); it concerns every account."""
    return _told(state, [Breach("I-8", "", "", text)])


def _told(state: TradingState, breaches: Sequence[Breach]) -> Decision | None:
    """An alarm and no new risk for each breach that is not told already.

    A breach that a person has seen, and in spite of which he allowed trading again, freezes nothing a second time.
    """
    told = {(notice.code, notice.subject) for notice in state.notices if notice.seq > state.acknowledged}
    known = {(notice.code, notice.subject, notice.text) for notice in state.notices}
    decision = Decision("engine", "sentinel")
    frozen: set[str] = set()
    for breach in breaches:
        code = PREFIX + breach.rule.replace("-", "")
        if (code, breach.subject) in told:
            continue
        told.add((code, breach.subject))
        decision.facts.append(ev.NoticeRaised(level="alarm", code=code, text=breach.text, subject=breach.subject))
        if breach.account not in frozen and (code, breach.subject, breach.text) not in known:
            frozen.add(breach.account)
            decision.facts += _freeze(state, breach.account, f"{code}: {breach.text}")
    return decision if decision.facts else None


def _freeze(state: TradingState, account: str, why: str) -> list[ev.AnyEvent]:
    """Only orders that reduce leave the account, every account without one, until a person allows more."""
    level = Level.ACCOUNT if account else Level.GLOBAL
    scope = state.scopes.get(scope_key(level, account))
    if scope is not None and scope.standing is not Standing.ACTIVE and scope.until is None and not scope.daily:
        return []
    standing, sweep = Standing.REDUCING, Sweep.NONE
    if scope is not None and scope.standing is not Standing.ACTIVE:
        standing, sweep = scope.standing, scope.sweep  # a lock that would end by itself does not any more
    return [ev.TradingStateChanged(level=level, name=account, standing=standing, why=why, sweep=sweep)]


def _silent(state: TradingState, now: datetime) -> Iterator[Breach]:
    for order in state.orders.values():
        if order.status is OrderStatus.SENT and order.sent_at is not None and now - order.sent_at > ANSWER_DUE:
            yield Breach(
                "I-17",
                order.id,
                order.terms.account,
                f"{order.id} was sent {(now - order.sent_at).seconds} s ago and nothing is known of it.",
            )


def _risk_after_kill(state: TradingState, now: datetime) -> Iterator[Breach]:
    if state.killed_at is None or now - state.killed_at <= KILL_DUE:
        return
    for order in state.orders.values():
        adds = order.risk is RiskClass.INCREASE and not order.role.closes and not order.foreign
        if adds and order.status in _LIVE:
            yield Breach(
                "I-13",
                order.id,
                order.terms.account,
                f"{order.id} still works {KILL_DUE.seconds} s after the kill; cancel it at the broker.",
            )


def _over_closing(state: TradingState) -> Iterator[Breach]:
    """Orders the engine made to close must not add up to more than what is open."""
    closing: dict[str, list[Order]] = defaultdict(list)
    for order in state.orders.values():
        if order.status in _LIVE and order.role.closes and not order.foreign:
            terms = order.terms
            closing[str(PositionKey(terms.account, terms.product, terms.contract))].append(order)
    for key, orders in closing.items():
        held = state.positions.get(key)
        open_qty = 0 if held is None else held.qty
        for sign in (1, -1):
            total = sum(order.remaining for order in orders if order.terms.side.sign == sign)
            if total > max(-open_qty * sign, 0):
                names = ", ".join(order.id for order in orders)
                yield Breach(
                    "I-11",
                    key,
                    orders[0].terms.account,
                    f"{names} would close {total} of {key}, of which {open_qty} are open.",
                )


def _twice(state: TradingState, account: str, rows: Sequence[BrokerOrder]) -> Iterator[Breach]:
    ours = {order.tag for order in state.orders.values() if order.tag and not order.foreign}
    alive = Counter(row.tag for row in rows if row.tag in ours and row.status is not OrderStatus.REJECTED)
    for tag, count in alive.items():
        if count > 1:
            yield Breach(
                "I-2",
                tag,
                account,
                f"{count} orders at {account} carry our tag {tag}; look which is ours and cancel the other there.",
            )


def _risen(state: TradingState, account: str, rows: Sequence[BrokerOrder]) -> Iterator[Breach]:
    """What was declared never to have reached the broker must not turn up there."""
    dead = {
        order.tag: order
        for order in state.orders.values()
        if order.terms.account == account
        and order.broker_id is None
        and order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED)
    }
    for row in rows:
        order = dead.get(row.tag)
        if order is not None and (row.status in _LIVE or row.filled):
            yield Breach(
                "I-4",
                order.id,
                account,
                f"{order.id} counts as {order.status.value} and is at {account} as {row.status.value}, "
                f"{row.filled} filled.",
            )
