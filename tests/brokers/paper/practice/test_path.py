from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from optconsole.brokers.paper.practice.levels import INDICES, day_level
from optconsole.brokers.paper.practice.path import JUMP_MOST, VIX_ROW, activity, jumps, session_path, variance_clock

DAY = date(2026, 11, 25)
SECONDS = 385 * 60


@pytest.fixture(scope="module")
def paths() -> np.ndarray:
    """Fifty seeds of one day: seed, row, second."""
    return np.array([session_path(seed, DAY, SECONDS, day_level(seed, DAY)) for seed in range(50)])


def test_a_path_starts_at_the_open_and_ends_at_the_close_to_the_paisa(paths: np.ndarray) -> None:
    for seed in range(50):
        level = day_level(seed, DAY)
        assert [round(x * 100) for x in paths[seed, :VIX_ROW, 0]] == list(level.opens)
        assert [round(x * 100) for x in paths[seed, :VIX_ROW, -1]] == list(level.closes)
        assert paths[seed, VIX_ROW, -1] == pytest.approx(level.vix_close)


def test_realised_volatility_is_in_the_range_measured_on_three_minute_bars(paths: np.ndarray) -> None:
    bars = np.diff(np.log(paths[:, :VIX_ROW, ::180]), axis=2)
    daily = np.sqrt((bars**2).sum(axis=2)) * 100.0
    assert daily[:, 0].min() > 0.15
    assert daily[:, 0].max() < 1.8
    assert 0.38 < np.median(daily[:, 0]) < 0.60
    assert np.median(daily[:, 1]) > np.median(daily[:, 0])


def test_the_open_is_livelier_than_noon(paths: np.ndarray) -> None:
    steps = np.diff(np.log(paths[:, 0, :]), axis=1)
    opening, noon = steps[:, :1800].std(), steps[:, 10_000:13_000].std()
    assert 1.2 < opening / noon < 2.6


def test_the_three_indices_move_together(paths: np.ndarray) -> None:
    minutes = np.diff(np.log(paths[:, :, ::60]), axis=2).transpose(1, 0, 2).reshape(VIX_ROW + 1, -1)
    together = np.corrcoef(minutes)
    assert 0.75 < together[0, 1] < 0.95
    assert together[0, 2] > 0.92
    assert together[0, VIX_ROW] < -0.4


def test_volatility_itself_wanders_more_than_a_constant_one_would() -> None:
    steps = np.diff(np.log(session_path(1, DAY, SECONDS, day_level(1, DAY))[0]))
    even = steps / activity(SECONDS)
    blocks = np.array([block.std() for block in np.array_split(even, 75)])
    assert blocks.std() / blocks.mean() > 0.12  # 300 draws a block would give 0.04


def test_jumps_happen_about_once_a_day_and_are_bounded() -> None:
    days = [jumps(seed, DAY, SECONDS) for seed in range(200)]
    count = sum(int((day != 0.0).sum()) for day in days)
    assert 120 < count < 400
    assert max(np.abs(day).max() for day in days) <= JUMP_MOST
    assert any((day > 0.0).any() for day in days)
    assert any((day < 0.0).any() for day in days)


def test_a_jump_shows_in_the_path_as_one_step_far_beyond_its_neighbours() -> None:
    seed = next(s for s in range(100) if (np.abs(jumps(s, DAY, SECONDS)) > 0.3).any())
    at = int(np.abs(jumps(seed, DAY, SECONDS)).argmax())
    steps = np.diff(np.log(session_path(seed, DAY, SECONDS, day_level(seed, DAY))[0]))
    around = np.delete(steps[max(at - 300, 0) : at + 300], min(at, 300))
    assert abs(steps[at]) > 8.0 * around.std()


def test_no_single_second_moves_an_index_by_a_percent(paths: np.ndarray) -> None:
    assert np.abs(np.diff(np.log(paths[:, :VIX_ROW, :]), axis=2)).max() < 0.01


def test_the_variance_clock_runs_from_zero_to_one_and_never_back() -> None:
    clock = variance_clock(SECONDS)
    assert clock[0] == 0.0
    assert clock[-1] == pytest.approx(1.0)
    assert (np.diff(clock) > 0.0).all()


def test_a_one_hour_session_has_a_path_too() -> None:
    diwali = date(2026, 11, 8)
    path = session_path(3, diwali, 3600, day_level(3, diwali))
    assert path.shape == (len(INDICES) + 1, 3601)
    assert np.isfinite(path).all()
