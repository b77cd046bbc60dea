"""A run: one strategy at work for one account on one trade date, as the facts have made it.

Prices and money are paise, quantities units, times aware IST. A run holds the strategy as it was when it began, so that
a later version of the basket changes nothing that is under way.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.adjustments import Adjustment
from optconsole.engine.model.leg_state import Arming, Levels
from optconsole.engine.model.orders import Side
from optconsole.engine.model.plugins import PluginWatch
from optconsole.engine.model.run_state import ArmedCycle, ArmedEntry, Counters, Floor
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.trigger_state import CombinedWait, CrossSeen, RangeSeen


class RunStatus(StrEnum):
    """SCHEDULED before its time, WAITING for a trigger, ENTERING, ACTIVE, EXITING; then CLOSED, SKIPPED or FAILED.

    HALTED enters nothing more: its stops and its exit time go on.
    """

    SCHEDULED = "SCHEDULED"
    WAITING = "WAITING"
    ENTERING = "ENTERING"
    ACTIVE = "ACTIVE"
    EXITING = "EXITING"
    CLOSED = "CLOSED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    HALTED = "HALTED"

    @property
    def over(self) -> bool:
        """Whether nothing more comes of the run."""
        return self in (RunStatus.CLOSED, RunStatus.SKIPPED, RunStatus.FAILED)


class LegStage(StrEnum):
    """IDLE until something asks for it; WAITING for a price; DUE to be sent; ENTERING; OPEN; LEAVING; OUT."""

    IDLE = "IDLE"
    WAITING = "WAITING"
    DUE = "DUE"
    ENTERING = "ENTERING"
    OPEN = "OPEN"
    LEAVING = "LEAVING"
    OUT = "OUT"

    @property
    def holds(self) -> bool:
        """Whether the leg may hold units."""
        return self in (LegStage.ENTERING, LegStage.OPEN, LegStage.LEAVING)


class LegRun(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a run. ``side`` is the traded one, which a reversal turns.

    ``contract`` is empty until it is chosen and kept until it is chosen anew. ``reference`` and ``index`` are what a
    wait is measured from. ``sent`` are the orders or parents of the present entry, ``tries`` how often it was sent.
    ``entry`` and ``qty`` are of the present entry, ``first`` the price and units of the cycle's first one.
    ``leaving`` is the wish that closes it, ``code`` and ``text`` why it was left or never entered.
    """

    id: str
    account: str
    side: Side
    lots: int
    stage: LegStage = LegStage.IDLE
    since: datetime | None = None
    contract: str = ""
    lot: int = 1
    tick: int = 1
    reference: int | None = None
    index: int | None = None
    sent: tuple[str, ...] = ()
    tries: int = 0
    entries: int = 0
    entry: int | None = None
    qty: int = 0
    entered_at: datetime | None = None
    first: tuple[int, int] | None = None
    levels: Levels | None = None
    arming: Arming | None = None
    blind: str = ""
    leaving: str = ""
    code: str = ""
    text: str = ""


class RunWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a run remembers beyond its legs.

    ``fired`` are the triggers that have come true, ``combined`` where EN-3 stands, ``crossed`` EN-5, ``straddle`` the
    ATM straddle of the first look (EN-6), ``asked`` when a person was asked (EN-11). ``ranges`` are those of EN-4 so
    far, by leg, or empty for the underlying's. ``index`` is the underlying when the first leg was filled,
    ``break_evens`` around it. ``base`` is what had been realised, and charged, before this cycle.
    ``halted`` once the run ended while it was halted: nothing follows its exit.
    ``released`` once all that the whole run waited for has come, and its legs went on.
    ``plugin`` is where a registered strategy stands.
    """

    floor: Floor = Floor()
    counters: Counters = Counters()
    armed: dict[str, ArmedEntry] = {}
    cycle: int = 1
    next_cycle: ArmedCycle | None = None
    fired: tuple[str, ...] = ()
    combined: CombinedWait | None = None
    crossed: CrossSeen = CrossSeen()
    straddle: int | None = None
    asked: datetime | None = None
    ranges: dict[str, RangeSeen] = {}
    index: int | None = None
    break_evens: tuple[int | None, int | None] | None = None
    base: tuple[int, int] = (0, 0)
    halted: bool = False
    released: bool = False
    plugin: PluginWatch = PluginWatch()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy at work. ``code`` and ``text`` say why it is where it is.

    The entry window is half-open from ``entry_at`` to ``entry_until``; conditions may let it enter until
    ``triggers_until``. ``lag_ms`` is how late it began. ``depart_ms`` and ``after`` pace it among the accounts of its
    basket. ``earlier`` is what it had realised, and been charged, when this day began. ``adjusting`` is a change of its
    legs that is under way.
    """

    id: str
    basket: str
    version: int
    strategy: Strategy
    account: str
    mode: Mode
    trade_date: date
    entry_at: datetime
    entry_until: datetime
    triggers_until: datetime
    exit_at: datetime
    watch_from: datetime | None = None
    expiry: date
    dte: int
    depart_ms: int = 0
    after: str = ""
    status: RunStatus = RunStatus.SCHEDULED
    since: datetime
    code: str = ""
    text: str = ""
    lag_ms: int | None = None
    first_fill: datetime | None = None
    legs: dict[str, LegRun] = {}
    watch: RunWatch = RunWatch()
    earlier: tuple[int, int] = (0, 0)
    adjusting: Adjustment | None = None

    @property
    def path(self) -> str:
        """The source of everything the run trades; a leg's is below it."""
        return f"{self.basket}/{self.strategy.name}/{self.id}"

    def source(self, leg: str) -> str:
        """The source of one leg's orders."""
        return f"{self.path}/{leg}"
