"""Limits as they are written and as they are typed, on screens and on the command line alike. Pure."""

from __future__ import annotations

import re
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import UNITS, Level, Limit, LimitAction, LimitKind, Unit
from optconsole.engine.model.money import paise
from optconsole.engine.rules.limits import clock
from optconsole.screens.formats import Formats

_HOW: Final = "write it like: global max-loss 25000 exit-scope"


def amount(unit: Unit, figure: int, fmt: Formats, exact: bool = False) -> str:
    """A figure in the unit of its limit; ``exact`` writes rupees in full, with their paise."""
    match unit:
        case Unit.PAISE:
            return fmt.amount(figure) if exact else fmt.money(figure)
        case Unit.MINUTES:
            return clock(figure)
        case Unit.PERCENT:
            return f"{figure} %"
        case Unit.SWITCH:
            return "on"
        case _:
            return fmt.grouped(figure)


def value_text(unit: Unit, value: int, second: int | None, fmt: Formats, exact: bool = False) -> str:
    """``25,000``, ``09:20 to 15:10``, ``on``."""
    parts = (value,) if second is None or unit is Unit.SWITCH else (value, second)
    return " to ".join(amount(unit, part, fmt, exact) for part in parts)


def read_value(kind: LimitKind, text: str) -> tuple[int, int | None]:
    """The value of a limit as it is typed: rupees, a count, hours as 09:20-15:10, a pair as 20000:12000.

    Raises Refusal(BAD_VALUE | BAD_AMOUNT).
    """
    unit = UNITS[kind]
    if unit is Unit.SWITCH:
        if text.lower() not in ("on", "1"):
            raise Refusal("BAD_VALUE", f"{kind.value} takes on; take the limit away to end it.")
        return 1, None
    if unit is Unit.MINUTES:
        start, dash, end = text.partition("-")
        if not dash:
            raise Refusal("BAD_VALUE", f"{text!r} is not a span of hours; write it like 09:20-15:10.")
        return read_minute(start), read_minute(end)
    first, colon, second = text.partition(":")
    return _whole(unit, first), _whole(unit, second) if colon else None


def read_minute(text: str) -> int:
    """``09:20`` as minutes since midnight. Raises Refusal(BAD_VALUE)."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip(), re.ASCII)
    if found is None:
        raise Refusal("BAD_VALUE", f"{text!r} is not a time of day; write it like 09:20.")
    return int(found[1]) * 60 + int(found[2])


def read_scope(text: str) -> tuple[Level, str]:
    """``global``, ``account:paper``, ``leg:NIFTY 25NOV26 24500 CE``. Raises Refusal(BAD_LIMIT)."""
    level, _, name = text.partition(":")
    try:
        return Level(level.lower()), " ".join(name.split())
    except ValueError:
        levels = ", ".join(each.value for each in Level)
        raise Refusal("BAD_LIMIT", f"{level!r} names no level; use one of {levels}, with :NAME where needed.") from None


def read_limit(text: str) -> Limit:
    """``global max-loss 25000 exit-scope``, ``leg:NIFTY 25NOV26 24500 CE open-lots 10``. Raises Refusal."""
    words = text.split()
    kinds = {kind.value: kind for kind in LimitKind}
    at = next((place for place, word in enumerate(words) if word.lower() in kinds), None)
    if at is None or at == 0 or at + 1 >= len(words):
        raise Refusal("BAD_LIMIT", f"Give a level, a kind and a value; {_HOW}.")
    level, name = read_scope(" ".join(words[:at]))
    kind = kinds[words[at].lower()]
    value, second = read_value(kind, words[at + 1])
    rest = words[at + 2 :]
    actions = {action.value: action for action in LimitAction}
    if len(rest) > 1 or (rest and rest[0].lower() not in actions):
        raise Refusal("BAD_LIMIT", f"{' '.join(rest)!r} is no action; use one of {', '.join(actions)}.")
    action = actions[rest[0].lower()] if rest else LimitAction.BLOCK_NEW
    return Limit(level=level, kind=kind, value=value, name=name, second=second, action=action)


def _whole(unit: Unit, text: str) -> int:
    if unit is Unit.PAISE:
        return paise(text)
    plain = text.replace(",", "").removesuffix("%")
    if not re.fullmatch(r"\d{1,12}", plain, re.ASCII):
        raise Refusal("BAD_VALUE", f"{text!r} is not a whole number of {unit.value}.")
    return int(plain)
