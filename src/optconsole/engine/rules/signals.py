"""What an indicator says to an entry (features EN-7): a turn on the candle that has just closed. Pure.

UP is the bullish turn: the trend turns up, the fast average crosses the slow one upwards, RSI its level, the close its
VWAP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from optconsole.engine.model.trigger_state import Candle
from optconsole.engine.model.triggers import Cross, IndicatorKind, IndicatorTrigger
from optconsole.engine.rules.indicators import ema, rsi, supertrend, vwap
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.triggers import Answer, Fired

_HUNDREDTHS = 100


class _Reading(NamedTuple):
    """An indicator on one candle: what crosses, what is crossed, and on which side it stands (+1, 0 or -1)."""

    value: float
    level: float
    side: int


def signal(rule: IndicatorTrigger, candles: Sequence[Candle], place: int = 1) -> Answer:
    """Whether the last of these closed candles turned the indicator the way that is asked.

    ``place`` counts the indicators of an entry from 1. With too few candles, or without volume for VWAP, it is blind.
    """
    if rule.kind is IndicatorKind.VWAP:  # a day's first close is not measured by yesterday's average
        candles = [candle for candle in candles if candle.start.date() == candles[-1].start.date()]
    before, now = (None, None) if len(candles) < 2 else _read(rule, candles)[-2:]
    if before is None or now is None:
        return Blind(why=f"{rule.kind} cannot be told from {len(candles)} closed candles of {rule.candle} minutes.")
    up = 1 if rule.cross is Cross.UP else -1
    if not before.side * up <= 0 < now.side * up:
        return None
    way = "up" if rule.cross is Cross.UP else "down"
    figures = f"{now.value / _HUNDREDTHS:.2f} against {now.level / _HUNDREDTHS:.2f}"
    why = f"{rule.kind} turned {way} on the candle of {candles[-1].start:%H:%M}: {figures}."
    return Fired(f"indicator-{place}", round(now.value), round(now.level), why)


def _read(rule: IndicatorTrigger, candles: Sequence[Candle]) -> list[_Reading | None]:
    """The indicator on every candle, in paise or hundredths."""
    closes: list[float] = [float(candle.close) for candle in candles]
    if rule.kind is IndicatorKind.EMA_CROSS:
        return _crossing(ema(closes, rule.fast), ema(closes, rule.slow))
    if rule.kind is IndicatorKind.RSI:
        strength = [None if value is None else value * _HUNDREDTHS for value in rsi(closes, rule.period)]
        return _crossing(strength, [float(rule.level)] * len(closes))
    if rule.kind is IndicatorKind.VWAP:
        return _crossing(closes, vwap(candles))
    trends = supertrend(candles, rule.period, rule.multiple / _HUNDREDTHS)
    return [
        None if trend is None else _Reading(close, trend.line, 1 if trend.up else -1)
        for close, trend in zip(closes, trends, strict=True)
    ]


def _crossing(values: Sequence[float | None], levels: Sequence[float | None]) -> list[_Reading | None]:
    return [
        None if value is None or level is None else _Reading(value, level, (value > level) - (value < level))
        for value, level in zip(values, levels, strict=True)
    ]
