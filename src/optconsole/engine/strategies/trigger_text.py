"""Entry triggers in words: ``+5%``, ``09:16-09:30``, ``above 24600 on 5m``, ``rsi(14) above 60 on 5m``."""

from __future__ import annotations

import re
from typing import Final

from optconsole.engine.model.triggers import (
    Cross,
    IndicatorKind,
    IndicatorTrigger,
    LevelTrigger,
    Momentum,
    Range,
    StraddleTrigger,
)
from optconsole.engine.strategies.amounts import (
    BadText,
    hundredths,
    plain,
    read_time,
    read_whole,
    signed,
    write_time,
)
from optconsole.engine.strategies.leg_text import clean

_WAY: Final = {"above": Cross.UP, "up": Cross.UP, "below": Cross.DOWN, "down": Cross.DOWN}
_MOMENTUM: Final = re.compile(r"(?P<move>[+-] ?[\d,.]+) ?(?P<percent>%)?(?P<close> on close)?")


def read_momentum(text: str) -> Momentum:
    """EN-3: ``+20``, ``-5%``, ``+5% on close``. Raises BadText."""
    match = _MOMENTUM.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no momentum; write +20, -5% or +5% on close")
    amount = hundredths(match["move"].replace(" ", ""))
    if not amount:
        raise BadText("a momentum of 0 is no wait; leave it out")
    return Momentum(amount=amount, percent=bool(match["percent"]), on_close=bool(match["close"]))


def write_momentum(rule: Momentum) -> str:
    """The text that ``read_momentum`` reads back."""
    return signed(rule.amount) + ("%" if rule.percent else "") + (" on close" if rule.on_close else "")


RANGE_HINT: Final = "write 09:16-09:30, or with trading days to expiry 2@09:16-1@15:00"
_RANGE: Final = re.compile(r"(?:(?P<d1>\d+)@)?(?P<start>[\d:]+) ?- ?(?:(?P<d2>\d+)@)?(?P<end>[\d:]+)")


def read_range(text: str) -> Range:
    """EN-4: ``09:16-09:30``, across days ``2@09:16-1@15:00``. Raises BadText."""
    match = _RANGE.fullmatch(clean(text))
    if match is None or (match["d1"] is None) != (match["d2"] is None):
        raise BadText(f"{text.strip()!r} is no range; {RANGE_HINT}")
    first = None if match["d1"] is None else read_whole(match["d1"], "days to expiry", 0, 250)
    last = None if match["d2"] is None else read_whole(match["d2"], "days to expiry", 0, 250)
    found = Range(start=read_time(match["start"]), end=read_time(match["end"]), start_dte=first, end_dte=last)
    backwards = found.end <= found.start if first == last else (first or 0) < (last or 0)
    if backwards:
        raise BadText(f"{text.strip()!r} ends before it begins; {RANGE_HINT}")
    return found


def write_range(rule: Range) -> str:
    """The text that ``read_range`` reads back."""
    first = "" if rule.start_dte is None else f"{rule.start_dte}@"
    last = "" if rule.end_dte is None else f"{rule.end_dte}@"
    return f"{first}{write_time(rule.start)}-{last}{write_time(rule.end)}"


_ON: Final = r"(?: on (?P<candle>\d+) ?m)?"
_LEVEL: Final = re.compile(rf"(?P<way>above|below) (?P<level>[\d,.]+){_ON}")


def read_level_trigger(text: str) -> LevelTrigger:
    """EN-5: ``above 24600``, ``below 24300 on 5m``. Raises BadText."""
    match = _LEVEL.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no level; write above 24600, or below 24300 on 5m for candle closes")
    candle = read_whole(match["candle"] or "0", "minutes", 0, 120)
    return LevelTrigger(level=hundredths(match["level"]), cross=_WAY[match["way"]], candle=candle)


def write_level_trigger(rule: LevelTrigger) -> str:
    """The text that ``read_level_trigger`` reads back."""
    way = "above" if rule.cross is Cross.UP else "below"
    return f"{way} {plain(rule.level)}" + (f" on {rule.candle}m" if rule.candle else "")


_STRADDLE: Final = re.compile(r"(?P<way>above|below) (?P<level>[\d,.]+)|(?P<move>[+-][\d.]+) ?%")


def read_straddle(text: str) -> StraddleTrigger:
    """EN-6: ``above 300``, ``below 250``, ``-10%`` since the open. Raises BadText."""
    match = _STRADDLE.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no straddle trigger; write above 300, below 250 or -10%")
    if match["move"]:
        return StraddleTrigger(move=hundredths(match["move"]))
    return StraddleTrigger(level=hundredths(match["level"]), cross=_WAY[match["way"]])


def write_straddle(rule: StraddleTrigger) -> str:
    """The text that ``read_straddle`` reads back."""
    if rule.move is not None:
        return f"{signed(rule.move)}%"
    return f"{'above' if rule.cross is Cross.UP else 'below'} {plain(rule.level or 0)}"


INDICATOR_HINT: Final = (
    "write supertrend(10,3) up on 5m, ema(9,21) down on 5m, rsi(14) above 60 on 5m or vwap up on 5m; "
    "'of ce' looks at a leg's contract"
)
_INDICATOR: Final = re.compile(
    r"(?P<kind>supertrend|ema|rsi|vwap)(?:\((?P<one>\d+)(?:, ?(?P<two>[\d.]+))?\))? (?P<way>up|down|above|below)"
    rf"(?: (?P<level>[\d.]+))?{_ON}(?: of (?P<leg>[a-z0-9-]+))?"
)


def read_indicator(text: str) -> IndicatorTrigger:
    """EN-7, on closed candles: see ``INDICATOR_HINT``. Raises BadText."""
    match = _INDICATOR.fullmatch(clean(text))
    if match is None or (match["kind"] == "rsi") != bool(match["level"]):
        raise BadText(f"{text.strip()!r} is no indicator; {INDICATOR_HINT}")
    found = IndicatorTrigger(kind=_KINDS[match["kind"]], cross=_WAY[match["way"]])
    candle = read_whole(match["candle"], "minutes", 1, 120) if match["candle"] else found.candle
    period, fast, slow, multiple = found.period, found.fast, found.slow, found.multiple
    if found.kind is IndicatorKind.EMA_CROSS:
        fast = read_whole(match["one"] or str(fast), "candles", 1, 500)
        slow = read_whole(match["two"] or str(slow), "candles", 1, 500)
        if fast >= slow:
            raise BadText(f"the fast average must be the shorter; {INDICATOR_HINT}")
    elif match["one"]:
        period = read_whole(match["one"], "candles", 1, 500)
    if found.kind is IndicatorKind.SUPERTREND and match["two"]:
        multiple = hundredths(match["two"])
    elif match["two"] and found.kind is not IndicatorKind.EMA_CROSS:
        raise BadText(f"{text.strip()!r} has a number too many; {INDICATOR_HINT}")
    return IndicatorTrigger(
        kind=found.kind,
        cross=found.cross,
        candle=candle,
        period=period,
        fast=fast,
        slow=slow,
        multiple=multiple,
        level=hundredths(match["level"]) if match["level"] else found.level,
        leg=match["leg"] or "",
    )


_KINDS: Final = {
    "supertrend": IndicatorKind.SUPERTREND,
    "ema": IndicatorKind.EMA_CROSS,
    "rsi": IndicatorKind.RSI,
    "vwap": IndicatorKind.VWAP,
}


def write_indicator(rule: IndicatorTrigger) -> str:
    """The text that ``read_indicator`` reads back."""
    up = rule.cross is Cross.UP
    match rule.kind:
        case IndicatorKind.SUPERTREND:
            text = f"supertrend({rule.period},{plain(rule.multiple)}) {'up' if up else 'down'}"
        case IndicatorKind.EMA_CROSS:
            text = f"ema({rule.fast},{rule.slow}) {'up' if up else 'down'}"
        case IndicatorKind.RSI:
            text = f"rsi({rule.period}) {'above' if up else 'below'} {plain(rule.level)}"
        case IndicatorKind.VWAP:
            text = f"vwap {'up' if up else 'down'}"
    return f"{text} on {rule.candle}m" + (f" of {rule.leg}" if rule.leg else "")


_SPAN: Final = re.compile(r"(?P<low>[+-]?[\d.]+?)?%?\.\.(?P<high>[+-]?[\d.]+)?%?")


def read_span(text: str) -> tuple[int | None, int | None]:
    """``11..18``, ``-0.5%..0.5%``, ``..18``: bounds in hundredths, None where open. Raises BadText."""
    match = _SPAN.fullmatch(clean(text))
    if match is None or (match["low"] is None and match["high"] is None):
        raise BadText(f"{text.strip()!r} is no span; write 11..18, -0.5%..0.5%, ..18 or 11..")
    low = hundredths(match["low"]) if match["low"] else None
    high = hundredths(match["high"]) if match["high"] else None
    if low is not None and high is not None and low > high:
        raise BadText(f"{text.strip()!r} holds nothing; write the smaller number first")
    return low, high


def write_span(low: int | None, high: int | None, tail: str = "") -> str:
    """The text that ``read_span`` reads back; empty where both are open."""
    if low is None and high is None:
        return ""
    return f"{'' if low is None else plain(low) + tail}..{'' if high is None else plain(high) + tail}"
