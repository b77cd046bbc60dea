"""Who ticks when: busy contracts often, sleepy ones now and then, and no one is forgotten."""

from __future__ import annotations

from typing import Final

import numpy as np

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.noise import Counts, Reals, stream, uniform, words

RESHUFFLE_MS: Final = 5_000
"""How long the order of importance stands while the index moves."""
INDEX_MS: Final = 250
WATCHED_MS: Final = 1_000
FUTURE_WEIGHT: Final = 6.0
LEAST_WEIGHT: Final = 0.02


class Turns:
    """The choice of contracts for each batch of one day. The same batch of the same day chooses the same."""

    def __init__(self, day: PracticeDay) -> None:
        self._day = day
        self._key = stream(day.seed, day.day, "turns")
        self._indices = np.flatnonzero(day.sheet.is_index)
        self._weights: Reals = np.zeros(len(day.sheet))
        self._weighed = -1
        self._reach: tuple[int, int, Reals] = (-1, -1, self._weights)

    def due(self, since: int, stamp: int, count: int, watched: Counts) -> Counts:
        """Rows of the batch at ``stamp`` (epoch milliseconds), the one before having been at ``since``.

        ``count`` contracts by weight; besides them the indices, whoever is ``watched`` and was not served for a
        second, and every contract that stopped trading in between.
        """
        ends = self._day.sheet.ends
        stopped = np.flatnonzero((ends > since) & (ends <= stamp))
        parts = (
            self._chosen(stamp, count),
            _lapsed(self._indices, since, stamp, INDEX_MS),
            _lapsed(watched, since, stamp, WATCHED_MS),
            stopped,
        )
        return np.unique(np.concatenate(parts))

    def _chosen(self, stamp: int, count: int) -> Counts:
        """Systematic sampling: points one apart on the line of summed shares pick each contract at most once."""
        if count <= 0:
            return np.zeros(0, dtype=np.int64)
        reach = self._shares(stamp, count)
        start = float(uniform(words(self._key, np.array([stamp], dtype=np.int64)))[0])
        points = start + np.arange(int(reach[-1] - start) + 1)
        return np.asarray(np.searchsorted(reach, points[points < reach[-1]], side="right"), dtype=np.int64)

    def _shares(self, stamp: int, count: int) -> Reals:
        """Running sum of each contract's chance, none above 1, together ``count`` as far as there are contracts."""
        hour = stamp // RESHUFFLE_MS
        if self._reach[:2] != (hour, count):
            if self._weighed != hour:
                self._weights, self._weighed = self._weigh(stamp), hour
            self._reach = (hour, count, np.cumsum(_capped(self._weights, count)))
        return self._reach[2]

    def _weigh(self, stamp: int) -> Reals:
        sheet = self._day.sheet
        out = self._day.reach(stamp)
        near = sheet.busy**0.6 * sheet.round**0.5 * np.exp(-out * out / 6.0) + LEAST_WEIGHT
        weight = np.where(sheet.is_option, near, FUTURE_WEIGHT * sheet.busy)
        return np.asarray(np.where(sheet.is_index | (sheet.ends <= stamp), 0.0, weight), dtype=np.float64)


def _lapsed(rows: Counts, since: int, stamp: int, period: int) -> Counts:
    """Rows whose own beat of ``period`` milliseconds fell in between; the beats are spread over the period."""
    offset = rows * 37 % period
    lapsed: Counts = rows[(since + offset) // period != (stamp + offset) // period]
    return lapsed


def _capped(weights: Reals, count: int) -> Reals:
    """Shares proportional to the weights with sum ``count``, what exceeds 1 being handed on to the others."""
    alive = weights > 0.0
    if count >= int(alive.sum()):
        return alive.astype(np.float64)
    shares = weights * (count / weights.sum())
    while (shares > 1.0 + 1e-9).any():
        full = shares >= 1.0
        rest = np.where(full, 0.0, weights)
        shares = np.where(full, 1.0, rest * ((count - full.sum()) / rest.sum()))
    return np.asarray(shares, dtype=np.float64)
