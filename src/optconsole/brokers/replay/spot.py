"""The index of a chain: as the source has it, else what the chain itself implies."""

from __future__ import annotations

from typing import Final

import numpy as np

from optconsole.brokers.replay.rows import UNKNOWN, Ints, OptionRows
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.parity import parity_forward

NO_RATE: Final = 0.0


def index_path(rows: OptionRows) -> tuple[Ints, Ints, int]:
    """(moments, index in paise, how many of them are implied), one a snapshot that gives an index at all.

    Where the source has none the index is the strike plus call less put, the median around the money of the nearest
    expiry. That is the forward of that expiry: it stands above the cash index by the carry of the days that are left.
    """
    moments, levels, implied = [], [], 0
    order = np.lexsort((~rows.call, rows.strike, rows.expiry, rows.at))
    starts = np.flatnonzero(np.diff(rows.at[order], prepend=-1))
    for snapshot in np.split(order, starts[1:]):
        told = rows.spot[snapshot]
        told = told[told != UNKNOWN]
        level = int(np.median(told)) if len(told) else _implied(rows.pick(snapshot))
        implied += int(not len(told) and level is not None)
        if level is not None:
            moments.append(int(rows.at[snapshot[0]]))
            levels.append(level)
    return np.asarray(moments, np.int64), np.asarray(levels, np.int64), implied


def _implied(snapshot: OptionRows) -> int | None:
    """Paise; None where no expiry has a call and a put to compare."""
    for expiry in np.unique(snapshot.expiry):
        forward = parity_forward(_ladder(snapshot.pick(snapshot.expiry == expiry)), 0.0, NO_RATE)
        if forward.value is not None:
            return round(forward.value)
    return None


def _ladder(chain: OptionRows) -> Ladder:
    strikes = np.unique(chain.strike)
    calls, puts = chain.pick(chain.call), chain.pick(~chain.call)
    return Ladder(tuple(strikes.tolist()), _side(calls, strikes), _side(puts, strikes))


def _side(half: OptionRows, strikes: Ints) -> Side:
    where = np.searchsorted(strikes, half.strike)
    columns = []
    for values in (half.bid, half.ask, half.ltp):
        column: list[int | None] = [None] * len(strikes)
        for place, value in zip(where.tolist(), values.tolist(), strict=True):
            column[place] = None if value == UNKNOWN else value
        columns.append(tuple(column))
    return Side(bid=columns[0], ask=columns[1], ltp=columns[2])
