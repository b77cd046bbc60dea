"""Baskets, runs of strategies, and the prices they remember."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from optconsole.engine.events.base import Event
from optconsole.engine.model.adjustments import Adjustment
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.baskets import Basket, BasketStatus
from optconsole.engine.model.runs import LegRun, Run, RunStatus, RunWatch
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.trigger_state import Candle


class BasketEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one basket."""

    name: str

    @property
    def stream(self) -> str:
        return f"basket:{self.name}"


class BasketSaved(BasketEvent, frozen=True, kw_only=True):
    """A basket was written down. ``source`` and ``pin`` are a publisher's bundle and version, empty for one's own."""

    basket: Basket
    version: int
    source: str = ""
    pin: str = ""


class BasketStatusChanged(BasketEvent, frozen=True, kw_only=True):
    """What a basket may do changed."""

    status: BasketStatus
    why: str = ""


class BarsMarked(Event, frozen=True, kw_only=True):
    """What a day's prices have been so far, by contract."""

    bars: dict[str, DayBar]


class CandleClosed(Event, frozen=True, kw_only=True):
    """A candle of so many minutes that a strategy looks at was closed."""

    name: str
    minutes: int
    candle: Candle

    @property
    def stream(self) -> str:
        return f"candles:{self.name}"


class RunEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one run. ``why`` holds the values the decision was made on."""

    run_id: str
    why: dict[str, Any] = {}

    @property
    def stream(self) -> str:
        return f"run:{self.run_id}"


class RunPlanned(RunEvent, frozen=True, kw_only=True):
    """A run of a strategy was planned for a day, or the day was found not to be one of its days."""

    run: Run


class RunMoved(RunEvent, frozen=True, kw_only=True):
    """A run went on to another status. ``lag_ms`` is given when it begins."""

    status: RunStatus
    code: str = ""
    text: str = ""
    lag_ms: int | None = None


class RunWatched(RunEvent, frozen=True, kw_only=True):
    """What a run remembers changed; ``what`` in one word."""

    what: str
    watch: RunWatch


class RunEdited(RunEvent, frozen=True, kw_only=True):
    """The rules of a run were changed while it was under way."""

    strategy: Strategy
    exit_at: datetime


class LegsGiven(RunEvent, frozen=True, kw_only=True):
    """A registered strategy gave a run its legs; ``legs`` are with the lots of the run's account."""

    strategy: Strategy
    legs: dict[str, LegRun]


class LegMoved(RunEvent, frozen=True, kw_only=True):
    """A leg of a run went on, or one of its levels moved; ``what`` in one word."""

    what: str
    leg: LegRun


class RunAdjusted(RunEvent, frozen=True, kw_only=True):
    """A change of a run's legs began or ended. What it opens joins the run's legs and rules with the first of them."""

    adjustment: Adjustment
