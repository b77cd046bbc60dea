"""Candles of what the rehearsed market has played: its minutes, put together to longer intervals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.minutes import Minute
from optconsole.brokers.rehearsal.smartapi.habits import number
from optconsole.engine.model.timeline import from_millis, millis

INTERVALS: Final = {
    "ONE_MINUTE": (1, 30),
    "THREE_MINUTE": (3, 60),
    "FIVE_MINUTE": (5, 100),
    "TEN_MINUTE": (10, 100),
    "FIFTEEN_MINUTE": (15, 200),
    "THIRTY_MINUTE": (30, 200),
    "ONE_HOUR": (60, 400),
    "ONE_DAY": (1440, 2000),
}
"""Interval -> (minutes, the most days one request may span)."""
_OPENS: Final = timedelta(hours=9, minutes=15)
"""Longer candles are counted from here, not from full hours."""


class Candle(msgspec.Struct, gc=False):
    """Prices in paise; ``volume`` units traded within it, ``oi`` units at its end."""

    start: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    oi: int


def candles(minutes: Iterable[Minute], interval: str, start: datetime, end: datetime) -> list[Candle]:
    """Candles of an interval of `INTERVALS` made of minutes that begin between the two moments, both included."""
    first, last = millis(start), millis(end)
    size = timedelta(minutes=INTERVALS[interval][0])
    return list(_joined((_candle(minute) for minute in minutes if first <= minute.ts <= last), size))


def _candle(minute: Minute) -> Candle:
    return Candle(
        start=from_millis(minute.ts),
        open=minute.open,
        high=minute.high,
        low=minute.low,
        close=minute.close,
        volume=minute.volume - minute.before,
        oi=minute.oi,
    )


def _joined(minutes: Iterable[Candle], size: timedelta) -> Iterable[Candle]:
    grown: Candle | None = None
    for minute in minutes:
        begin = _begin(minute.start, size)
        if grown is not None and grown.start == begin:
            grown.high, grown.low = max(grown.high, minute.high), min(grown.low, minute.low)
            grown.close, grown.volume, grown.oi = minute.close, grown.volume + minute.volume, minute.oi
            continue
        if grown is not None:
            yield grown
        grown = msgspec.structs.replace(minute, start=begin)
    if grown is not None:
        yield grown


def _begin(moment: datetime, size: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if size >= timedelta(days=1):
        return midnight
    opens = midnight + _OPENS
    return opens + (moment - opens) // size * size


def candle_row(candle: Candle) -> list[Any]:
    """``[time, open, high, low, close, volume]``, rupees as numbers."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [candle.start.isoformat(), *(number(price) for price in prices), candle.volume]


def oi_row(candle: Candle) -> dict[str, Any]:
    """Open interest at a candle's end."""
    return {"time": candle.start.isoformat(), "oi": candle.oi}
