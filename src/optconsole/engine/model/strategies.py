"""A strategy as it is written down: legs, when they are entered, and what ends them (features 1.4 to 1.9).

Only words, no decisions: the rules that carry them out are in ``engine.rules``. Points and rupees are paise, percents
basis points (25 % is 2,500), times of day IST.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import (
    Breakout,
    EntryWait,
    LegStop,
    LockStep,
    Measure,
    Reentry,
    SpikeGuard,
    Trail,
    Watch,
)
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.overall_rules import Overall
from optconsole.engine.model.strikes import AnyStrike, ExpiryRule, Liquidity, PriceKind, Reference, StepStrike
from optconsole.engine.model.triggers import Entry

MOST_LEGS = 10
"""Legs of one strategy (features BK-2)."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of a strategy. A leg without ``right`` is a future.

    ``lazy`` legs are entered only when another leg arms them (LAZY_LEG). ``hedges`` names the legs this one protects:
    it is entered before and closed after them. ``account`` routes the leg away from the run's account.
    """

    id: str
    side: Side
    right: Right | None = None
    lots: int = 1
    strike: AnyStrike = StepStrike()
    expiry: ExpiryRule = ExpiryRule()
    price: PriceKind = PriceKind.LTP
    liquidity: Liquidity = Liquidity()
    account: str = ""
    lazy: bool = False
    hedges: tuple[str, ...] = ()
    wait: EntryWait | None = None
    breakout: Breakout | None = None
    stop: LegStop | None = None
    target: Measure | None = None
    trail: Trail | None = None
    breakeven: Measure | None = None
    locks: tuple[LockStep, ...] = ()
    watch: Watch = Watch()
    spike: SpikeGuard | None = None
    exit_at: time | None = None
    on_stop: Reentry | None = None
    on_target: Reentry | None = None
    with_hedge: bool = False
    """Close the hedges of this leg too when its stop or target closes it (LX-8)."""


class Holding(StrEnum):
    """How long a run lives: within one day, into the next trading day, or by trading days before expiry."""

    INTRADAY = "intraday"
    OVERNIGHT = "overnight"
    POSITIONAL = "positional"


class Misfire(StrEnum):
    """What becomes of an entry whose time passed while the engine was down (SC-6)."""

    SKIP = "skip"
    RUN_WITHIN_GRACE = "run-within-grace"
    ASK = "ask"


class ExitOnExpiry(StrEnum):
    """What an overnight run does whose exit would fall on an expiry day (SC-4)."""

    ALLOW = "allow"
    SKIP = "skip"
    HOLD = "hold"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a strategy enters and when it is out (SC-1 to SC-6).

    ``weekdays`` are 0 (Monday) to 4, empty for all; so are ``dte`` (trading days to the expiry of the first leg),
    ``dates`` and ``months``. ``entry_dte`` and ``exit_dte`` are the window of a positional run. ``grace`` is seconds.
    ``watch_from`` is when an overnight run looks at its conditions again on the next day (SC-5).
    """

    entry_at: time
    exit_at: time
    holding: Holding = Holding.INTRADAY
    grace: int = 60
    misfire: Misfire = Misfire.SKIP
    weekdays: tuple[int, ...] = ()
    dte: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    except_dates: tuple[date, ...] = ()
    months: tuple[int, ...] = ()
    non_expiry_only: bool = False
    expiry_only: bool = False
    first_day_of_month: bool = False
    last_day_of_month: bool = False
    entry_dte: int | None = None
    exit_dte: int | None = None
    exit_on_expiry: ExitOnExpiry = ExitOnExpiry.SKIP
    watch_from: time = time(9, 16)
    no_entry_after: time | None = None
    no_reentry_after: time | None = None


class OnFailure(StrEnum):
    """What becomes of a run of which a leg is refused or not filled in time (BK-4)."""

    HOLD = "hold"
    COMPLETE = "complete"
    ROLLBACK = "rollback"
    RATIO = "ratio"


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """How orders of a run are sent. ``patience`` is seconds for a leg to fill; ``retries`` before ``on_failure``."""

    patience: int = 10
    retries: int = 2
    on_failure: OnFailure = OnFailure.ROLLBACK
    hedge_first: bool = True
    broker_stop: bool = True


class SquareOff(StrEnum):
    """What the stop or target of one leg closes (LX-8): that leg, or everything."""

    PARTIAL = "partial"
    COMPLETE = "complete"


class CostShift(StrEnum):
    """Whose stops go to cost when one leg is stopped (LX-7): nobody's, the other right's, all, or all that have one."""

    NONE = "none"
    OTHER_RIGHT = "other-right"
    ALL = "all"
    WITH_STOP = "with-stop"


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy as written. ``plugin`` and ``params`` name a registered strategy that decides in place of the legs."""

    name: str
    underlying: str
    legs: tuple[Leg, ...] = ()
    schedule: Schedule
    entry: Entry = Entry()
    overall: Overall = Overall()
    reference: Reference = Reference.SPOT
    product: Product = Product.NRML
    square_off: SquareOff = SquareOff.PARTIAL
    move_to_cost: CostShift = CostShift.NONE
    execution: Execution = Execution()
    reentry_shared_max: int | None = None
    """Re-entries of all legs together; None counts each leg for itself."""
    note: str = ""
    plugin: str = ""
    params: dict[str, str | int | float | bool] = {}

    def leg(self, leg_id: str) -> Leg | None:
        """The leg of that name."""
        return next((leg for leg in self.legs if leg.id == leg_id), None)
