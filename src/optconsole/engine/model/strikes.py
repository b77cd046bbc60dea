"""What a leg's strike and expiry are chosen by (features 1.2, 1.3).

Prices and points are paise, percents basis points (25 % is 2,500), deltas thousandths, multiples hundredths.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

import msgspec


class Reference(StrEnum):
    """What ATM is measured by: the index, the future of the leg's expiry, or the future that parity makes (OC-2)."""

    SPOT = "spot"
    FUTURE = "future"
    SYNTHETIC = "synthetic"


class StrikeUnit(StrEnum):
    """Of an offset: points, percent, straddles (hundredths of the ATM straddle), or listed strikes."""

    POINTS = "points"
    PERCENT = "percent"
    STRADDLE = "straddle"
    STRIKES = "strikes"


class StrikeRule(msgspec.Struct, frozen=True, tag_field="by"):
    """Base of the ways to choose a strike. The choice is made once, at the trigger instant, and then kept."""


class StepStrike(StrikeRule, frozen=True, tag="steps"):
    """SK-1: listed strikes from ATM, positive out of the money for the leg's right, negative in the money."""

    steps: int = 0


class OffsetStrike(StrikeRule, frozen=True, tag="offset"):
    """SK-2, SK-3, SK-9, SK-12: the listed strike nearest to ATM, or to the reference itself, plus ``amount``.

    ``otm`` makes the sign follow the right (positive is out of the money); else positive is upwards for both.
    ``from_spot`` measures from the reference price and not from the ATM strike; percents always do.
    """

    amount: int
    unit: StrikeUnit = StrikeUnit.POINTS
    otm: bool = False
    from_spot: bool = False


class ExactStrike(StrikeRule, frozen=True, tag="exact"):
    """SK-4: this strike and no other, in paise."""

    strike: int


class Pick(StrEnum):
    """Which premium: the nearest to the amount, the smallest not below, the largest not above, or one in a range."""

    CLOSEST = "closest"
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    WITHIN = "within"


class PremiumStrike(StrikeRule, frozen=True, tag="premium"):
    """SK-5 to SK-8, and SK-10 with ``of_straddle``: amounts are then basis points of the ATM straddle's premium.

    ``upper`` ends the range of WITHIN; ``fallback`` is what is picked, by the range's middle, where none lies in it.
    """

    amount: int
    pick: Pick = Pick.CLOSEST
    upper: int | None = None
    of_straddle: bool = False
    fallback: Pick | None = None


class DeltaStrike(StrikeRule, frozen=True, tag="delta"):
    """SK-11: the absolute delta nearest to ``amount``, or within ``amount``..``upper`` nearest to the middle."""

    amount: int
    upper: int | None = None


class RelativeStrike(StrikeRule, frozen=True, tag="leg"):
    """SK-13: from the strike that another leg got. ``otm`` as in OffsetStrike."""

    leg: str
    amount: int
    unit: StrikeUnit = StrikeUnit.STRIKES
    otm: bool = True


class CheapStrike(StrikeRule, frozen=True, tag="cheap"):
    """SK-14: the furthest strike out of the money at ``most`` paise or less that trades enough."""

    most: int
    min_oi: int = 0
    min_volume: int = 0


class Gauge(StrEnum):
    """What volatility is told by: the average true range, or the move that India VIX expects until expiry."""

    ATR = "atr"
    VIX = "vix"


class VolatilityStrike(StrikeRule, frozen=True, tag="volatility"):
    """SK-15: so many (hundredths) of the gauge away, out of the money. ``days`` is the period of the ATR."""

    multiple: int
    gauge: Gauge = Gauge.VIX
    days: int = 14


class MatchStrike(StrikeRule, frozen=True, tag="match"):
    """SK-16: the premium closest to another leg's; with ``within`` only once the two differ by no more (paise)."""

    leg: str
    within: int | None = None


AnyStrike = (
    StepStrike
    | OffsetStrike
    | ExactStrike
    | PremiumStrike
    | DeltaStrike
    | RelativeStrike
    | CheapStrike
    | VolatilityStrike
    | MatchStrike
)


class Series(StrEnum):
    """Which expiries are counted."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    FIXED = "fixed"


class ExpiryRule(msgspec.Struct, frozen=True, kw_only=True):
    """EX-1, EX-2: the n-th expiry of a series (0 is the current), or a fixed date.

    From ``roll_at`` on the day itself, and while fewer than ``min_dte`` trading days are left, the next one counts as
    current. A weekly series contains the monthly expiries too; a monthly one is the last expiry of each month.
    """

    series: Series = Series.WEEKLY
    offset: int = 0
    day: date | None = None
    roll_at: time | None = None
    min_dte: int = 0


class PriceKind(StrEnum):
    """Which price rules look at: the last trade, the middle of bid and ask, or the close of the last whole minute."""

    LTP = "ltp"
    MID = "mid"
    MINUTE = "minute"


class Liquidity(msgspec.Struct, frozen=True, kw_only=True):
    """What a strike must offer; one that does not is passed over for the next one, ``tries`` times (features 1.2).

    ``max_spread`` is basis points of the middle; 0 asks nothing.
    """

    max_spread: int = 0
    min_oi: int = 0
    min_volume: int = 0
    min_premium: int = 0
    tries: int = 3
