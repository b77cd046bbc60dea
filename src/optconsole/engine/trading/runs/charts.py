"""Candles for the strategies that look at them (features EN-5, EN-7): folded from prices, written down once closed."""

from __future__ import annotations

from collections.abc import Iterator

from optconsole.engine import events as ev
from optconsole.engine.automation import series_key
from optconsole.engine.model.runs import Run
from optconsole.engine.model.timeline import from_millis
from optconsole.engine.model.trigger_state import Candle, Forming
from optconsole.engine.rules.candles import add, settle
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene

Series = tuple[str, int]
"""(contract, minutes)."""


class Charts:
    """Candles that are still forming. Of this process only: one that began before it is not believed."""

    def __init__(self) -> None:
        self._forming: dict[Series, Forming] = {}

    def step(self, scene: RunScene) -> Decision | None:
        """Take the prices of all series in, and tell of those that closed."""
        hours = scene.days.hours(scene.now.date())
        if hours is None or not hours.opens <= scene.now:
            return None
        decision = Decision("engine", "candles")
        for name, minutes in wanted(scene):
            forming, closed = self._forming.get((name, minutes)), None
            quote = scene.situation.quote(name)
            if quote is not None and quote.mark is not None and scene.fresh(name):
                at = max(min(from_millis(quote.ts), scene.now), hours.opens)
                forming, closed = add(forming, quote.mark, at, hours.opens, minutes, quote.volume or None)
            if closed is None:
                forming, closed = settle(forming, scene.now, minutes)
            if forming is not None:
                self._forming[name, minutes] = forming
            if closed is not None and self._whole(scene, closed):
                decision.facts.append(ev.CandleClosed(name=name, minutes=minutes, candle=closed))
        return decision if decision.facts else None

    @staticmethod
    def _whole(scene: RunScene, candle: Candle) -> bool:
        """Whether this engine was there for the whole of a candle."""
        return scene.up_since is None or scene.up_since <= candle.start


def wanted(scene: RunScene) -> set[Series]:
    """The series that any run may still look at."""
    return {series for run in scene.state.runs.values() if not run.status.over for series in series_of(run)}


def series_of(run: Run) -> Iterator[Series]:
    """The series that a run's triggers look at."""
    entry = run.strategy.entry
    if entry.level is not None and entry.level.candle:
        yield run.strategy.underlying, entry.level.candle
    for rule in entry.indicators:
        name = chart_name(run, rule.leg)
        if name:
            yield name, rule.candle


def chart_name(run: Run, leg: str) -> str:
    """The contract that an indicator looks at; empty until the leg has one."""
    return run.strategy.underlying if not leg else run.legs[leg].contract


def closed_candles(scene: RunScene, name: str, minutes: int) -> tuple[Candle, ...]:
    """The closed candles of a series, oldest first."""
    return scene.state.candles.get(series_key(name, minutes), ())
