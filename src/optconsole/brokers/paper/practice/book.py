"""From fair values to what an exchange shows: best prices with sizes, deeper levels, the last trade."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from optconsole.brokers.paper.practice.noise import Counts, Reals, Words, normal, uniform, words
from optconsole.brokers.paper.practice.sheet import Flags, Sheet

OPTION_SPREAD: Final = 0.0015
"""Spread over premium in the busiest contracts; rounding outward to ticks adds about one tick."""
IN_MONEY_SPREAD: Final = 0.5
FUTURE_SPREAD: Final = 0.00004
FAR_SPREAD: Final = 0.01
"""Rupees for each expected move from the money and each widening by expiry."""
LAST_MINUTES: Final = 15.0
FIRST_SECONDS: Final = 120.0
REQUOTE_MS: Final = 400
SLOWEST_REQUOTE_MS: Final = 5_000
MOST_LOTS: Final = 15_000.0
LEVELS: Final = 5
SALTS: Final = 16
"""Draws a contract may take in one requote interval."""


class Touch(NamedTuple):
    """Best prices in paise, 0 where that side is empty."""

    bid: Counts
    ask: Counts


class Bucket(NamedTuple):
    """Which requote interval each row is in, and the draws that belong to it."""

    key: Words
    number: Counts

    def draw(self, salt: int) -> Words:
        """The words of one purpose, the same throughout the interval."""
        return words(self.key, self.number * SALTS + salt)


class Moment(NamedTuple):
    """What is true of each row at its instant: rupees, expected moves from the money (positive is out of the
    money), minutes to the last trade, seconds since the open."""

    value: Reals
    out: Reals
    left: Reals
    since: Reals


def bucket(sheet: Sheet, rows: Counts, at: Counts) -> Bucket:
    """Busy contracts requote several times a second, sleepy ones every few seconds, none in step with another."""
    pace = np.minimum(REQUOTE_MS * sheet.wide[rows], SLOWEST_REQUOTE_MS).astype(np.int64)
    phase = (sheet.daily[rows] % pace.astype(np.uint64)).astype(np.int64)
    return Bucket(sheet.daily[rows], (at + phase) // pace)


def spread(sheet: Sheet, rows: Counts, now: Moment, drawn: Bucket) -> Reals:
    """Rupees between the prices at which makers would buy and sell."""
    option, wide = sheet.is_option[rows], sheet.wide[rows]
    deep = 1.0 + IN_MONEY_SPREAD * np.maximum(-now.out, 0.0)
    far = FAR_SPREAD * (wide - 1.0).clip(0.0) * np.abs(now.out)
    width = np.where(option, (OPTION_SPREAD * deep * now.value + far) * wide, FUTURE_SPREAD * now.value * wide)
    nervous = 1.0 + 1.5 * np.exp(-now.left / LAST_MINUTES) + 1.2 * np.exp(-now.since / FIRST_SECONDS)
    neglected = np.where(_neglect(sheet, rows, now) > 0, 6.0, 1.0)
    return np.asarray(width * nervous * neglected * np.exp(0.25 * normal(drawn.draw(1))), dtype=np.float64)


def touch(sheet: Sheet, rows: Counts, now: Moment, drawn: Bucket, open_for_trade: Flags) -> Touch:
    """Best bid below and best ask above the fair value, each on its tick; at least a tick apart."""
    width = spread(sheet, rows, now, drawn)
    lean = 0.35 + 0.3 * uniform(drawn.draw(2))
    tick = sheet.tick[rows]
    fair = now.value * 100.0
    bid = np.floor((fair - 100.0 * width * lean) / tick).astype(np.int64) * tick
    ask = np.ceil((fair + 100.0 * width * (1.0 - lean)) / tick).astype(np.int64) * tick
    ask = np.maximum(ask, np.maximum(bid, 0) + tick)
    shown = open_for_trade & ~sheet.is_index[rows] & (_neglect(sheet, rows, now) < 2)
    return Touch(np.where(shown & (bid >= tick), bid, 0), np.where(shown, ask, 0))


def _neglect(sheet: Sheet, rows: Counts, now: Moment) -> Counts:
    """0 for a cared-for book, 1 for a very wide one, 2 for none at all; far strikes of far expiries only."""
    draw = uniform(words(sheet.daily[rows], np.array([7], dtype=np.int64)))
    odds = np.clip((sheet.wide[rows] * np.abs(now.out) - 25.0) / 60.0, 0.0, 0.8)
    forgotten = sheet.is_option[rows] & (draw < odds)
    return forgotten.astype(np.int64) + (forgotten & (draw < odds / 3.0))


def sizes(sheet: Sheet, rows: Counts, now: Moment, drawn: Bucket, salt: int) -> Counts:
    """Units shown at a best price, whole lots: few where a lot is dear, thousands where it is nearly free."""
    dearness = 100.0 / np.maximum(now.value, 0.5)
    cheap = 9.0 * np.where(dearness > 1.0, dearness**1.1, dearness**0.6)
    usual = np.where(sheet.is_option[rows], cheap, 6.0) / sheet.wide[rows] ** 0.7
    lots = np.clip(np.round(usual * np.exp(0.9 * normal(drawn.draw(salt)))), 1.0, MOST_LOTS)
    return np.asarray(lots.astype(np.int64) * sheet.lot[rows], dtype=np.int64)


def ladder(best: int, size: int, direction: int, tick: int, lot: int, gap: int, draws: Reals) -> list[tuple[int, int]]:
    """Levels from the best price outward (``direction`` -1 for bids), sizes growing unevenly.

    ``gap`` is the usual distance between levels in ticks; ``draws`` are uniform, two for each level after the best.
    """
    if best <= 0:
        return []
    levels, price = [(best, size)], best
    for level in range(1, LEVELS):
        price += direction * tick * (1 + int(draws[2 * level - 2] * (gap + 1)))
        if price < tick:
            break
        lots = max(1, round(size / lot * (0.6 + 1.6 * float(draws[2 * level - 1]))))
        levels.append((price, min(lots, int(MOST_LOTS)) * lot))
    return levels
