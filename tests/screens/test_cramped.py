"""Below the least size nothing may open, send or change; leaving and the kill switch still work."""

from __future__ import annotations

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.accounts import Mode
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.dialogs import Confirm
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.ticket_face import Phase
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, stage_app, straddle_day

SMALL = [(40, 10), (59, 36), (120, 14)]


@pytest.mark.parametrize("size", SMALL)
async def test_a_ticket_that_cannot_be_seen_sends_nothing(size: tuple[int, int]) -> None:
    link = StageLink(straddle_day(), mode=Mode.PAPER)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("b")
        await settled(pilot, 0.4)
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        draft = ticket.draft
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert "too small" in line(app, "too-small")
        assert app.screen.query_one("#too-small").display
        await pilot.press("enter", "2", "up", "a", "enter", "y", "ctrl+p")
        await settled(pilot, 0.4)
        assert app.screen is ticket
        assert ticket.draft == draft
        assert not link.submitted
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        assert not app.screen.query_one("#too-small").display
        await pilot.press("enter")
        await settled(pilot)
        assert len(link.submitted) == 1


async def test_a_live_question_that_cannot_be_seen_takes_no_yes_and_esc_leaves() -> None:
    link = StageLink(straddle_day(), mode=Mode.LIVE)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("b")
        await settled(pilot, 0.4)
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        await pilot.press("enter")
        assert ticket.phase is Phase.ASKING
        await pilot.resize_terminal(50, 12)
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert not link.submitted
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert isinstance(app.screen, ConsoleScreen)


async def test_a_question_with_a_word_takes_no_typing_while_it_cannot_be_seen() -> None:
    link = StageLink(straddle_day(), mode=Mode.LIVE)
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("b", "2", "5")
        await settled(pilot, 0.4)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.resize_terminal(50, 12)
        await settled(pilot)
        await pilot.press("2", "5", "enter")
        await settled(pilot)
        assert not link.submitted
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        await pilot.press("2", "5", "enter")
        await settled(pilot)
        assert len(link.submitted) == 1


async def test_no_dialog_opens_but_the_kill_works() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "positions").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.resize_terminal(50, 12)
        await settled(pilot)
        await pilot.press("b", "s", "x", "X", "colon", "question_mark", "comma", "N", "enter", "ctrl+p")
        await settled(pilot)
        assert isinstance(app.screen, ConsoleScreen)
        await pilot.press("ctrl+x", "ctrl+x")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.EngageKill]
