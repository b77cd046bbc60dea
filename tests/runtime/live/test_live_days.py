from __future__ import annotations

from datetime import date

from optconsole.engine.market.calendar import Calendar
from optconsole.runtime.live_days import LiveDays
from tests.runtime.live.hands import HandClock

WEDNESDAY, THURSDAY, MONDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 30)


class Turned:
    """What the days asked for, and files that are there only when the test says so."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.there = True
        self.said: list[tuple[str, date]] = []
        self.days = LiveDays(self.clock, Calendar.load(), self.prepare, self.opened, self.closed)

    async def prepare(self, day: date) -> bool:
        self.said.append(("prepare", day))
        return self.there

    async def opened(self, day: date) -> None:
        self.said.append(("open", day))

    async def closed(self, day: date) -> None:
        self.said.append(("close", day))


async def test_a_day_is_prepared_in_the_morning_opened_and_closed_after_the_last_fills() -> None:
    turned = Turned()
    turned.days.begin(WEDNESDAY, prepared=False)
    await turned.clock.run_to(turned.clock.at(8, 14), 10)
    assert turned.said == []
    await turned.clock.run_to(turned.clock.at(8, 16), 1)
    assert turned.said == [("prepare", WEDNESDAY), ("open", WEDNESDAY)]
    await turned.clock.run_to(turned.clock.at(15, 45), 60)
    assert len(turned.said) == 2
    await turned.clock.run_to(turned.clock.at(16, 30), 10)
    assert turned.said[2:] == [("close", WEDNESDAY)]
    await turned.clock.run_to(turned.clock.at(8, 16, days=1), 30)
    assert turned.said[3:] == [("prepare", THURSDAY), ("open", THURSDAY)]
    await turned.days.end()


async def test_a_weekend_has_no_days() -> None:
    turned = Turned()
    turned.days.begin(date(2026, 11, 27), prepared=True)
    turned.clock.pass_by(2 * 86_400)  # Friday
    await turned.clock.run_to(turned.clock.at(8, 16, days=3), 60)
    opened = [day for what, day in turned.said if what == "open"]
    assert opened == [MONDAY] or opened == [date(2026, 11, 27), MONDAY]
    assert not any(day.weekday() >= 5 for _, day in turned.said)
    await turned.days.end()


async def test_files_that_are_missing_are_asked_for_every_minute_and_at_once_after_a_login() -> None:
    turned = Turned()
    turned.there = False
    turned.days.begin(WEDNESDAY, prepared=False)
    await turned.clock.run_to(turned.clock.at(8, 17), 1)
    assert [what for what, _ in turned.said].count("prepare") == 3
    turned.there = True
    turned.days.hurry()
    await turned.clock.run_to(turned.clock.at(8, 18), 1)
    await turned.clock.run_to(turned.clock.at(8, 30), 1)
    assert [what for what, _ in turned.said].count("prepare") == 4
    await turned.days.end()


async def test_an_engine_that_starts_in_the_evening_closes_no_day_again() -> None:
    turned = Turned()
    turned.clock.pass_by(12 * 3600)
    turned.days.begin(WEDNESDAY, prepared=True)
    await turned.clock.run_to(turned.clock.at(23, 0), 60)
    assert turned.said == []
    await turned.days.end()
