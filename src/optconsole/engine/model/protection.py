"""The promise that guards a position: where it ends, who watches, and how far the promise has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.orders import Side
from optconsole.engine.model.positions import PositionKey


class StopMode(StrEnum):
    """Who watches the stop: this engine alone, the broker alone, or both, the broker's being the wider (OE-8)."""

    LOCAL = "local"
    BROKER = "broker"
    BOTH = "both"


class Guard(StrEnum):
    """How far the stop at the exchange has come. NONE is a guard that this engine alone keeps."""

    NONE = "NONE"
    PLACING = "PLACING"
    WORKING = "WORKING"
    TRIGGERED = "TRIGGERED"
    FILLED = "FILLED"
    REPAIR = "REPAIR"


class Repair(StrEnum):
    """What is wrong with a stop in repair."""

    NONE = ""
    REJECTED = "REJECTED"
    MISSING = "MISSING"
    STALE_QTY = "STALE_QTY"
    UNFILLED = "UNFILLED"


def guard_name(key: PositionKey, source: str = "") -> str:
    """How a guard is called in the book: by its position, and by the leg of a run whose part alone it guards."""
    return f"{key}|{source}" if source else str(key)


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """A position's stop and target in paise. ``id`` is the parent of its orders, ``sign`` the position's direction.

    ``source`` is the leg of a run whose part of the position alone is guarded; empty for the rest of it.

    ``wide`` is the trigger of the stop at the exchange, None where none is wanted. ``crossed_at``, ``crossed_ts`` (the
    quote's time) and ``crossing`` (stop or target) remember a first quote beyond a level; ``blind`` that its price is
    too old to watch.
    """

    id: str
    key: PositionKey
    sign: int
    stop: int | None
    target: int | None
    mode: StopMode
    wide: int | None
    since: datetime
    state: Guard = Guard.NONE
    reason: Repair = Repair.NONE
    crossing: str = ""
    crossed_at: datetime | None = None
    crossed_ts: int = 0
    blind: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        """How the guard is called in the book."""
        return guard_name(self.key, self.source)

    @property
    def closes(self) -> Side:
        """The side of the orders that close the position."""
        return Side.SELL if self.sign > 0 else Side.BUY
