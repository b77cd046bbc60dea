"""Strategies in scenes: a storm that stops many legs at once, a gap at the open, a feed that is dead for minutes."""

from __future__ import annotations

from datetime import date, datetime, time

import msgspec

from optconsole.engine.model.leg_rules import LegStop, Measure
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.strategies import ExitOnExpiry, Holding, Schedule, Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.lint import lint_strategy
from optconsole.engine.strategies.templates import TEMPLATES, from_template
from tests.simulation.chain import POINT
from tests.simulation.kernel import seeded_tapes
from tests.simulation.script import Scene, play
from tests.simulation.shards import days
from tests.simulation.staged_runs import FAR, SPOT
from tests.simulation.verbs import VERBS
from tests.simulation.vocabulary import STRIKES
from tests.simulation.world import Setting
from tests.simulation.written import Author

OUT = time(15, 20)


def stopped(name: str, called: str, second: int, rupees: int = 12, exit_at: time = OUT) -> Strategy:
    """A structure whose every leg has a stop so many rupees away."""
    found = from_template(name, "NIFTY", 1, FAR, Schedule(entry_at=time(9, 20, second), exit_at=exit_at))
    stop = LegStop(move=Measure(rupees * 100))
    return msgspec.structs.replace(
        found, name=called, legs=tuple(msgspec.structs.replace(leg, stop=stop) for leg in found.legs)
    )


def test_a_storm_stops_every_leg_it_reaches_within_seconds_and_nothing_is_left() -> None:
    async def script(scene: Scene) -> None:
        names = ("short straddle", "short strangle", "short guts", "iron fly", "short straddle", "short strangle")
        await scene.start(*(stopped(name, f"s{place}", 20) for place, name in enumerate(names)))
        await scene.live(30, SPOT)
        runs = scene.engine.state.runs.values()
        assert all(run.status is RunStatus.ACTIVE for run in runs), [(run.status, run.code) for run in runs]
        for step in range(1, 7):
            await scene.live(1, SPOT + step * 50 * POINT)
        await scene.live(25)
        calls = [leg for run in scene.engine.state.runs.values() for leg in run.legs.values() if leg.side == "SELL"]
        hit = [leg for leg in calls if leg.contract.endswith("CE")]
        assert len(hit) == 6
        assert {(leg.stage, leg.code) for leg in hit} == {(LegStage.OUT, "LEG_SL")}

    assert play(script, strategies=True) == []


def test_a_gap_at_the_open_stops_what_was_held_over_night() -> None:
    async def script(scene: Scene) -> None:
        late = Schedule(
            entry_at=time(9, 20, 20),
            exit_at=time(9, 30),
            holding=Holding.OVERNIGHT,
            exit_on_expiry=ExitOnExpiry.ALLOW,
        )
        held = stopped("short straddle", "night", 20)
        await scene.start(Strategy(name="night", underlying="NIFTY", legs=held.legs, schedule=late))
        await scene.live(30, SPOT)
        await scene.simulation._close(date(2026, 11, 16))
        assert len(scene.venue.held()) == 2
        scene.simulation.clock.jump(datetime(2026, 11, 17, 9, 15, 5, tzinfo=IST))
        scene.simulation.market.chain.index = SPOT + 300 * POINT  # type: ignore[union-attr]
        scene.simulation.open_exchange()
        await scene.engine.open_session(date(2026, 11, 17))
        await scene.live(20)
        # an overnight run looks at its stops again from 09:16 on
        assert len(scene.venue.held()) == 2
        await scene.live(55)
        assert not [name for (name, _), qty in scene.venue.held().items() if name.endswith("CE") and qty < 0]

    assert play(script, strategies=True) == []


def test_a_feed_that_is_dead_for_minutes_is_told_and_the_exit_time_is_kept() -> None:
    async def script(scene: Scene) -> None:
        await scene.start(stopped("short straddle", "s", 20, exit_at=time(9, 24)))
        await scene.live(30, SPOT)
        scene.order("px.dead", seconds=120)
        await scene.live(115)
        codes = [alarm.code for alarm in scene.simulation.checker.alarms]
        assert "GUARD_BLIND" in codes, codes
        await scene.live(120)
        assert not scene.venue.held()
        (run,) = scene.engine.state.runs.values()
        assert (run.status, run.code) == (RunStatus.CLOSED, "TIME")

    assert play(script, strategies=True) == []


def test_the_author_writes_every_structure_and_strike_method_and_few_that_are_refused() -> None:
    now = datetime(2026, 11, 16, 9, 20, tzinfo=IST)
    author = Author(seeded_tapes("author")["strategist"])
    written = [author.strategy("s", now) for _ in range(900)]
    assert sum(not lint_strategy(each) for each in written) > 800
    legs = [leg for each in written for leg in each.legs]
    assert set(STRIKES) <= {leg.strike for leg in legs}
    assert {leg.on_stop.mode for leg in legs if leg.on_stop} == {"execute", "cost", "close", "momentum", "lazy"}
    assert {each.schedule.holding for each in written} == set(Holding)
    shapes = {tuple(leg.id for leg in found.legs) for name in TEMPLATES for found in [from_template(name, "NIFTY")]}
    assert shapes <= {tuple(leg.id for leg in each.legs) for each in written}


def test_days_with_strategies_and_without_faults_break_nothing() -> None:
    setting, intents = Setting(without=frozenset(VERBS), strategies=True), 0
    for seed in (5, 8):
        result = days(seed, setting=setting)
        assert not result.breaches, f"seed {seed}: {result.breaches[0]}"
        intents += result.intents
    assert intents > 20
