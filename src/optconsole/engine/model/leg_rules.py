"""What one leg waits for, what ends it, and what follows (features 1.4 EN-2, 1.5, 1.7)."""

from __future__ import annotations

from datetime import time
from enum import StrEnum

import msgspec


class Unit(StrEnum):
    """Of a distance: paise of premium, basis points of the entry premium, both of the underlying, or paise a lot."""

    POINTS = "points"
    PERCENT = "percent"
    UNDERLYING_POINTS = "underlying-points"
    UNDERLYING_PERCENT = "underlying-percent"
    RUPEES_A_LOT = "rupees-a-lot"


class Measure(msgspec.Struct, frozen=True):
    """A distance: paise or basis points, by its unit."""

    amount: int
    unit: Unit = Unit.POINTS


class EntryWait(msgspec.Struct, frozen=True, kw_only=True):
    """EN-2, wait and trade: enter when the price has moved by ``move`` (signed) from the reference at entry time.

    ``first_only`` cancels the waits of the other legs when this one enters.
    """

    move: Measure
    first_only: bool = False


class Edge(StrEnum):
    """Which edge of a range is broken."""

    HIGH = "high"
    LOW = "low"


class Breakout(msgspec.Struct, frozen=True):
    """EN-4, of a leg: enter on the break of this edge; ``of_option`` takes the range of the leg's own contract."""

    edge: Edge
    of_option: bool = False


class StopKind(StrEnum):
    """LX-1: a distance from the entry, the opposite edge of the range, or yesterday's high or low."""

    MOVE = "move"
    RANGE = "range"
    DAY_HIGH = "previous-day-high"
    DAY_LOW = "previous-day-low"


class LegStop(msgspec.Struct, frozen=True, kw_only=True):
    """A leg's stop. ``move`` is of MOVE; ``of_underlying`` takes yesterday's levels of the underlying."""

    kind: StopKind = StopKind.MOVE
    move: Measure | None = None
    of_underlying: bool = False


class TrailKind(StrEnum):
    """LX-3: Y for every X; LX-4: a distance from the best price."""

    STEP = "step"
    PEAK = "peak"


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """A trailing stop. ``every`` and ``move`` are X and Y of STEP; ``move`` the distance and ``after`` the gain that
    activates PEAK. ``interval`` (seconds) looks only at the highs and lows of whole intervals; 0 at every price."""

    kind: TrailKind = TrailKind.STEP
    move: Measure
    every: Measure | None = None
    after: Measure | None = None
    interval: int = 0


class LockStep(msgspec.Struct, frozen=True):
    """LX-6: at a gain of ``profit`` the stop goes to ``keep`` beyond the entry."""

    profit: Measure
    keep: Measure


class WatchKind(StrEnum):
    """LX-10: what a stop is compared with."""

    LTP = "ltp"
    MID = "mid"
    MINUTE_CLOSE = "minute-close"


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """How a leg's levels are watched. ``twice`` asks for two quotes in a row beyond a level."""

    kind: WatchKind = WatchKind.LTP
    twice: bool = False


class SpikeGuard(msgspec.Struct, frozen=True, kw_only=True):
    """LX-12: a last trade that bid and ask contradict by more than ``disagree`` (basis points) counts only after
    ``hold`` milliseconds."""

    disagree: int
    hold: int = 1500


class ReentryMode(StrEnum):
    """Section 1.7. EXECUTE and MOMENTUM choose the contract anew, COST and CLOSE keep it; LAZY arms other legs."""

    EXECUTE = "execute"
    COST = "cost"
    CLOSE = "close"
    MOMENTUM = "momentum"
    LAZY = "lazy"


class Reentry(msgspec.Struct, frozen=True, kw_only=True):
    """What follows a leg's stop or target, ``delay`` seconds after the exit; ``times`` is counted for each of the two.

    ``reverse`` flips the side. ``wait`` puts EN-2 before the entry. ``arms`` are the legs of LAZY. ``square_off_all``
    closes every leg first and then runs the strategy again.
    """

    mode: ReentryMode
    times: int = 1
    delay: int = 0
    reverse: bool = False
    wait: Measure | None = None
    arms: tuple[str, ...] = ()
    square_off_all: bool = False
    not_before: time | None = None
    not_after: time | None = None
