"""The practice market beside recorded days: alike in kind and size, copied nowhere."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.levels import day_level
from optconsole.brokers.paper.practice.path import session_path
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.timeline import IST
from tests.brokers.paper.practice.conftest import DayMaker

BANDS = {"near": (0.0, 0.006), "out": (0.012, 0.022), "far": (0.03, 0.05), "in": (-0.03, -0.012)}
LOT = 75


class Row(NamedTuple):
    """One option of the nearest weekly: out of the money as a share of the forward, rupees, lots."""

    out: float
    bid: float
    ask: float
    lots: float
    held: float
    strike: float


def recorded(folder: Path) -> list[Row]:
    """NIFTY's nearest weekly at twenty instants of a Friday four days before its expiry."""
    table = pq.read_table(folder / "chains" / "nse_nifty_chain_2025-08-29.parquet")
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    moments = np.unique(columns["fetch_time"])[40::12]
    rows = []
    for moment in moments:
        mask = (columns["fetch_time"] == moment) & (columns["expiry"] == columns["expiry"].min())
        c = {name: column[mask] for name, column in columns.items()}
        call, put = ((c[f"{side}_bid_price"] + c[f"{side}_ask_price"]) / 2 for side in ("calls", "puts"))
        middle = int(np.argmin(np.abs(call - put)))
        ahead = c["strike_price"][middle] + call[middle] - put[middle]
        for side, sign in (("calls", 1.0), ("puts", -1.0)):
            for at, strike in enumerate(c["strike_price"]):
                bid, ask = c[f"{side}_bid_price"][at], c[f"{side}_ask_price"][at]
                lots, held = c[f"{side}_bid_qty"][at] / LOT, c[f"{side}_oi"][at]
                if bid > 0 and ask > 0:
                    rows.append(Row(sign * (strike / ahead - 1.0), bid, ask, lots, held, float(strike)))
    return rows


def practised(day: PracticeDay) -> list[Row]:
    """The same of a practice day."""
    options = [i for i in day.sheet.instruments if i.underlying == "NIFTY" and i.strike is not None]
    nearest = min(i.expiry for i in options if i.expiry is not None)
    options = [i for i in options if i.expiry == nearest]
    rows = []
    for hour in (10, 11, 12, 13, 14):
        moment = datetime(day.day.year, day.day.month, day.day.day, hour, 20, tzinfo=IST)
        spot = day.spot("NIFTY", (moment - day.opens).total_seconds())
        for item, quote in zip(options, day.quotes(options, moment), strict=True):
            if quote.bid and quote.ask and item.strike:
                out = (1.0 if item.right is Right.CALL else -1.0) * (item.strike / spot - 1.0)
                held = (quote.oi or 0) / item.lot
                size = quote.bid_qty / item.lot
                rows.append(Row(out, quote.bid / 100, quote.ask / 100, size, held, item.strike / 100))
    return rows


def band(rows: list[Row], name: str) -> list[Row]:
    low, high = BANDS[name]
    if name == "near":
        return [row for row in rows if abs(row.out) < high]
    return [row for row in rows if low < row.out < high]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Row]:
    return recorded(shared_data)


@pytest.fixture(scope="module")
def played(make_day: DayMaker) -> list[Row]:
    return [row for seed in range(1, 6) for row in practised(make_day(seed, date(2026, 11, 27)))]


@pytest.mark.parametrize("name", list(BANDS))
def test_relative_spreads_are_of_the_recorded_size(real: list[Row], played: list[Row], name: str) -> None:
    there, here = (np.median([(r.ask - r.bid) / r.ask for r in band(rows, name)]) for rows in (real, played))
    assert there / 3.0 < here < there * 3.0


@pytest.mark.parametrize("name", list(BANDS))
def test_displayed_sizes_are_of_the_recorded_size(real: list[Row], played: list[Row], name: str) -> None:
    there, here = (np.median([r.lots for r in band(rows, name)]) for rows in (real, played))
    assert there / 4.0 < here < there * 4.0


@pytest.mark.parametrize("name", ["near", "out", "far"])
def test_open_interest_is_of_the_recorded_size(real: list[Row], played: list[Row], name: str) -> None:
    there, here = (np.median([r.held for r in band(rows, name)]) for rows in (real, played))
    assert there / 4.0 < here < there * 4.0


def test_round_strikes_hold_the_recorded_share_of_open_interest(real: list[Row], played: list[Row]) -> None:
    def share(rows: list[Row]) -> float:
        out = [row for row in rows if 0.0 < row.out < 0.05]
        return sum(row.held for row in out if row.strike % 500 == 0) / sum(row.held for row in out)

    assert share(played) == pytest.approx(share(real), rel=0.5)


def test_premiums_of_far_strikes_have_the_recorded_weight(real: list[Row], played: list[Row]) -> None:
    def weight(rows: list[Row]) -> float:
        money = np.median([row.ask for row in rows if abs(row.out) < 0.002])
        return float(np.median([row.ask for row in band(rows, "far")]) / money)

    assert weight(real) / 4.0 < weight(played) < weight(real) * 4.0


@pytest.mark.parametrize(("row", "name"), [(0, "nifty"), (1, "banknifty"), (2, "sensex")])
def test_realised_volatility_and_gaps_spread_as_recorded(
    shared_data: Path, calendar: Calendar, row: int, name: str
) -> None:
    table = pq.read_table(shared_data / "index" / f"{name}_3min_2025-07_2026-04.parquet")
    dates = table["datetime"].to_numpy().astype("M8[D]")
    close = table["close"].to_numpy()
    bars = [close[dates == day] for day in np.unique(dates)]
    there = [np.sqrt((np.diff(np.log(day)) ** 2).sum()) for day in bars if len(day) == 125]
    days, day = [], date(2025, 7, 1)
    while len(days) < 120:
        day = calendar.next_trading_day(day)
        days.append(session_path(5, day, 22_500, day_level(5, day))[row, ::180])
    here = [np.sqrt((np.diff(np.log(path)) ** 2).sum()) for path in days]
    assert np.median(here) == pytest.approx(np.median(there), rel=0.35)
    assert np.quantile(here, 0.9) == pytest.approx(np.quantile(there, 0.9), rel=0.4)
    assert np.quantile(here, 0.1) == pytest.approx(np.quantile(there, 0.1), rel=0.4)
