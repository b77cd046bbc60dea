from __future__ import annotations

import numpy as np
import pytest

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.turns import Turns
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.timeline import millis

NOBODY = np.zeros(0, dtype=np.int64)


@pytest.fixture
def turns(plain_day: PracticeDay) -> Turns:
    return Turns(plain_day)


def batches(turns: Turns, day: PracticeDay, number: int, count: int, watched: np.ndarray = NOBODY) -> list[np.ndarray]:
    start = millis(day.opens) + 3_600_000
    return [turns.due(start + 50 * k, start + 50 * (k + 1), count, watched) for k in range(number)]


def ticks(found: list[np.ndarray], day: PracticeDay) -> np.ndarray:
    return np.bincount(np.concatenate(found), minlength=len(day.sheet))


def test_a_batch_holds_as_many_contracts_as_asked_and_none_twice(turns: Turns, plain_day: PracticeDay) -> None:
    for count in (1, 20, 1000):
        for rows in batches(turns, plain_day, 10, count):
            assert len(set(rows.tolist())) == len(rows)
            assert count - 1 <= len(rows) <= count + 6  # indices come on top


def test_more_than_all_means_all(turns: Turns, plain_day: PracticeDay) -> None:
    (rows,) = batches(turns, plain_day, 1, 10 * len(plain_day.sheet))
    assert len(rows) >= len(plain_day.sheet) - 4


def test_the_same_batch_of_the_same_day_chooses_the_same(turns: Turns, plain_day: PracticeDay) -> None:
    first = batches(turns, plain_day, 5, 50)
    again = batches(Turns(plain_day), plain_day, 5, 50)
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in again]


def test_contracts_near_the_money_and_near_expiry_tick_most(turns: Turns, plain_day: PracticeDay) -> None:
    counted = ticks(batches(turns, plain_day, 400, 100), plain_day)
    sheet, spot = plain_day.sheet, plain_day.spot("NIFTY", 3600)
    expiries = sorted({i.expiry for i in sheet.instruments if i.underlying == "NIFTY" and i.expiry})

    def mean(rank: int, low: float, high: float) -> float:
        return float(
            np.mean(
                [
                    counted[at]
                    for at, i in enumerate(sheet.instruments)
                    if i.underlying == "NIFTY"
                    and i.kind is Kind.OPTION
                    and i.expiry == expiries[rank]
                    and low <= abs((i.strike or 0) / spot - 1.0) < high
                ]
            )
        )

    assert mean(0, 0.0, 0.01) > 4.0 * mean(0, 0.05, 0.08)
    assert mean(0, 0.0, 0.01) > 2.0 * mean(2, 0.0, 0.01)


def test_no_contract_is_forgotten(turns: Turns, plain_day: PracticeDay) -> None:
    assert (ticks(batches(turns, plain_day, 600, 400), plain_day) > 0).all()


def test_watched_contracts_and_indices_tick_every_second(turns: Turns, plain_day: PracticeDay) -> None:
    watched = np.array([50, 900, 4000])
    for second in range(3):
        start = millis(plain_day.opens) + 7_000_000 + 1000 * second
        found = [turns.due(start + 50 * k, start + 50 * (k + 1), 1, watched) for k in range(20)]
        counted = ticks(found, plain_day)
        assert (counted[watched] >= 1).all()
        assert (counted[:4] == 4).all()


def test_a_contract_that_stops_trading_is_shown_once_more_and_then_no_more(expiry_day: PracticeDay) -> None:
    turns, sheet = Turns(expiry_day), expiry_day.sheet
    gone = np.flatnonzero(sheet.days == 0.0)
    gone = gone[~sheet.is_index[gone]]
    end = int(sheet.ends[gone[0]])
    assert len(gone) > 300
    last = turns.due(end - 50, end, 10, NOBODY)
    assert set(gone.tolist()) <= set(last.tolist())
    after = turns.due(end, end + 50, 1000, NOBODY)
    assert not set(gone.tolist()) & set(after.tolist())
