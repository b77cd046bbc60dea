"""The forward that the chain itself implies: put-call parity, F = K + (C - P) exp(r T)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import exp
from statistics import median

from optconsole.engine.pricing.ladder import Ladder, mid

AROUND = 7
"""Strikes nearest the money whose forwards are compared."""
VAGUER = 4.0
"""How many times wider than the tightest of these a strike's books may be and still count."""


class Source(StrEnum):
    """Which prices the forward was read from, or why there is none."""

    BOOK = "book"
    LAST_TRADE = "last_trade"
    NO_PAIR = "no_pair"

    @property
    def text(self) -> str:
        """The same in one sentence for the trader."""
        return _SENTENCES[self]


_SENTENCES = {
    Source.BOOK: "Forward from the middle of call and put books around the money.",
    Source.LAST_TRADE: "Forward from last trades around the money, because no strike has both books.",
    Source.NO_PAIR: "No strike has both a call and a put price, so parity gives no forward.",
}


@dataclass(frozen=True, slots=True)
class Forward:
    """`value` in paise, None where `source` is NO_PAIR; `width` is the largest less the smallest of those compared."""

    value: float | None
    source: Source
    strikes_used: int = 0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class _Estimate:
    strike: int
    forward: float
    weight: float


def parity_forward(ladder: Ladder, years: float, rate: float) -> Forward:
    """The median of what the strikes around the money say, from books where there are any, else last trades."""
    growth = exp(rate * years)
    for source, read in ((Source.BOOK, _from_books), (Source.LAST_TRADE, _from_trades)):
        sound = [estimate for estimate in read(ladder, growth) if estimate.forward > 0.0]
        if sound:
            return _agree(sound, source)
    return Forward(None, Source.NO_PAIR)


def _from_books(ladder: Ladder, growth: float) -> Iterable[_Estimate]:
    """One estimate per strike with both books; the tighter the books, the more it weighs."""
    calls, puts = ladder.calls, ladder.puts
    columns = zip(ladder.strikes, calls.bid, calls.ask, puts.bid, puts.ask, strict=True)
    for strike, call_bid, call_ask, put_bid, put_ask in columns:
        call, put = mid(call_bid, call_ask), mid(put_bid, put_ask)
        if call is not None and put is not None:
            spread = (call_ask or 0) - (call_bid or 0) + (put_ask or 0) - (put_bid or 0)
            yield _Estimate(strike, strike + (call - put) * growth, 1.0 / (1.0 + spread))


def _from_trades(ladder: Ladder, growth: float) -> Iterable[_Estimate]:
    """One estimate per strike whose call and put have traded; the cheaper leg tells how near the money it is."""
    for strike, call, put in zip(ladder.strikes, ladder.calls.ltp, ladder.puts.ltp, strict=True):
        if call is not None and put is not None and call > 0 and put > 0:
            yield _Estimate(strike, strike + (call - put) * growth, float(min(call, put)))


def _agree(estimates: list[_Estimate], source: Source) -> Forward:
    """First a weighted median of all, so that no single junk quote decides where the money is; then the plain
    median of the strikes nearest to it, those far vaguer than the best of them left out."""
    centre = _weighted_median(estimates)
    near = sorted(estimates, key=lambda estimate: abs(estimate.strike - centre))[:AROUND]
    best = max(estimate.weight for estimate in near)
    values = [estimate.forward for estimate in near if estimate.weight * VAGUER >= best]
    return Forward(median(values), source, len(values), max(values) - min(values))


def _weighted_median(estimates: list[_Estimate]) -> float:
    ordered = sorted(estimates, key=lambda estimate: estimate.forward)
    half, running = sum(estimate.weight for estimate in ordered) / 2, 0.0
    for estimate in ordered:
        running += estimate.weight
        if running >= half:
            return estimate.forward
    return ordered[-1].forward
