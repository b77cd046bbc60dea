"""What became of a file that was imported."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec
import numpy as np

from optconsole.brokers.replay.rows import Ints
from optconsole.engine.model.timeline import from_millis

GAP_SECONDS: Final = 150.0


class Gap(msgspec.Struct, frozen=True):
    """Nothing was quoted from a moment on, for so long."""

    since: datetime
    seconds: float


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file. ``dropped`` counts rows by reason; ``gaps`` are those longer than 150 s."""

    source: str
    target: str
    shape: str
    day: date
    underlyings: tuple[str, ...]
    instruments: int
    rows_read: int
    quotes_written: int
    frames: int
    dropped: dict[str, int]
    gaps: tuple[Gap, ...]
    first: datetime
    last: datetime
    notes: tuple[str, ...]


def gaps_in(moments: Ints) -> tuple[Gap, ...]:
    """Where more than 150 s lie between two moments (epoch milliseconds, in order)."""
    pauses = np.diff(moments) / 1000
    return tuple(
        Gap(from_millis(int(moments[place])), float(pauses[place])) for place in np.flatnonzero(pauses > GAP_SECONDS)
    )
