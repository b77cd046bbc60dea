"""Waiting for the console to stand, for behaviour tests."""

from __future__ import annotations

from textual.pilot import Pilot

from optconsole.app import ConsoleApp
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.tour import Tour
from optconsole.screens.widgets.ribbon import Ribbon


async def opened(pilot: Pilot[int]) -> ConsoleApp:
    """Wait until the first screen stands on the engine and has had a beat."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    for _ in range(200):
        if isinstance(app.screen, ConsoleScreen) and app.screen.fed and app.deck and app.deck.pulse.beats:
            break
        if isinstance(app.screen, Tour):
            await pilot.press("enter")
        await pilot.pause(0.02)
    assert isinstance(app.screen, ConsoleScreen)
    await pilot.pause()
    return app


async def settled(pilot: Pilot[int], seconds: float = 0.12) -> None:
    """Let facts and at least one beat through."""
    for _ in range(5):
        await pilot.pause()
    await pilot.pause(seconds)


def line(app: ConsoleApp, widget: str) -> str:
    """What a ribbon of the present screen says."""
    return app.screen.query_one(f"#{widget}", Ribbon).text
