"""Brackets: an entry with a stop and a target, which guard what is filled from the first fill on (reliability O02)."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import Flatten, PlaceOrder, Scope, ScopeKind, SetStop
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import Bracket
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.bands import on_tick
from optconsole.engine.rules.contingency import filled
from optconsole.engine.rules.pretrade import Situation, price_in, risk_class
from optconsole.engine.trading.closing import flatten
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.parents import kids_of
from optconsole.engine.trading.stops import set_stop


def check(
    state: TradingState, command: PlaceOrder, terms: OrderTerms, instrument: Instrument, situation: Situation
) -> None:
    """Raises Refusal for a stop or a target that could not guard the position this order opens."""
    if command.stop is None and command.target is None:
        return
    if risk_class(state, terms) is not RiskClass.INCREASE:
        raise Refusal("NOTHING_TO_GUARD", "This order closes a position; a stop and a target guard one it opens.")
    quote = situation.quote(instrument.name)
    entry = terms.price if terms.price is not None else terms.trigger
    if entry is None:
        entry = None if quote is None else quote.mark
    if entry is None:
        raise Refusal("NO_PRICE", f"{instrument.name} has no price to measure the stop and the target from.")
    for label, price, sign in (("stop", command.stop, -1), ("target", command.target, 1)):
        if price is None:
            continue
        if price <= 0 or not on_tick(price, instrument.tick):
            raise Refusal(
                "TICK_SIZE", f"The {label} {price_in(price)} is not a price in steps of {price_in(instrument.tick)}."
            )
        if (price - entry) * terms.side.sign * sign <= 0:
            word = "above" if terms.side.sign * sign > 0 else "below"
            raise Refusal(
                "WRONG_SIDE",
                f"The {label} {price_in(price)} of a {terms.side.value} must be {word} its entry {price_in(entry)}.",
            )


def attach(decision: Decision, command: PlaceOrder, terms: OrderTerms) -> None:
    """Append the bracket of an order or parent that this decision sends."""
    reply = decision.reply
    if reply is None or not reply.ok or (command.stop is None and command.target is None):
        return
    decision.facts.append(
        ev.BracketAttached(
            entry_id=reply.ids[0],
            account=terms.account,
            product=terms.product,
            contract=terms.contract,
            side=terms.side,
            stop=command.stop,
            target=command.target,
        )
    )


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, _install: str) -> Decision | None:
    """Guard what is filled and has no guard yet; a bracket ends with its entry."""
    for bracket in state.brackets.values():
        orders, over = _entry(state, bracket.entry_id)
        instrument = master.get(bracket.key.contract)
        due = filled(orders) - bracket.guarded
        held = state.positions.get(str(bracket.key))
        open_now = held is not None and held.qty * bracket.side.sign > 0
        if due > 0 and open_now and held is not None and instrument is not None:
            return protect(state, bracket, due, master, _priced(situation, held))
        if over:
            why = "nothing was filled" if not filled(orders) else ""
            return _end(bracket, "the position was closed before its guard stood" if due and not open_now else why)
    return None


def _priced(situation: Situation, held: Position) -> Situation:
    """A fill may come before the first quote: what was paid is then the price to measure from, no reason to close."""
    name, average = held.key.contract, held.average
    quote = situation.quote(name)
    if average is None or (quote is not None and quote.mark is not None):
        return situation
    paid = Quote(name=name, ts=0, ltp=round(average))
    return replace(situation, quote=lambda asked: paid if asked == name else situation.quote(asked))


def _entry(state: TradingState, entry_id: str) -> tuple[list[Order], bool]:
    """The orders of an entry, and whether it fills no more."""
    parent = state.parents.get(entry_id)
    if parent is not None:
        orders = kids_of(state, entry_id)
        return orders, parent.status is not ParentStatus.WORKING and all(order.status.final for order in orders)
    order = state.orders.get(entry_id)
    return ([], True) if order is None else ([order], order.status.final)


def protect(
    state: TradingState, bracket: Bracket, due: int, master: InstrumentMaster, situation: Situation
) -> Decision:
    """Set the guard of the position at its first fill; it follows what fills later by itself.

    A market that is beyond a level by the time of the fill leaves nothing to wait for: the position is closed.
    """
    key, decision = bracket.key, Decision("engine", bracket.entry_id)
    decision.facts.append(ev.BracketGuarded(entry_id=bracket.entry_id, qty=due))
    if bracket.guarded and str(key) in state.protections:
        return decision
    name = f"{bracket.entry_id}.guard"
    wanted = SetStop(
        id=name,
        actor="engine",
        account=key.account,
        product=key.product,
        contract=key.contract,
        stop=bracket.stop,
        target=bracket.target,
    )
    try:
        done = _guarded(state, wanted, master, situation)
    except Refusal as refused:
        text = f"{key.contract} cannot be guarded and is closed: {refused.text}"
        decision.facts.append(ev.NoticeRaised(level="alarm", code="NOT_GUARDED", text=text, subject=key.contract))
        try:
            done = flatten(state, Flatten(id=name, actor="engine", scope=Scope(ScopeKind.POSITION, str(key))))
        except Refusal:
            return decision  # it is being closed already
    decision.facts += done.facts
    decision.effects += done.effects
    return decision


def _guarded(state: TradingState, wanted: SetStop, master: InstrumentMaster, situation: Situation) -> Decision:
    """The guard as wanted; where orders by hand close the position already, kept by the engine alone beside them."""
    try:
        return set_stop(state, wanted, master, situation)
    except Refusal as refused:
        if refused.code != "ORDERS_CLOSE":
            raise
        done = set_stop(state, msgspec.structs.replace(wanted, mode=StopMode.LOCAL), master, situation)
        text = f"The stop of {wanted.contract} is kept by the engine alone: {refused.text}"
        done.facts.append(ev.NoticeRaised(level="alarm", code="STOP_LOCAL", text=text, subject=wanted.contract))
        return done


def _end(bracket: Bracket, why: str) -> Decision:
    decision = Decision("engine", bracket.entry_id)
    decision.facts.append(ev.BracketEnded(entry_id=bracket.entry_id, why=why))
    return decision
