"""Help, tour, theme picker and palette: what teaches the console and dresses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.screens.dialogs import Confirm
from optconsole.screens.help import MEANING, HelpScreen
from optconsole.screens.keys import KEYS, MODE_NUMBERS
from optconsole.screens.palette import ConsoleCommands
from optconsole.screens.theme_picker import ThemePicker
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.tour import SEEN_FILE, Tour, first_time
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, stage_app, straddle_day


@pytest.mark.parametrize("screen", sorted(MODE_NUMBERS))
async def test_help_lists_the_screen_s_keys_and_says_what_it_is_for(screen: str) -> None:
    async with stage_app(StageLink(straddle_day()), screen, keys={"kill": "ctrl+g"}).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("question_mark")
        await settled(pilot)
        assert isinstance(app.screen, HelpScreen)
        assert MEANING[screen][0] in line(app, "detail-head")
        grid = app.screen.query_one(QuoteGrid)
        everywhere = {key.id for key in KEYS if key.context in ("global", "app", "grid", "ticket")}
        assert everywhere - {"why"} <= set(grid.keys)
        assert ("why" in grid.keys) == (screen in ("positions", "orders", "baskets", "today", "journal"))
        own = grid.keys[grid.keys.index("group/Here") + 1 : grid.keys.index("group/In any list")]
        assert ("notices" in own) == (screen == "health")
        assert own
        assert not any("…" in grid.row_text(key) for key in grid.keys)
        assert "^G" in grid.row_text("kill")
        assert ":sell" in grid.row_text("verb/sell")
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_the_tour_shows_once_and_enter_is_all_it_takes(tmp_path: Path) -> None:
    assert first_time(tmp_path)
    app = stage_app(StageLink(straddle_day()), home=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(100):
            await pilot.pause(0.02)
            if isinstance(app.screen, Tour):
                break
        await settled(pilot)
        assert "practice market" in line(app, "dialog-text")
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen.name == "positions"
    assert (tmp_path / SEEN_FILE).exists()
    assert not first_time(tmp_path)


async def test_another_key_leaves_the_tour_and_still_does_what_it_does(tmp_path: Path) -> None:
    app = stage_app(StageLink(straddle_day()), home=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(100):
            await pilot.pause(0.02)
            if isinstance(app.screen, Tour):
                break
        await pilot.press("3")
        await settled(pilot)
        assert app.screen.name == "orders"


def test_a_home_that_is_not_there_has_no_tour(tmp_path: Path) -> None:
    assert not first_time(tmp_path / "gone")


@pytest.mark.parametrize(("key", "kept"), [("enter", True), ("escape", False)])
async def test_a_theme_is_worn_while_it_is_looked_at(key: str, kept: bool) -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("comma")
        await settled(pilot)
        assert isinstance(app.screen, ThemePicker)
        await pilot.press("down")
        await settled(pilot)
        worn = app.theme
        assert worn != "harbour"
        await pilot.press(key)
        await settled(pilot)
        assert app.theme == (worn if kept else "harbour")


async def test_the_palette_finds_screens_themes_and_contracts() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        provider = ConsoleCommands(app.screen)
        found = [str(hit.display) async for hit in provider.discover()]
        assert {"Go to journal", "Theme mono"} <= set(found)
        hits = [hit async for hit in provider.search("24600 CE")]
        assert any("Sell NIFTY 25NOV26 24600 CE" in str(hit.match_display) for hit in hits)
        await hits[-1].command()
        await settled(pilot)
        assert isinstance(app.screen, TicketScreen)


async def test_the_palette_s_kill_is_one_press_of_two_and_release_asks_for_its_word() -> None:
    link = StageLink([*straddle_day(), ev.KillEngaged(why="mad market")])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        await pilot.press(*"kill", "enter")
        await settled(pilot, 0.5)
        assert not link.submitted
        hits = [hit async for hit in ConsoleCommands(app.screen).search("release")]
        await hits[0].command()
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("enter")
        assert not link.submitted
        await pilot.press(*"UNLOCK", "enter")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.ReleaseKill]


async def test_nothing_of_the_tour_is_cut_off(tmp_path: Path) -> None:
    app = stage_app(StageLink(straddle_day()), home=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(100):
            await pilot.pause(0.02)
            if isinstance(app.screen, Tour):
                break
        await settled(pilot)
        text = app.screen.query_one("#dialog-text", Ribbon)
        assert max(map(len, text.text.splitlines())) <= text.size.width


async def test_beneath_a_dialog_the_footer_offers_no_keys_of_the_screen() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        beneath = app.screen
        assert "Group" in line(app, "keys")
        await pilot.press("question_mark")
        await settled(pilot)
        footer = beneath.query_one("#keys", Ribbon).text
        assert "Group" not in footer
        assert "KILL" in footer
        await pilot.press("escape")
        await settled(pilot)
        assert "Group" in line(app, "keys")
