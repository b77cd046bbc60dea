"""What the conditions of an entry remember between two prices: kept in the journal, so that a restart keeps a range.

Prices are paise, times aware IST.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from optconsole.engine.model.leg_rules import Measure


class LegWait(msgspec.Struct, frozen=True, kw_only=True):
    """EN-2: a locked contract waits for a move from ``reference`` to ``level``, of the premium or the underlying."""

    contract: str
    move: Measure
    reference: int
    level: int


class CombinedWait(msgspec.Struct, frozen=True, kw_only=True):
    """EN-3: the combined premium at ``since``, signed, and the level that it must reach."""

    start: int
    level: int
    since: datetime


class RangeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """EN-4: the running high and low, and the first and last instant at which a price was seen for them."""

    high: int
    low: int
    first: datetime
    last: datetime


class CrossSeen(msgspec.Struct, frozen=True):
    """EN-5: ``ready`` once the price has been on the near side of the level, from which alone it can cross."""

    ready: bool = False


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """A closed or forming candle. ``volume`` is units traded in it, None for a source that has none."""

    start: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int | None = None


class Forming(msgspec.Struct, frozen=True, kw_only=True):
    """The candle under way, and the day's volume as it was when it began and as it is now.

    ``told`` once its time was over and it was handed out although no later price had come.
    """

    candle: Candle
    told: bool = False
    before: int | None = None
    traded: int | None = None
