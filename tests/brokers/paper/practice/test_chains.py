from __future__ import annotations

from datetime import date

from optconsole.brokers.paper.practice.chains import chain
from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.levels import INDICES, day_level
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import expiries, listing
from optconsole.engine.model.instruments import Instrument, Kind


def expiries_of(instruments: tuple[Instrument, ...], underlying: str) -> list[date]:
    return sorted({i.expiry for i in instruments if i.underlying == underlying and i.expiry is not None})


def test_the_chain_lists_the_expiries_of_the_exchange(plain_day: PracticeDay) -> None:
    for index in INDICES:
        expected = [expiry for expiry, _ in expiries(index.name, plain_day.day)]
        assert expiries_of(plain_day.sheet.instruments, index.name) == expected


def test_a_holiday_moves_the_monthly_expiry_to_the_trading_day_before(expiry_day: PracticeDay) -> None:
    for name in ("NIFTY", "BANKNIFTY"):
        assert expiries_of(expiry_day.sheet.instruments, name)[0] == date(2026, 11, 23)
    assert all(expiry.weekday() in (0, 1) for expiry in expiries_of(expiry_day.sheet.instruments, "NIFTY"))


def test_banknifty_has_months_only_and_sensex_weeks_on_thursdays(plain_day: PracticeDay) -> None:
    bank = expiries_of(plain_day.sheet.instruments, "BANKNIFTY")
    assert len({(day.year, day.month) for day in bank}) == len(bank)
    sensex = expiries_of(plain_day.sheet.instruments, "SENSEX")
    assert (sensex[1] - sensex[0]).days == 7
    assert sensex[0].weekday() == 3


def test_the_chain_reaches_well_beyond_the_money_on_both_sides(plain_day: PracticeDay) -> None:
    level = day_level(plain_day.seed, plain_day.day)
    for row, index in enumerate(INDICES):
        strikes = [i.strike for i in plain_day.sheet.instruments if i.underlying == index.name and i.strike]
        assert min(strikes) <= level.opens[row] - 39 * index.step
        assert max(strikes) >= level.opens[row] + 39 * index.step


def test_no_strike_disappears_before_its_expiry(calendar: Calendar) -> None:
    day = date(2026, 10, 12)
    listed: dict[str, Instrument] = {}
    for _ in range(25):
        today = {item.name: item for item in chain(11, day, listing)}
        gone = [item for name, item in listed.items() if name not in today]
        assert all(item.expiry is not None and item.expiry < day for item in gone)
        listed, day = today, calendar.next_trading_day(day)


def test_names_are_unique_and_indices_come_first(plain_day: PracticeDay) -> None:
    instruments = plain_day.sheet.instruments
    assert len({item.name for item in instruments}) == len(instruments)
    assert [item.kind for item in instruments[:4]] == [Kind.INDEX] * 4
    assert all(item.kind is not Kind.INDEX for item in instruments[4:])
