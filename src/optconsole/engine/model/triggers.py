"""What a strategy waits for beyond the time of day (features 1.4). Prices paise, percents basis points."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

import msgspec


class Cross(StrEnum):
    """Which way a level is crossed."""

    UP = "up"
    DOWN = "down"


class Momentum(msgspec.Struct, frozen=True, kw_only=True):
    """EN-3: enter all when the combined premium of the legs, one lot each, has moved by ``amount`` (signed)."""

    amount: int
    percent: bool = False
    on_close: bool = False


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """EN-4: high and low on [``start``, ``end``). ``start_dte`` and ``end_dte`` let it span days."""

    start: time
    end: time
    start_dte: int | None = None
    end_dte: int | None = None


class LevelTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """EN-5: the reference crosses ``level``; on every tick, or on closes of ``candle`` minutes."""

    level: int
    cross: Cross
    candle: int = 0


class StraddleTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """EN-6: the ATM straddle above or below ``level``, or moved by ``move`` basis points (signed) since the open."""

    level: int | None = None
    cross: Cross = Cross.UP
    move: int | None = None


class IndicatorKind(StrEnum):
    """EN-7, on closed candles only."""

    SUPERTREND = "supertrend"
    EMA_CROSS = "ema-cross"
    RSI = "rsi"
    VWAP = "vwap"


class IndicatorTrigger(msgspec.Struct, frozen=True, kw_only=True):
    """EN-7: ``cross`` UP is a bullish signal. ``level`` (hundredths) is of RSI, ``fast`` and ``slow`` of EMA_CROSS,
    ``period`` of the others, ``multiple`` (hundredths) of SUPERTREND. ``leg`` looks at a leg's contract."""

    kind: IndicatorKind
    cross: Cross
    candle: int = 5
    period: int = 10
    fast: int = 9
    slow: int = 21
    multiple: int = 300
    level: int = 5000
    leg: str = ""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """EN-9: looked at once, at entry time; one that fails skips the run. VIX in hundredths, moves in basis points."""

    vix_min: int | None = None
    vix_max: int | None = None
    gap_min: int | None = None
    gap_max: int | None = None
    move_min: int | None = None
    move_max: int | None = None
    blackout: tuple[date, ...] = ()
    only_if_flat: bool = False
    min_free_margin: int | None = None
    max_spread: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is waited for after the entry time. All triggers given must have come true.

    ``signal`` waits for an external signal of this name (EN-8); ``approve_within`` (seconds) for a person (EN-11).
    """

    momentum: Momentum | None = None
    range: Range | None = None
    level: LevelTrigger | None = None
    straddle: StraddleTrigger | None = None
    indicators: tuple[IndicatorTrigger, ...] = ()
    filters: Filters = Filters()
    signal: str = ""
    approve_within: int | None = None
