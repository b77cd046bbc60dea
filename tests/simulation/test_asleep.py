"""Checks that wait for a feature: each would object today, and one that no longer would must be woken for good."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from optconsole.engine.model.orders import Side
from tests.simulation.court import ASLEEP, Watcher
from tests.simulation.cover import BEGUN, HedgeFirst
from tests.simulation.script import Scene, play
from tests.simulation.shards import days
from tests.simulation.world import Setting

UNSPOKEN = {"I-12"}
"""Checks of rows that no engine writes yet; the scripts below say them in its place."""


@pytest.mark.parametrize("name", sorted(ASLEEP.keys() - UNSPOKEN))
def test_a_check_that_sleeps_would_object_to_the_engine_of_today(name: str) -> None:
    setting = Setting(woken=frozenset({name}))
    found = (breach.invariant for seed in range(40) for breach in days(seed, setting=setting).breaches)
    assert name in found, f"{name} waits for nothing any more: take it out of ASLEEP"


def tell(scene: Scene, kind: type[Watcher], row: str, **body: Any) -> None:
    """Say a row to one watcher, as if the engine had written it."""
    for watcher in scene.simulation.checker.watchers:
        if isinstance(watcher, kind):
            watcher.stored(SimpleNamespace(type=row), body)  # type: ignore[arg-type]


def broken(script: Any) -> set[str]:
    return {breach.invariant for breach in play(script, woken=frozenset(UNSPOKEN))}


def test_a_leg_sold_before_its_hedge_is_seen_in_the_trades() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        tell(scene, HedgeFirst, BEGUN, structure_id="S1", uncovered=0)
        for side in (Side.BUY, Side.SELL, Side.SELL):
            await scene.place(side, 1)
            for paper in scene.simulation.checker.papers.values():
                paper.parent = "S1"
            scene.simulation.checker.tick()
            if side is Side.BUY:
                assert not scene.simulation.checker.breaches

    assert "I-12" in broken(script)
