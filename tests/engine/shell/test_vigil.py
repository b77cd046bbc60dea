"""H05: a loop that stands still makes guards late; the trader hears of it, and after two seconds no entry leaves."""

from __future__ import annotations

import asyncio

import pytest

from optconsole.engine.model.orders import Side
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.ports import BrokerUnreachable
from tests.faults.line import Line, scene
from tests.simulation.script import Scene


async def stand_still(stage: Scene, seconds: float) -> None:
    """The engine's loop runs nothing, from the moment of a look at the time on, while the world goes on."""
    meters = stage.engine.meters
    beat = meters.beat
    while meters.beat == beat:  # noqa: ASYNC110 - virtual time costs nothing
        await asyncio.sleep(0.01)
    stage.simulation.loop.pause(stage.simulation.lives)
    stage.simulation.checker.paused(seconds)
    await asyncio.sleep(0.25 + seconds)
    stage.simulation.loop.resume()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(("seconds", "told"), [(0.2, []), (0.6, ["LOOP_LAG"]), (9.0, ["LOOP_LAG"])])
def test_a_loop_that_stood_still_while_something_was_open_is_told_with_its_measure(
    seconds: float, told: list[str]
) -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        await stand_still(stage, seconds)
        await asyncio.sleep(1)
        notices = [notice for notice in line.engine.state.notices if notice.code == "LOOP_LAG"]
        assert [notice.code for notice in notices] == told
        assert all(f"{seconds:.1f} s" in notice.text and notice.level == "warning" for notice in notices)

    scene(script)


def test_a_loop_that_is_late_again_and_again_is_told_once_until_it_is_acknowledged() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        for _ in range(5):
            await stand_still(stage, 0.5)
        assert line.codes() == ["LOOP_LAG"]

    scene(script)


def test_with_nothing_open_a_late_loop_is_measured_and_disturbs_nobody() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stand_still(stage, 0.6)
        await asyncio.sleep(1)
        assert line.codes() == []
        vitals: Vitals = line.engine.vitals()
        assert vitals.loop_lag is not None
        assert vitals.loop_lag > 500

    scene(script)


def test_after_two_seconds_of_standing_still_no_entry_leaves_before_the_book_was_read_again() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        line.unreadable = BrokerUnreachable("no route to host")
        await stand_still(stage, 1.5)
        assert (await stage.place(Side.BUY, 2)).ok, "a second and a half is no reason"
        await stand_still(stage, 2.5)
        assert (await stage.place(Side.BUY, 3)).code == "BOOK_UNSEEN"
        assert (await stage.place(Side.SELL, 1)).ok, "an exit goes"
        line.unreadable = None
        await line.wait(15)
        assert (await stage.place(Side.BUY, 3)).ok

    scene(script)


def test_an_entry_that_is_decided_before_the_watch_has_looked_again_is_refused() -> None:
    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        assert line.engine.stops() == ()
        assert line.engine.meters.beat is not None
        line.engine.meters.beat -= 3.0  # as if this very turn of the loop had taken so long
        reply = await stage.place(Side.BUY, 1)
        assert reply.code == "LOOP_STALLED"
        assert " 2.8 s" in reply.text

    scene(script)
