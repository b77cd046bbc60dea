"""Strikes and expiries in words: ``OTM 2``, ``premium >= 100``, ``ATM +0.5 straddle``, ``weekly+1 roll 13:00``."""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match
from typing import Final

from optconsole.engine.model.strikes import (
    AnyStrike,
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    ExpiryRule,
    Gauge,
    Liquidity,
    MatchStrike,
    OffsetStrike,
    Pick,
    PremiumStrike,
    RelativeStrike,
    Series,
    StepStrike,
    StrikeUnit,
    VolatilityStrike,
)
from optconsole.engine.strategies.amounts import (
    NUMBER,
    BadText,
    hundredths,
    plain,
    read_day,
    read_time,
    read_whole,
    signed,
    thousandths,
    write_day,
    write_time,
)

STRIKE_HINT: Final = (
    "write ATM, OTM 2, ITM 1, ATM +150, OTM 1.5%, ATM +0.5 straddle, 24500, premium 100, premium >= 100, "
    "premium 80..120, premium 50% straddle, delta 0.30, leg ce +4, cheap 5, 1.5 atr, 1 vix or match ce"
)
_OPS: Final = {"": Pick.CLOSEST, "~": Pick.CLOSEST, ">=": Pick.AT_LEAST, "<=": Pick.AT_MOST}
_SIGNS: Final = {Pick.CLOSEST: "", Pick.AT_LEAST: ">= ", Pick.AT_MOST: "<= "}
_LEG: Final = r"(?P<leg>[a-z0-9-]+)"


def _steps(match: Match[str]) -> AnyStrike:
    steps = read_whole(match["steps"], "a number of strikes", 1, 100)
    return StepStrike(steps if match["way"] == "otm" else -steps)


def _offset(match: Match[str]) -> AnyStrike:
    way, unit = match["way"], _unit(match["percent"], match["unit"])
    by_right = way in ("otm", "itm")
    if by_right == bool(match["sign"]) or (by_right and not match["percent"] and not match["unit"]):
        raise BadText(f"ATM takes a sign, OTM and ITM say % or points; {STRIKE_HINT}")
    amount = hundredths(match["amount"])
    if way == "itm" or match["sign"] == "-":
        amount = -amount
    if not amount:
        raise BadText(f"an offset of 0 is ATM; {STRIKE_HINT}")
    return OffsetStrike(amount, unit, by_right, way == "spot")


def _unit(percent: str | None, word: str | None) -> StrikeUnit:
    if percent:
        return StrikeUnit.PERCENT
    return StrikeUnit.STRADDLE if word == "straddle" else StrikeUnit.POINTS


def _premium(match: Match[str]) -> AnyStrike:
    low, of_straddle = hundredths(match["low"]), match["percent"] is not None
    if not low:
        raise BadText("a premium of 0 finds nothing")
    if match["high"] is None:
        if match["fallback"]:
            raise BadText("'else' belongs to a range such as premium 80..120 else >=")
        return PremiumStrike(low, _OPS[match["op"] or ""], None, of_straddle)
    high = hundredths(match["high"])
    if high <= low or match["op"]:
        raise BadText("a range of premiums is written like 80..120, the smaller first")
    fallback = _OPS[match["fallback"]] if match["fallback"] else None
    return PremiumStrike(low, Pick.WITHIN, high, of_straddle, fallback)


def _delta(match: Match[str]) -> AnyStrike:
    low = thousandths(match["low"])
    high = thousandths(match["high"]) if match["high"] else None
    if not low or (high is not None and high <= low):
        raise BadText("a delta is written like 0.30, a range like 0.25..0.35")
    return DeltaStrike(low, high)


def _relative(match: Match[str]) -> AnyStrike:
    unit = {"%": StrikeUnit.PERCENT, "points": StrikeUnit.POINTS}.get(match["unit"] or "", StrikeUnit.STRIKES)
    amount = (
        read_whole(match["amount"], "a number of strikes", 0, 100)
        if unit is StrikeUnit.STRIKES
        else hundredths(match["amount"])
    )
    upwards = match["up"] is not None
    return RelativeStrike(match["leg"], -amount if match["sign"] == "-" else amount, unit, not upwards)


def _cheap(match: Match[str]) -> AnyStrike:
    return CheapStrike(
        hundredths(match["most"]),
        read_whole(match["oi"] or "0", "open interest"),
        read_whole(match["volume"] or "0", "a volume"),
    )


def _volatility(match: Match[str]) -> AnyStrike:
    gauge = Gauge(match["gauge"])
    days = read_whole(match["days"] or "14", "days", 2, 200)
    if gauge is Gauge.VIX and match["days"]:
        raise BadText("only an ATR has a number of days")
    return VolatilityStrike(hundredths(match["multiple"]), gauge, days)


def _match(match: Match[str]) -> AnyStrike:
    return MatchStrike(match["leg"], hundredths(match["within"]) if match["within"] else None)


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[Match[str]], AnyStrike]], ...]] = (
    (re.compile(r"atm"), lambda _match: StepStrike(0)),
    (re.compile(r"(?P<way>otm|itm) ?(?P<steps>\d+)"), _steps),
    (
        re.compile(
            rf"(?P<way>atm|spot|otm|itm) ?(?P<sign>[+-]?) ?(?P<amount>{NUMBER}) ?"
            r"(?P<percent>%)? ?(?P<unit>points|straddle)?"
        ),
        _offset,
    ),
    (re.compile(rf"(?P<strike>{NUMBER})"), lambda match: ExactStrike(hundredths(match["strike"]))),
    (
        re.compile(
            rf"premium ?(?P<op>>=|<=|~)? ?(?P<low>{NUMBER})(?:\.\.(?P<high>{NUMBER}))?(?P<percent> ?% ?straddle)?"
            r"(?: else (?P<fallback>>=|<=|~))?"
        ),
        _premium,
    ),
    (re.compile(r"delta ?(?P<low>[\d.]+?)(?:\.\.(?P<high>[\d.]+))?"), _delta),
    (
        re.compile(rf"leg {_LEG} ?(?P<sign>[+-]) ?(?P<amount>{NUMBER}) ?(?P<unit>%|points|strikes)?(?P<up> up)?"),
        _relative,
    ),
    (re.compile(rf"cheap ?(?P<most>{NUMBER})(?: oi (?P<oi>\d+))?(?: volume (?P<volume>\d+))?"), _cheap),
    (re.compile(rf"(?P<multiple>{NUMBER}) (?P<gauge>atr|vix)(?: (?P<days>\d+)d)?"), _volatility),
    (re.compile(rf"match {_LEG}(?: within (?P<within>{NUMBER}))?"), _match),
)


def read_strike(text: str) -> AnyStrike:
    """Read a strike rule. Raises BadText."""
    cleaned = " ".join(text.lower().split())
    for pattern, read in _READERS:
        match = pattern.fullmatch(cleaned)
        if match is not None:
            return read(match)
    raise BadText(f"{text.strip()!r} names no strike; {STRIKE_HINT}")


def write_strike(rule: AnyStrike) -> str:
    """The text that ``read_strike`` reads back."""
    match rule:
        case StepStrike(steps):
            return "ATM" if not steps else f"{'OTM' if steps > 0 else 'ITM'} {abs(steps)}"
        case OffsetStrike():
            return _write_offset(rule)
        case ExactStrike(strike):
            return plain(strike)
        case PremiumStrike():
            return _write_premium(rule)
        case DeltaStrike(amount, upper):
            return f"delta {plain(amount, 3)}" + ("" if upper is None else f"..{plain(upper, 3)}")
        case RelativeStrike():
            return _write_relative(rule)
        case CheapStrike(most, oi, volume):
            return f"cheap {plain(most)}" + (f" oi {oi}" if oi else "") + (f" volume {volume}" if volume else "")
        case VolatilityStrike(multiple, gauge, days):
            return f"{plain(multiple)} {gauge.value}" + (f" {days}d" if gauge is Gauge.ATR and days != 14 else "")
        case MatchStrike(leg, within):
            return f"match {leg}" + ("" if within is None else f" within {plain(within)}")


def _write_offset(rule: OffsetStrike) -> str:
    units = {StrikeUnit.PERCENT: "%", StrikeUnit.STRADDLE: " straddle", StrikeUnit.POINTS: ""}
    if rule.otm:
        unit = " points" if rule.unit is StrikeUnit.POINTS else units[rule.unit]
        return f"{'OTM' if rule.amount > 0 else 'ITM'} {plain(abs(rule.amount))}{unit}"
    return f"{'spot' if rule.from_spot else 'ATM'} {signed(rule.amount)}{units[rule.unit]}"


def _write_premium(rule: PremiumStrike) -> str:
    tail = "% straddle" if rule.of_straddle else ""
    if rule.pick is not Pick.WITHIN:
        return f"premium {_SIGNS[rule.pick]}{plain(rule.amount)}{tail}"
    other = "" if rule.fallback is None else f" else {_SIGNS[rule.fallback].strip() or '~'}"
    return f"premium {plain(rule.amount)}..{plain(rule.upper or 0)}{tail}{other}"


def _write_relative(rule: RelativeStrike) -> str:
    if rule.unit is StrikeUnit.STRIKES:
        amount = f"{rule.amount:+d}"
    else:
        amount = signed(rule.amount) + ("%" if rule.unit is StrikeUnit.PERCENT else " points")
    return f"leg {rule.leg} {amount}" + ("" if rule.otm else " up")


_EXPIRY: Final = re.compile(
    r"(?P<series>weekly|monthly|quarterly)(?: ?\+ ?(?P<offset>\d+))?"
    r"(?: roll (?P<roll>[\d:]+))?(?: from dte (?P<dte>\d+))?"
)
EXPIRY_HINT: Final = "write weekly, weekly+1, monthly, monthly roll 13:00, weekly from dte 1 or 25NOV26"


def read_expiry(text: str) -> ExpiryRule:
    """``weekly+1``, ``monthly roll 13:00``, ``weekly from dte 1``, ``25NOV26``. Raises BadText."""
    cleaned = " ".join(text.lower().split())
    match = _EXPIRY.fullmatch(cleaned)
    if match is not None:
        return ExpiryRule(
            series=Series(match["series"]),
            offset=read_whole(match["offset"] or "0", "an expiry", 0, 24),
            roll_at=read_time(match["roll"]) if match["roll"] else None,
            min_dte=read_whole(match["dte"] or "0", "days to expiry", 0, 250),
        )
    try:
        return ExpiryRule(series=Series.FIXED, day=read_day(cleaned))
    except BadText:
        raise BadText(f"{text.strip()!r} names no expiry; {EXPIRY_HINT}") from None


def write_expiry(rule: ExpiryRule) -> str:
    """The text that ``read_expiry`` reads back."""
    if rule.series is Series.FIXED and rule.day is not None:
        return write_day(rule.day)
    text = rule.series.value + (f"+{rule.offset}" if rule.offset else "")
    if rule.roll_at is not None:
        text += f" roll {write_time(rule.roll_at)}"
    return text + (f" from dte {rule.min_dte}" if rule.min_dte else "")


_LIQUIDITY: Final = re.compile(
    rf"(?:spread (?P<spread>{NUMBER}) ?%)? ?(?:oi (?P<oi>\d+))? ?(?:volume (?P<volume>\d+))? ?"
    rf"(?:premium (?P<premium>{NUMBER}))? ?(?:tries (?P<tries>\d+))?"
)
LIQUIDITY_HINT: Final = "write spread 2% oi 1000 volume 100 premium 5 tries 3, any of them"


def read_liquidity(text: str) -> Liquidity:
    """``spread 2% oi 1000 volume 100 premium 5 tries 3``, any of them in this order. Raises BadText."""
    cleaned = " ".join(text.lower().split())
    match = _LIQUIDITY.fullmatch(cleaned)
    if match is None or not cleaned:
        raise BadText(f"{text.strip()!r} is no liquidity; {LIQUIDITY_HINT}")
    return Liquidity(
        max_spread=hundredths(match["spread"] or "0"),
        min_oi=read_whole(match["oi"] or "0", "open interest"),
        min_volume=read_whole(match["volume"] or "0", "a volume"),
        min_premium=hundredths(match["premium"] or "0"),
        tries=read_whole(match["tries"] or "3", "a number of tries", 0, 50),
    )


def write_liquidity(rule: Liquidity) -> str:
    """The text that ``read_liquidity`` reads back; empty for none."""
    parts = (
        (rule.max_spread, f"spread {plain(rule.max_spread)}%"),
        (rule.min_oi, f"oi {rule.min_oi}"),
        (rule.min_volume, f"volume {rule.min_volume}"),
        (rule.min_premium, f"premium {plain(rule.min_premium)}"),
        (rule.tries != Liquidity().tries, f"tries {rule.tries}"),
    )
    return " ".join(text for wanted, text in parts if wanted)
