"""Net delta and vega of the worst case: of all that is open with what may still trade on the side that makes it more.

Delta is rupees of the underlying that would do the same, vega rupees for each point of volatility. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from optconsole.engine.model.limits import LimitKind
from optconsole.engine.rules.exposure import Line


class Sensitivity(NamedTuple):
    """Of one bought unit, in paise: delta times the forward, and vega for a point of volatility."""

    delta: float
    vega: float


SensitivityOf = Callable[[str], Sensitivity | None]


def net(kind: LimitKind, lines: Iterable[Line], known: SensitivityOf) -> tuple[int | None, str]:
    """Paise of the worst case either way; None with the contract of which nothing is known."""
    most = least = 0.0
    for line in lines:
        if not line.worst:
            continue
        found = known(line.contract)
        if found is None:
            return None, line.contract
        each = found.delta if kind is LimitKind.NET_DELTA else found.vega
        ends = (each * line.high, each * line.low)
        most, least = most + max(ends), least + min(ends)
    return round(max(abs(most), abs(least))), ""
