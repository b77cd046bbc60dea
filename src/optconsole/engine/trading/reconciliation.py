"""Agreeing our book with the broker's: the same at every start, after a crash or not."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.trading.decision import Decision

IN_DOUBT = (OrderStatus.INTENDED, OrderStatus.SENT, OrderStatus.UNKNOWN)


def resolve_missing(state: TradingState, broker: str, account: str, seen_tags: set[str], proof: bool) -> Decision:
    """Orders in doubt that the broker's book does not show.

    Where the book is proof (an embedded exchange) they never existed; elsewhere they stay UNKNOWN, since absence
    from one reading proves nothing.
    """
    decision = Decision(f"broker:{broker}", "reconcile")
    for order in state.orders.values():
        if order.terms.account != account or order.status not in IN_DOUBT or order.tag in seen_tags:
            continue
        if order.status is OrderStatus.INTENDED:
            decision.facts.append(ev.OrderExpired(order_id=order.id, reason="The engine stopped before it was sent."))
        elif proof:
            decision.facts.append(
                ev.OrderExpired(order_id=order.id, reason="The engine stopped before it reached the exchange.")
            )
        elif order.status is OrderStatus.SENT:
            decision.facts.append(
                ev.OrderDoubted(order_id=order.id, cause="The engine stopped before the answer came.")
            )
    return decision


def resolve_gone(state: TradingState, broker: str, account: str, seen_ids: set[str], proof: bool) -> Decision:
    """Acknowledged orders of ours that today's book no longer lists: their day is over."""
    decision = Decision(f"broker:{broker}", "reconcile")
    for order in state.orders.values():
        if order.terms.account != account or not order.status.working or order.status in IN_DOUBT:
            continue
        if order.broker_id not in seen_ids and proof:
            decision.facts.append(
                ev.OrderExpired(order_id=order.id, reason="The broker's book of the day no longer holds it.")
            )
    return decision


def compare_positions(state: TradingState, broker: str, account: str, theirs: Sequence[BrokerPosition]) -> Decision:
    """Every difference between our net quantities and the broker's, as an alarm with both numbers."""
    decision = Decision(f"broker:{broker}", "reconcile")
    broker_qty = {(row.contract, row.product): row.qty for row in theirs if row.qty}
    our_qty = {
        (position.key.contract, position.key.product): position.qty
        for position in state.positions.values()
        if position.qty and position.key.account == account
    }
    for contract, product in sorted(broker_qty.keys() | our_qty.keys()):
        ours, their = our_qty.get((contract, product), 0), broker_qty.get((contract, product), 0)
        if ours != their:
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code="POSITION_DRIFT",
                    text=f"{contract} {product.value}: our book holds {ours}, the broker {their}.",
                    subject=contract,
                )
            )
    return decision
