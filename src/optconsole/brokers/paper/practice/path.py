"""One session of the indices and India VIX, a value a second."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np

from optconsole.brokers.paper.practice.levels import INDICES, DayLevel
from optconsole.brokers.paper.practice.noise import Reals, normals, stream, uniform, uniforms, words

VIX_ROW: Final = len(INDICES)
GUST_SECONDS: Final = 60
GUST_MEMORY: Final = 0.95
GUST_SIZE: Final = 0.30
JUMP_ODDS: Final = 1.0 / 20_000.0
"""Chance of a jump in a second: about one a session."""
JUMP_LEAST: Final = 0.12
JUMP_MOST: Final = 0.70
"""Bounds of a jump, in standard deviations of the session."""
VIX_PER_RETURN: Final = -4.5
"""Log change of India VIX for a log return of NIFTY within the day."""
VIX_OWN: Final = 0.02


def activity(seconds: int) -> Reals:
    """How lively each second of a session is: high at the open, low at noon, rising to the close. Mean square 1."""
    at = np.arange(seconds, dtype=np.float64)
    shape = 0.9 + 0.95 * np.exp(-at / 1200.0) + 0.30 * np.exp(-(seconds - at) / 1800.0)
    return np.asarray(shape / np.sqrt(np.mean(shape * shape)), dtype=np.float64)


@lru_cache(maxsize=8)
def variance_clock(seconds: int) -> Reals:
    """Expected share of the session's variance behind each second, from 0 at the open to 1 at the close."""
    shape = activity(seconds)
    clock = np.concatenate([[0.0], np.cumsum(shape * shape)])
    return np.asarray(clock / clock[-1], dtype=np.float64)


def _gusts(seed: int, day: date, seconds: int) -> Reals:
    """Factor by which volatility strays from its usual shape: mean-reverting in the logarithm."""
    knots = seconds // GUST_SECONDS + 2
    draws = normals(stream(seed, day, "gusts"), knots) * GUST_SIZE * np.sqrt(1.0 - GUST_MEMORY**2)
    level, levels = float(draws[0]) / np.sqrt(1.0 - GUST_MEMORY**2), []
    for draw in draws:
        level = GUST_MEMORY * level + float(draw)
        levels.append(level)
    at = np.arange(seconds, dtype=np.float64) / GUST_SECONDS
    return np.asarray(np.exp(np.interp(at, np.arange(knots), levels)), dtype=np.float64)


def jumps(seed: int, day: date, seconds: int) -> Reals:
    """Jump of the common factor in each second, in standard deviations of the session; mostly zero."""
    key = stream(seed, day, "jumps")
    at = np.flatnonzero(uniforms(key, seconds) < JUMP_ODDS)
    result = np.zeros(seconds)
    size = np.minimum(JUMP_LEAST - 0.15 * np.log(uniform(words(key + np.uint64(1), at))), JUMP_MOST)
    sign = np.where(uniform(words(key + np.uint64(2), at)) < 0.5, -1.0, 1.0)
    result[at] = sign * size
    return result


def session_path(seed: int, day: date, seconds: int, level: DayLevel) -> Reals:
    """Rows: the indices in rupees, then India VIX in points; columns: seconds since the open, both ends included.

    Each path is a bridge: its first and last values are the day's open and close to the paisa.
    """
    lively = activity(seconds) * _gusts(seed, day, seconds)
    lively /= np.sqrt(np.sum(lively * lively))
    spent = np.cumsum(lively * lively)
    common = np.cumsum(lively * normals(stream(seed, day, "common path"), seconds) + jumps(seed, day, seconds))
    rows = np.empty((VIX_ROW + 1, seconds + 1))
    for row, index in enumerate(INDICES):
        own = np.cumsum(lively * normals(stream(seed, day, index.name), seconds))
        shared = index.shared
        walk = level.deviation[row] * (shared * common + np.sqrt(1.0 - shared**2) * own)
        goal = np.log(level.closes[row] / level.opens[row])
        rows[row, 0] = level.opens[row] / 100.0
        rows[row, 1:] = rows[row, 0] * np.exp(walk + spent * (goal - walk[-1]))
        rows[row, -1] = level.closes[row] / 100.0
    rows[VIX_ROW] = _vix(seed, day, level, spent, rows[0])
    return rows


def _vix(seed: int, day: date, level: DayLevel, spent: Reals, nifty: Reals) -> Reals:
    clock = np.concatenate([[0.0], spent])
    back = np.log(nifty / nifty[0])
    back -= clock * back[-1]
    draws = normals(stream(seed, day, "vix"), len(spent)) * np.sqrt(np.diff(clock))
    own = np.concatenate([[0.0], np.cumsum(draws)])
    own -= clock * own[-1]
    drift = clock * np.log(level.vix_close / level.vix_open)
    return np.asarray(level.vix_open * np.exp(drift + VIX_PER_RETURN * back + VIX_OWN * own), dtype=np.float64)
