"""What becomes of orders nobody can vouch for, and of differences between our book and a broker's.

A book proves presence, never absence (reliability 4.7): an order in doubt is presumed absent only after two minutes,
three readings that held all we know of and one that was provably newer than the order; even then it stays watched
and reserved. Without the newer one it is only *probably* absent, which a person may act on and the engine may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Pending
from optconsole.engine.model.vitals import DoubtVitals
from optconsole.engine.ports import BrokerOrder, BrokerPosition
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel
from optconsole.engine.trading.drift import agree

QUIESCE: Final = 120.0
"""Machine seconds in doubt before absence may be presumed; orders were seen to turn up 95 s after their error."""
READS_NEEDED: Final = 3
ASK_AGAIN: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What readings since the monotonic second ``since`` said of an order in doubt."""

    since: float
    reads: int = 0
    fresh: bool = False


class Resolver:
    """The evidence about one account. Kept in memory only: after a restart it is gathered anew, never assumed."""

    def __init__(self, account: str, broker: str, proof: bool) -> None:
        self._account = account
        self._broker = broker
        self._proof = proof
        self._doubts: dict[str, Doubt] = {}

    def notice(self, state: TradingState, now: float) -> None:
        """Keep the list of doubts that of the state; a new one is in doubt since ``now``."""
        in_doubt = [
            order.id
            for order in state.orders.values()
            if order.status is OrderStatus.UNKNOWN and order.terms.account == self._account
        ]
        self._doubts = {name: self._doubts.get(name, Doubt(now)) for name in in_doubt}

    def evidence(self, now: float) -> tuple[DoubtVitals, ...]:
        """What is known of each doubt now, for people."""
        return tuple(
            DoubtVitals(
                order_id=name,
                waited=now - doubt.since,
                due_in=max(doubt.since + QUIESCE - now, 0.0),
                reads=doubt.reads,
                reads_needed=READS_NEEDED,
                fresh=doubt.fresh,
            )
            for name, doubt in self._doubts.items()
        )

    def asked_before(self, asked: float) -> frozenset[str]:
        """Orders that were in doubt when a reading of the monotonic second ``asked`` began."""
        return frozenset(name for name, doubt in self._doubts.items() if doubt.since <= asked)

    def judge(
        self,
        state: TradingState,
        rows: Sequence[BrokerOrder],
        theirs: Sequence[BrokerPosition],
        asked: float,
        now: float,
    ) -> Decision:
        """Facts that follow from a reading, once every row of it was heard."""
        decision = Decision(f"broker:{self._broker}", "reconcile")
        ids = {row.broker_id for row in rows}
        if not self._proof and usable(state, self._account, ids):
            past = bygone(state, self._account, ids, {row.tag for row in rows if row.tag})
            for order in past:
                contract = order.terms.contract
                if agree(state, self._account, contract, theirs):
                    decision.facts += _day_over(order)
            for name in self.asked_before(asked) - {order.id for order in past}:
                self._weigh(state, decision, state.orders[name], rows, theirs, now)
        return decision

    def _weigh(
        self,
        state: TradingState,
        decision: Decision,
        order: Order,
        rows: Sequence[BrokerOrder],
        theirs: Sequence[BrokerPosition],
        now: float,
    ) -> None:
        doubt = self._doubts[order.id]
        doubt = replace(doubt, reads=doubt.reads + 1, fresh=doubt.fresh or newer(state, order, rows))
        self._doubts[order.id] = doubt
        if doubt.reads < READS_NEEDED or now - doubt.since < QUIESCE:
            return
        contract = order.terms.contract
        if not agree(state, self._account, contract, theirs):
            return
        if doubt.fresh:
            decision.facts.append(ev.OrderPresumedAbsent(order_id=order.id, reads=doubt.reads))
            decision.facts.append(_absent_notice(order))
        elif not order.releasable:
            decision.facts.append(ev.OrderReleasable(order_id=order.id, reads=doubt.reads))
            decision.facts.append(_releasable_notice(order))


def bygone(state: TradingState, account: str, ids: set[str], tags: set[str]) -> list[Order]:
    """Orders of earlier days that today's book does not hold: an exchange keeps none over night.

    Left alive they would count as closing what nothing closes, and keep every exit and stop from being sent.
    """
    return [
        order
        for order in state.orders.values()
        if order.terms.account == account
        and order.status.reserved
        and state.day is not None
        and order.intended_at.date() < state.day
        and order.broker_id not in ids
        and order.tag not in tags
    ]


def usable(state: TradingState, account: str, ids: set[str]) -> bool:
    """Whether a book holds every order of the day that we know to be at the broker; a lesser one is cut or old."""
    return all(
        order.broker_id in ids
        for order in state.orders.values()
        if order.terms.account == account
        and order.broker_id is not None
        and order.status is not OrderStatus.REJECTED
        and state.day is not None
        and order.intended_at.date() == state.day
    )


def newer(state: TradingState, doubted: Order, rows: Sequence[BrokerOrder]) -> bool:
    """Whether a book is provably younger than the sending of an order: it shows something of ours from after that.

    Only what we did ourselves counts. The broker's clock and other people's orders prove nothing about the order in
    which a lagging replica took things in.
    """
    since = doubted.sent_at or doubted.intended_at
    by_id = {order.broker_id: order for order in state.orders.values() if order.broker_id is not None}
    for row in rows:
        order = by_id.get(row.broker_id)
        if order is None or order.id == doubted.id or order.terms.account != doubted.terms.account:
            continue
        if order.sent_at is not None and order.sent_at > since:
            return True
        if order.changed_at is not None and order.changed_at > since and row.status is OrderStatus.CANCELLED:
            return True
    return False


def advance(state: TradingState, _master: InstrumentMaster, situation: Situation, _install: str) -> Decision | None:
    """Ask again for cancellations of which nobody knows whether they were carried out; a cancel may be repeated."""
    decision = Decision("engine", "cancel again")
    for order in state.orders.values():
        if (
            order.cancel_wanted
            and order.pending is Pending.NONE
            and order.status.working
            and order.broker_id is not None
            and not order.foreign
            and situation.since(order.updated_at) >= ASK_AGAIN
        ):
            ask_cancel(decision, order, "not confirmed")
    return decision if decision.facts else None


def _day_over(order: Order) -> list[ev.AnyEvent]:
    reason = "Its day is over, the broker's book of today does not hold it, and the positions agree."
    facts: list[ev.AnyEvent] = [ev.OrderExpired(order_id=order.id, reason=reason)]
    if order.broker_id is None:
        text = f"{order.id} was never found at the broker; {reason[0].lower()}{reason[1:]}"
        facts.append(ev.NoticeRaised(level="warning", code="DOUBT_CLOSED", text=text, subject=order.id))
    return facts


def _absent_notice(order: Order) -> ev.NoticeRaised:
    terms = order.terms
    return ev.NoticeRaised(
        level="warning",
        code="PRESUMED_ABSENT",
        text=f"{order.id} {terms.side.value} {terms.qty} {terms.contract} is presumed never to have arrived; "
        "it stays watched and counted.",
        subject=order.id,
    )


def _releasable_notice(order: Order) -> ev.NoticeRaised:
    return ev.NoticeRaised(
        level="alarm",
        code="PROBABLY_ABSENT",
        text=f"{order.id} is probably not at the broker. Look there for its tag {order.tag}; if it is not there, "
        "release it on the Orders screen.",
        subject=order.id,
    )
