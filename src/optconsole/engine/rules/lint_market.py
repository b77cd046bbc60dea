"""Strategies that the day's contracts, hours and accounts do not fit. What is not known is not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import expiry_code
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.model.strikes import ExactStrike, Series
from optconsole.engine.rules.expiries import named, series
from optconsole.engine.rules.faults import Fault, Faults, MarketFacts
from optconsole.engine.rules.market_days import weekday
from optconsole.engine.rules.slicing import parts
from optconsole.engine.rules.strike_rows import strike_text

_WEEK: Final = 5
_SHIFTS: Final = 2
"""Holidays that may fall between a weekday and the week's expiry."""


def underlying(strategy: Strategy, facts: MarketFacts) -> Faults:
    """One whose contracts are listed."""
    if facts.listed and strategy.underlying and strategy.underlying not in facts.listed:
        yield Fault(
            "UNKNOWN_UNDERLYING",
            "underlying",
            f"{strategy.underlying} has no listed contracts; there are {', '.join(sorted(facts.listed))}.",
        )


def session(strategy: Strategy, facts: MarketFacts) -> Faults:
    """An entry within the session's hours."""
    at = strategy.schedule.entry_at
    if facts.opens is not None and at < facts.opens:
        yield Fault("BEFORE_OPEN", "schedule.entry_at", f"The session opens at {facts.opens:%H:%M:%S}.")
    if facts.closes is not None and at >= facts.closes:
        yield Fault("AFTER_CLOSE", "schedule.entry_at", f"The session closes at {facts.closes:%H:%M:%S}.")


def dates(strategy: Strategy, facts: MarketFacts) -> Faults:
    """A date that is still to come."""
    given = strategy.schedule.dates
    if facts.today is not None and given and max(given) < facts.today:
        yield Fault("NO_DAY", "schedule.dates", "All dates are past.")


def expiries(strategy: Strategy, facts: MarketFacts) -> Faults:
    """Series and fixed dates that are listed for the underlying."""
    listed = sorted(facts.listed.get(strategy.underlying, ()))
    if not listed:
        return
    for place, leg in enumerate(strategy.legs):
        rule = leg.expiry
        if rule.series is Series.FIXED:
            if rule.day is not None and rule.day not in listed:
                yield Fault(
                    "NOT_LISTED",
                    f"legs[{place}].expiry.day",
                    f"{expiry_code(rule.day)} is not a listed expiry; there are {named(listed)}.",
                )
            continue
        if leg.right is None and rule.series is Series.WEEKLY:
            continue  # told by the rule about futures
        try:
            dates = series(rule.series, listed, strategy.underlying)
        except Refusal as refusal:
            yield Fault(refusal.code, f"legs[{place}].expiry.series", refusal.text)
            continue
        if rule.offset >= len(dates):
            yield Fault(
                "NOT_LISTED",
                f"legs[{place}].expiry.offset",
                f"Only {len(dates)} {rule.series} expiries are listed: {named(dates)}.",
            )


def weekdays(strategy: Strategy, facts: MarketFacts) -> Faults:
    """Some weekday chosen has some of the days to expiry chosen, by the weekday on which the weeks end."""
    schedule = strategy.schedule
    rule = strategy.legs[0].expiry if strategy.legs else None
    if not schedule.weekdays or not schedule.dte or rule is None:
        return
    if rule.series is not Series.WEEKLY or rule.offset or rule.min_dte or rule.roll_at is not None:
        return
    ends = Counter(day.weekday() for day in facts.listed.get(strategy.underlying, ()))
    if not ends:
        return
    end = ends.most_common(1)[0][0]
    possible = {left for day in schedule.weekdays for left in _days_left(day, end)}
    if possible.isdisjoint(schedule.dte):
        yield Fault(
            "NO_DAY",
            "schedule.dte",
            f"{strategy.underlying} expires on {weekday(end)}s; on the weekdays chosen there are"
            f" {', '.join(str(left) for left in sorted(possible))} days left.",
        )


def strikes(strategy: Strategy, facts: MarketFacts) -> Faults:
    """An exact strike that some expiry of the leg's series lists."""
    for place, leg in enumerate(strategy.legs):
        if leg.right is None or not isinstance(leg.strike, ExactStrike):
            continue
        offered = {
            strike
            for day in _series_of(leg, sorted(facts.listed.get(strategy.underlying, ())))
            for strike in facts.strikes.get((strategy.underlying, day), ())
        }
        exact = leg.strike.strike
        if offered and exact not in offered:
            near = min((abs(strike - exact), strike) for strike in offered)[1]
            yield Fault(
                "NOT_LISTED",
                f"legs[{place}].strike.strike",
                f"Strike {strike_text(exact)} is not listed; the nearest listed one is {strike_text(near)}.",
            )


def sizes(strategy: Strategy, facts: MarketFacts) -> Faults:
    """Lots that the exchange takes, cut into parts at its freeze quantity."""
    lot, freeze = facts.lots.get(strategy.underlying), facts.freeze.get(strategy.underlying)
    if lot is None or freeze is None:
        return
    for place, leg in enumerate(strategy.legs):
        if leg.lots < 1:
            continue  # told by the rule about lots
        try:
            parts(leg.lots * lot, lot, freeze)
        except Refusal as refusal:
            yield Fault(refusal.code, f"legs[{place}].lots", refusal.text)


def accounts(strategy: Strategy, facts: MarketFacts) -> Faults:
    """Legs routed to accounts that exist."""
    if facts.accounts is None:
        return
    for place, leg in enumerate(strategy.legs):
        if leg.account and leg.account not in facts.accounts:
            yield unknown_account(leg.account, f"legs[{place}].account", facts.accounts)


MARKET_RULES: Final[tuple[Callable[[Strategy, MarketFacts], Faults], ...]] = (
    underlying,
    session,
    dates,
    expiries,
    weekdays,
    strikes,
    sizes,
    accounts,
)


def unknown_account(account: str, path: str, known: frozenset[str]) -> Fault:
    """That an account is named which does not exist."""
    return Fault("UNKNOWN_ACCOUNT", path, f"There is no account {account}; there are {', '.join(sorted(known))}.")


def _days_left(day: int, end: int) -> range:
    """Trading days from a weekday to the week's expiry; holidays between, or a shifted expiry, make them fewer."""
    most = (end - day) % _WEEK
    return range(max(most - _SHIFTS, 0), most + 1)


def _series_of(leg: Leg, listed: Sequence[date]) -> Sequence[date]:
    if leg.expiry.series is Series.FIXED:
        return [leg.expiry.day] if leg.expiry.day is not None else []
    try:
        return series(leg.expiry.series, listed)
    except Refusal:
        return []
