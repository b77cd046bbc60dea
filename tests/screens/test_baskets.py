"""Baskets: a tree that lives, keys that ask the engine, and the confirmations before what closes or enters."""

from __future__ import annotations

from pathlib import Path

import msgspec
from textual.pilot import Pilot
from textual.widgets import Input

from optconsole.app import ConsoleApp
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.strategies.files import write_basket
from optconsole.screens.baskets import BasketsScreen
from optconsole.screens.builder import BuilderScreen
from optconsole.screens.dialogs import Confirm
from optconsole.screens.faults import FaultList
from optconsole.screens.reason import Reason
from optconsole.screens.run_why import RunWhy
from optconsole.screens.template_picker import TemplatePicker
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.running import CE, TEXT, basket, running_facts, running_link
from tests.screens.stage import StageLink, stage_app


def grid_of(app: ConsoleApp) -> QuoteGrid:
    return app.screen.query_one("#baskets", QuoteGrid)


async def do(pilot: Pilot[int], text: str) -> None:
    """A long line on the ``:`` line, without pressing each of its keys."""
    await pilot.press("colon")
    await settled(pilot)
    pilot.app.screen.query_one("#line", Input).value = text
    await pilot.press("enter")
    await settled(pilot, 0.3)


def sent(link: StageLink) -> cmd.AnyCommand:
    return link.submitted[-1]


async def test_the_tree_shows_what_runs_and_follows_it() -> None:
    link = running_link()
    async with stage_app(link, "baskets").run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        grid = grid_of(app)
        assert grid.keys == [
            "b/index income",
            "r/R1",
            "l/R1/ce",
            "l/R1/pe",
            "r/R2",
            "r/R3",
            "b/spare",
            *(f"s/spare/{name}" for name in ("short straddle", "late strangle", "expiry call")),
        ]
        assert "active leaves 15:15 −5:54:53" in grid.row_text("r/R1")
        assert "76 ms" in grid.row_text("r/R1")
        assert "−9,000" in grid.row_text("r/R1")
        assert "25Nov 24500 CE open" in grid.row_text("l/R1/ce")
        assert "181.25 2" in grid.row_text("l/R1/ce")
        assert "planned enters 13:00 −3:39:53" in grid.row_text("r/R2")
        assert "skipped" in grid.row_text("r/R3")
        assert "Today is no expiry day" in grid.row_text("r/R3")
        assert "stopped" in grid.row_text("b/spare")
        assert "no run" in grid.row_text("s/spare/late strangle")
        before, rendered = grid.row_text("r/R1"), grid.rows_rendered
        link.nudge(CE, by=400)
        await settled(pilot, 0.2)
        assert grid.row_text("r/R1") != before
        assert grid.rows_rendered - rendered <= 4
        link.happen(ev.RunMoved(run_id="R2", status=RunStatus.WAITING, code="ON_TIME", text="Waits for: approval."))
        link.quote()
        await settled(pilot, 0.2)
        assert "waiting asks you" in grid.row_text("r/R2")
        # the second in which strategies enter brings hundreds of facts: they are shown together, with the next beat
        screen = app.screen
        assert isinstance(screen, BasketsScreen)
        shown, legs = screen._table, link.state.runs["R1"].legs
        for _ in range(50):
            link.happen(ev.LegMoved(run_id="R1", what="levels", leg=legs["ce"]))
        for _ in range(5):
            await pilot.pause()
        assert screen._table is shown
        link.quote()
        await settled(pilot, 0.2)
        assert screen._table is not shown
        await pilot.press("space")
        await settled(pilot)
        assert grid.keys[:2] == ["b/index income", "b/spare"]
        await pilot.press("enter", "down", "enter")
        await settled(pilot)
        assert "l/R1/ce" not in grid.keys
        assert "Due now." in line(app, "chosen")


async def test_keys_ask_the_engine_for_the_row_they_stand_on() -> None:
    link = running_link()
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        for key, status in (("p", BasketStatus.PAUSED), ("o", BasketStatus.STOPPED)):
            await pilot.press(key)
            await settled(pilot)
            command = sent(link)
            assert isinstance(command, cmd.SetBasketStatus)
            assert (command.name, command.status) == ("index income", status)
        # started already: the key does nothing, and says what it needs
        count = len(link.submitted)
        await pilot.press("t")
        await settled(pilot)
        assert len(link.submitted) == count
        assert "not active" in line(app, "fact")
        # the basket, the run and the leg are closed after a question that tells what is open
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "Exit index income: 4 lots" in line(app, "dialog-text")
        await pilot.press("escape", "down", "x")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert sent(link).run_id == "R1"  # type: ignore[union-attr]
        await pilot.press("down", "x")
        await settled(pilot)
        assert "Exit leg ce of short straddle (R1): 2 lots" in line(app, "dialog-text")
        await pilot.press("enter")
        await settled(pilot)
        command = sent(link)
        assert isinstance(command, cmd.SteerRun)
        assert (command.action, command.leg) == (cmd.RunAction.EXIT, "ce")
        # a strategy without a run has nothing to close, and does not stand for its basket
        grid_of(app).move_to("s/spare/late strangle")
        await pilot.press("x")
        await settled(pilot)
        assert not isinstance(app.screen, Confirm)
        # a run that has not begun: k moves as ever, K asks whether it is let go
        grid_of(app).move_to("r/R2")
        await pilot.press("k", "j")
        await settled(pilot)
        assert grid_of(app).cursor_key == "r/R2"
        for key, action in (("K", cmd.RunAction.SKIP), ("r", cmd.RunAction.NOW)):
            await pilot.press(key)
            await settled(pilot)
            assert isinstance(app.screen, Confirm)
            await pilot.press("y")
            await settled(pilot)
            command = sent(link)
            assert isinstance(command, cmd.SteerRun)
            assert (command.run_id, command.action) == ("R2", action)
        await pilot.press("H")
        await settled(pilot)
        assert sent(link).action is cmd.RunAction.HALT  # type: ignore[union-attr]
        # why
        await pilot.press("up", "w")
        await settled(pilot)
        assert isinstance(app.screen, RunWhy)
        told = app.screen.query_one(QuoteGrid)
        story = " ".join(told.row_text(key) for key in told.keys)
        assert "pe: filled at 139.80, 130 units, stop 174.75" in story
        assert "ce: filled" not in story


async def test_on_a_live_account_starting_and_large_exits_take_more() -> None:
    link = StageLink(running_facts(), mode=Mode.LIVE)
    link.happen(ev.BasketStatusChanged(name="index income", status=BasketStatus.PAUSED))
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("t")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "13:00:00  late strangle" in line(app, "dialog-text")
        await pilot.press("enter")
        await settled(pilot)
        assert not link.submitted
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(sent(link), cmd.SetBasketStatus)


async def test_files_go_in_and_out(tmp_path: Path) -> None:
    link = running_link()
    good, bad, out = tmp_path / "good.toml", tmp_path / "bad.toml", tmp_path / "out.toml"
    good.write_text(TEXT.replace("index income", "from a file"))
    bad.write_text(TEXT.replace('stop = "25%"', 'stop = "a quarter"'))
    async with stage_app(link, "baskets").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("E")
        await settled(pilot)
        assert isinstance(app.screen, Reason)
        app.screen.query_one("#dialog-word").value = str(out)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await settled(pilot, 0.3)
        assert out.read_text() == write_basket(basket())
        await do(pilot, f"basket import {good}")
        await settled(pilot, 0.3)
        command = sent(link)
        assert isinstance(command, cmd.SaveBasket)
        assert (command.basket.name, command.over) == ("from a file", None)
        await do(pilot, f"basket import {bad}")
        await settled(pilot, 0.3)
        assert isinstance(app.screen, FaultList)
        faults = app.screen.query_one(QuoteGrid)
        assert "strategy[0].leg[0].stop" in faults.row_text("fault/0")
        await pilot.press("escape")
        await do(pilot, f"basket import {tmp_path / 'none.toml'}")
        await settled(pilot, 0.3)
        assert "cannot be read" in line(app, "fact")
        await do(pilot, "basket clone index income to twin")
        command = sent(link)
        assert isinstance(command, cmd.SaveBasket)
        assert command.basket == msgspec.structs.replace(basket(), name="twin")
        await do(pilot, "basket start spare")
        assert sent(link).name == "spare"  # type: ignore[union-attr]
        await do(pilot, "run why R1")
        assert isinstance(app.screen, RunWhy)


async def test_without_baskets_it_teaches_and_n_begins_one() -> None:
    async with stage_app(StageLink(), "baskets").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert "No basket yet." in line(app, "empty")
        await pilot.press("n")
        await settled(pilot)
        assert isinstance(app.screen, TemplatePicker)
        await pilot.press(*"iron", "space", *"con")
        await settled(pilot)
        assert app.screen.query_one(QuoteGrid).keys == ["iron condor", "reverse iron condor"]
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, BuilderScreen)
        assert app.screen.draft["basket"]["name"] == "iron condor"
        assert app.screen.draft["account"] == [{"name": "PAPER1"}]
        assert len(app.screen.draft["strategy"][0]["leg"]) == 4
        await pilot.press("escape", "y")
        await settled(pilot)
        await pilot.press("5")
        await settled(pilot)
        assert "Nothing is planned for today." in line(app, "empty")


async def test_the_day_stands_in_order_and_its_runs_are_steered_from_there() -> None:
    link = running_link()
    async with stage_app(link, "today").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.2)
        grid = app.screen.query_one("#today", QuoteGrid)
        assert grid.keys[:4] == ["group/over", "R3/skip", "R1/enter", "group/coming"]
        assert grid.cursor_key == "R2/enter"
        assert "13:00:00 −3:39:53 enters late strangle planned 1" in grid.row_text("R2/enter")
        assert "76 ms" in grid.row_text("R1/enter")
        assert "next 13:00:00 late strangle enters −3:39:53" in line(app, "today-head")
        assert "1 skipped" in line(app, "today-head")
        await pilot.press("K")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert sent(link).action is cmd.RunAction.SKIP  # type: ignore[union-attr]
        await pilot.press("v")
        await settled(pilot)
        assert "R1/enter" not in grid.keys
        await pilot.press("c", "w")
        await settled(pilot)
        assert isinstance(app.screen, RunWhy)
