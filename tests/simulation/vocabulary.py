"""What simulated strategies are written with: structures, strike methods, expiries, distances, triggers, re-entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Final

from optconsole.engine.model.leg_rules import (
    Measure,
    ReentryMode,
    Unit,
)
from optconsole.engine.model.strikes import (
    AnyStrike,
    CheapStrike,
    DeltaStrike,
    ExactStrike,
    ExpiryRule,
    Gauge,
    MatchStrike,
    OffsetStrike,
    Pick,
    PremiumStrike,
    RelativeStrike,
    Series,
    StepStrike,
    StrikeUnit,
    VolatilityStrike,
)
from optconsole.engine.model.triggers import (
    Cross,
    Entry,
    Filters,
    IndicatorKind,
    IndicatorTrigger,
    LevelTrigger,
    Momentum,
    StraddleTrigger,
)
from optconsole.engine.strategies.templates import TEMPLATES

NAMES: Final = tuple(TEMPLATES)
SIGNAL: Final = "go"
STRIKES: Final[Sequence[AnyStrike]] = (
    StepStrike(),
    StepStrike(steps=2),
    StepStrike(steps=-1),
    OffsetStrike(amount=100_00),
    OffsetStrike(amount=50, unit=StrikeUnit.PERCENT, otm=True),
    OffsetStrike(amount=50, unit=StrikeUnit.STRADDLE, otm=True),
    OffsetStrike(amount=60_00, from_spot=True),
    ExactStrike(strike=25_100_00),
    PremiumStrike(amount=90_00),
    PremiumStrike(amount=60_00, pick=Pick.AT_LEAST),
    PremiumStrike(amount=110_00, pick=Pick.AT_MOST),
    PremiumStrike(amount=50_00, pick=Pick.WITHIN, upper=90_00, fallback=Pick.CLOSEST),
    PremiumStrike(amount=40_00, of_straddle=True),
    DeltaStrike(amount=300),
    DeltaStrike(amount=200, upper=450),
    CheapStrike(most=70_00),
    VolatilityStrike(multiple=50),
    VolatilityStrike(multiple=100, gauge=Gauge.ATR, days=1),
)
"""SK-1 to SK-12, SK-14 and SK-15; those that name another leg are drawn where there is one."""
SECOND: Final = (RelativeStrike(leg="a", amount=2), MatchStrike(leg="a"), MatchStrike(leg="a", within=30_00))
NEAR: Final = ExpiryRule()
EXPIRIES: Final = (NEAR, ExpiryRule(series=Series.MONTHLY), ExpiryRule(min_dte=1), ExpiryRule(roll_at=time(9, 20, 30)))
DISTANCES: Final = (
    Measure(15_00),
    Measure(2_500, Unit.PERCENT),
    Measure(20_00, Unit.UNDERLYING_POINTS),
    Measure(10, Unit.UNDERLYING_PERCENT),
    Measure(400_00, Unit.RUPEES_A_LOT),
    Measure(1_000, Unit.PERCENT),
)
ENTRIES: Final = (
    Entry(momentum=Momentum(amount=-5_00)),
    Entry(momentum=Momentum(amount=200, percent=True)),
    Entry(level=LevelTrigger(level=25_060_00, cross=Cross.UP)),
    Entry(level=LevelTrigger(level=25_050_00, cross=Cross.DOWN, candle=1)),
    Entry(straddle=StraddleTrigger(move=-100)),
    Entry(straddle=StraddleTrigger(level=150_00, cross=Cross.UP)),
    Entry(indicators=(IndicatorTrigger(kind=IndicatorKind.EMA_CROSS, cross=Cross.UP, candle=1, fast=1, slow=2),)),
    Entry(indicators=(IndicatorTrigger(kind=IndicatorKind.RSI, cross=Cross.DOWN, candle=1, period=1),)),
    Entry(filters=Filters(vix_max=2_000, gap_min=-500, gap_max=500)),
    Entry(filters=Filters(vix_min=2_000)),
    Entry(signal=SIGNAL),
    Entry(approve_within=40),
)
MODES: Final = (ReentryMode.EXECUTE, ReentryMode.COST, ReentryMode.CLOSE, ReentryMode.MOMENTUM)
