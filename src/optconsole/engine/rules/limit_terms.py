"""Which limits make sense, and which of two allows more. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_contract
from optconsole.engine.model.limits import (
    JUDGING,
    PROFITS,
    SENSITIVE,
    SINGLE,
    Level,
    Limit,
    LimitAction,
    LimitKind,
    Unit,
)

K = LimitKind
MOST: Final = {
    Unit.PAISE: 10**15,
    Unit.PERCENT: 1_000,
    Unit.LOTS: 1_000_000,
    Unit.COUNT: 1_000_000,
    Unit.SWITCH: 1,
    Unit.MINUTES: 1_440,
}
_PATH: Final = re.compile(r"[A-Za-z0-9_.-][A-Za-z0-9_. -]*(/[A-Za-z0-9_.-][A-Za-z0-9_. -]*){0,3}", re.ASCII)
_HARSH: Final = tuple(LimitAction)
_MONEY_LEVELS: Final = (Level.ACCOUNT, Level.GROUP, Level.GLOBAL)


def checked(limit: Limit, accounts: list[str], groups: Collection[str] = ()) -> Limit:
    """The limit with its name in canonical form. Raises Refusal saying what would pass."""
    name = checked_name(limit.level, limit.name, accounts, groups)
    _kind_at_level(limit)
    least, most = (0, MOST[limit.unit]) if limit.kind in (K.OPEN_LEGS, K.HOURS) else (1, MOST[limit.unit])
    if not least <= limit.value <= most:
        raise Refusal("LIMIT_VALUE", f"{limit.value} is no {limit.kind.value}; give {least} to {most}.")
    _pair(limit)
    if limit.action is LimitAction.LOCK_UNTIL and (limit.until is None or not 0 < limit.until < MOST[Unit.MINUTES]):
        raise Refusal("LIMIT_UNTIL", "lock-until needs a time of day at which it lets go, such as 14:30.")
    if limit.kind in JUDGING and limit.action not in (LimitAction.ALERT, LimitAction.BLOCK_NEW):
        raise Refusal(
            "LIMIT_ACTION",
            f"{limit.kind.value} judges orders as they come: it can alert or block-new, and not {limit.action.value}.",
        )
    return Limit(
        level=limit.level,
        kind=limit.kind,
        value=limit.value,
        name=name,
        second=limit.second,
        action=limit.action,
        until=limit.until if limit.action is LimitAction.LOCK_UNTIL else None,
    )


def checked_name(level: Level, name: str, accounts: list[str], groups: Collection[str] = ()) -> str:
    """The name of a level in canonical form. Raises Refusal saying what would pass."""
    if not level.named:
        if name:
            raise Refusal("LIMIT_NAME", f"The level {level.value} takes no name; write just {level.value}.")
        return ""
    if level is Level.ACCOUNT and name not in accounts:
        raise Refusal("UNKNOWN_ACCOUNT", f"No account is called {name!r}; known: {', '.join(accounts) or 'none'}.")
    if level is Level.GROUP:
        if name not in groups:
            known = ", ".join(sorted(groups)) or "none; accounts name theirs in config.toml"
            raise Refusal("UNKNOWN_GROUP", f"No account is in a group called {name!r}; known: {known}.")
        return name
    if level is Level.LEG:
        return str(parse_contract(name))
    if not _PATH.fullmatch(name) or len(name) > 100:
        raise Refusal(
            "LIMIT_NAME", f"{name!r} names no {level.value}; write its path, such as {level.value}:morning/straddle."
        )
    return name


def _kind_at_level(limit: Limit) -> None:
    level, kind = limit.level, limit.kind
    if level is Level.ORDER and kind not in SINGLE:
        kinds = ", ".join(sorted(each.value for each in SINGLE))
        raise Refusal("LIMIT_LEVEL", f"{kind.value} is no limit of one order; the order level takes {kinds}.")
    if kind is K.DEVIATION and level is not Level.ORDER:
        raise Refusal("LIMIT_LEVEL", "price-deviation is a limit of the order level only.")
    if kind is K.MAX_LOSS_PERCENT and level not in _MONEY_LEVELS:
        raise Refusal(
            "LIMIT_LEVEL",
            "max-loss-percent is of an account's capital; set it on an account, a group or globally, or max-loss.",
        )
    if kind is K.MARGIN_PERCENT and level is not Level.ACCOUNT:
        raise Refusal("LIMIT_LEVEL", "margin-percent is of an account's money; set it on an account.")
    if level is Level.LEG and kind in (K.ORDERS, K.RATE, K.TRADES, K.NAKED_SHORT, K.OPEN_LEGS, *SENSITIVE):
        raise Refusal("LIMIT_LEVEL", f"{kind.value} is not counted by contract; set it on a wider level.")


def _pair(limit: Limit) -> None:
    second = limit.second
    if limit.kind is K.HOURS:
        if second is None or not limit.value < second <= MOST[Unit.MINUTES]:
            raise Refusal("LIMIT_VALUE", "hours need a start and a later end, such as 09:20-15:10.")
    elif limit.kind is K.COOL_OFF:
        _cool_off(limit)
    elif limit.kind is K.PROFIT_LOCK:
        if second is not None and not 0 <= second < limit.value:
            raise Refusal(
                "LIMIT_VALUE", "A profit-lock keeps less than the profit that begins it, such as 20000:12000."
            )
    elif limit.kind is K.PROFIT_TRAIL:
        if second is not None and not 0 < second <= MOST[Unit.PAISE]:
            raise Refusal("LIMIT_VALUE", "A profit-trail begins at a profit above zero, such as 5000:10000.")
    elif second is not None:
        raise Refusal("LIMIT_VALUE", f"{limit.kind.value} takes one value, not a pair.")


def _cool_off(limit: Limit) -> None:
    if limit.second is None or not 0 < limit.second < MOST[Unit.MINUTES]:
        raise Refusal("LIMIT_VALUE", "A cool-off needs losing exits in a row and minutes to rest for, such as 3:30.")
    if limit.action not in (LimitAction.ALERT, LimitAction.BLOCK_NEW, LimitAction.REDUCE_ONLY):
        raise Refusal("LIMIT_ACTION", "A cool-off can alert, block-new or reduce-only for its minutes.")


def loosens(before: Limit | None, after: Limit) -> bool:
    """Whether ``after`` allows anything that ``before`` did not."""
    if before is None:
        return False
    if _HARSH.index(after.action) < _HARSH.index(before.action):
        return True
    if after.action is LimitAction.LOCK_UNTIL and (after.until or 0) < (before.until or 0):
        return True
    match after.kind:
        case K.HOURS:
            return after.value < before.value or (after.second or 0) > (before.second or 0)
        case K.COOL_OFF:
            return after.value > before.value or (after.second or 0) < (before.second or 0)
        case K.PROFIT_LOCK:
            kept = (after.value if after.second is None else after.second) < (
                before.value if before.second is None else before.second
            )
            return after.value > before.value or kept
        case K.PROFIT_TRAIL:
            begins = (after.second or after.value) > (before.second or before.value)
            return after.value > before.value or begins
        case _:
            return after.value > before.value


def wants_price(limit: Limit) -> bool:
    """Whether an unknown profit blocks new risk: only where reaching the limit would."""
    return limit.kind in PROFITS and limit.action is not LimitAction.ALERT
