"""Overall rules in words: ``5000``, ``30% premium``, ``lock``: ``5000: 3000 then 1000: 500``, ``run x2 after 60s``."""

from __future__ import annotations

import re
from typing import Final

from optconsole.engine.model.overall_rules import (
    Again,
    Band,
    Basis,
    Greeks,
    Level,
    OverallReentry,
    OverallTrail,
    ProfitLock,
    Rung,
)
from optconsole.engine.strategies.amounts import BadText, hundredths, plain, read_whole, signed
from optconsole.engine.strategies.leg_text import clean

LEVEL_HINT: Final = "write 5000 (rupees), 30% (of the premium) or 30% net"
_LEVEL: Final = re.compile(r"(?P<amount>[\d,.]+) ?(?P<percent>%)?(?: (?P<net>net))?")


def read_level(text: str) -> Level:
    """SX-1, SX-2: ``5000``, ``30%``, ``30% net``. Raises BadText."""
    match = _LEVEL.fullmatch(clean(text))
    if match is None or (match["net"] and not match["percent"]):
        raise BadText(f"{text.strip()!r} is no overall level; {LEVEL_HINT}")
    amount = hundredths(match["amount"])
    if not amount:
        raise BadText(f"an overall level cannot be 0; {LEVEL_HINT}")
    if not match["percent"]:
        return Level(amount)
    return Level(amount, Basis.NET_PREMIUM if match["net"] else Basis.GROSS_PREMIUM)


def write_level(level: Level) -> str:
    """The text that ``read_level`` reads back."""
    tail = {Basis.RUPEES: "", Basis.GROSS_PREMIUM: "%", Basis.NET_PREMIUM: "% net"}
    return plain(level.amount) + tail[level.basis]


def _pair(text: str, mark: str, hint: str) -> tuple[int, int]:
    first, found, second = clean(text).partition(mark)
    if not found:
        raise BadText(f"{text.strip()!r}: {hint}")
    one, other = hundredths(first), hundredths(second)
    if one <= 0 or other < 0:
        raise BadText(f"{text.strip()!r}: {hint}")
    return one, other


def read_overall_trail(text: str) -> OverallTrail:
    """SX-3: ``1000/500``. Raises BadText."""
    every, move = _pair(text, "/", "write 1000/500: for every 1,000 of profit the stop rises by 500")
    if not move:
        raise BadText("a trail that moves by 0 does nothing; write 1000/500")
    return OverallTrail(every, move)


def write_overall_trail(trail: OverallTrail) -> str:
    """The text that ``read_overall_trail`` reads back."""
    return f"{plain(trail.every)}/{plain(trail.move)}"


LOCK_HINT: Final = "write 5000: 3000, 5000: 3000 then 1000: 500, or trail 1000: 500"


def read_profit_lock(text: str) -> ProfitLock:
    """SX-4 ``5000: 3000``, SX-5 ``5000: 3000 then 1000: 500``, SX-6 ``trail 1000: 500``. Raises BadText."""
    cleaned = clean(text)
    if cleaned.startswith("trail "):
        every, move = _pair(cleaned.removeprefix("trail "), ":", LOCK_HINT)
        return ProfitLock(every=every, move=move)
    first, _, then = cleaned.partition(" then ")
    at, keep = _pair(first, ":", LOCK_HINT)
    if keep >= at:
        raise BadText(f"{text.strip()!r}: what is kept must be less than what locks it; {LOCK_HINT}")
    every, move = _pair(then, ":", LOCK_HINT) if then else (0, 0)
    return ProfitLock(at=at, keep=keep, every=every, move=move)


def write_profit_lock(lock: ProfitLock) -> str:
    """The text that ``read_profit_lock`` reads back."""
    trail = f"{plain(lock.every)}: {plain(lock.move)}"
    if not lock.at:
        return f"trail {trail}"
    return f"{plain(lock.at)}: {plain(lock.keep)}" + (f" then {trail}" if lock.every else "")


_RUNG: Final = re.compile(r"(?P<profit>[\d,.]+) ?: ?(?P<percent>\d+) ?%")


def read_rung(text: str) -> Rung:
    """SX-7, one rung: ``5000: 50%``. Raises BadText."""
    match = _RUNG.fullmatch(clean(text))
    if match is None:
        raise BadText(f"{text.strip()!r} is no rung; write 5000: 50%")
    return Rung(hundredths(match["profit"]), read_whole(match["percent"], "a percentage", 1, 100))


def write_rung(rung: Rung) -> str:
    """The text that ``read_rung`` reads back."""
    return f"{plain(rung.profit)}: {rung.percent}%"


BAND_HINT: Final = (
    "write 24000..25000, above 25000, below 24000, 1% (a move either way), break-even, or some with commas"
)


def read_band(text: str) -> Band:
    """SX-8: ``24000..25000``, ``above 25000``, ``below 24000``, ``1%``, ``break-even``. Raises BadText."""
    low = high = move = None
    touch = False
    for part in clean(text).split(", "):
        first, dots, second = part.partition("..")
        if dots:
            low, high = hundredths(first), hundredths(second)
        elif part.startswith("above "):
            high = hundredths(part.removeprefix("above "))
        elif part.startswith("below "):
            low = hundredths(part.removeprefix("below "))
        elif part.endswith("%"):
            move = hundredths(part.removesuffix("%"))
        elif part == "break-even":
            touch = True
        else:
            raise BadText(f"{text.strip()!r} is no band; {BAND_HINT}")
    if (low is not None and high is not None and low >= high) or (move is not None and move <= 0):
        raise BadText(f"{text.strip()!r} holds no price; {BAND_HINT}")
    return Band(low=low, high=high, move=move, break_even=touch)


def write_band(band: Band) -> str:
    """The text that ``read_band`` reads back."""
    parts = []
    if band.low is not None and band.high is not None:
        parts.append(f"{plain(band.low)}..{plain(band.high)}")
    elif band.high is not None:
        parts.append(f"above {plain(band.high)}")
    elif band.low is not None:
        parts.append(f"below {plain(band.low)}")
    if band.move is not None:
        parts.append(f"{plain(band.move)}%")
    if band.break_even:
        parts.append("break-even")
    return ", ".join(parts)


_GREEKS: Final = re.compile(
    r"(?:delta (?P<delta>\d+(?:\.\d{1,3})?))?,? ?(?:gamma (?P<gamma>\d*\.\d{1,6}|\d+))?,? ?"
    r"(?:decayed (?P<decayed>[\d.]+) ?%)?"
)


def read_greeks(text: str) -> Greeks:
    """SX-9: ``delta 0.5``, ``gamma 0.002``, ``decayed 80%``, with commas between. Raises BadText."""
    cleaned = clean(text)
    match = _GREEKS.fullmatch(cleaned)
    if match is None or not cleaned:
        raise BadText(f"{text.strip()!r} is no Greeks exit; write delta 0.5, gamma 0.002, decayed 80%, any of them")
    return Greeks(
        delta=None if match["delta"] is None else round(float(match["delta"]) * 1000),
        gamma=None if match["gamma"] is None else round(float(match["gamma"]) * 1_000_000),
        decayed=None if match["decayed"] is None else hundredths(match["decayed"]),
    )


def write_greeks(rule: Greeks) -> str:
    """The text that ``read_greeks`` reads back."""
    parts = (
        "" if rule.delta is None else f"delta {plain(rule.delta, 3)}",
        "" if rule.gamma is None else f"gamma {plain(rule.gamma, 6)}",
        "" if rule.decayed is None else f"decayed {plain(rule.decayed)}%",
    )
    return ", ".join(part for part in parts if part)


_AGAIN: Final = re.compile(
    r"(?P<how>run|reverse|momentum)(?: (?P<move>[+-][\d.]+) ?%)?(?: x ?(?P<times>\d+))?(?: after (?P<delay>\d+) ?s)?"
)
AGAIN_HINT: Final = "write run x2, reverse, or momentum +5% x1 after 60s"


def read_again(text: str) -> OverallReentry:
    """Overall re-entry (1.7): ``run x2``, ``reverse``, ``momentum +5% x1 after 60s``. Raises BadText."""
    match = _AGAIN.fullmatch(clean(text))
    if match is None or (match["how"] == "momentum") != bool(match["move"]):
        raise BadText(f"{text.strip()!r} is no overall re-entry; {AGAIN_HINT}")
    return OverallReentry(
        how=Again(match["how"]),
        times=read_whole(match["times"] or "1", "a number of times", 1, 20),
        delay=read_whole(match["delay"] or "0", "seconds", 0, 86_400),
        move=hundredths(match["move"]) if match["move"] else 0,
    )


def write_again(rule: OverallReentry) -> str:
    """The text that ``read_again`` reads back."""
    parts = (
        rule.how.value,
        f"{signed(rule.move)}%" if rule.how is Again.MOMENTUM else "",
        f"x{rule.times}" if rule.times != 1 else "",
        f"after {rule.delay}s" if rule.delay else "",
    )
    return " ".join(part for part in parts if part)
