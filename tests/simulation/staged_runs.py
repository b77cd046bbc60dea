"""Scenes of strategies, for defects of runs that days of chance seldom meet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import time
from typing import Final

from optconsole.engine.commands import RunAction, SteerRun
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import LegStop, Measure, Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Execution, Leg, Misfire, OnFailure, Schedule, Strategy
from optconsole.engine.model.strikes import ExactStrike, ExpiryRule, Series
from optconsole.engine.strategies.templates import from_template
from tests.simulation.chain import POINT
from tests.simulation.market import LOT
from tests.simulation.script import Scene

SPOT: Final = 25_050 * POINT
FAR: Final = ExpiryRule(series=Series.MONTHLY)


def _schedule(second: int = 20, out: time = time(15, 20), grace: int = 60) -> Schedule:
    return Schedule(entry_at=time(9, 20, second), exit_at=out, grace=grace, misfire=Misfire.RUN_WITHIN_GRACE)


def _call(**rules: object) -> Leg:
    return Leg(
        id="ce",
        side=Side.SELL,
        right=Right.CALL,
        strike=ExactStrike(25_100 * POINT),
        expiry=FAR,
        **rules,  # type: ignore[arg-type]
    )


async def sells_a_condor(scene: Scene) -> None:
    """Four legs are entered at one second, on a wire that takes its time."""
    scene.order("place.slow", times=2, seconds=2)
    await scene.start(from_template("iron condor", "NIFTY", 1, FAR, _schedule()))
    await scene.live(40)


async def misses_its_time(scene: Scene) -> None:
    """The machine is down at a strategy's time, and comes back long after its window."""
    await scene.start(Strategy(name="s", underlying="NIFTY", legs=(_call(),), schedule=_schedule(20, grace=10)))
    await scene.simulation.bury(crash=True)
    await scene.wait(60)
    await scene.simulation.rise()
    await scene.live(20)


async def stopped_twice(scene: Scene) -> None:
    """A leg that may come back once is stopped, comes back, and is stopped again, over a death of the engine."""
    leg = _call(stop=LegStop(move=Measure(15_00)), on_stop=Reentry(mode=ReentryMode.EXECUTE, times=1))
    await scene.start(Strategy(name="s", underlying="NIFTY", legs=(leg,), schedule=_schedule(10)))
    await scene.live(12, SPOT)
    for points in (60, 120):
        await scene.live(8, SPOT + points * POINT)
        await scene.crash()
        await scene.live(8)


async def two_share_a_contract(scene: Scene) -> None:
    """A strategy that was entered by halves leaves a contract that another holds too."""
    whole = Strategy(name="whole", underlying="NIFTY", legs=(_call(),), schedule=_schedule(10))
    two = Leg(id="ce", side=Side.SELL, right=Right.CALL, lots=2, strike=ExactStrike(25_100 * POINT), expiry=FAR)
    halves = Strategy(
        name="halves",
        underlying="NIFTY",
        legs=(two,),
        schedule=_schedule(30),
        execution=Execution(patience=2, retries=0, on_failure=OnFailure.HOLD),
    )
    await scene.start(whole, halves)
    await scene.live(26, SPOT)
    chain = scene.simulation.market.chain
    assert chain is not None
    chain.bid_lots = 1
    await scene.live(2)
    chain.bid_lots = 0
    await scene.live(14)
    chain.bid_lots = None
    await scene.live(2)
    run = next(run for run in scene.engine.state.runs.values() if run.strategy.name == "halves")
    assert run.legs["ce"].qty == LOT, run
    assert (await scene.ask(SteerRun(id="out", actor="key:sim", run_id=run.id, action=RunAction.EXIT))).ok
    await scene.live(15)


STAGED_RUNS: Final[Mapping[str, Callable[[Scene], Awaitable[None]]]] = {
    "M11": sells_a_condor,
    "M28": misses_its_time,
    "D5": stopped_twice,
    "D6": two_share_a_contract,
}
"""The scene of each mutant of runs."""
