"""What is quoted on an option chain of one expiry: strikes with a call and a put side, prices in paise."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

Column = tuple[int | None, ...]
"""One value per strike; None is unknown."""


@dataclass(frozen=True, slots=True)
class Side:
    """Calls or puts: best bid and ask, last trade (paise) and open interest (units), one entry per strike."""

    bid: Column
    ask: Column
    ltp: Column
    oi: Column = ()

    def prices(self) -> tuple[float | None, ...]:
        """The price each contract is valued at, in paise."""
        return tuple(map(fair_price, self.bid, self.ask, self.ltp))


@dataclass(frozen=True, slots=True)
class Ladder:
    """Strikes in paise, ascending, and both sides aligned with them. Raises ValueError where they are not."""

    strikes: tuple[int, ...]
    calls: Side
    puts: Side
    size: int = field(init=False)

    def __post_init__(self) -> None:
        if any(low >= high for low, high in zip(self.strikes, self.strikes[1:], strict=False)):
            raise ValueError("strikes must ascend without repeats")
        for side in (self.calls, self.puts):
            columns = (side.bid, side.ask, side.ltp, side.oi or side.ltp)
            if any(len(column) != len(self.strikes) for column in columns):
                raise ValueError("every column needs one entry per strike")
        object.__setattr__(self, "size", len(self.strikes))


def mid(bid: int | None, ask: int | None) -> float | None:
    """Half way between a sound bid and ask; None for an empty, zero or crossed side."""
    if bid is None or ask is None or not 0 < bid <= ask:
        return None
    return (bid + ask) / 2


def fair_price(bid: int | None, ask: int | None, ltp: int | None) -> float | None:
    """The mid of a two-sided book, else the last trade held inside what book there is; None when unknown."""
    middle = mid(bid, ask)
    if middle is not None:
        return middle
    if ltp is None or ltp <= 0:
        return None
    if bid is not None and ask is not None and bid > ask:
        return float(ltp)
    if bid is not None and ltp < bid:
        return float(bid)
    if ask is not None and 0 < ask < ltp:
        return float(ask)
    return float(ltp)


def nearest_strike(strikes: Sequence[int], reference: float) -> int:
    """Index of the listed strike nearest to `reference`; a tie goes to the lower strike. Needs one strike."""
    at = bisect_left(strikes, reference)
    if at == 0:
        return 0
    if at == len(strikes) or reference - strikes[at - 1] <= strikes[at] - reference:
        return at - 1
    return at
