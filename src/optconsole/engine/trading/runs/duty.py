"""The duty that carries strategies: looks at every run after every input and says the next step that is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.plugins import StrategyAnswer
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import (
    adjusting,
    answering,
    asking,
    charts,
    closing,
    daybars,
    ending,
    entering,
    following,
    guarding,
    marking,
    planning,
    shielding,
    starting,
    stopping,
    triggering,
    waiting,
    warming,
)
from optconsole.engine.trading.runs.scene import RunScene


class Runs:
    """Holds what may be forgotten at any time: minute closes, levels not yet written down. The rest is in the book."""

    def __init__(self, days: MarketDays) -> None:
        self._days = days
        self._minutes = Minutes()
        self._memory = guarding.Memory()
        self._floors = ending.Floors()
        self._charts = charts.Charts()
        self._bars = daybars.DayBars()
        self._warmth = warming.Warmth()
        self._asked = asking.Asked()
        self._up_since: datetime | None = None

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
        scene.observe(live)
        return next((step for step in self._steps(scene, live) if step is not None), None)

    def hear(
        self,
        state: TradingState,
        master: InstrumentMaster,
        situation: Situation,
        install: str,
        answer: StrategyAnswer,
    ) -> Decision | None:
        """What follows from what a registered strategy answered; nothing where its run is not what it was."""
        self._asked.answered(answer)
        run = state.runs.get(answer.run_id)
        if run is None:
            return None
        scene = RunScene(state, master, situation, install, self._days, self._minutes, self._up_since)
        return answering.hear(scene, run, answer, self._memory)

    def _steps(self, scene: RunScene, live: Sequence[Run]) -> Iterator[Decision | None]:
        """What could be due, in order; looked at only as far as nothing before it is."""
        for run in live:
            yield ending.step(scene, run, self._floors)
            yield guarding.step(scene, run, self._memory)
            yield following.step(scene, run)
            yield stopping.step(scene, run)
            yield marking.step(scene, run)
            yield shielding.step(scene, run, self._memory)
            yield adjusting.step(scene, run)
        yield self._bars.step(scene)
        yield self._charts.step(scene)
        for run in scene.state.runs.values():
            if not run.status.over:
                yield waiting.follow_range(scene, run)
        yield planning.plan_day(scene)
        yield self._warmth.step(scene)
        yield starting.start_due(scene, self._asked)
        yield asking.step(scene, self._asked)
        for run in live:
            yield triggering.step(scene, run)
            yield waiting.step(scene, run)
            yield entering.step(scene, run)
            yield closing.step(scene, run)
