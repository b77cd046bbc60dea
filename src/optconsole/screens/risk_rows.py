"""Limits and trading states as rows and words, and what the trader types for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import (
    UNITS,
    Level,
    Limit,
    LimitAction,
    LimitKind,
    ScopeState,
    Standing,
    Unit,
    scope_key,
)
from optconsole.engine.model.money import paise
from optconsole.engine.queries import LimitRow
from optconsole.screens.formats import Formats
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.columns import BLANK, Column, Row

STEPS: Final = (50, 80, 95)
"""Per cent at which the trader is told."""
BAR: Final = 14
STANDING_ROLES: Final = {Standing.ACTIVE: "good", Standing.REDUCING: "warn", Standing.HALTED: "bad"}
STANDING_WORDS: Final = {
    Standing.ACTIVE: "all orders may leave",
    Standing.REDUCING: "only orders that reduce a position may leave",
    Standing.HALTED: "only exits and guards may leave",
}
_HOW: Final = "write it like: global max-loss 25000 exit-scope"


def limit_columns(fmt: Formats) -> list[Column]:
    """The columns of ``limit_rows``."""
    return [
        Column("Limit", 18, fmt.text, "strong", align="left", grow=6),
        Column("Used", 12, str, lambda text: "unknown" if text == fmt.unknown else "", grow=4),
        Column("of", 12, str, grow=8),
        Column(" ", BAR, lambda told: bar(told[0], BAR, fmt), lambda told: told[1], align="left"),
        Column("%", 5, lambda told: told[0], lambda told: told[1]),
        Column(" State", 10, lambda told: f" {told[0]}", lambda told: told[1], align="left"),
        Column("Then", 14, str, "dim", align="left", priority=2, grow=10),
        Column("Note", 14, fmt.text, "warn", align="left", priority=3, grow=40),
    ]


def bar(percent: float | None, width: int, fmt: Formats) -> str:
    """How much is used, with marks where the trader is told."""
    drawn = list(fmt.bar(None if percent is None else percent / 100, width))
    for step in STEPS:
        place = min(width * step // 100, width - 1)
        if drawn[place] == " ":
            drawn[place] = fmt.glyph("·", ".")
    return "".join(drawn)


def used_role(percent: float | None, broken: bool) -> str:
    """The colour of a share: quiet below the first step, alarming from the last."""
    if percent is None:
        return "unknown"
    if broken or percent >= STEPS[2]:
        return "bad"
    return "warn" if percent >= STEPS[1] else "accent" if percent >= STEPS[0] else "bar"


def limit_rows(limits: Iterable[LimitRow], states: Iterable[ScopeState], fmt: Formats) -> list[Row]:
    """Limits below the level they are for, each level with its trading state.

    Levels without limits show only while not every order may leave there; the widest one always does.
    """
    by_scope: dict[str, list[LimitRow]] = {}
    for limit in limits:
        by_scope.setdefault(scope_key(limit.level, limit.name), []).append(limit)
    standing = {scope_key(state.level, state.name): state for state in states}
    scopes = list(dict.fromkeys(["global", *standing, *by_scope]))
    rows: list[Row] = []
    for scope in scopes:
        rows.append(_scope_row(scope, standing.get(scope), fmt))
        rows += [_limit_row(limit, fmt) for limit in by_scope.get(scope, ())]
    return rows


def _scope_row(scope: str, state: ScopeState | None, fmt: Formats) -> Row:
    now = Standing.ACTIVE if state is None else state.standing
    values: list[Any] = [BLANK] * 8
    values[0] = scope
    values[5] = (now.value.upper(), STANDING_ROLES[now])
    if state is not None:
        until = "" if state.until is None else f" until {state.until:%H:%M}"
        values[6] = f"since {fmt.clock(state.since)}{until}"
        values[7] = f"{state.why} ({state.by})" if state.by else state.why
    return Row(f"group/{scope}", values, GROUP, find=scope)


def _limit_row(limit: LimitRow, fmt: Formats) -> Row:
    role = used_role(limit.percent, limit.broken)
    percent = fmt.unknown if limit.percent is None else f"{limit.percent:.0f}"
    until = "" if limit.until is None else f" {_clock(limit.until)}"
    note = "REACHED" if limit.broken else f"no price of {limit.missing}" if limit.missing else ""
    values = [
        f" {limit.kind.value}",
        fmt.unknown if limit.used is None else amount(limit.unit, limit.used, fmt),
        value_text(limit.unit, limit.value, limit.second, fmt),
        (limit.percent, role),
        (percent, "" if role == "bar" else role),
        BLANK,
        limit.action.value + until,
        note,
    ]
    scope = scope_key(limit.level, limit.name)
    return Row(
        f"{scope}/{limit.kind.value}", values, "alarm" if limit.broken else "", find=f"{scope} {limit.kind.value}"
    )


def value_text(unit: Unit, value: int, second: int | None, fmt: Formats) -> str:
    """``25,000``, ``09:20 to 15:10``, ``on``."""
    if unit is Unit.SWITCH:
        return "on"
    first = amount(unit, value, fmt)
    return first if second is None else f"{first} to {amount(unit, second, fmt)}"


def amount(unit: Unit, figure: int, fmt: Formats) -> str:
    """A figure in the unit of its limit."""
    match unit:
        case Unit.PAISE:
            return fmt.money(figure)
        case Unit.MINUTES:
            return _clock(figure)
        case Unit.PERCENT:
            return f"{figure} %"
        case _:
            return fmt.grouped(figure)


def _clock(of_day: int) -> str:
    return f"{of_day // 60:02d}:{of_day % 60:02d}"


# ---------------------------------------------------------------- what is typed


def read_value(kind: LimitKind, text: str) -> tuple[int, int | None]:
    """The value of a limit as it is typed: rupees, a count, hours as 09:20-15:10, a pair as 20000:12000.

    Raises Refusal(BAD_VALUE | BAD_AMOUNT).
    """
    unit = UNITS[kind]
    if unit is Unit.SWITCH:
        if text.lower() not in ("on", "1"):
            raise Refusal("BAD_VALUE", f"{kind.value} takes on; d takes it away.")
        return 1, None
    if unit is Unit.MINUTES:
        start, dash, end = text.partition("-")
        if not dash:
            raise Refusal("BAD_VALUE", f"{text!r} is not a span of hours; write it like 09:20-15:10.")
        return _minute(start), _minute(end)
    first, colon, second = text.partition(":")
    return _whole(unit, first), _whole(unit, second) if colon else None


def read_limit(text: str) -> Limit:
    """``global max-loss 25000 exit-scope``, ``leg:NIFTY 25NOV26 24500 CE open-lots 10``. Raises Refusal."""
    words = text.split()
    kinds = {kind.value: kind for kind in LimitKind}
    at = next((place for place, word in enumerate(words) if word.lower() in kinds), None)
    if at is None or at == 0 or at + 1 >= len(words):
        raise Refusal("BAD_LIMIT", f"Give a level, a kind and a value; {_HOW}.")
    level, name = _scope(" ".join(words[:at]))
    kind = kinds[words[at].lower()]
    value, second = read_value(kind, words[at + 1])
    rest = words[at + 2 :]
    actions = {action.value: action for action in LimitAction}
    if len(rest) > 1 or (rest and rest[0].lower() not in actions):
        raise Refusal("BAD_LIMIT", f"{' '.join(rest)!r} is no action; use one of {', '.join(actions)}.")
    action = actions[rest[0].lower()] if rest else LimitAction.BLOCK_NEW
    return Limit(level=level, kind=kind, value=value, name=name, second=second, action=action)


def _scope(text: str) -> tuple[Level, str]:
    level, _, name = text.partition(":")
    try:
        return Level(level.lower()), name.strip()
    except ValueError:
        levels = ", ".join(each.value for each in Level)
        raise Refusal("BAD_LIMIT", f"{level!r} is no level; use one of {levels}, with :NAME where needed.") from None


def _minute(text: str) -> int:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip(), re.ASCII)
    if found is None:
        raise Refusal("BAD_VALUE", f"{text!r} is not a time of day; write it like 09:20.")
    return int(found[1]) * 60 + int(found[2])


def _whole(unit: Unit, text: str) -> int:
    if unit is Unit.PAISE:
        return paise(text)
    plain = text.replace(",", "").removesuffix("%")
    if not re.fullmatch(r"\d{1,12}", plain, re.ASCII):
        raise Refusal("BAD_VALUE", f"{text!r} is not a whole number of {unit.value}.")
    return int(plain)
