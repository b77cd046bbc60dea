"""A practice day to ask questions of, laid out once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import pytest

from optconsole.brokers.paper.practice.chains import chain
from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing

SEED = 7
WEDNESDAY = date(2026, 11, 25)
EXPIRY = date(2026, 11, 23)

DayMaker = Callable[..., PracticeDay]


@lru_cache(maxsize=16)
def _made(seed: int, day: date) -> PracticeDay:
    return PracticeDay(seed, day, chain(seed, day, listing), Calendar.load())


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    return Calendar.load()


@pytest.fixture(scope="session")
def make_day() -> DayMaker:
    """make_day(seed, date): laid out at most once."""
    return _made


@pytest.fixture(scope="session")
def plain_day() -> PracticeDay:
    """An ordinary Wednesday, no expiry, the nearest NIFTY weekly six days away."""
    return _made(SEED, WEDNESDAY)


@pytest.fixture(scope="session")
def expiry_day() -> PracticeDay:
    """The Monday to which a holiday moved the monthly expiry of NIFTY and BANKNIFTY."""
    return _made(SEED, EXPIRY)
