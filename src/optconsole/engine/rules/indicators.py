"""Indicators on closed candles (features EN-7). Pure; floats, because they only ever say when, never how much.

Each function gives one value a candle, None while it has too little to go by. The definitions are the usual ones of
charting programs: averages begin with a plain mean, ATR and RSI are smoothed as Wilder did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from optconsole.engine.model.trigger_state import Candle

Values = list[float | None]


class Trend(NamedTuple):
    """The supertrend of one candle: its line in paise, and whether it is up."""

    line: float
    up: bool


def ema(values: Sequence[float], period: int) -> Values:
    """The exponential average, begun with the mean of the first ``period`` values."""
    return list(_smoothed(values, period, 2 / (period + 1)))


def rsi(closes: Sequence[float], period: int) -> Values:
    """Wilder's relative strength, 0 to 100; 50 where nothing has moved at all."""
    changes = [after - before for before, after in pairwise(closes)]
    gains = _smoothed([max(change, 0.0) for change in changes], period, 1 / period)
    losses = _smoothed([max(-change, 0.0) for change in changes], period, 1 / period)
    found: Values = [None] if closes else []
    for gain, loss in zip(gains, losses, strict=True):
        if gain is None or loss is None:
            found.append(None)
        else:
            found.append(50.0 if gain == loss == 0 else 100 * gain / (gain + loss))
    return found


def atr(candles: Sequence[Candle], period: int) -> Values:
    """Wilder's average true range in paise; the first candle's range is its own."""
    ranges: list[float] = []
    for place, candle in enumerate(candles):
        before = candles[place - 1].close if place else candle.close
        ranges.append(max(candle.high, before) - min(candle.low, before))
    return list(_smoothed(ranges, period, 1 / period))


def supertrend(candles: Sequence[Candle], period: int, multiple: float) -> list[Trend | None]:
    """The supertrend; it is down on its first candle, until a close above the upper line turns it."""
    found: list[Trend | None] = []
    upper = lower = 0.0
    up: bool | None = None
    for place, (candle, reach) in enumerate(zip(candles, atr(candles, period), strict=True)):
        if reach is None:
            found.append(None)
            continue
        middle, before = (candle.high + candle.low) / 2, candles[place - 1].close
        high, low = middle + multiple * reach, middle - multiple * reach
        if up is None:
            upper, lower, up = high, low, False
        else:
            upper = high if high < upper or before > upper else upper
            lower = low if low > lower or before < lower else lower
            up = candle.close >= lower if up else candle.close > upper
        found.append(Trend(lower if up else upper, up))
    return found


def vwap(candles: Sequence[Candle]) -> Values:
    """The session's average price weighted by volume; None without volume. It begins anew on each day."""
    found: Values = []
    day, value, units = None, 0.0, 0
    for candle in candles:
        if candle.start.date() != day:
            day, value, units = candle.start.date(), 0.0, 0
        volume = candle.volume or 0
        value += (candle.high + candle.low + candle.close) / 3 * volume
        units += volume
        found.append(value / units if units else None)
    return found


def _smoothed(values: Sequence[float], period: int, weight: float) -> Iterator[float | None]:
    """An average that forgets: the mean of the first ``period``, then each value by its weight."""
    average = 0.0
    for place, value in enumerate(values):
        if place < period - 1:
            yield None
            continue
        if place == period - 1:
            average = sum(values[:period]) / period
        else:
            average += (value - average) * weight
        yield average
