"""Trading days, sessions and the time that is left to an expiry, from dated facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, Self

import msgspec

from optconsole.engine.market.facts import Hours, SpecialDay, in_force, session_hours, special_days, underlyings
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.pricing.margin import SECONDS_A_YEAR

_SATURDAY: Final = 5
_ONE: Final = timedelta(days=1)
_LONGEST_BREAK: Final = 30


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One day's continuous session, aware IST. ``special`` names an extra session, empty on ordinary days.

    ``provisional`` says that the hours of this session are not the exchange's word.
    """

    day: date
    opens: datetime
    closes: datetime
    pre_open: datetime | None = None
    special: str = ""
    provisional: bool = False


class Calendar:
    """The derivatives calendar of NSE and BSE. Both keep the same days and hours, so ``exchange`` changes no answer."""

    def __init__(self, special: Mapping[date, SpecialDay], hours: Iterable[Hours]) -> None:
        self._special = special
        self._hours = tuple(hours)
        self._sessions: dict[tuple[date, str], Session | None] = {}
        self._published = frozenset(day.year for day, entry in special.items() if entry.kind == "closed")

    @classmethod
    def load(cls) -> Self:
        """The calendar of the packaged tables."""
        return cls(special_days(), session_hours())

    def certain(self, day: date) -> bool:
        """Whether the exchange's holiday list for that year is known; where not, only weekends and fixed dates are."""
        return day.year in self._published

    def is_trading_day(self, day: date, exchange: str = "NSE") -> bool:
        """Whether there is any session, a short one included."""
        entry = self._special.get(day)
        return day.weekday() < _SATURDAY if entry is None else entry.kind == "session"

    def is_full_day(self, day: date) -> bool:
        """Whether there is a session of ordinary length. Contracts do not expire on a Muhurat day."""
        entry = self._special.get(day)
        return day.weekday() < _SATURDAY if entry is None else entry.full

    def next_trading_day(self, day: date) -> date:
        """The first trading day after ``day``."""
        return self._step(day, _ONE)

    def previous_trading_day(self, day: date) -> date:
        """The last trading day before ``day``."""
        return self._step(day, -_ONE)

    def trading_days_between(self, start: date, end: date) -> int:
        """Trading days after ``start`` up to and including ``end``: days to expiry, 0 on the day itself."""
        return sum(self.is_trading_day(start + _ONE * offset) for offset in range(1, (end - start).days + 1))

    def session(self, day: date, exchange: str = "NSE") -> Session | None:
        """The session of a day; None when the market is closed."""
        key = (day, exchange)
        if key not in self._sessions:
            self._sessions[key] = self._session(day, exchange)
        return self._sessions[key]

    def _session(self, day: date, exchange: str) -> Session | None:
        if not self.is_trading_day(day, exchange):
            return None
        hours = self._hours_on(day)
        entry = self._special.get(day)
        opens, closes = hours.opens, hours.closes
        if entry is not None and entry.opens is not None and entry.closes is not None:
            opens, closes = entry.opens, entry.closes
        # The auction before the open belongs to the ordinary morning; an evening session's is not published here.
        pre_open = hours.pre_open if opens == hours.opens else None
        return Session(
            day=day,
            opens=_at(day, opens),
            closes=_at(day, closes),
            pre_open=_at(day, pre_open) if pre_open else None,
            special=entry.name if entry else "",
            provisional=entry.provisional if entry else not self.certain(day),
        )

    def phase(self, now: datetime) -> tuple[MarketPhase, datetime | None]:
        """The market's phase and when it ends.

        CLOSED and HOLIDAY end when the next session's pre-open (or, without one, its open) begins: the midnight
        between them changes nothing. HOLIDAY is a weekday without a session; a weekend is CLOSED.
        """
        moment = now.astimezone(IST)
        today = self.session(moment.date())
        if today is not None:
            if today.opens <= moment < today.closes:
                return MarketPhase.OPEN, today.closes
            if today.pre_open is not None and today.pre_open <= moment < today.opens:
                return MarketPhase.PRE_OPEN, today.opens
            start = today.pre_open or today.opens
            if moment < start:
                return MarketPhase.CLOSED, start
        holiday = today is None and moment.weekday() < _SATURDAY
        upcoming = self.session(self.next_trading_day(moment.date()))
        begins = (upcoming.pre_open or upcoming.opens) if upcoming else None
        return MarketPhase.HOLIDAY if holiday else MarketPhase.CLOSED, begins

    def last_trade(self, underlying: str, expiry: date) -> datetime:
        """When a contract of that expiry stops trading: its own time for index contracts, else the close."""
        if underlying in underlyings():
            return _at(expiry, self._hours_on(expiry).expiring_index_closes)
        session = self.session(expiry)
        return session.closes if session else _at(expiry, self._hours_on(expiry).closes)

    def years_to(self, expiry_moment: datetime, now: datetime) -> float:
        """Calendar time to a moment in years of 365 days; never negative."""
        return max(0.0, (expiry_moment - now).total_seconds() / SECONDS_A_YEAR)

    def _step(self, day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_BREAK):
            day += step
            if self.is_trading_day(day):
                return day
        raise ValueError(f"no trading day within {_LONGEST_BREAK} days of {day}: the holiday table is broken")

    def _hours_on(self, day: date) -> Hours:
        hours = in_force(self._hours, day)
        return hours if hours is not None else self._hours[0]


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, IST)
