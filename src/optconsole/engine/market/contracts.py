"""What should be listed on a day by the exchanges' rules, for the practice market and for recordings without a master.

A broker's instrument master has the last word wherever there is one.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from optconsole.engine.market import facts
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name

UNDERLYINGS: Final = tuple(facts.underlyings())
"""Names of the indices with listed derivatives, in the order screens show them."""

INDEX_TICK: Final = 1
_YOUNGEST_MONTHS: Final = 13
"""How far ahead of an index's first expiry its listing is looked for."""
_WEEK: Final = timedelta(days=7)


def expiries(underlying: str, day: date, weeklies: int = 4, months: int = 3) -> list[tuple[date, bool]]:
    """(expiry, whether it is a month's last) listed on ``day``, nearest first; an expiry day still lists itself.

    ``months`` serial months and, where the underlying has them on their dates, ``weeklies`` weeks besides.
    Raises Refusal(UNKNOWN_UNDERLYING).
    """
    return list(_expiries(_known(underlying), day, weeklies, months))


def is_monthly(underlying: str, expiry: date) -> bool:
    """Whether an expiry is the last of its month by rule, holiday shift included."""
    nominal = _monthly_nominal(underlying, expiry.year, expiry.month)
    return nominal is not None and shifted(nominal) == expiry


def shifted(nominal: date) -> date:
    """The day itself when it is a full trading day, else the last full one before it."""
    calendar = _calendar()
    while not calendar.is_full_day(nominal):
        nominal -= timedelta(days=1)
    return nominal


def lot(underlying: str, expiry: date) -> int:
    """Units a lot of the contracts of one expiry. Depends on the expiry, never on the day of the trade.

    Raises Refusal: UNKNOWN_UNDERLYING, NO_LOT before the table's first row.
    """
    _known(underlying)
    monthly = is_monthly(underlying, expiry)
    found = None
    for rule in facts.lot_rules():
        since = rule.monthly if monthly or rule.weekly is None else rule.weekly
        if rule.underlying == underlying and since <= expiry:
            found = rule.lot
    if found is None:
        raise Refusal("NO_LOT", f"The lot of {underlying} contracts expiring {expiry} is not in the tables.")
    return found


def strike_step(underlying: str, expiry: date, day: date) -> int:
    """Paise between listed strikes near the money, on ``day``."""
    _known(underlying)
    days_out = (expiry - day).days
    fitting = [
        rule
        for rule in facts.strike_rules()
        if rule.underlying == underlying and rule.since <= day and rule.days_out <= max(days_out, 0)
    ]
    if not fitting:
        raise Refusal("NOT_LISTED", f"{underlying} had no options yet on {day}.")
    return max(fitting, key=lambda rule: (rule.days_out, rule.since)).step


def tick(underlying: str, kind: Kind, day: date) -> int:
    """Price step in paise. An index moves by a paisa."""
    _known(underlying)
    if kind is Kind.INDEX:
        return INDEX_TICK
    rows = [rule for rule in facts.tick_rules() if rule.kind is kind]
    own = facts.in_force((rule for rule in rows if rule.underlying == underlying), day)
    rule = own or facts.in_force((rule for rule in rows if rule.underlying == "*"), day)
    if rule is None:
        raise Refusal("NOT_LISTED", f"No price step of {underlying} is known for {day}.")
    return rule.tick


def freeze(underlying: str, day: date) -> int:
    """Units of the largest order the exchange takes on ``day``; whole lots below it are what can be sent."""
    _known(underlying)
    rule = facts.in_force((rule for rule in facts.freeze_rules() if rule.underlying == underlying), day)
    if rule is None:
        raise Refusal("NOT_LISTED", f"No largest order of {underlying} is known for {day}.")
    return rule.largest


def listing(underlying: str, day: date, spot: int, strikes_each_side: int = 40) -> list[Instrument]:
    """The index, its futures of three months and the options of every listed expiry around ``spot`` paise."""
    index = facts.underlyings()[_known(underlying)]
    listed = expiries(underlying, day)
    future_tick = tick(underlying, Kind.FUTURE, day)
    found = [index_of(underlying)]
    found += [_contract(index, expiry, day, future_tick, None, None) for expiry, monthly in listed if monthly]
    option_tick = tick(underlying, Kind.OPTION, day)
    for expiry, _ in listed:
        step = strike_step(underlying, expiry, day)
        middle = -(-(2 * spot - step) // (2 * step)) * step
        strikes = (middle + step * away for away in range(-strikes_each_side, strikes_each_side + 1))
        found += [
            _contract(index, expiry, day, option_tick, strike, right)
            for strike in strikes
            if strike > 0
            for right in Right
        ]
    return found


def index_of(underlying: str) -> Instrument:
    """The index itself, which quotes and is not traded. Raises Refusal(UNKNOWN_UNDERLYING)."""
    entry = facts.underlyings()[_known(underlying)]
    return Instrument(
        name=underlying,
        underlying=underlying,
        exchange=entry.exchange,
        kind=Kind.INDEX,
        lot=1,
        tick=INDEX_TICK,
        freeze=0,
    )


@lru_cache(maxsize=1024)
def _expiries(underlying: str, day: date, weeklies: int, months: int) -> tuple[tuple[date, bool], ...]:
    monthly: list[date] = []
    # A week that holds a monthly expiry has no weekly one, even where their weekdays differ.
    taken: set[date] = set()
    year, month = day.year, day.month
    for _ in range(months + _YOUNGEST_MONTHS):
        nominal = _monthly_nominal(underlying, year, month)
        if nominal is not None:
            taken.add(_monday(nominal))
            if (actual := shifted(nominal)) >= day:
                monthly.append(actual)
        if len(monthly) >= months:
            break
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    weekly: list[date] = []
    monday = _monday(day)
    while len(weekly) < weeklies and (nominal := _weekly_nominal(underlying, monday)) is not None:
        if monday not in taken and (actual := shifted(nominal)) >= day:
            weekly.append(actual)
        monday += _WEEK
    return tuple(sorted([(expiry, True) for expiry in monthly] + [(expiry, False) for expiry in weekly]))


def _contract(
    index: facts.Underlying, expiry: date, day: date, price_step: int, strike: int | None, right: Right | None
) -> Instrument:
    return Instrument(
        name=contract_name(index.name, expiry, strike, right),
        underlying=index.name,
        exchange=index.exchange,
        kind=Kind.FUTURE if strike is None else Kind.OPTION,
        lot=lot(index.name, expiry),
        tick=price_step,
        freeze=freeze(index.name, day),
        expiry=expiry,
        strike=strike,
        right=right,
        last_trade=_calendar().last_trade(index.name, expiry),
    )


def _known(underlying: str) -> str:
    if underlying not in facts.underlyings():
        raise Refusal(
            "UNKNOWN_UNDERLYING", f"{underlying!r} has no listed contracts here; choose {', '.join(UNDERLYINGS)}."
        )
    return underlying


@lru_cache
def _calendar() -> Calendar:
    return Calendar.load()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=4096)
def _monthly_nominal(underlying: str, year: int, month: int) -> date | None:
    """The month's last expiry weekday by rule, before any holiday shift; None where nothing is listed."""
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    for back in range(7):
        candidate = last - timedelta(days=back)
        if _rule_fits(underlying, True, candidate):
            return candidate
    return None


def _weekly_nominal(underlying: str, monday: date) -> date | None:
    """The expiry weekday of a week by rule; None where the underlying has no weekly contracts then."""
    days = (monday + timedelta(days=offset) for offset in range(7))
    return next((day for day in days if _rule_fits(underlying, False, day)), None)


def _rule_fits(underlying: str, monthly: bool, day: date) -> bool:
    return any(
        rule.underlying == underlying
        and rule.monthly is monthly
        and rule.weekday == day.weekday()
        and rule.first <= day <= rule.last
        for rule in facts.expiry_rules()
    )
