"""Limits and trading states as rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from optconsole.engine.model.limits import (
    ScopeState,
    Standing,
    scope_key,
)
from optconsole.engine.queries import LimitRow
from optconsole.engine.rules.limits import clock
from optconsole.screens.formats import Formats
from optconsole.screens.limit_words import amount, value_text
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
    until = "" if limit.until is None else f" {clock(limit.until)}"
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
