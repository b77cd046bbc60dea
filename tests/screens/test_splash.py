"""The first frame: there before the engine is, readable, and already answering."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.pilot import Pilot

from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine import commands as cmd
from optconsole.screens.splash import Splash
from tests.screens.opening import line, opened
from tests.screens.stage import StageLink


def waiting_app(link: StageLink, gate: asyncio.Event, *, attached: bool = False) -> ConsoleApp:
    """The app on an engine that comes up only when the gate opens."""

    async def reach() -> tuple[StageLink, object]:
        await gate.wait()
        return link, link.close

    options = ConsoleOptions(home=Path("/nonexistent/optconsole-stage"), hz=20.0, attached=attached)
    return ConsoleApp(reach, options)  # type: ignore[arg-type]


async def first_frame(pilot: Pilot[int]) -> ConsoleApp:
    await pilot.pause(0.05)
    assert isinstance(pilot.app, ConsoleApp)
    assert isinstance(pilot.app.screen, Splash)
    return pilot.app


async def test_tabs_keys_and_what_is_being_done_stand_before_the_engine() -> None:
    async with waiting_app(StageLink(), asyncio.Event()).run_test(size=(120, 36)) as pilot:
        app = await first_frame(pilot)
        assert "1 Positions" in line(app, "tabs")
        assert "9 Health" in line(app, "tabs")
        assert "q Quit" in line(app, "keys")
        assert "^X^X KILL" in line(app, "keys")
        assert "starting the engine" in line(app, "fact")


async def test_an_attached_console_says_that_it_reaches_for_an_engine() -> None:
    async with waiting_app(StageLink(), asyncio.Event(), attached=True).run_test(size=(120, 36)) as pilot:
        assert "reaching the engine" in line(await first_frame(pilot), "fact")


async def test_it_can_be_left_before_the_engine_is_there() -> None:
    async with waiting_app(StageLink(), asyncio.Event()).run_test(size=(120, 36)) as pilot:
        app = await first_frame(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_the_screen_chosen_meanwhile_is_the_first_to_open() -> None:
    gate = asyncio.Event()
    async with waiting_app(StageLink(), gate).run_test(size=(120, 36)) as pilot:
        await first_frame(pilot)
        await pilot.press("8")
        gate.set()
        app = await opened(pilot)
        assert app.screen.name == "journal"


async def test_a_kill_pressed_meanwhile_goes_out_first_thing() -> None:
    gate, link = asyncio.Event(), StageLink()
    async with waiting_app(link, gate).run_test(size=(120, 36)) as pilot:
        app = await first_frame(pilot)
        await pilot.press("ctrl+x", "ctrl+x")
        assert "KILL is sent as soon as" in line(app, "fact")
        gate.set()
        await opened(pilot)
        assert [type(command) for command in link.submitted] == [cmd.EngageKill]
