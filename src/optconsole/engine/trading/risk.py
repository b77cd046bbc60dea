"""Limits at work: commands that set them, and the watch that looks at each after everything that happens.

The watch never sends an order of its own. It changes what may leave, cancels what waits to open, and writes the wish to
be flat, which the closing rules carry out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import RemoveLimit, Reply, ScopeKind, SetLimit, SetTradingState
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import (
    DAILY,
    GATED,
    PROFITS,
    Level,
    Limit,
    LimitAction,
    LimitDay,
    LimitKind,
    ScopeState,
    Standing,
    Sweep,
    limit_key,
    scope_key,
)
from optconsole.engine.model.orders import Order, Pending, RiskClass, Role
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import exposure, limits
from optconsole.engine.rules.limit_terms import checked, checked_name, loosens, wants_price
from optconsole.engine.rules.limits import STEPS, Usage, clock, measure, worded
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.daybreak import mark_contracts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.portions import offset

WATCH: Final = "risk"
BLIND: Final = 10.0
"""Machine seconds for which a profit may stay unknown in session before its loss limit blocks new risk."""
ASK_AGAIN: Final = timedelta(seconds=5)
REST: Final = 0.2
"""Machine seconds between two looks while nothing but prices has changed."""
PEAK_STEPS: Final = 50
"""A new height of the profit is recorded in steps of this part of the limit: a trail is exact to two per cent."""


# ------------------------------------------------------------ commands


def set_limit(state: TradingState, command: SetLimit) -> Decision:
    """Set a limit. Raises Refusal for one that makes no sense, and for a looser one without a reason."""
    limit = checked(command.limit, sorted(state.accounts))
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
    name = checked_name(command.level, command.name, sorted(state.accounts))
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
        # allowing trading again starts the count of rejects anew
        if limit.kind is LimitKind.REJECTS:
            continue
        usage = measure(state, limit, situation.price, situation.funds)
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
    elif limit.second is not None:
        value = f"{value} to {worded(limit.unit, limit.second)}"
    until = "" if limit.until is None else f" {clock(limit.until)}"
    return f"{value}, {limit.action.value}{until}"


# ------------------------------------------------------------ the watch


@dataclass(slots=True)
class RiskWatch:
    """Looks at every limit. What it remembers is only how long a profit has been unknown, and when it looked last."""

    _unknown: dict[str, float] = field(default_factory=dict)
    _looked: tuple[int, float] | None = None

    def advance(
        self, state: TradingState, _master: InstrumentMaster, situation: Situation, _install: str
    ) -> Decision | None:
        """The next thing a limit asks for; None when none asks for anything."""
        if self._looked is not None:
            seq, tick = self._looked
            if seq == state.seq and 0 <= situation.tick - tick < REST:
                return None
        for step in self._steps(state, situation):
            if step.facts:
                return step
        self._looked = state.seq, situation.tick
        return None

    def _steps(self, state: TradingState, situation: Situation) -> Iterator[Decision]:
        """One limit at a time: what it does to its scope must be known before the next one is judged."""
        yield _unlock(state, Decision(WATCH, "lock"), situation.now)
        yield _sweep(state, Decision(WATCH, "sweep"), situation.now)
        yield mark_contracts(state, Decision(WATCH, "day"), situation)
        yield self._sight(state, Decision(WATCH, "sight"), situation)
        for limit in state.limits.values():
            yield _judge(state, Decision(WATCH, limit.key), limit, situation)

    def _sight(self, state: TradingState, decision: Decision, situation: Situation) -> Decision:
        """Tell when a profit that a limit watches has been unknown for too long, and when it is known again."""
        scopes: dict[str, tuple[Limit, bool]] = {}
        for limit in state.limits.values():
            if limit.kind in PROFITS:
                blocks = wants_price(limit) or scopes.get(limit.scope, (limit, False))[1]
                scopes[limit.scope] = limit, blocks
        for key, (limit, blocks) in scopes.items():
            _profit, missing = limits.day_profit(state, limit.level, limit.name, situation.price)
            if missing and situation.phase is MarketPhase.OPEN:
                since = self._unknown.setdefault(key, situation.tick)
                if situation.tick - since > BLIND and state.unseen.get(key) is not blocks:
                    _lost(decision, limit, missing, blocks)
                continue
            self._unknown.pop(key, None)
            # a closed market has no prices, and what was blind stays so until one is seen
            if not missing and key in state.unseen:
                decision.facts.append(ev.ProfitSeen(level=limit.level, name=limit.name))
                decision.facts.append(
                    ev.NoticeRaised(
                        level="info", code="PNL_KNOWN", text=f"The profit of {key} is known again.", subject=key
                    )
                )
        for key in state.unseen.keys() - scopes.keys():
            level, _, name = key.partition(":")
            decision.facts.append(ev.ProfitSeen(level=Level(level), name=name))
        return decision


def _lost(decision: Decision, limit: Limit, missing: str, blocks: bool) -> None:
    decision.facts.append(ev.ProfitLost(level=limit.level, name=limit.name, contract=missing, blocks=blocks))
    effect = "New risk waits until it is known." if blocks else "Its limits cannot be watched."
    decision.facts.append(
        ev.NoticeRaised(
            level="alarm",
            code="PNL_UNKNOWN",
            text=f"The profit of {limit.scope} is unknown: {missing} has no fresh price. {effect}",
            subject=limit.scope,
        )
    )


def _unlock(state: TradingState, decision: Decision, now: datetime) -> Decision:
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


def _sweep(state: TradingState, decision: Decision, now: datetime) -> Decision:
    """Cancel what a state does not let wait, also what the broker acknowledged only after the state was set."""
    asked: set[str] = set()
    for scope in state.scopes.values():
        if scope.standing is Standing.ACTIVE or scope.sweep is Sweep.NONE:
            continue
        within = exposure.reach(scope.level, scope.name)
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


def _judge(state: TradingState, decision: Decision, limit: Limit, situation: Situation) -> Decision:
    usage = measure(state, limit, situation.price, situation.funds)
    if usage is None or usage.used is None or usage.share is None:
        return decision
    day = state.limit_days.get(limit.key) or LimitDay()
    _peak(state, decision, limit, situation)
    if usage.broken:
        if not day.broken:
            decision.facts += _consequences(state, limit, usage, situation.now)
        return decision
    step = max((step for step in STEPS if usage.share >= step), default=0)
    # a profit that nears its target is no reason for a warning
    if step > day.warned and limit.kind not in (LimitKind.PROFIT_LOCK, LimitKind.NAKED_SHORT):
        decision.facts.append(
            ev.LimitWarned(level=limit.level, name=limit.name, kind=limit.kind, step=step, used=usage.used)
        )
        decision.facts.append(
            ev.NoticeRaised(
                level="info" if step == STEPS[0] else "warning",
                code="LIMIT_NEAR",
                text=f"{step} % of the {limit.kind.value} of {limit.scope} are used: "
                f"{worded(limit.unit, usage.used)} of {worded(limit.unit, limit.value)}.",
                subject=limit.key,
            )
        )
    return decision


def _peak(state: TradingState, decision: Decision, limit: Limit, situation: Situation) -> None:
    """Keep the day's highest profit where a lock or a trail needs it, through restarts too."""
    if limit.kind not in (LimitKind.PROFIT_LOCK, LimitKind.PROFIT_TRAIL):
        return
    profit, _missing = limits.day_profit(state, limit.level, limit.name, situation.price)
    known = state.peaks.get(limit.scope, 0)
    if profit is None or profit <= known:
        return
    begins = limit.value if limit.second is None or limit.kind is LimitKind.PROFIT_LOCK else limit.second
    if profit - known >= max(limit.value // PEAK_STEPS, 1) or known < begins <= profit:
        decision.facts.append(ev.ProfitPeaked(level=limit.level, name=limit.name, profit=profit))


def _consequences(state: TradingState, limit: Limit, usage: Usage, now: datetime) -> Iterator[ev.AnyEvent]:
    """What reaching a limit does: once a day, unless a person allows trading again."""
    used = usage.used or 0
    why = (
        f"{worded(limit.unit, used)} used, {limit.kind.value} {worded(limit.unit, limit.value)}"
        if limit.kind is not LimitKind.NAKED_SHORT
        else f"{used} units are sold uncovered"
    )
    yield ev.LimitBroken(level=limit.level, name=limit.name, kind=limit.kind, used=used, action=limit.action)
    yield ev.NoticeRaised(
        level="alarm",
        code="LIMIT_REACHED",
        text=f"The {limit.kind.value} of {limit.scope} is reached ({why}): {limit.action.value}.",
        subject=limit.key,
    )
    change = _change(state, limit, why, now)
    if change is not None:
        yield change
    if limit.action is LimitAction.EXIT_SCOPE:
        yield from _exits(state, limit)


def _change(state: TradingState, limit: Limit, why: str, now: datetime) -> ev.TradingStateChanged | None:
    """The state an action sets; never a milder one than stands, and never a shorter one.

    What the gate counts anew for every order blocks there, and frees again by itself once less is open.
    """
    gated = limit.action is LimitAction.BLOCK_NEW and limit.kind in GATED
    if limit.action is LimitAction.ALERT or gated:
        return None
    standing = Standing.HALTED if limit.action is LimitAction.EXIT_SCOPE else Standing.REDUCING
    sweep = {
        LimitAction.REDUCE_ONLY: Sweep.ENTRIES,
        LimitAction.EXIT_SCOPE: Sweep.ENTRIES,
        LimitAction.CANCEL_WORKING: Sweep.ALL,
    }.get(limit.action, Sweep.NONE)
    until = _until(limit, now)
    daily = limit.kind in DAILY
    scope = state.scopes.get(limit.scope)
    if scope is not None and scope.standing is not Standing.ACTIVE:
        standing = max(standing, scope.standing, key=lambda each: each.severity)
        sweep = max(sweep, scope.sweep, key=(Sweep.NONE, Sweep.ENTRIES, Sweep.ALL).index)
        until = None if until is None or scope.until is None else max(until, scope.until)
        daily = daily and scope.daily
    return ev.TradingStateChanged(
        level=limit.level, name=limit.name, standing=standing, why=why, until=until, daily=daily, sweep=sweep
    )


def _until(limit: Limit, now: datetime) -> datetime | None:
    """When a lock lets go; one whose time is past holds for the day."""
    if limit.action is not LimitAction.LOCK_UNTIL or limit.until is None:
        return None
    ends = now.replace(hour=limit.until // 60, minute=limit.until % 60, second=0, microsecond=0)
    return ends if ends > now else None


def _exits(state: TradingState, limit: Limit) -> Iterator[ev.AnyEvent]:
    """The wish to be flat, under an id that the limit and the day give: it is written once, whatever happens between.

    A strategy's or basket's is for the units that it holds itself; what others hold of the same contracts stays.
    """
    day = "" if state.day is None else state.day.isoformat()
    match limit.level:
        case Level.ACCOUNT:
            kind, name = ScopeKind.ACCOUNT, limit.name
        case Level.LEG:
            kind, name = ScopeKind.CONTRACT, limit.name
        case Level.STRATEGY | Level.BASKET:
            kind, name = ScopeKind.STRATEGY, limit.name
            yield from _offset(state, limit)
        case _:
            kind, name = ScopeKind.ALL, ""
    yield ev.FlattenBegun(flatten_id=f"limit:{limit.key}:{day}", kind=kind.value, name=name, percent=100, why="limit")


def _offset(state: TradingState, limit: Limit) -> Iterator[ev.NoticeRaised]:
    """What a strategy holds and cannot close, since the account as a whole holds less or the opposite."""
    for position, units in offset(state, limit.name):
        yield ev.NoticeRaised(
            level="alarm",
            code="EXIT_OFFSET",
            text=f"{limit.scope} holds {units} units of {position.key.contract} that others hold against: "
            f"{position.key.account} has {position.qty} in all, so that closing them would open. They stay; "
            "close by hand what stands against them first.",
            subject=limit.key,
        )
