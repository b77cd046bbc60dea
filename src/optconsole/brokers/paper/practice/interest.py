"""Open interest and volume: who holds what at the open and at the close, and how the day gets there."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from optconsole.brokers.paper.practice.levels import INDICES
from optconsole.brokers.paper.practice.noise import Counts, Reals, Words, normal, uniform, words
from optconsole.brokers.paper.practice.path import VIX_ROW
from optconsole.brokers.paper.practice.sheet import Sheet, expiry_pull
from optconsole.brokers.paper.practice.surface import DAYS_A_YEAR

FUTURES: Final = 2.0
"""Open interest of the nearest future, in busy strikes."""
OUT_FADE: Final = 0.16
IN_FADE: Final = 1.5
LEAST: Final = 0.0008
UNWOUND: Final = 0.4
"""Share of the morning's open interest still held when a contract expires."""
RIPPLES: Final = (1, 3, 11)
RIPPLE: Final = 0.32
"""Largest size of one ripple; the three together stay below 1, so growth never turns back."""
_HOLDERS: Final = np.array([101], dtype=np.int64)
_TURNOVER: Final = np.array([102], dtype=np.int64)


class Interest(NamedTuple):
    """Lots: open interest at the open and at the close, and the day's volume."""

    opened: Counts
    closed: Counts
    volume: Counts


def day_interest(sheet: Sheet, before: Reals, after: Reals, next_days: float, length: float) -> Interest:
    """The day's figures from how far each strike lies out of the money (in expected moves) at both closes.

    ``next_days`` calendar days lead to the next session; this one has ``length`` of an ordinary one. What is open at
    one close is what is open at the next open, for the same contract.
    """
    opened = _held(sheet, before, sheet.days)
    closed = np.where(sheet.days > 0.0, _held(sheet, after, sheet.days - next_days), UNWOUND * opened)
    turns = length * (0.25 + 3.0 * sheet.busy + 14.0 * sheet.busy * np.exp(-0.25 * before * before))
    volume = np.maximum(opened, closed) * turns * np.exp(0.3 * normal(words(sheet.daily, _TURNOVER)))
    volume += 1.2 * np.abs(closed - opened)
    quiet = sheet.is_index
    return Interest(*(np.where(quiet, 0.0, np.floor(column)).astype(np.int64) for column in (opened, closed, volume)))


def _held(sheet: Sheet, out: Reals, days: Reals) -> Reals:
    scale = np.array([index.interest for index in INDICES] + [0])[np.minimum(sheet.row, VIX_ROW)]
    fade = np.maximum(np.where(out > 0.0, np.exp(-OUT_FADE * out), np.exp(IN_FADE * np.minimum(out, 0.0))), LEAST)
    pull = expiry_pull(days, sheet.monthly, sheet.is_option)
    crowd = np.exp(0.45 * normal(words(sheet.key, _HOLDERS)))
    return np.asarray(scale * pull * np.where(sheet.is_option, sheet.round * fade, FUTURES) * crowd, dtype=np.float64)


def growth(key: Words, clock: Reals, salt: int) -> Reals:
    """Share of the day's figure reached once ``clock`` of the usual activity is over: from 0 to 1, never falling."""
    share = clock.copy()
    for ripple in RIPPLES:
        size = RIPPLE * uniform(words(key, np.array([salt + 2 * ripple], dtype=np.int64)))
        phase = 2.0 * np.pi * uniform(words(key, np.array([salt + 2 * ripple + 1], dtype=np.int64)))
        turn = 2.0 * np.pi * ripple
        share += size * (np.sin(turn * clock + phase) - np.sin(phase)) / turn
    return np.clip(share, 0.0, 1.0)


def moneyness(sheet: Sheet, ahead: Reals, volatility: Reals, days: Reals) -> Reals:
    """How far out of the money each option is, in expected moves of at least a day."""
    move = volatility * np.sqrt(np.maximum(days, 1.0) / DAYS_A_YEAR)
    return np.asarray(sheet.sign * np.log(sheet.strike / ahead) / move, dtype=np.float64)
