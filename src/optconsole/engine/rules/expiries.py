"""Which listed expiry a leg means, EX-1 to EX-3: the n-th of a series, rolled by the clock and by days to expiry.

Days to expiry are trading days, counted by the caller's calendar: 0 on the expiry day. Only listed dates are looked
at, never a weekday: exchanges move an expiry that falls on a holiday.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import expiry_code
from optconsole.engine.model.strikes import ExpiryRule, Series

DaysTo = Callable[[date, date], int]
"""(day, expiry) to the trading days after the day up to and including the expiry."""

_QUARTERS: Final = (3, 6, 9, 12)
_NAMED: Final = 6
"""Expiries that a sentence names."""


class ChosenExpiry(msgspec.Struct, frozen=True, kw_only=True):
    """The expiry that a rule means. ``rolled`` are those passed over as too near; ``dte`` trading days are left."""

    expiry: date
    dte: int
    rule: ExpiryRule
    rolled: tuple[date, ...] = ()


def pick_expiry(
    rule: ExpiryRule, listed: Iterable[date], at: datetime, days_to: DaysTo, underlying: str = "The underlying"
) -> ChosenExpiry:
    """The expiry that ``rule`` means at a moment (aware IST).

    Raises Refusal: NO_WEEKLY when weeks are asked for where only months are listed, NOT_LISTED for a fixed date that
    is not, or for one further ahead than the listing goes.
    """
    today = at.date()
    known = sorted(set(listed))
    if rule.series is Series.FIXED:
        return _fixed(rule, known, today, days_to)
    dates = [day for day in series(rule.series, known, underlying) if day >= today]
    rolled: list[date] = []
    while dates and _too_near(rule, dates[0], at, days_to):
        rolled.append(dates.pop(0))
    if not 0 <= rule.offset < len(dates):
        raise Refusal(
            "NOT_LISTED",
            f"{underlying} has no {rule.series} expiry number {rule.offset} ahead; those open are {named(dates)}.",
        )
    chosen = dates[rule.offset]
    return ChosenExpiry(expiry=chosen, dte=days_to(today, chosen), rule=rule, rolled=tuple(rolled))


def series(kind: Series, listed: Sequence[date], underlying: str = "The underlying") -> list[date]:
    """The listed expiries (rising) that belong to a series. Raises Refusal(NO_WEEKLY)."""
    if kind is Series.WEEKLY:
        if not has_weeklies(listed):
            raise Refusal(
                "NO_WEEKLY",
                f"{underlying} has no weekly expiries, only {named(listed)}; choose monthly.",
            )
        return list(listed)
    months = monthlies(listed)
    return [day for day in months if day.month in _QUARTERS] if kind is Series.QUARTERLY else months


def monthlies(listed: Sequence[date]) -> list[date]:
    """The last listed expiry of each month, rising."""
    return sorted({(day.year, day.month): day for day in sorted(listed)}.values())


def has_weeklies(listed: Iterable[date]) -> bool:
    """Whether more than the months' last expiries are listed: some month then has two."""
    return any(count > 1 for count in Counter((day.year, day.month) for day in set(listed)).values())


def named(dates: Sequence[date]) -> str:
    """``01DEC26, 08DEC26`` and so on, the first few; ``none`` when empty."""
    shown = ", ".join(expiry_code(day) for day in dates[:_NAMED])
    return (shown + (", …" if len(dates) > _NAMED else "")) or "none"


def _fixed(rule: ExpiryRule, known: Sequence[date], today: date, days_to: DaysTo) -> ChosenExpiry:
    if rule.day is None or rule.day not in known or rule.day < today:
        asked = "no date" if rule.day is None else expiry_code(rule.day)
        raise Refusal(
            "NOT_LISTED",
            f"The fixed expiry is {asked}, and that is not open; there are "
            f"{named([day for day in known if day >= today])}.",
        )
    return ChosenExpiry(expiry=rule.day, dte=days_to(today, rule.day), rule=rule)


def _too_near(rule: ExpiryRule, expiry: date, at: datetime, days_to: DaysTo) -> bool:
    if rule.roll_at is not None and expiry == at.date() and at.time() >= rule.roll_at:
        return True
    return rule.min_dte > 0 and days_to(at.date(), expiry) < rule.min_dte
