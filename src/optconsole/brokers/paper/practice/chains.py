"""What is listed on a practice day: a chain that does not lose yesterday's strikes when the index moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from optconsole.brokers.paper.practice.hours import Listing
from optconsole.brokers.paper.practice.levels import INDICES, day_level
from optconsole.brokers.paper.practice.sheet import index_instruments, month_ends
from optconsole.engine.model.instruments import Instrument, Kind

WEEKLY_LIFE: Final = timedelta(days=45)
MONTHLY_LIFE: Final = timedelta(days=130)
"""Longer than a contract of three serial months is ever listed."""


def chain(seed: int, day: date, listing: Listing) -> list[Instrument]:
    """Indices first, then futures and options by underlying, expiry and strike.

    An exchange adds strikes as the index moves and removes none before expiry. So each expiry spans from the lowest to
    the highest close since it was new, with the listing's own breadth beyond both.
    """
    found = index_instruments()
    for row, index in enumerate(INDICES):
        found += sorted(_contracts(seed, day, row, index.name, listing), key=_order)
    return found


def _contracts(seed: int, day: date, row: int, name: str, listing: Listing) -> Iterator[Instrument]:
    yesterday = day - timedelta(days=1)
    around: dict[int, Sequence[Instrument]] = {}

    def listed(spot: int) -> Sequence[Instrument]:
        if spot not in around:
            around[spot] = [item for item in listing(name, day, spot) if item.kind is not Kind.INDEX]
        return around[spot]

    close = day_level(seed, yesterday).closes[row]
    expiries = sorted({item.expiry for item in listed(close) if item.expiry is not None})
    monthly = month_ends(expiries)
    for expiry in expiries:
        born = min(expiry - (MONTHLY_LIFE if expiry in monthly else WEEKLY_LIFE), yesterday)
        age = (yesterday - born).days
        closes = [day_level(seed, yesterday - timedelta(days=back)).closes[row] for back in range(age + 1)]
        ends = (item for spot in (min(closes), max(closes)) for item in listed(spot) if item.expiry == expiry)
        yield from {item.name: item for item in ends}.values()


def _order(item: Instrument) -> tuple[date, int, str]:
    return item.expiry or date.max, item.strike or 0, item.name
