"""Limits, the day's profit, and what orders may leave."""

from __future__ import annotations

from datetime import datetime

from optconsole.engine.events.base import Event
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing, Sweep
from optconsole.engine.model.positions import Basis


class LimitEvent(Event, frozen=True, kw_only=True):
    """Base of facts about one limit."""

    level: Level
    name: str
    kind: LimitKind

    @property
    def stream(self) -> str:
        return "risk"


class LimitsSeeded(Event, frozen=True, kw_only=True):
    """The first start took its limits from the configuration; from here on the journal says what holds."""

    limits: tuple[Limit, ...]

    @property
    def stream(self) -> str:
        return "risk"


class LimitSet(Event, frozen=True, kw_only=True):
    """A limit holds from now on. ``before`` is what it replaces; ``loosened`` that it allows more than that."""

    limit: Limit
    before: Limit | None = None
    loosened: bool = False
    why: str = ""

    @property
    def stream(self) -> str:
        return "risk"


class LimitRemoved(LimitEvent, frozen=True, kw_only=True):
    """A limit holds no more. ``before`` is what held."""

    before: Limit
    why: str


class LimitWarned(LimitEvent, frozen=True, kw_only=True):
    """``step`` per cent of a limit are used; once a step and day. ``used`` is in the limit's unit."""

    step: int
    used: int


class LimitBroken(LimitEvent, frozen=True, kw_only=True):
    """A limit was reached, and its action follows. ``used`` is in the limit's unit."""

    used: int
    action: LimitAction


class ContractsMarked(Event, frozen=True, kw_only=True):
    """What open contracts are worth a unit, in paise, where one day's profit ends and the next one's begins.

    CLOSE marks are this day's last prices; PREVIOUS and FIRST ones say what the day before is taken to have ended at.
    """

    basis: Basis
    prices: dict[str, int]

    @property
    def stream(self) -> str:
        return "risk"


class ProfitPeaked(Event, frozen=True, kw_only=True):
    """The day's profit of a scope reached a new height, in paise; told in steps, not by the tick."""

    level: Level
    name: str
    profit: int

    @property
    def stream(self) -> str:
        return "risk"


class ProfitLost(Event, frozen=True, kw_only=True):
    """The profit of a scope cannot be known, since a price is missing; its loss limit cannot be watched."""

    level: Level
    name: str
    contract: str
    blocks: bool

    @property
    def stream(self) -> str:
        return "risk"


class ProfitSeen(Event, frozen=True, kw_only=True):
    """The profit of a scope is known again."""

    level: Level
    name: str

    @property
    def stream(self) -> str:
        return "risk"


class TradingStateChanged(Event, frozen=True, kw_only=True):
    """What orders of a scope may leave. ``until`` ends a lock by itself, ``daily`` states end with the day.

    ``rearms`` says that a person allowed trading again: the scope's limits act anew.
    """

    level: Level
    name: str
    standing: Standing
    why: str
    until: datetime | None = None
    daily: bool = False
    sweep: Sweep = Sweep.NONE
    rearms: bool = False

    @property
    def stream(self) -> str:
        return "risk"
