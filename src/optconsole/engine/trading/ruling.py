"""What a person may decide where the engine may not: about doubts, orders of others, differences."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import AdoptOrder, AdoptPosition, ReadBookNow, ReleaseDoubt, Reply
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.rules.pretrade import Situation, price_in
from optconsole.engine.trading.decision import Decision, ReadBook
from optconsole.engine.trading.resolution import QUIESCE, READS_NEEDED


def release_doubt(state: TradingState, command: ReleaseDoubt) -> Decision:
    """Let entries go on in spite of an order in doubt. Raises Refusal while the broker may still show it."""
    order = state.orders.get(command.order_id)
    if order is None:
        raise Refusal("NO_SUCH_ORDER", f"No order is called {command.order_id!r}; `optconsole orders` lists today's.")
    if order.status not in (OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT):
        raise Refusal("NOT_IN_DOUBT", f"{order.id} is {order.status.value}; only an order in doubt is released.")
    if order.released:
        raise Refusal("RELEASED_ALREADY", f"{order.id} is released already; it stays watched.")
    if order.status is OrderStatus.UNKNOWN and not order.releasable:
        raise Refusal(
            "TOO_EARLY",
            f"{order.id} may still turn up: it is released after {QUIESCE:.0f} s and {READS_NEEDED} readings of the "
            "broker's book without it. Look for its tag " + order.tag + " in the broker's own order book meanwhile.",
        )
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.OrderDoubtReleased(order_id=order.id, why=command.why or "not at the broker"))
    decision.reply = Reply(
        ok=True,
        code="RELEASED",
        text=f"{order.id} no longer holds back entries; it stays watched and counted.",
        ids=(order.id,),
    )
    return decision


def read_book(command: ReadBookNow) -> Decision:
    """Read an account's book soon; readings that are asked for together are one."""
    decision = Decision(command.actor, command.id)
    decision.effects.append(ReadBook(command.account))
    decision.reply = Reply(ok=True, code="READING", text=f"The book of {command.account} is read now.")
    return decision


def adopt_order(state: TradingState, command: AdoptOrder) -> Decision:
    """Take over an order that others sent. Raises Refusal."""
    order = state.orders.get(command.order_id)
    if order is None:
        raise Refusal("NO_SUCH_ORDER", f"No order is called {command.order_id!r}; `optconsole orders` lists today's.")
    if not order.foreign:
        raise Refusal("OURS_ALREADY", f"{order.id} is ours already.")
    if order.status.final:
        raise Refusal("ORDER_FINAL", f"{order.id} is {order.status.value}; there is nothing to take over.")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.OrderClaimed(order_id=order.id))
    decision.reply = Reply(ok=True, text=f"{order.id} is treated as ours now.", ids=(order.id,))
    return decision


def adopt_position(
    state: TradingState, command: AdoptPosition, master: InstrumentMaster, situation: Situation
) -> Decision:
    """Take the broker's quantity of a contract for ours, at the present price. Raises Refusal."""
    drift = state.drifts.get(command.key)
    if drift is None:
        raise Refusal("NO_DRIFT", f"Our book and the broker's agree on {command.key}; nothing is to be taken over.")
    quote = situation.quote(drift.key.contract)
    price = None if quote is None else quote.mark
    instrument = master.get(drift.key.contract)
    if price is None or instrument is None:
        raise Refusal("NO_PRICE", f"{drift.key.contract} has no price to enter it at; try again when it is quoted.")
    decision = Decision(command.actor, command.id)
    decision.facts.append(
        ev.PositionAdopted(
            account=drift.key.account,
            product=drift.key.product,
            contract=drift.key.contract,
            lot=max(instrument.lot, 1),
            qty=drift.theirs - drift.ours,
            price=price,
        )
    )
    decision.effects.append(ReadBook(drift.key.account))
    decision.reply = Reply(
        ok=True, text=f"{drift.key.contract}: our book holds {drift.theirs} now, entered at {price_in(price)}."
    )
    return decision
