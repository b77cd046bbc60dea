"""Commands on limits and trading states: set, take away, allow again. What allows more than before needs a reason."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import RemoveLimit, Reply, SetLimit, SetTradingState
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import (
    Level,
    Limit,
    LimitAction,
    LimitKind,
    Standing,
    Sweep,
    limit_key,
    scope_key,
)
from optconsole.engine.rules.exposure import groups_of
from optconsole.engine.rules.limit_terms import checked, checked_name, loosens
from optconsole.engine.rules.limits import clock, measure, worded
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision


def set_limit(state: TradingState, command: SetLimit) -> Decision:
    """Set a limit. Raises Refusal for one that makes no sense, and for a looser one without a reason."""
    limit = checked(command.limit, sorted(state.accounts), groups_of(state))
    before = state.limits.get(limit.key)
    if before == limit:
        raise Refusal("NO_CHANGE", f"The {limit.kind.value} of {limit.scope} is that already.")
    loosened = loosens(before, limit)
    if loosened:
        _need_why(command.why, f"The new {limit.kind.value} of {limit.scope} allows more than the one before")
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.LimitSet(limit=limit, before=before, loosened=loosened, why=command.why))
    decision.reply = Reply(ok=True, text=f"{limit.scope}: {limit.kind.value} {value_text(limit)}.")
    return decision


def remove_limit(state: TradingState, command: RemoveLimit) -> Decision:
    """Take a limit away. Raises Refusal where there is none, and without a reason."""
    limit = state.limits.get(limit_key(command.level, command.name, command.kind))
    if limit is None:
        scope = scope_key(command.level, command.name)
        raise Refusal("NO_SUCH_LIMIT", f"{scope} has no {command.kind.value}; `optconsole risk show` lists all.")
    _need_why(command.why, f"Without its {limit.kind.value} {limit.scope} may do more than now")
    decision = Decision(command.actor, command.id)
    decision.facts.append(
        ev.LimitRemoved(level=limit.level, name=limit.name, kind=limit.kind, before=limit, why=command.why)
    )
    decision.reply = Reply(ok=True, text=f"The {limit.kind.value} of {limit.scope} is gone.")
    return decision


def set_trading_state(state: TradingState, command: SetTradingState, situation: Situation) -> Decision:
    """Set what orders of a scope may leave.

    Raises Refusal for ACTIVE without a reason or while a limit of the scope is still reached.
    """
    if command.level is Level.ORDER:
        raise Refusal(
            "LIMIT_LEVEL", "A single order has no trading state; use global, an account, a strategy or a leg."
        )
    name = checked_name(command.level, command.name, sorted(state.accounts), groups_of(state))
    key = scope_key(command.level, name)
    scope = state.scopes.get(key)
    if scope is None or scope.standing is Standing.ACTIVE:
        if command.standing is Standing.ACTIVE:
            raise Refusal("ALREADY_ACTIVE", f"{key} is active already.")
    elif command.standing.severity < scope.standing.severity:
        _need_why(command.why, f"To make {key} {command.standing.value} allows more than now")
    if command.standing is Standing.ACTIVE:
        _nothing_reached(state, key, situation)
    decision = Decision(command.actor, command.id)
    decision.facts.append(
        ev.TradingStateChanged(
            level=command.level,
            name=name,
            standing=command.standing,
            why=command.why or "asked",
            sweep=Sweep.ENTRIES if command.standing is Standing.HALTED else Sweep.NONE,
            rearms=command.standing is Standing.ACTIVE,
        )
    )
    decision.reply = Reply(ok=True, text=f"{key} is {command.standing.value}.")
    return decision


def _need_why(why: str, what: str) -> None:
    if len(why.strip()) < 3:
        raise Refusal("WHY_NEEDED", f"{what}; say why, in at least three letters, for the journal.")


def _nothing_reached(state: TradingState, key: str, situation: Situation) -> None:
    """Trading goes on only under limits that are not reached, or it would stop again at once."""
    for limit in state.limits.values():
        if limit.scope != key or limit.action is LimitAction.ALERT:
            continue
        # allowing trading again starts the count of rejects and of losses anew
        if limit.kind in (LimitKind.REJECTS, LimitKind.COOL_OFF):
            continue
        usage = measure(state, limit, situation.price, situation.funds, situation.known)
        if usage is not None and usage.broken:
            raise Refusal(
                "LIMIT_REACHED",
                f"The {limit.kind.value} of {key} is {value_text(limit)} and {worded(limit.unit, usage.used or 0)} are "
                "used; change that limit first.",
            )


def value_text(limit: Limit) -> str:
    """A limit's value with its unit and what it does."""
    value = worded(limit.unit, limit.value)
    if limit.kind is LimitKind.NAKED_SHORT:
        value = "on"
    elif limit.kind is LimitKind.COOL_OFF:
        value = f"{limit.value} losing exits, {limit.second} minutes"
    elif limit.second is not None:
        value = f"{value} to {worded(limit.unit, limit.second)}"
    until = "" if limit.until is None else f" {clock(limit.until)}"
    return f"{value}, {limit.action.value}{until}"
