"""What the open interest of one expiry says: put-call ratio and max pain."""

from __future__ import annotations

import numpy as np

from optconsole.engine.pricing.ladder import Column, Ladder


def put_call_ratio(ladder: Ladder) -> float | None:
    """Put over call open interest, of the contracts where it is known; None without a known call side."""
    calls, puts = _known(ladder.calls.oi), _known(ladder.puts.oi)
    if not calls or not puts or sum(calls) == 0:
        return None
    return sum(puts) / sum(calls)


def max_pain(ladder: Ladder) -> int | None:
    """The listed strike (paise) at which option holders would receive least; a tie goes to the lower strike."""
    if not _known(ladder.calls.oi) or not _known(ladder.puts.oi):
        return None
    strikes = np.array(ladder.strikes, dtype=np.float64)
    calls, puts = (np.array([oi or 0 for oi in side.oi], dtype=np.float64) for side in (ladder.calls, ladder.puts))
    if not (calls.any() or puts.any()):
        return None
    above = np.maximum(strikes[:, None] - strikes[None, :], 0.0)
    payout = above @ calls + above.T @ puts
    return ladder.strikes[int(np.argmin(payout))]


def _known(column: Column) -> list[int]:
    return [oi for oi in column if oi is not None]
