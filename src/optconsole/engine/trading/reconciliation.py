"""Agreeing our book with the broker's: the same at every start, after a crash or not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Pending, RiskClass
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import BrokerOrder, BrokerPosition, BrokerTrade, BrokerUpdate
from optconsole.engine.trading.decision import Decision

IN_DOUBT = (OrderStatus.INTENDED, OrderStatus.SENT, OrderStatus.UNKNOWN)


def book_rows(orders: Sequence[BrokerOrder], trades: Sequence[BrokerTrade]) -> list[BrokerUpdate]:
    """A book in the order in which things happened: an order, its trades, its end.

    Otherwise the trades of an order that was cancelled in part would look like trades of a dead order.
    """
    ended = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
    alive = [
        msgspec.structs.replace(row, status=OrderStatus.OPEN) if row.filled and row.status in ended else row
        for row in orders
    ]
    return [*alive, *trades, *(row for row in orders if row.filled and row.status in ended)]


def doubted(state: TradingState, account: str) -> frozenset[str]:
    """Ids of the account's orders of which it is not known whether the broker has them."""
    return frozenset(
        order.id for order in state.orders.values() if order.terms.account == account and order.status in IN_DOUBT
    )


def resolve_missing(
    state: TradingState,
    broker: str,
    asked: Collection[str],
    seen_tags: Collection[str],
    proof: bool,
) -> Decision:
    """Those of the ``asked`` orders, in doubt before the book was read, that the book does not show.

    Where the book is proof (an embedded exchange) they never existed; elsewhere they stay UNKNOWN, since absence
    from one reading proves nothing.
    """
    decision = Decision(f"broker:{broker}", "reconcile")
    for order in state.orders.values():
        if order.id not in asked or order.status not in IN_DOUBT or order.tag in seen_tags:
            continue
        if order.status is OrderStatus.INTENDED or proof:
            decision.facts += _never_arrived(order)
        elif order.status is OrderStatus.SENT:
            cause = "the engine stopped before the answer came"
            decision.facts.append(ev.OrderDoubted(order_id=order.id, cause=cause))
            decision.facts.append(
                ev.NoticeRaised(
                    level="alarm",
                    code="ORDER_UNKNOWN",
                    text=f"What became of {order.id} is unknown: {cause}. It may be working.",
                    subject=order.id,
                )
            )
    return decision


def _never_arrived(order: Order) -> tuple[ev.AnyEvent, ev.AnyEvent]:
    """Whoever asked for the order may count on it, above all on one that was to close something."""
    terms = order.terms
    return (
        ev.OrderExpired(order_id=order.id, reason="It never reached the exchange."),
        ev.NoticeRaised(
            level="warning" if order.risk is RiskClass.INCREASE else "alarm",
            code="ORDER_NOT_SENT",
            text=f"{order.id} {terms.side.value} {terms.qty} {terms.contract} never reached the exchange; "
            "send it again if it is still wanted.",
            subject=order.id,
        ),
    )


def resolve_pending(state: TradingState, broker: str, account: str, seen_ids: Collection[str]) -> Decision:
    """Changes and cancellations whose answer died with an earlier run: the book just heard is the answer.

    Without this the order would wait for ever, and neither the trader nor a flatten could touch it.
    """
    decision = Decision(f"broker:{broker}", "reconcile")
    for order in state.orders.values():
        if order.terms.account != account or not order.status.working or order.broker_id not in seen_ids:
            continue
        reason = "The engine stopped before the answer came; the broker's book shows the order as it is."
        if order.pending is Pending.MODIFY:
            decision.facts.append(ev.OrderChangeRefused(order_id=order.id, code="NOT_CONFIRMED", reason=reason))
        elif order.pending is Pending.CANCEL:
            decision.facts.append(ev.OrderCancelRefused(order_id=order.id, code="NOT_CONFIRMED", reason=reason))
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


def adopt_positions(
    state: TradingState,
    broker: str,
    account: str,
    theirs: Sequence[BrokerPosition],
    master: InstrumentMaster,
    quote_of: Callable[[str], Quote | None],
) -> Decision:
    """Take the broker's net quantities for ours where they differ, entered at the present price.

    Without any price the entry is at 0: a quantity that is right matters more than a profit that is.
    """
    decision = Decision(f"broker:{broker}", "recovery")
    held = {key: position.qty for key, position in state.positions.items() if position.key.account == account}
    wanted = {PositionKey(account, row.product, row.contract): row.qty for row in theirs}
    for known in state.positions.values():
        if known.key.account == account:
            wanted.setdefault(known.key, 0)
    for key, qty in sorted(wanted.items(), key=lambda entry: str(entry[0])):
        missing = qty - held.get(str(key), 0)
        if not missing:
            continue
        quote, instrument = quote_of(key.contract), master.get(key.contract)
        price = None if quote is None else quote.mark if quote.mark is not None else quote.prev_close
        decision.facts += (
            ev.PositionAdopted(
                account=account,
                product=key.product,
                contract=key.contract,
                lot=max(instrument.lot, 1) if instrument else 1,
                qty=missing,
                price=price or 0,
            ),
            ev.NoticeRaised(
                level="warning",
                code="POSITION_ADOPTED",
                text=f"{key.contract} {key.product.value}: {qty} taken from the broker; profit counts from now.",
                subject=key.contract,
            ),
        )
    return decision
