"""Leaves of a source what one session can have held, counts the rest, and finds what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from optconsole.brokers.replay.rows import UNKNOWN, Flags, Floats, Ints, OptionRows, day_number, day_of_number
from optconsole.brokers.replay.source import Drops, Source
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import millis

_IST_MS: Final = 19_800_000
_DAY_MS: Final = 86_400_000
_LATEST_MS: Final = 1 << 42
_LATEST_DAY: Final = 73_050
"""The year 2170: later expiries are noise."""
_ENOUGH: Final = 30
"""Different figures that must all be whole lots before they count as units."""


def in_hours(source: Source, calendar: Calendar) -> Source:
    """Without rows that have no time or date, of contracts that had expired, or from outside a session."""
    rows, drops = source.rows, source.drops
    timeless = (rows.at <= 0) | (rows.at >= _LATEST_MS) | (rows.expiry <= 0) | (rows.expiry >= _LATEST_DAY)
    drops.add("no time or expiry", timeless)
    day = (rows.at + _IST_MS) // _DAY_MS
    open_then = np.zeros(len(rows), dtype=bool)
    for number in np.unique(day[~timeless]).tolist():
        session = calendar.session(day_of_number(number))
        if session is not None:
            open_then |= (rows.at >= millis(session.opens)) & (rows.at <= millis(session.closes))
    drops.add("outside the session", ~timeless & ~open_then)
    expired = open_then & ~timeless & (rows.expiry < day)
    drops.add("expired contract", expired)
    return Source(source.underlying, rows.pick(open_then & ~timeless & ~expired), drops, source.booked)


def session_days(sources: Sequence[Source]) -> list[date]:
    """The days of the rows that are left."""
    numbers: set[int] = set()
    for source in sources:
        numbers.update(np.unique((source.rows.at + _IST_MS) // _DAY_MS).tolist())
    return [day_of_number(number) for number in sorted(numbers)]


def one_day(sources: Sequence[Source], wanted: date | None) -> tuple[list[Source], date]:
    """The sources of a single day. Raises Refusal(SEVERAL_DAYS | NOTHING_TO_IMPORT)."""
    days = session_days(sources)
    if wanted is not None:
        days = [day for day in days if day == wanted]
    if not days:
        when = f" of {wanted}" if wanted is not None else ""
        raise Refusal("NOTHING_TO_IMPORT", f"The file holds no quote{when} from within a trading session.")
    if len(days) > 1:
        listed = ", ".join(day.isoformat() for day in days[:6])
        raise Refusal(
            "SEVERAL_DAYS", f"The file holds {len(days)} days ({listed}); a recording is one day: choose one of them."
        )
    number = day_number(days[0])
    picked = [
        Source(each.underlying, each.rows.pick((each.rows.at + _IST_MS) // _DAY_MS == number), each.drops, each.booked)
        for each in sources
    ]
    return [each for each in picked if len(each.rows)], days[0]


def in_order(rows: OptionRows, drops: Drops) -> OptionRows:
    """By contract and time, crossed books left out, of one contract at one moment only the row that came last."""
    crossed = (rows.bid > rows.ask) & (rows.ask != UNKNOWN)
    drops.add("crossed book", crossed)
    rows = rows.pick(~crossed)
    rows = rows.pick(np.lexsort((rows.at, ~rows.call, rows.strike, rows.expiry)))
    again = np.zeros(len(rows), dtype=bool)
    again[:-1] = ~first_of_contract(rows)[1:] & (rows.at[1:] == rows.at[:-1])
    drops.add("repeated", again)
    return rows.pick(~again)


def first_of_contract(rows: OptionRows) -> Flags:
    """Where the next contract begins, in rows by contract."""
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (
        (rows.expiry[1:] != rows.expiry[:-1])
        | (rows.strike[1:] != rows.strike[:-1])
        | (rows.call[1:] != rows.call[:-1])
    )
    return first


def changed(rows: OptionRows) -> Flags:
    """Rows that tell something new of their contract, in rows by contract and time; the first always does."""
    new = first_of_contract(rows)
    for column in (rows.bid, rows.bid_qty, rows.ask, rows.ask_qty, rows.ltp, rows.volume, rows.oi):
        new[1:] |= column[1:] != column[:-1]
    return new


def in_units(figures: Floats, lots: Ints) -> tuple[Ints, bool]:
    """Volume or open interest in units, and whether the source had lots.

    The source had units where each of many figures is a whole number of lots, which counts of lots never are.
    UNKNOWN stays.
    """
    real = figures > 0
    already = len(np.unique(figures[real])) >= _ENOUGH and not (figures[real] % lots[real]).any()
    scaled = np.rint(figures if already else figures * lots).astype(np.int64)
    return np.where(figures < 0, UNKNOWN, scaled), not already
