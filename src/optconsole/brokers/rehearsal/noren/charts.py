"""Candles: TPSeries by the minute, EODChartData by the day. Prices in paise inside, rupees on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from optconsole.brokers.rehearsal.minutes import Minute
from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.words import day_text, epoch, exchange_time, money
from optconsole.engine.model.timeline import IST, from_millis

INTERVALS: Final = ("1", "3", "5", "10", "15", "30", "60", "120", "240")
MOST_DAYS: Final = 1201
DAY_MINUTES: Final = 24 * 60
OPENS: Final = time(9, 15)


@dataclass(frozen=True, slots=True)
class Candle:
    """One stretch of trading. ``volume`` is of the stretch, ``total`` of the day so far; ``oi`` at its end."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    total: int
    oi: int


def candles(minutes: Iterable[Minute], since: datetime, until: datetime) -> list[Candle]:
    """The minutes that begin within a span of time, oldest first."""
    return [
        Candle(at, row.open, row.high, row.low, row.close, max(0, row.volume - row.before), row.volume, row.oi)
        for row in minutes
        if since <= (at := from_millis(row.ts)) <= until
    ]


def merged(minutes: Sequence[Candle], length: int, since: time = OPENS) -> list[Candle]:
    """Minutes, oldest first, as candles of ``length`` minutes counted from a time of each day."""
    groups: dict[datetime, list[Candle]] = {}
    for candle in minutes:
        first = datetime.combine(candle.at.date(), since, IST)
        gone = int((candle.at - first).total_seconds()) // 60 // length
        groups.setdefault(first + timedelta(minutes=gone * length), []).append(candle)
    return [_one(at, group) for at, group in groups.items()]


def _one(at: datetime, group: Sequence[Candle]) -> Candle:
    last = group[-1]
    return Candle(
        at=at,
        open=group[0].open,
        high=max(candle.high for candle in group),
        low=min(candle.low for candle in group),
        close=last.close,
        volume=sum(candle.volume for candle in group),
        total=last.total,
        oi=last.oi,
    )


def series(found: Sequence[Candle]) -> list[Row]:
    """Rows of TPSeries, newest first."""
    return [_row(candle) for candle in reversed(found)]


def _row(candle: Candle) -> Row:
    return {
        "stat": "Ok",
        "time": exchange_time(candle.at),
        "ssboe": epoch(candle.at),
        "into": money(candle.open),
        "inth": money(candle.high),
        "intl": money(candle.low),
        "intc": money(candle.close),
        "intvwap": money((candle.high + candle.low + candle.close) // 3),
        "intv": str(candle.volume),
        "intoi": "0",
        "v": str(candle.total),
        "oi": str(candle.oi),
    }


def days(found: Sequence[Candle]) -> list[str]:
    """Rows of EODChartData, newest first: each row is itself JSON in a string."""
    newest = merged(found, DAY_MINUTES, time())[::-1][:MOST_DAYS]
    return [
        json.dumps(
            {
                "time": day_text(candle.at.date()),
                "into": money(candle.open),
                "inth": money(candle.high),
                "intl": money(candle.low),
                "intc": money(candle.close),
                "ssboe": epoch(candle.at),
                "intv": f"{candle.volume}.00",
            }
        )
        for candle in newest
    ]
