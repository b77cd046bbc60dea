"""A wide terminal shows two views side by side; a narrow one pays for one only."""

from __future__ import annotations

from optconsole.screens.chain import ChainPane
from optconsole.screens.positions import PositionsPane, PositionsScreen
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, stage_app, straddle_day


async def test_a_wide_terminal_shows_the_chain_beside_the_positions() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.3)
        screen = app.screen
        assert isinstance(screen, PositionsScreen)
        assert [type(pane) for pane in screen.panes()] == [PositionsPane, ChainPane]
        left, right = screen.panes()
        assert left.region.right <= right.region.x
        assert right.grid.keys


async def test_a_narrow_terminal_does_not_even_make_the_second() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert not app.screen.query(ChainPane)
        assert name(24700, "CE") not in link.taps[0].watched


async def test_tab_goes_across_and_the_footer_and_the_ticket_follow() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.3)
        assert "Group" in line(app, "keys")
        await pilot.press("tab")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PositionsScreen)
        assert isinstance(screen.active, ChainPane)
        assert "Expiry" in line(app, "keys")
        assert "Group" not in line(app, "keys")
        assert screen.selected_contract() == name(24500, "CE")
        await pilot.press("l")
        assert screen.selected_contract() == name(24500, "PE")


async def test_shrinking_hides_the_second_and_keeps_the_focus_usable() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.3)
        await pilot.press("tab")
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PositionsScreen)
        assert screen.panes() == [screen.pane]
        assert app.focused is screen.pane.grid
        assert name(24700, "CE") not in link.taps[0].watched
        await pilot.resize_terminal(200, 50)
        await settled(pilot)
        assert len(screen.panes()) == 2
        assert name(24700, "CE") in link.taps[0].watched


async def test_both_panes_move_in_one_beat() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.3)
        screen = app.screen
        assert isinstance(screen, PositionsScreen)
        before = [pane.grid.rows_rendered for pane in screen.panes()]
        link.nudge(name(24500, "CE"))
        await settled(pilot)
        after = [pane.grid.rows_rendered for pane in screen.panes()]
        assert all(now > then for now, then in zip(after, before, strict=True))
