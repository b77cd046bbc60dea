"""Whose units a position is made of, and what a key closes of them."""

from __future__ import annotations

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.screens.position_parts import by_owner, owner_name, stops_of_runs
from optconsole.screens.positions import PositionsPane, PositionsScreen
from optconsole.screens.run_why import RunWhy
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import opened, settled
from tests.screens.running import CE, running_link
from tests.screens.stage import LOT, stage_app


def test_a_position_is_as_many_rows_as_it_has_owners() -> None:
    state = running_link().state
    owned = list(by_owner(state.positions.values(), state))
    assert [(path, held.qty) for path, _, held in owned] == [("index income/short straddle/R1", -2 * LOT)] * 2
    assert owner_name(state, owned[0][0]) == "short straddle R1, index income"
    assert owner_name(state, "") == "by hand"


def test_the_stop_of_a_leg_guards_its_part_and_the_position() -> None:
    link = running_link()
    stops = stops_of_runs(link.state)
    part = f"PAPER1/NRML/{CE}|index income/short straddle/R1/ce"
    assert stops[part].stop == stops[f"PAPER1/NRML/{CE}"].stop == 18_125
    assert stops[part].units == 2 * LOT
    leg = link.state.runs["R1"].legs["ce"]
    link.happen(ev.LegMoved(run_id="R1", what="blind", leg=msgspec.structs.replace(leg, blind="no price")))
    assert stops_of_runs(link.state)[part].units == 0


async def test_positions_by_basket_close_only_what_is_theirs() -> None:
    link = running_link()
    async with stage_app(link).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        assert isinstance(app.screen, PositionsScreen)
        grid = app.screen.query_one("#positions", QuoteGrid)
        # whatever the rows are gathered by, the stop of the leg stands at its position
        assert "181.25 run" in grid.row_text(f"PAPER1/NRML/{CE}")
        await pilot.press("o", "o", "o")
        await settled(pilot)
        assert isinstance(app.screen.pane, PositionsPane)
        head, leg = "group/index income/short straddle/R1", f"PAPER1/NRML/{CE}|index income/short straddle/R1/ce"
        assert grid.keys[:2] == [head, leg]
        assert "ce NIFTY 25Nov 24500 CE −2L (130) 145.00" in grid.row_text(leg)
        assert "181.25 run" in grid.row_text(leg)
        grid.move_to(leg)
        await pilot.press("x")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        command = link.submitted[-1]
        assert isinstance(command, cmd.SteerRun)
        assert (command.run_id, command.leg) == ("R1", "ce")
        grid.move_to(head)
        await pilot.press("w")
        await settled(pilot)
        assert isinstance(app.screen, RunWhy)
