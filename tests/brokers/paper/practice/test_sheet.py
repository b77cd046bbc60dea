from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.sheet import build_sheet, expiry_pull, index_instruments, strike_pull
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import is_monthly, listing
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, parse_contract


def test_the_last_expiry_of_a_month_is_the_monthly_one(plain_day: PracticeDay) -> None:
    sheet = plain_day.sheet
    options = [(at, item) for at, item in enumerate(sheet.instruments) if item.kind is Kind.OPTION]
    assert options
    for at, item in options:
        assert item.expiry is not None
        assert bool(sheet.monthly[at]) is is_monthly(item.underlying, item.expiry)


def test_weeklies_wake_up_late_and_monthlies_early() -> None:
    option, days = np.ones(3, dtype=bool), np.array([1.0, 11.0, 30.0])
    weekly = expiry_pull(days, np.zeros(3, dtype=bool), option)
    monthly = expiry_pull(days, np.ones(3, dtype=bool), option)
    assert weekly[0] == monthly[0] == 1.0
    assert (weekly[1:] < 0.3 * monthly[1:]).all()


def test_round_strikes_draw_more_than_their_neighbours() -> None:
    thousand, five_hundred, hundred, fifty = strike_pull(np.array([24_000.0, 24_500.0, 24_600.0, 24_650.0]) / 50.0)
    assert thousand > five_hundred > hundred > fifty


def test_the_volatility_index_has_a_canonical_name_and_is_not_traded() -> None:
    names = [item.name for item in index_instruments()]
    assert "INDIAVIX" in names
    assert all(str(parse_contract(name)) == name for name in names)
    assert not any(item.tradable for item in index_instruments())


def test_an_underlying_without_a_path_is_refused_by_name(calendar: Calendar) -> None:
    day = date(2026, 11, 25)
    with pytest.raises(Refusal, match=r"no FINNIFTY.*NIFTY, BANKNIFTY, SENSEX") as refused:
        build_sheet(1, day, listing("FINNIFTY", day, 27_000_00), calendar)
    assert refused.value.code == "NOT_PRACTISED"
