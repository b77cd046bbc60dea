"""What reaching a limit does: an alarm, a state of the level, and the wish to be flat."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from optconsole.engine import events as ev
from optconsole.engine.commands import ScopeKind
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import (
    DAILY,
    GATED,
    Level,
    Limit,
    LimitAction,
    LimitKind,
    Standing,
    Sweep,
)
from optconsole.engine.rules.exposure import grouped
from optconsole.engine.rules.limits import Usage, worded
from optconsole.engine.trading.portions import offset


def consequences(state: TradingState, limit: Limit, usage: Usage, now: datetime) -> Iterator[ev.AnyEvent]:
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
    if limit.kind is LimitKind.COOL_OFF:
        return now + timedelta(minutes=limit.second or 0)
    if limit.action is not LimitAction.LOCK_UNTIL or limit.until is None:
        return None
    ends = now.replace(hour=limit.until // 60, minute=limit.until % 60, second=0, microsecond=0)
    return ends if ends > now else None


def _exits(state: TradingState, limit: Limit) -> Iterator[ev.AnyEvent]:
    """The wish to be flat, under an id that the limit and the day give: it is written once, whatever happens between.

    It says whose limit it was, such as ACCOUNT_LIMIT or BASKET_LIMIT (features 1.11). A strategy's or basket's is for
    the units that it holds itself; what others hold of the same contracts stays.
    """
    day = "" if state.day is None else state.day.isoformat()
    code = f"{limit.level.name}_LIMIT"
    match limit.level:
        case Level.ACCOUNT:
            kind, name = ScopeKind.ACCOUNT, limit.name
        case Level.GROUP:
            for account in sorted(grouped(state, limit.name)):
                wish = f"limit:{limit.key}:{day}:{account}"
                yield ev.FlattenBegun(
                    flatten_id=wish, kind=ScopeKind.ACCOUNT.value, name=account, percent=100, why=code
                )
            return
        case Level.LEG:
            kind, name = ScopeKind.CONTRACT, limit.name
        case Level.STRATEGY | Level.BASKET:
            kind, name = ScopeKind.STRATEGY, limit.name
            yield from _offset(state, limit)
        case _:
            kind, name = ScopeKind.ALL, ""
    yield ev.FlattenBegun(flatten_id=f"limit:{limit.key}:{day}", kind=kind.value, name=name, percent=100, why=code)


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
