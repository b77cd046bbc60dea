"""Exchange facts as dated data: the packaged tables, read once, and what is in force on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from functools import lru_cache
from typing import Final, Protocol, TypeVar

import msgspec

from optconsole.engine.market.tables import day_of, rows, time_of
from optconsole.engine.market.tariffs import DEFAULT_PLAN, band_on, margin_params_on, rates_on
from optconsole.engine.model.instruments import Kind

_WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class Underlying(msgspec.Struct, frozen=True, kw_only=True):
    """An index that has listed derivatives."""

    name: str
    exchange: str
    title: str


class SpecialDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day that differs from its weekday. ``kind`` is closed, session, or expected: a closure not yet published.

    ``full`` says that a session is an ordinary day otherwise, on which contracts may expire.
    """

    day: date
    kind: str
    name: str
    opens: time | None
    closes: time | None
    full: bool
    provisional: bool


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of the derivatives segment from ``since`` on."""

    since: date
    pre_open: time | None
    opens: time
    closes: time
    expiring_index_closes: time


class ExpiryRule(msgspec.Struct, frozen=True, kw_only=True):
    """On which weekday (Monday 0) contracts expiring between two dates expire."""

    underlying: str
    monthly: bool
    weekday: int
    first: date
    last: date


class LotRule(msgspec.Struct, frozen=True, kw_only=True):
    """Units a lot, by expiry. ``weekly`` is None where no weekly contract has that lot."""

    underlying: str
    lot: int
    weekly: date | None
    monthly: date


class StrikeRule(msgspec.Struct, frozen=True, kw_only=True):
    """Distance of strikes in paise for expiries at least ``days_out`` days away."""

    underlying: str
    since: date
    days_out: int
    step: int


class TickRule(msgspec.Struct, frozen=True, kw_only=True):
    """Price step in paise."""

    underlying: str
    kind: Kind
    since: date
    tick: int


class FreezeRule(msgspec.Struct, frozen=True, kw_only=True):
    """Units of the largest order the exchange takes."""

    underlying: str
    since: date
    largest: int


class _Dated(Protocol):
    @property
    def since(self) -> date: ...


_D = TypeVar("_D", bound=_Dated)


def in_force(table: Iterable[_D], day: date) -> _D | None:
    """The row that began last on or before ``day``; None before the first. Of equal dates the later row wins."""
    best: _D | None = None
    for row in table:
        if row.since <= day and (best is None or row.since >= best.since):
            best = row
    return best


@lru_cache
def underlyings() -> dict[str, Underlying]:
    """Every underlying by name, in the order screens show them."""
    return {
        row["underlying"]: Underlying(name=row["underlying"], exchange=row["exchange"], title=row["title"])
        for row in rows("underlyings")
    }


@lru_cache
def special_days() -> dict[date, SpecialDay]:
    """Closures and extra sessions of both exchanges, by day."""
    table = (
        SpecialDay(
            day=date.fromisoformat(row["date"]),
            kind=row["kind"],
            name=row["name"],
            opens=time_of(row["opens"]),
            closes=time_of(row["closes"]),
            full=row["full"] == "yes",
            provisional=row["provisional"] == "yes",
        )
        for row in rows("days")
    )
    return {row.day: row for row in table}


@lru_cache
def session_hours() -> tuple[Hours, ...]:
    """Ordinary hours, oldest first; the same at both exchanges."""
    return tuple(
        Hours(
            since=date.fromisoformat(row["since"]),
            pre_open=time_of(row["pre_open"]),
            opens=time.fromisoformat(row["opens"]),
            closes=time.fromisoformat(row["closes"]),
            expiring_index_closes=time.fromisoformat(row["expiring_index_closes"]),
        )
        for row in rows("session_hours")
    )


@lru_cache
def expiry_rules() -> tuple[ExpiryRule, ...]:
    """Expiry weekdays by underlying, series and date of expiry."""
    return tuple(
        ExpiryRule(
            underlying=row["underlying"],
            monthly=row["series"] == "monthly",
            weekday=_WEEKDAYS.index(row["weekday"]),
            first=date.fromisoformat(row["expiring_from"]),
            last=day_of(row["expiring_to"]) or date.max,
        )
        for row in rows("expiry_rules")
    )


@lru_cache
def lot_rules() -> tuple[LotRule, ...]:
    """Lots by underlying, oldest first."""
    return tuple(
        LotRule(
            underlying=row["underlying"],
            lot=int(row["lot"]),
            weekly=day_of(row["weekly_expiring_from"]),
            monthly=date.fromisoformat(row["monthly_expiring_from"]),
        )
        for row in rows("lots")
    )


@lru_cache
def strike_rules() -> tuple[StrikeRule, ...]:
    """Strike steps by underlying."""
    return tuple(
        StrikeRule(
            underlying=row["underlying"],
            since=date.fromisoformat(row["since"]),
            days_out=int(row["days_out_from"]),
            step=int(row["step_rupees"]) * 100,
        )
        for row in rows("strike_steps")
    )


@lru_cache
def tick_rules() -> tuple[TickRule, ...]:
    """Price steps; ``*`` stands for every underlying without a row of its own."""
    return tuple(
        TickRule(
            underlying=row["underlying"],
            kind=Kind(row["kind"]),
            since=date.fromisoformat(row["since"]),
            tick=int(row["tick_paise"]),
        )
        for row in rows("ticks")
    )


@lru_cache
def freeze_rules() -> tuple[FreezeRule, ...]:
    """Largest orders by underlying."""
    return tuple(
        FreezeRule(
            underlying=row["underlying"],
            since=date.fromisoformat(row["since"]),
            largest=int(row["largest_order"]),
        )
        for row in rows("freeze")
    )


__all__ = [
    "DEFAULT_PLAN",
    "ExpiryRule",
    "FreezeRule",
    "Hours",
    "LotRule",
    "SpecialDay",
    "StrikeRule",
    "TickRule",
    "Underlying",
    "band_on",
    "expiry_rules",
    "freeze_rules",
    "in_force",
    "lot_rules",
    "margin_params_on",
    "rates_on",
    "session_hours",
    "special_days",
    "strike_rules",
    "tick_rules",
    "underlyings",
]
