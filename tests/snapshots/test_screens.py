"""How the screens look, at the three sizes that must work; renew with ``--snapshot-update`` and look at each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from optconsole.engine import events as ev
from optconsole.screens.chain import ChainPane
from tests.screens.opening import opened, settled
from tests.screens.stage import StageLink, stage_app, straddle_day

SIZES = [(80, 24), (120, 36), (200, 50)]
Compare = Callable[..., bool]


def by_size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the runner's own terminal can do must not show in the pictures."""
    for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)


def then(*keys: str) -> Callable[[Pilot[int]], object]:
    """Wait for the screen to stand, press, and wait for quiet."""

    async def act(pilot: Pilot[int]) -> None:
        app = await opened(pilot)
        for pane in app.screen.query(ChainPane):
            for _ in range(200):
                if pane.expiry is not None and pane.expiry.solved is not None:
                    break
                await pilot.pause(0.02)
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return act


@pytest.mark.parametrize("size", SIZES, ids=by_size)
@pytest.mark.parametrize("screen", ["positions", "chain"])
def test_screen(snap_compare: Compare, screen: str, size: tuple[int, int]) -> None:
    app = stage_app(StageLink(straddle_day()), screen)
    assert snap_compare(app, terminal_size=size, run_before=then())


@pytest.mark.parametrize("theme", ["ember", "daylight", "contrast", "deuter", "ansi", "mono"])
def test_theme(snap_compare: Compare, theme: str) -> None:
    app = stage_app(StageLink(straddle_day()), "chain", theme=theme)
    assert snap_compare(app, terminal_size=(120, 36), run_before=then())


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=by_size)
def test_ascii(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = stage_app(StageLink(straddle_day()), "chain", ascii=True)
    assert snap_compare(app, terminal_size=size, run_before=then())


def test_nothing_held_yet(snap_compare: Compare) -> None:
    assert snap_compare(stage_app(StageLink()), terminal_size=(80, 24), run_before=then())


def test_exit_question(snap_compare: Compare) -> None:
    app = stage_app(StageLink(straddle_day()))
    assert snap_compare(app, terminal_size=(120, 36), run_before=then("down", "down", "x"))


def test_position_opened(snap_compare: Compare) -> None:
    app = stage_app(StageLink(straddle_day()))
    assert snap_compare(app, terminal_size=(120, 36), run_before=then("down", "enter"))


def test_halted(snap_compare: Compare) -> None:
    link = StageLink([*straddle_day(), ev.KillEngaged(why="daily loss limit reached")])
    assert snap_compare(stage_app(link), terminal_size=(120, 36), run_before=then())


def test_too_small(snap_compare: Compare) -> None:
    assert snap_compare(stage_app(), terminal_size=(50, 12), run_before=then())
