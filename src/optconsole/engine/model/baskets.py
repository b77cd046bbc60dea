"""Baskets: strategies that are started, limited and stopped together, and the accounts that run them (BK-1, BK-5)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.strategies import Strategy


class BasketStatus(StrEnum):
    """ACTIVE runs by its schedule, PAUSED starts nothing new, STOPPED nothing at all, ARCHIVED is out of sight."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    ARCHIVED = "ARCHIVED"


class Rounding(StrEnum):
    """What a multiplier that makes no whole lots does: refuse, go down, or share by largest remainder."""

    REFUSE = "refuse"
    FLOOR = "floor"
    REMAINDER = "remainder"


class Pace(StrEnum):
    """Orders across accounts: all at once, one after another by priority, or so many milliseconds apart."""

    PARALLEL = "parallel"
    PRIORITY = "priority"
    STAGGERED = "staggered"


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """One account's part in a basket. ``multiplier`` is hundredths. ``lots`` per leg id overrides it.

    ``group`` is the owner's word for whose money it is.
    """

    account: str
    multiplier: int = 100
    priority: int = 1
    max_lots: int = 100
    rounding: Rounding = Rounding.REFUSE
    lots: dict[str, int] = {}
    group: str = ""
    enabled: bool = True


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """A basket as written. ``capital`` and ``max_loss`` (a day) in paise, None where not given."""

    name: str
    strategies: tuple[Strategy, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    capital: int | None = None
    max_loss: int | None = None
    pace: Pace = Pace.PARALLEL
    stagger_ms: int = 0
    note: str = ""

    def strategy(self, name: str) -> Strategy | None:
        """The strategy of that name."""
        return next((each for each in self.strategies if each.name == name), None)


class BasketBook(msgspec.Struct, frozen=True, kw_only=True):
    """A basket in the book: what is written, in which version, and what may be done with it.

    ``source`` and ``pin`` name the publisher's bundle and version it came from; empty for one's own.
    """

    basket: Basket
    version: int
    status: BasketStatus
    saved_at: datetime
    by: str
    source: str = ""
    pin: str = ""
