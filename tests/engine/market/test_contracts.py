"""Expiries, lots, steps and listings by the exchanges' dated rules."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.market import contracts
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import UNDERLYINGS, expiries, freeze, listing, lot, strike_step, tick
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, parse_contract

SUNDAY = date(2026, 11, 22)


def test_a_monthly_expiry_on_a_holiday_moves_to_the_trading_day_before() -> None:
    assert expiries("NIFTY", SUNDAY)[0] == (date(2026, 11, 23), True)
    assert expiries("BANKNIFTY", SUNDAY)[0] == (date(2026, 11, 23), True)
    assert expiries("SENSEX", SUNDAY)[0] == (date(2026, 11, 26), True)


@pytest.mark.parametrize(
    ("underlying", "expiry", "monthly"),
    [
        ("NIFTY", date(2026, 10, 19), False),
        ("NIFTY", date(2026, 11, 9), False),
        ("NIFTY", date(2025, 10, 20), False),
        ("NIFTY", date(2026, 3, 2), False),
        ("NIFTY", date(2026, 3, 30), True),
        ("NIFTY", date(2026, 4, 13), False),
        ("SENSEX", date(2026, 3, 25), True),
        ("SENSEX", date(2026, 5, 27), True),
        ("MIDCPNIFTY", date(2024, 11, 18), False),
        ("BANKNIFTY", date(2024, 1, 25), True),
        ("BANKNIFTY", date(2024, 1, 31), False),
    ],
)
def test_known_expiries(underlying: str, expiry: date, monthly: bool) -> None:
    assert (expiry, monthly) in expiries(underlying, expiry - timedelta(days=6))


def test_an_expiry_is_listed_on_its_own_day_and_gone_the_next() -> None:
    expiry = date(2026, 11, 23)
    assert expiries("NIFTY", expiry)[0][0] == expiry
    assert expiries("NIFTY", date(2026, 11, 24))[0][0] == date(2026, 12, 1)


def test_weeklies_exist_only_where_they_are_listed() -> None:
    weekly = {name for name in UNDERLYINGS if any(not monthly for _, monthly in expiries(name, SUNDAY))}
    assert weekly == {"NIFTY", "SENSEX"}
    before = [day for day, monthly in expiries("BANKNIFTY", date(2024, 11, 12)) if not monthly]
    assert before == [date(2024, 11, 13)]


@given(st.sampled_from(UNDERLYINGS), st.dates(date(2025, 1, 1), date(2027, 6, 30)))
def test_expiries_rise_lie_on_trading_days_and_hold_one_monthly_a_month(underlying: str, day: date) -> None:
    listed = expiries(underlying, day)
    days = [expiry for expiry, _ in listed]
    months = [(expiry.year, expiry.month) for expiry, monthly in listed if monthly]
    calendar = Calendar.load()
    assert days == sorted(set(days))
    assert days[0] >= day
    assert all(calendar.is_full_day(expiry) for expiry in days)
    assert len(months) == len(set(months)) == 3
    assert all(contracts.is_monthly(underlying, expiry) is monthly for expiry, monthly in listed)


def test_answers_are_the_caller_s_own() -> None:
    expiries("NIFTY", SUNDAY).clear()
    assert expiries("NIFTY", SUNDAY)


@pytest.mark.parametrize(
    ("underlying", "expiry", "units"),
    [
        ("NIFTY", date(2025, 12, 30), 75),
        ("NIFTY", date(2026, 1, 6), 65),
        ("NIFTY", date(2025, 1, 30), 25),
        ("NIFTY", date(2025, 2, 6), 75),
        ("BANKNIFTY", date(2025, 8, 28), 35),
        ("BANKNIFTY", date(2026, 11, 23), 30),
        ("SENSEX", date(2025, 1, 3), 10),
        ("SENSEX", date(2026, 11, 26), 20),
    ],
)
def test_the_lot_goes_by_the_expiry(underlying: str, expiry: date, units: int) -> None:
    assert lot(underlying, expiry) == units


def test_freeze_and_ticks_are_dated() -> None:
    assert freeze("NIFTY", SUNDAY) == 1800
    assert freeze("BANKNIFTY", date(2026, 4, 1)) == 900
    assert freeze("BANKNIFTY", date(2026, 8, 3)) == 600
    assert tick("NIFTY", Kind.FUTURE, SUNDAY) == 10
    assert tick("NIFTY", Kind.FUTURE, date(2025, 4, 14)) == 5
    assert tick("NIFTY", Kind.OPTION, SUNDAY) == 5
    assert tick("SENSEX", Kind.FUTURE, SUNDAY) == 5


def test_a_listing_holds_the_index_three_futures_and_strikes_around_the_money() -> None:
    listed = listing("NIFTY", date(2026, 11, 23), 24_345_67, strikes_each_side=10)
    assert listed[0].kind is Kind.INDEX
    assert listed[0].name == "NIFTY"
    assert [each.name for each in listed if each.kind is Kind.FUTURE] == [
        "NIFTY 23NOV26 FUT",
        "NIFTY 29DEC26 FUT",
        "NIFTY 25JAN27 FUT",
    ]
    near = sorted({each.strike for each in listed if each.expiry == date(2026, 11, 23) and each.strike})
    assert near == [24_350_00 + 50_00 * away for away in range(-10, 11)]
    assert len({each.name for each in listed}) == len(listed)


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_a_listed_contract_reads_back_from_its_name_and_is_complete(underlying: str) -> None:
    for each in listing(underlying, SUNDAY, 50_000_00, strikes_each_side=3):
        name = parse_contract(each.name)
        assert (name.underlying, name.expiry, name.strike, name.right) == (
            each.underlying,
            each.expiry,
            each.strike,
            each.right,
        )
        if each.tradable:
            assert each.lot == lot(underlying, each.expiry or SUNDAY)
            assert each.freeze >= each.lot
            assert each.last_trade is not None
            assert each.last_trade.date() == each.expiry


def test_an_even_distance_between_two_strikes_goes_to_the_lower() -> None:
    listed = listing("NIFTY", SUNDAY, 24_325_00, strikes_each_side=0)
    assert {each.strike for each in listed if each.kind is Kind.OPTION} == {24_300_00}


def test_an_unknown_underlying_is_refused_with_what_there_is() -> None:
    with pytest.raises(Refusal, match="NIFTY, BANKNIFTY") as refused:
        expiries("CRUDEOIL", SUNDAY)
    assert refused.value.code == "UNKNOWN_UNDERLYING"
    with pytest.raises(Refusal) as refused:
        freeze("NIFTYNXT50", date(2024, 1, 1))
    assert refused.value.code == "NOT_LISTED"
    with pytest.raises(Refusal) as refused:
        lot("NIFTYNXT50", date(2024, 1, 25))
    assert refused.value.code == "NO_LOT"


def test_nifty_history_is_what_the_bhavcopies_prove(shared_data: Path) -> None:
    rows = list(csv.DictReader((shared_data / "calendar/nifty_expiries_2021_2025.csv").read_text().splitlines()))
    proven = [(date.fromisoformat(row["actual_expiry_date"]), row["expiry_type"] == "monthly") for row in rows]
    day, computed = proven[0][0], []
    while day <= proven[-1][0]:
        expiry, monthly = expiries("NIFTY", day, weeklies=2, months=1)[0]
        computed.append((expiry, monthly))
        day = expiry + timedelta(days=1)
    assert computed == proven
    assert {row["actual_expiry_date"]: lot("NIFTY", date.fromisoformat(row["actual_expiry_date"])) for row in rows} == {
        row["actual_expiry_date"]: int(row["market_lot"]) for row in rows
    }


def test_a_broker_s_master_agrees(shared_data: Path) -> None:
    day = date(2026, 8, 18)
    with gzip.open(shared_data / "instruments/kite_nfo_bfo_2026-08-18.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["name"] in UNDERLYINGS]
    strikes: defaultdict[tuple[str, date], set[int]] = defaultdict(set)
    futures: set[tuple[str, date]] = set()
    for row in rows:
        name, expiry = row["name"], date.fromisoformat(row["expiry"])
        kind = Kind.FUTURE if row["instrument_type"] == "FUT" else Kind.OPTION
        assert lot(name, expiry) == int(row["lot_size"])
        assert tick(name, kind, day) == round(float(row["tick_size"]) * 100)
        if kind is Kind.FUTURE:
            futures.add((name, expiry))
        else:
            strikes[name, expiry].add(round(float(row["strike"]) * 100))
    for name in UNDERLYINGS:
        listed = expiries(name, day)
        assert {expiry for expiry, _ in listed} <= {expiry for owner, expiry in strikes if owner == name}
        assert {(name, expiry) for expiry, monthly in listed if monthly} == {
            each for each in futures if each[0] == name
        }
        for expiry, _ in listed:
            held = sorted(strikes[name, expiry])
            middle = held[len(held) // 2 - 8 : len(held) // 2 + 8]
            steps = {above - below for below, above in pairwise(middle)}
            assert strike_step(name, expiry, day) in steps, (name, expiry)
