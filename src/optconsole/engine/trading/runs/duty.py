"""The duty that carries strategies: looks at every run after every input and says the next step that is due."""

from __future__ import annotations

from datetime import datetime

from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import closing, ending, entering, following, guarding, planning, starting, waiting
from optconsole.engine.trading.runs.scene import RunScene


class Runs:
    """Holds what may be forgotten at any time: minute closes, levels not yet written down. The rest is in the book."""

    def __init__(self, days: MarketDays) -> None:
        self._days = days
        self._minutes = Minutes()
        self._memory = guarding.Memory()
        self._floors = ending.Floors()
        self._up_since: datetime | None = None
        self._day = ""

    def advance(
        self, state: TradingState, master: InstrumentMaster, situation: Situation, install: str
    ) -> Decision | None:
        """The next step of any run: first what closes, then what is due, then what is entered."""
        if not state.ready or (not state.baskets and not state.runs):
            return None
        if self._up_since is None:
            self._up_since = situation.now
        scene = RunScene(state, master, situation, install, self._days, self._minutes, self._up_since)
        live = [run for run in state.runs.values() if not run.status.over and run.status is not RunStatus.SCHEDULED]
        for run in live:
            scene.observe(run)
        for run in live:
            step = self._guard(scene, run)
            if step is not None:
                return step
        step = planning.plan_day(scene) or starting.start_due(scene)
        if step is not None:
            return step
        for run in live:
            step = waiting.step(scene, run) or entering.step(scene, run) or closing.step(scene, run)
            if step is not None:
                return step
        return None

    def _guard(self, scene: RunScene, run: Run) -> Decision | None:
        return (
            ending.step(scene, run, self._floors)
            or guarding.step(scene, run, self._memory)
            or following.step(scene, run)
        )
