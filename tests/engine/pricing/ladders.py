"""Synthetic chains with a known forward and a known volatility surface."""

from __future__ import annotations

import math

from optconsole.engine.pricing import scalar
from optconsole.engine.pricing.ladder import Ladder, Side

STEP = 5_000
FORWARD = 2_453_710.0
YEARS = 5 / 365
RATE = 0.065


def surface(strike: float) -> float:
    """A skewed smile."""
    x = math.log(strike / FORWARD)
    return 0.11 - 0.6 * x + 9.0 * x * x


def theoretical(strike: float, is_call: bool, rate: float = RATE) -> float:
    """Exact price in paise."""
    return scalar.greeks(FORWARD, strike, YEARS, rate, surface(strike), is_call).price


def book(price: float, half_spread: int = 10) -> tuple[int, int]:
    """Bid and ask whose mid is `price` to the half paisa."""
    twice = round(2 * price)
    bid = max(1, (twice - 2 * half_spread) // 2)
    return bid, max(twice - bid, bid)


def quoted(strikes: tuple[int, ...], is_call: bool, oi: tuple[int | None, ...] = ()) -> Side:
    books = [book(theoretical(strike, is_call)) for strike in strikes]
    return Side(tuple(b for b, _ in books), tuple(a for _, a in books), (None,) * len(strikes), oi)


def traded(strikes: tuple[int, ...], is_call: bool) -> Side:
    nothing = (None,) * len(strikes)
    return Side(nothing, nothing, tuple(max(1, round(theoretical(strike, is_call))) for strike in strikes))


def strikes_around(each_side: int = 20) -> tuple[int, ...]:
    middle = round(FORWARD / STEP) * STEP
    return tuple(middle + STEP * n for n in range(-each_side, each_side + 1))


def synthetic_ladder(each_side: int = 20) -> Ladder:
    strikes = strikes_around(each_side)
    return Ladder(strikes, quoted(strikes, True), quoted(strikes, False))
