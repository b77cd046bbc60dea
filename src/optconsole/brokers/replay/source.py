"""What a source module hands on: the option rows of one underlying, and what it had to leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from optconsole.brokers.replay.rows import Flags, Floats, OptionRows
from optconsole.engine.market.board import HIGHEST_PRICE

_HIGHEST_RUPEES: Final = HIGHEST_PRICE / 100
_PAISA: Final = 0.01
_LARGEST_COUNT: Final = 1e14


@dataclass(slots=True)
class Drops:
    """Rows left out, by reason."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, rows: Flags) -> None:
        """Count the rows of a mask."""
        count = int(np.count_nonzero(rows))
        if count:
            self.counts[reason] += count


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one underlying; its name is empty where the file does not say it."""

    underlying: str
    rows: OptionRows
    drops: Drops
    booked: bool


def whole_prices(drops: Drops, among: Flags, prices: Sequence[Floats], counts: Sequence[Floats]) -> Flags:
    """Rows whose figures are numbers, not negative and not beyond belief; the first price is the strike."""
    columns = [*prices, *counts]
    endless = ~np.logical_and.reduce([np.isfinite(column) for column in columns])
    drops.add("not a number", among & endless)
    with np.errstate(invalid="ignore"):
        negative = ~endless & np.logical_or.reduce([column < 0 for column in columns])
        high = np.logical_or.reduce([column >= _HIGHEST_RUPEES for column in prices])
        high |= np.logical_or.reduce([column >= _LARGEST_COUNT for column in counts])
        high &= ~endless & ~negative
        strikeless = ~endless & ~negative & ~high & (prices[0] < _PAISA)
    drops.add("negative", among & negative)
    drops.add("out of range", among & high)
    drops.add("no strike", among & strikeless)
    sound: Flags = ~(endless | negative | high | strikeless)
    return sound
