"""The order desk: commands on orders become intents, and intents become single requests."""

from __future__ import annotations

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceOrder, Reply
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Pending, Role
from optconsole.engine.ports import ModifyRequest, PlaceRequest
from optconsole.engine.rules import tags
from optconsole.engine.rules.changes import require_change_left
from optconsole.engine.rules.pretrade import (
    Situation,
    checks,
    pressed_twice,
    refusal,
    require_sane,
    risk_class,
    with_protection,
)
from optconsole.engine.trading.decision import Decision, SendCancel, SendModify, SendPlace
from optconsole.engine.trading.precedence import allow_order, allow_touch

ENTRY, EXIT, KILL = Role.ENTRY, Role.EXIT, Role.KILL


def place(
    state: TradingState, command: PlaceOrder, master: InstrumentMaster, situation: Situation, install: str
) -> Decision:
    """Check one order and write its intent and its send; a refused order is a fact too.

    Raises Refusal(BAD_NUMBER) for what no order can hold.
    """
    decision = Decision(command.actor, command.id)
    terms = command.terms
    require_sane(terms.qty, terms.price, terms.trigger, terms.protection)
    try:
        instrument = master.resolve(terms.contract)
    except Refusal as refused:
        return denied(state, decision, terms, refused.code, refused.text)
    terms = msgspec.structs.replace(terms, contract=instrument.name)
    try:
        allow_order(state, terms, risk_class(state, terms))
    except Refusal as refused:
        return denied(state, decision, terms, refused.code, refused.text)
    double = None if command.again else pressed_twice(state, terms, situation)
    if double is not None:
        return denied(state, decision, terms, double.code, double.text)
    return add_order(state, decision, terms, instrument, situation, install, ENTRY)


def add_order(
    state: TradingState,
    decision: Decision,
    terms: OrderTerms,
    instrument: Instrument,
    situation: Situation,
    install: str,
    role: Role,
    parent: str = "",
    part: int = 0,
) -> Decision:
    """Append one order to a decision: intent, send and request, or the denial with its reason.

    ``part`` counts the orders of one parent from 0; its tag carries it.
    """
    terms = with_protection(terms, instrument, situation.quote(instrument.name), situation.reference(instrument.name))
    refused = refusal(checks(state, terms, instrument, situation, role=role, parent=parent))
    if refused is not None:
        return denied(state, decision, terms, refused.code, refused.text)
    order_id = decision.next_order_id(state)
    tag = tags.encode(
        tags.Tag(install=install, counter=int(order_id[1:]), role=role.value, leg=0, part=part, attempt=0)
    )
    decision.facts += [
        ev.OrderIntended(
            order_id=order_id,
            terms=terms,
            tag=tag,
            risk=risk_class(state, terms),
            lot=max(instrument.lot, 1),
            role=role,
            parent=parent,
        ),
        ev.OrderSent(order_id=order_id, attempt=0),
    ]
    decision.effects.append(SendPlace(order_id, request_for(terms, instrument, tag)))
    decision.reply = Reply(ok=True, code="SENT", text=f"{order_id} sent.", ids=(order_id,))
    return decision


def request_for(terms: OrderTerms, instrument: Instrument, tag: str) -> PlaceRequest:
    """The wire form: only LIMIT and SL exist there, and every order has a worst price."""
    limit = terms.limit
    if limit is None:
        raise Refusal("NO_PRICE", f"{terms.contract} has no price to protect the order with; use a limit.")
    return PlaceRequest(
        tag=tag,
        account=terms.account,
        instrument=instrument,
        side=terms.side,
        qty=terms.qty,
        type=OrderType.SL if terms.type.has_trigger else OrderType.LIMIT,
        price=limit,
        trigger=terms.trigger,
        product=terms.product,
        validity=terms.validity,
    )


def modify(state: TradingState, command: ModifyOrder, master: InstrumentMaster, situation: Situation) -> Decision:
    """Check new terms and write the request to change. Raises Refusal."""
    require_sane(command.qty, command.price, command.trigger)
    order = changeable(state, command.order_id, "modified")
    allow_touch(state, order)
    require_change_left(order)
    instrument = master.resolve(order.terms.contract)
    terms = _changed_terms(order, command)
    if terms == order.terms:
        raise Refusal("NO_CHANGE", f"{order.id} has these terms already; give a new price, trigger or quantity.")
    allow_order(state, terms, risk_class(state, terms, order), order.filled, order.id)
    refused = refusal(checks(state, terms, instrument, situation, replacing=order, role=order.role))
    if refused is not None:
        raise Refusal(refused.code, refused.text)
    request = request_for(terms, instrument, order.tag)
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.OrderChangeAsked(order_id=order.id, terms=terms))
    decision.effects.append(
        SendModify(
            order.id,
            terms.account,
            ModifyRequest(
                broker_id=order.broker_id or "", qty=request.qty, price=request.price, trigger=request.trigger
            ),
        )
    )
    decision.reply = Reply(ok=True, code="SENT", text=f"Change of {order.id} sent.", ids=(order.id,))
    return decision


def _changed_terms(order: Order, command: ModifyOrder) -> OrderTerms:
    """The order's terms with what the command states. A price given to a protected order moves its worst price."""
    terms = order.terms
    price, protection = terms.price, terms.protection
    if command.price is not None:
        if terms.type in (OrderType.MARKET, OrderType.SL_M):
            protection = command.price
        else:
            price = command.price
    if command.trigger is not None and not terms.type.has_trigger:
        raise Refusal("NO_TRIGGER", f"{order.id} is a {terms.type.value} order and has no trigger.")
    if command.trigger is not None and order.triggered:
        raise Refusal("TRIGGERED", f"The trigger of {order.id} was reached; change its price instead.")
    if (
        command.trigger is not None
        and terms.type is OrderType.SL_M
        and protection is not None
        and command.price is None
    ):
        protection += command.trigger - (terms.trigger or command.trigger)
    return msgspec.structs.replace(
        terms,
        qty=terms.qty if command.qty is None else command.qty,
        price=price,
        protection=protection,
        trigger=terms.trigger if command.trigger is None else command.trigger,
    )


def cancel(state: TradingState, command: CancelOrder) -> Decision:
    """Write the request to cancel one order. Raises Refusal."""
    decision = Decision(command.actor, command.id)
    order = changeable(state, command.order_id, "cancelled")
    allow_touch(state, order)
    ask_cancel(decision, order, "asked")
    decision.reply = Reply(ok=True, code="SENT", text=f"Cancel of {order.id} sent.", ids=(order.id,))
    return decision


def ask_cancel(decision: Decision, order: Order, why: str) -> None:
    """Append a cancellation of an order the broker has acknowledged."""
    decision.facts.append(ev.OrderCancelAsked(order_id=order.id, why=why))
    decision.effects.append(SendCancel(order.id, order.terms.account, order.broker_id or ""))


def cancellable(order: Order) -> bool:
    """True when a cancel can be sent now: ours, acknowledged, alive, and not being cancelled already."""
    return (
        order.status.working
        and order.broker_id is not None
        and not order.foreign
        and order.pending is not Pending.CANCEL
    )


def changeable(state: TradingState, order_id: str, verb: str) -> Order:
    """The order if it may be modified or cancelled now. Raises Refusal saying why not."""
    order = state.orders.get(order_id)
    if order is None:
        raise Refusal("NO_SUCH_ORDER", f"No order is called {order_id!r}; `optconsole orders` lists today's.")
    if order.foreign:
        raise Refusal(
            "FOREIGN_ORDER", f"{order.id} was not sent by this engine and is not touched; change it where it was sent."
        )
    if order.status.final:
        raise Refusal("ORDER_FINAL", f"{order.id} is {order.status.value} and cannot be {verb}.")
    if order.broker_id is None:
        raise Refusal("NOT_ACKNOWLEDGED", f"{order.id} has no answer from the broker yet and cannot be {verb}.")
    if order.pending is not Pending.NONE:
        raise Refusal("CHANGE_PENDING", f"{order.id} waits for the answer to a {order.pending.value.lower()}.")
    return order


def denied(state: TradingState, decision: Decision, terms: OrderTerms, code: str, text: str) -> Decision:
    """Append the denial of an order: a fact with its reason, and the answer."""
    order_id = decision.next_order_id(state)
    decision.facts.append(ev.OrderDenied(order_id=order_id, terms=terms, code=code, reason=text))
    decision.reply = Reply(ok=False, code=code, text=text, ids=(order_id,))
    return decision
