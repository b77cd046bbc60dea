from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import pytest

from optconsole.brokers.paper.practice.levels import INDICES, day_level

NOVEMBER = date(2026, 11, 23)


def test_levels_lie_near_those_of_november_2026() -> None:
    closes = np.array([day_level(seed, NOVEMBER).closes for seed in range(60)])
    bases = np.array([index.base for index in INDICES])
    assert np.abs(np.median(closes, axis=0) / bases - 1.0).max() < 0.03
    assert np.abs(closes / bases - 1.0).max() < 0.20


@pytest.mark.parametrize("day", [date(1999, 1, 4), date(2050, 6, 15)])
def test_any_date_can_be_asked_for_at_once(day: date) -> None:
    level = day_level(5, day)
    assert all(0.75 < close / index.base < 1.3 for close, index in zip(level.closes, INDICES, strict=True))
    assert 6.0 < level.vix_close < 40.0


def test_one_day_differs_from_another_and_one_seed_from_another() -> None:
    days = {day_level(1, NOVEMBER + timedelta(days=n)).closes for n in range(30)}
    seeds = {day_level(seed, NOVEMBER).closes for seed in range(30)}
    assert len(days) == len(seeds) == 30


def test_daily_moves_are_those_of_a_large_index() -> None:
    weekdays = [d for n in range(700) if (d := date(2025, 1, 1) + timedelta(days=n)).weekday() < 5]
    moves = np.diff(np.log([day_level(3, day).closes for day in weekdays]), axis=0)
    deviation = moves.std(axis=0)
    assert 0.006 < deviation[0] < 0.012
    assert deviation[1] > deviation[0]
    assert np.abs(moves).max() < 0.08
    together = np.corrcoef(moves.T)
    assert 0.80 < together[0, 1] < 0.95
    assert together[0, 2] > 0.93


def test_the_open_is_a_gap_from_the_close_before_smaller_than_a_days_usual_move() -> None:
    weekdays = [d for n in range(400) if (d := date(2025, 1, 1) + timedelta(days=n)).weekday() < 5]
    levels = [day_level(4, day) for day in weekdays]
    gaps = np.array([np.log(b.opens[0] / a.closes[0]) for a, b in itertools.pairwise(levels)])
    sessions = np.array([np.log(level.closes[0] / level.opens[0]) for level in levels])
    assert 0.003 < gaps.std() < 0.009
    assert 0.003 < sessions.std() < 0.008
    assert abs(np.corrcoef(gaps, sessions[1:])[0, 1]) < 0.15
    assert abs(np.corrcoef(gaps, sessions[:-1])[0, 1]) < 0.15


def test_volatility_rises_when_the_index_falls() -> None:
    weekdays = [d for n in range(700) if (d := date(2025, 1, 1) + timedelta(days=n)).weekday() < 5]
    levels = [day_level(6, day) for day in weekdays]
    index = np.diff(np.log([level.closes[0] for level in levels]))
    vix = np.diff(np.log([level.vix_close for level in levels]))
    assert np.corrcoef(index, vix)[0, 1] < -0.5
    assert 0.03 < vix.std() < 0.10
