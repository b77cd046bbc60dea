"""Numbers as a trader writes them in a strategy: rupees, percents, times of day, and distances made of them.

Every ``read_…`` takes text and raises BadText saying what would pass; every ``write_…`` gives text that reads back
equal.
"""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import expiry_code, parse_expiry
from optconsole.engine.model.leg_rules import Measure, Unit

NUMBER: Final = r"\d+(?:\.\d+)?"
MOST: Final = 10**13


class BadText(ValueError):
    """Text that is not in the notation. Its message is what would pass."""


def hundredths(text: str, what: str = "a number") -> int:
    """``1.25`` as 125: paise of rupees, basis points of percents. Commas group digits as traders write them."""
    cleaned = text.strip().replace(",", "")
    if not re.fullmatch(r"[+-]?\d+(?:\.\d{1,2})?", cleaned):
        raise BadText(f"{text.strip()!r} is not {what} with at most two decimals")
    value = int(Decimal(cleaned) * 100)
    if abs(value) > MOST:
        raise BadText(f"{text.strip()!r} is too large to be {what}")
    return value


def thousandths(text: str) -> int:
    """A delta such as ``0.305`` as 305."""
    if not re.fullmatch(r"0?\.\d{1,3}|[01](?:\.\d{1,3})?", text.strip()):
        raise BadText(f"{text.strip()!r} is not a delta between 0 and 1 with at most three decimals")
    value = int(Decimal(text.strip()) * 1000)
    if value > 1000:
        raise BadText(f"{text.strip()!r} is not a delta between 0 and 1")
    return value


def plain(value: int, digits: int = 2) -> str:
    """Hundredths (or thousandths) without needless noughts: 12500 as ``125``, 125 as ``1.25``."""
    number = Decimal(value).scaleb(-digits)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: int) -> str:
    """As ``plain``, with its sign always: ``+15``."""
    return f"+{plain(value)}" if value >= 0 else plain(value)


def read_whole(text: str, what: str, least: int = 0, most: int = 10**9) -> int:
    """A whole number within bounds."""
    if not re.fullmatch(r"\d{1,9}", text.strip()) or not least <= int(text) <= most:
        raise BadText(f"{text.strip()!r} is not {what}; give {least} to {most}")
    return int(text)


def read_time(text: str) -> time:
    """``09:20`` or ``09:20:00``, IST."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        raise BadText(f"{text.strip()!r} is not a time of day; write it like 09:20 or 09:20:30")
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def write_time(moment: time) -> str:
    """``09:20``, with seconds only where there are some."""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def read_day(text: str) -> date:
    """``25NOV26`` or ``2026-11-25``."""
    try:
        return parse_expiry(text)
    except Refusal:
        raise BadText(f"{text.strip()!r} is not a date; write it like 25NOV26 or 2026-11-25") from None


def write_day(day: date) -> str:
    """``25NOV26``."""
    return expiry_code(day)


_MEASURE: Final = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<number>[\d,]+(?:\.\d+)?)\s*(?P<percent>%)?\s*"
    r"(?:(?:points?|pts)\s*)?(?P<of>underlying|a lot|per lot)?"
)
MEASURE_HINT: Final = "write 20 (points), 25%, 50 underlying, 0.5% underlying or 2000 a lot"


def read_measure(text: str, may_sign: bool = False) -> Measure:
    """``20`` points, ``25%``, ``50 underlying``, ``0.5% underlying``, ``2000 a lot``; a sign where it says a way."""
    match = _MEASURE.fullmatch(" ".join(text.lower().split()))
    if match is None or (match["sign"] and not may_sign):
        raise BadText(f"{text.strip()!r} is no distance; {MEASURE_HINT}")
    amount = hundredths(match["number"], "a distance")
    if not amount:
        raise BadText(f"a distance cannot be 0; {MEASURE_HINT}")
    if match["percent"] and match["of"] in ("a lot", "per lot"):
        raise BadText(f"{text.strip()!r} is rupees a lot or percent, not both; {MEASURE_HINT}")
    unit = _UNITS[bool(match["percent"]), (match["of"] or "").replace("per lot", "a lot")]
    return Measure(-amount if match["sign"] == "-" else amount, unit)


_UNITS: Final = {
    (False, ""): Unit.POINTS,
    (True, ""): Unit.PERCENT,
    (False, "underlying"): Unit.UNDERLYING_POINTS,
    (True, "underlying"): Unit.UNDERLYING_PERCENT,
    (False, "a lot"): Unit.RUPEES_A_LOT,
}


def write_measure(measure: Measure, sign: bool = False) -> str:
    """The text that ``read_measure`` reads back."""
    number = signed(measure.amount) if sign else plain(measure.amount)
    match measure.unit:
        case Unit.POINTS:
            return number
        case Unit.PERCENT:
            return f"{number}%"
        case Unit.UNDERLYING_POINTS:
            return f"{number} underlying"
        case Unit.UNDERLYING_PERCENT:
            return f"{number}% underlying"
        case Unit.RUPEES_A_LOT:
            return f"{number} a lot"
