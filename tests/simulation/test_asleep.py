"""Checks that wait for a feature: each would object today, and one that no longer would must be woken for good."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from optconsole.engine.model.orders import Side
from tests.simulation.court import ASLEEP, Watcher
from tests.simulation.cover import WORDS, Cover, HedgeFirst
from tests.simulation.market import LOT
from tests.simulation.script import CALL, Scene, play
from tests.simulation.shards import days
from tests.simulation.world import Setting

UNSPOKEN = {"I-10", "I-12"}
"""Checks of rows that no engine writes yet; the scripts below say them in its place."""
HELD = {"account": "SIM1", "contract": CALL, "product": "NRML"}


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


async def short(scene: Scene) -> None:
    """One lot sold, for which a stop is promised."""
    await scene.show(100_00, 9)
    await scene.place(Side.SELL, 1)
    assert set(scene.venue.held().values()) == {-LOT}
    tell(scene, Cover, WORDS.asked, **HELD)


def test_a_short_without_the_stop_it_was_promised_needs_an_alarm() -> None:
    async def script(scene: Scene) -> None:
        await short(scene)
        await scene.wait(10)

    assert "I-10" in broken(script)


def test_a_guard_that_sees_prices_covers_a_short() -> None:
    async def script(scene: Scene) -> None:
        await short(scene)
        tell(scene, Cover, WORDS.armed, **HELD, qty=LOT)
        for _ in range(20):
            scene.simulation.checker.quoted_at = scene.simulation.loop.time()
            await scene.wait(1)

    assert "I-10" not in broken(script)


def test_a_guard_that_sees_nothing_covers_nothing() -> None:
    async def script(scene: Scene) -> None:
        await short(scene)
        tell(scene, Cover, WORDS.armed, **HELD, qty=LOT)
        await scene.wait(30)

    assert "I-10" in broken(script)


def test_a_stop_at_the_exchange_covers_a_short() -> None:
    async def script(scene: Scene) -> None:
        await short(scene)
        assert (await scene.stop(Side.BUY, 1, trigger=120_00)).ok
        await scene.wait(10)

    assert "I-10" not in broken(script)


def test_a_leg_sold_before_its_hedge_is_seen_in_the_trades() -> None:
    async def script(scene: Scene) -> None:
        await scene.show(100_00, 9)
        tell(scene, HedgeFirst, WORDS.begun, structure_id="S1", uncovered=0)
        for side in (Side.BUY, Side.SELL, Side.SELL):
            await scene.place(side, 1)
            for paper in scene.simulation.checker.papers.values():
                paper.parent = "S1"
            scene.simulation.checker.tick()
            if side is Side.BUY:
                assert not scene.simulation.checker.breaches

    assert "I-12" in broken(script)
