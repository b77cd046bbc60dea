"""The builder: typing over a field changes the file beside it, and what is wrong is said where it is."""

from __future__ import annotations

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.screens.builder import BuilderScreen
from optconsole.screens.dialogs import Confirm
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.running import basket, running_link
from tests.screens.stage import stage_app

STOP = "strategy[0].leg[0].stop"


def form(app: object) -> QuoteGrid:
    return app.screen.query_one("#form", QuoteGrid)  # type: ignore[attr-defined]


async def test_typing_over_a_field_changes_the_file_and_saving_is_a_new_version() -> None:
    link = running_link()
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("e")
        await settled(pilot)
        builder = app.screen
        assert isinstance(builder, BuilderScreen)
        file = builder.query_one("#file", QuoteGrid)
        assert file.display
        assert "sound" in line(app, "builder-head")
        form(app).move_to(STOP)
        await pilot.press("3")
        await settled(pilot)
        assert builder.has_class("-typing")
        await pilot.press("x")
        await settled(pilot)
        assert "'3x'" in line(app, "builder-hint") or "3x" in line(app, "builder-hint")
        assert "fault" in line(app, "builder-head")
        assert 'stop = "3x"' in builder.toml
        # Ctrl+S leaves the field and shows what is wrong instead of saving
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert not link.submitted
        assert "Not saved" in line(app, "builder-hint")
        assert form(app).cursor_key == STOP
        await pilot.press("4", "0", "percent_sign", "enter")
        await settled(pilot)
        assert 'stop = "40%"' in builder.toml
        assert form(app).cursor_key == "strategy[0].leg[0].target"
        # Esc takes the typing back
        await pilot.press("7", "escape")
        await settled(pilot)
        assert "target" not in builder.toml
        assert not builder.has_class("-typing")
        # legs: one more, a twin, and away again
        await pilot.press("ctrl+n")
        await settled(pilot)
        assert form(app).cursor_key == "strategy[0].leg[2]"
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert len(builder.draft["strategy"][0]["leg"]) == 4
        await pilot.press("delete")
        form(app).move_to("strategy[0].leg[2]")
        await pilot.press("delete")
        await settled(pilot)
        assert len(builder.draft["strategy"][0]["leg"]) == 2
        # Esc asks, since something was changed
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape", "ctrl+s")
        await settled(pilot)
        command = link.submitted[-1]
        assert isinstance(command, cmd.SaveBasket)
        assert command.over == 1
        assert command.basket.strategies[0].legs[0].stop != basket().strategies[0].legs[0].stop
        assert not isinstance(app.screen, BuilderScreen)


async def test_a_version_written_meanwhile_is_offered_in_place_of_what_was_typed() -> None:
    link = running_link()
    told = "index income was written from version 1, but there is version 2; look at it and save again."
    link.replies[cmd.SaveBasket] = cmd.Reply(ok=False, code="STALE_VERSION", text=told)
    async with stage_app(link, "baskets").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("e")
        await settled(pilot)
        builder = app.screen
        assert isinstance(builder, BuilderScreen)
        assert not builder.query_one("#file").display
        await pilot.press("ctrl+t")
        await settled(pilot)
        assert builder.query_one("#file").display
        await pilot.press("ctrl+t")
        form(app).move_to("basket.max_loss")
        await pilot.press("9", "9", "enter")
        newer = msgspec.structs.replace(basket(), max_loss=7_700_00)
        link.happen(ev.BasketSaved(name="index income", basket=newer, version=2))
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        await settled(pilot)
        assert "STALE_VERSION" in line(app, "builder-hint")
        await pilot.press("ctrl+s")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert builder.draft["basket"]["max_loss"] == "7700"
        assert not builder.changed
        del link.replies[cmd.SaveBasket]
        await pilot.press("ctrl+s")
        await settled(pilot)
        command = link.submitted[-1]
        assert isinstance(command, cmd.SaveBasket)
        assert command.over == 2


async def test_a_change_of_a_run_that_would_fire_at_once_is_asked_for_twice() -> None:
    link = running_link()
    told = "At once leg ce would be left: 143.75 is at or above the new stop of 140.00. Say that it is meant."
    link.replies[cmd.EditRun] = cmd.Reply(ok=False, code="WOULD_FIRE", text=told)
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#baskets", QuoteGrid)
        grid.move_to("r/R1")
        await pilot.press("e")
        await settled(pilot)
        builder = app.screen
        assert isinstance(builder, BuilderScreen)
        assert "basket.name" not in form(app).keys
        # what was entered stays: typing over it does nothing
        form(app).move_to("strategy[0].leg[0].strike")
        await pilot.press("9")
        await settled(pilot)
        assert not builder.has_class("-typing")
        form(app).move_to(STOP)
        await pilot.press("1", "percent_sign", "ctrl+s")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "143.75 is at or above" in line(app, "dialog-text").replace("\n", " ")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        link.replies[cmd.EditRun] = cmd.Reply(ok=True, text="R1 short straddle has new rules.")
        await pilot.press("y")
        await settled(pilot)
        edits = [each for each in link.submitted if isinstance(each, cmd.EditRun)]
        assert [each.fire for each in edits] == [False, True]
        assert edits[0].id != edits[1].id
        assert not isinstance(app.screen, BuilderScreen)
        assert "new rules" in line(app, "fact")
