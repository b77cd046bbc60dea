"""Reverse: close what is open, and only once it is provably flat open as much the other way; never both at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import Flatten, Reply, Reverse, Scope, ScopeKind
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import Reversal, ReversalLeg
from optconsole.engine.model.orders import OrderTerms, OrderType, Side
from optconsole.engine.rules.pretrade import Situation, checks_in_parts, refusal, with_protection
from optconsole.engine.trading.closing import flatten
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.opening import open_parent
from optconsole.engine.trading.scopes import in_scope

PATIENCE: Final = timedelta(seconds=120)
"""How long the closing may take; the opposite position was wanted at the price of then."""


def reverse(state: TradingState, command: Reverse, master: InstrumentMaster, situation: Situation) -> Decision:
    """Begin to flatten, and remember what is to be opened after. Raises Refusal, and then nothing is closed either."""
    legs = tuple(
        ReversalLeg(key=held.key, side=Side.SELL if held.qty > 0 else Side.BUY, qty=abs(held.qty))
        for held in state.positions.values()
        if held.qty and in_scope(command.scope, held.key.account, held.key.contract, held.key.product)
    )
    if not legs:
        raise Refusal("NOTHING_OPEN", "Nothing is open there that could be reversed.")
    if any(leg.key == other.key for each in state.reversals.values() for other in each.legs for leg in legs):
        raise Refusal("REVERSING", "This position is being reversed already.")
    _check(state, command.scope, legs, master, situation)
    decision = Decision(command.actor, command.id)
    decision.facts.append(
        ev.ReversalBegun(reversal_id=command.id, kind=command.scope.kind.value, name=command.scope.name, legs=legs)
    )
    closing = flatten(state, Flatten(id=command.id, actor=command.actor, scope=command.scope))
    decision.facts += closing.facts
    decision.effects += closing.effects
    names = ", ".join(leg.key.contract for leg in legs)
    decision.reply = Reply(ok=True, code="REVERSING", text=f"Closing {names}; the opposite opens once that is flat.")
    return decision


def _check(
    state: TradingState, scope: Scope, legs: tuple[ReversalLeg, ...], master: InstrumentMaster, situation: Situation
) -> None:
    """The opposite must be allowed before anything is closed for it: judged as if the scope were flat already."""
    flat = state.copy()
    for leg in legs:
        flat.positions.pop(str(leg.key), None)
    flat.orders = {
        name: order
        for name, order in state.orders.items()
        if order.status.final or not in_scope(scope, order.terms.account, order.terms.contract)
    }
    for leg in legs:
        instrument = master.resolve(leg.key.contract)
        terms = with_protection(
            _terms(leg), instrument, situation.quote(instrument.name), situation.reference(instrument.name)
        )
        refused = refusal(checks_in_parts(flat, terms, instrument, situation))
        if refused is not None:
            raise Refusal(refused.code, refused.text)


def _terms(leg: ReversalLeg) -> OrderTerms:
    return OrderTerms(
        account=leg.key.account,
        contract=leg.key.contract,
        product=leg.key.product,
        side=leg.side,
        qty=leg.qty,
        type=OrderType.MARKET,
        note="reverse",
    )


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, _install: str) -> Decision | None:
    """Open the other way whatever is flat by now, or give a reversal up."""
    for wish in state.reversals.values():
        why = _given_up(state, wish, situation)
        if why:
            return _end(wish, why)
        if wish.id not in state.flattening and not _works(state, wish):
            return _open(state, wish, master, situation)
    return None


def _given_up(state: TradingState, wish: Reversal, situation: Situation) -> str:
    if state.killed:
        return "the kill switch is on"
    if wish.epoch != state.epoch:
        return "the engine was restarted meanwhile"
    for other in state.flattening.values():
        if other.id != wish.id and other.whole and touches(wish, Scope(ScopeKind(other.kind), other.name)):
            return "it is being closed"
    if situation.since(wish.since) > PATIENCE:
        return f"it was not flat within {PATIENCE.total_seconds():.0f} s"
    if wish.id in state.flattening or _works(state, wish):
        return ""
    left = [leg.key.contract for leg in wish.legs if (held := state.positions.get(str(leg.key))) and held.qty]
    return f"{', '.join(left)} is not flat" if left else ""


def _works(state: TradingState, wish: Reversal) -> bool:
    """Whether any order may still trade in what is reversed, those in doubt included."""
    keys = {(leg.key.account, leg.key.contract) for leg in wish.legs}
    return any(
        order.status.reserved and (order.terms.account, order.terms.contract) in keys for order in state.orders.values()
    )


def _open(state: TradingState, wish: Reversal, master: InstrumentMaster, situation: Situation) -> Decision:
    decision = Decision(wish.actor, wish.id)
    opened: list[str] = []
    failures: list[str] = []
    # what is bought first covers what is sold after it
    for leg in sorted(wish.legs, key=lambda each: each.side is Side.SELL):
        instrument = master.get(leg.key.contract)
        if instrument is None:
            failures.append(f"{leg.key.contract} is not listed today")
            continue
        open_parent(state, decision, _terms(leg), instrument, situation)
        answer, decision.reply = decision.reply, None
        if answer is not None and answer.ok:
            opened += answer.ids
        elif answer is not None:
            failures.append(f"{leg.key.contract}: {answer.text}")
    decision.facts.append(ev.ReversalEnded(reversal_id=wish.id, orders=tuple(opened), text="; ".join(failures)))
    if failures:
        decision.facts.append(_notice(wish, "; ".join(failures)))
    return decision


def _end(wish: Reversal, why: str) -> Decision:
    decision = Decision(wish.actor, wish.id)
    decision.facts += [ev.ReversalEnded(reversal_id=wish.id, text=why), _notice(wish, why)]
    return decision


def _notice(wish: Reversal, why: str) -> ev.NoticeRaised:
    names = ", ".join(leg.key.contract for leg in wish.legs)
    return ev.NoticeRaised(
        level="alarm", code="NOT_REVERSED", text=f"{names} was not reversed: {why.rstrip('.')}.", subject=wish.name
    )


def touches(wish: Reversal, scope: Scope) -> bool:
    """Whether a scope covers anything of a reversal."""
    return scope.kind is ScopeKind.ALL or any(in_scope(scope, leg.key.account, leg.key.contract) for leg in wish.legs)
