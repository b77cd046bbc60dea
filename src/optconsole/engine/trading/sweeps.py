"""What a trading state does as long as it stands: cancels what may not wait, and lets go when its lock ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import (
    ScopeState,
    Standing,
    Sweep,
    scope_key,
)
from optconsole.engine.model.orders import Order, Pending, RiskClass, Role
from optconsole.engine.rules import exposure
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable

ASK_AGAIN: Final = timedelta(seconds=5)


def unlock(state: TradingState, decision: Decision, now: datetime) -> Decision:
    """A lock that was set until a time lets go; nothing else ever does by itself."""
    for scope in state.scopes.values():
        if scope.standing is not Standing.ACTIVE and scope.until is not None and now >= scope.until:
            decision.facts.append(
                ev.TradingStateChanged(
                    level=scope.level,
                    name=scope.name,
                    standing=Standing.ACTIVE,
                    why=f"the lock ended at {scope.until:%H:%M}",
                )
            )
    return decision


def sweep(state: TradingState, decision: Decision, now: datetime) -> Decision:
    """Cancel what a state does not let wait, also what the broker acknowledged only after the state was set."""
    asked: set[str] = set()
    for scope in state.scopes.values():
        if scope.standing is Standing.ACTIVE or scope.sweep is Sweep.NONE:
            continue
        within = exposure.reach(state, scope.level, scope.name)
        for order in state.orders.values():
            terms = order.terms
            if (
                order.status.working
                and order.id not in asked
                and _swept(order, scope)
                and _may_ask(order, now)
                and within(terms.account, terms.contract, terms.source)
            ):
                ask_cancel(decision, order, f"{scope_key(scope.level, scope.name)} is {scope.standing.value}")
                asked.add(order.id)
    return decision


def _swept(order: Order, scope: ScopeState) -> bool:
    """Stops and closing orders are never cancelled for a limit."""
    if order.role.closes or order.role is Role.STOP or order.risk is RiskClass.PROTECT:
        return False
    return scope.sweep is Sweep.ALL or order.risk is RiskClass.INCREASE


def _may_ask(order: Order, now: datetime) -> bool:
    """A cancellation the broker refused is asked again only after a rest."""
    if not cancellable(order) or order.pending is not Pending.NONE:
        return False
    return not order.reason_code or now - order.updated_at >= ASK_AGAIN
