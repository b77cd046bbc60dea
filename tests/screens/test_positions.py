"""Positions: grouped, summed, live, and closed only after a deliberate yes."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.timeline import millis
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.mirror import Mirror
from optconsole.screens.position_detail import PositionDetail
from optconsole.screens.position_rows import Grouping, PositionTable
from optconsole.screens.positions import PositionsPane, PositionsScreen
from optconsole.screens.pulse import Pulse
from optconsole.screens.widgets.columns import BLANK
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import NOON, StageLink, name, placed, stage_app, straddle_day, vitals

CALL = name(24500, "CE")
KEY = f"PAPER1/NRML/{CALL}"


def role_of(grid: QuoteGrid, key: str, title: str) -> str:
    """The colour role of one cell."""
    index = [column.title for column in grid._columns].index(title)
    return grid._live(key).format(index, grid._columns[index], 12)[1]


def grid_of(app: object) -> QuoteGrid:
    return app.screen.query_one("#positions", QuoteGrid)  # type: ignore[attr-defined]


async def test_without_positions_it_teaches_what_it_is_for() -> None:
    async with stage_app(StageLink()).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert not grid_of(app).display
        assert "press b to buy" in line(app, "empty")
        assert "Exit" not in line(app, "keys")


async def test_the_first_fill_replaces_the_lesson_at_once() -> None:
    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        for event in placed(1, CALL, Side.SELL, 2, 14_500):
            link.happen(event)
        await settled(pilot)
        assert grid_of(app).display
        assert "−2L (130)" in grid_of(app).row_text(KEY)
        assert "Exit" in line(app, "keys")
        assert "SOLD 2L (130) NIFTY 25Nov 24500 CE @ 145.00" in line(app, "fact")


async def test_a_row_says_what_is_held_and_made() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(200, 36)) as pilot:
        app = await opened(pilot)
        link.quote(msgspec.structs.replace(link.quotes[CALL], ltp=14_010, bid=14_000, ask=14_020))
        await settled(pilot)
        text = grid_of(app).row_text(KEY)
        # sold two lots at 145.00, now 140.10: 130 units gain 4.90 each, 3.38 % of the premium
        for piece in ("NIFTY 25Nov 24500 CE", "−2L (130)", "145.00", "140.10", "140.00", "140.20", "+637", "+3.38%"):
            assert piece in text


async def test_what_has_no_price_shows_a_dash_and_never_zero() -> None:
    link = StageLink(placed(1, CALL, Side.SELL, 2, 14_500))
    del link.quotes[CALL]
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert grid_of(app).row_text(KEY) == "NIFTY 25Nov 24500 CE −2L (130) 145.00 – – – – NO STOP"
        assert "≈" in line(app, "header")


async def test_subtotals_add_up_to_the_pinned_total() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        rows = {key: grid_of(app)._rows[key].values for key in ("group/NIFTY", "group/BANKNIFTY", "total")}
        assert rows["group/NIFTY"][7] + rows["group/BANKNIFTY"][7] == rows["total"][7]
        assert app.deck is not None
        assert rows["total"][7] == app.deck.mirror.figures().gross


@pytest.mark.parametrize(("presses", "headers"), [(0, 2), (1, 1), (2, 1)])
async def test_one_key_changes_what_rows_are_grouped_by(presses: int, headers: int) -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press(*["o"] * presses)
        groups = [key for key in grid_of(app).keys if key.startswith("group/")]
        assert len(groups) == headers
        assert len(grid_of(app).keys) == headers + 5


async def test_a_group_folds_away_and_comes_back_with_the_cursor_on_it() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to(KEY)
        await pilot.press("space")
        assert grid_of(app).cursor_key == "group/NIFTY"
        assert KEY not in grid_of(app).keys
        await pilot.press("enter")
        await pilot.pause()
        assert KEY in grid_of(app).keys


async def test_exit_asks_and_then_flattens_the_row_s_contract() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to(KEY)
        await pilot.press("x")
        assert isinstance(app.screen, Confirm)
        assert link.submitted == []
        await pilot.press("y")
        await settled(pilot)
        (sent,) = link.submitted
        assert isinstance(sent, cmd.Flatten)
        assert sent.scope == cmd.Scope(cmd.ScopeKind.CONTRACT, CALL)
        assert sent.percent == 100


async def test_exit_on_a_group_flattens_the_group() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to("group/NIFTY")
        await pilot.press("x", "enter")
        await settled(pilot)
        assert [command.scope for command in link.submitted if isinstance(command, cmd.Flatten)] == [
            cmd.Scope(cmd.ScopeKind.UNDERLYING, "NIFTY")
        ]
        assert isinstance(app.screen, PositionsScreen)


async def test_escape_leaves_everything_as_it_is() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("x", "escape")
        await settled(pilot)
        assert link.submitted == []
        assert isinstance(app.screen, PositionsScreen)


async def test_a_refused_exit_is_told_in_the_engine_s_words() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.Flatten] = cmd.Reply(ok=False, code="MARKET_CLOSED", text="The market is closed.")
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("x", "y")
        await settled(pilot)
        assert "The market is closed. [MARKET_CLOSED]" in line(app, "fact")


async def test_a_held_exit_key_opens_one_question() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        screen = app.screen
        assert isinstance(screen, PositionsScreen)
        assert isinstance(screen.pane, PositionsPane)
        for _ in range(5):
            screen.pane.action_exit_row()
        await pilot.pause()
        assert len(app.screen_stack) == 2


async def test_enter_opens_the_fills_behind_a_row() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to(KEY)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PositionDetail)
        assert "7001" in app.screen.query_one(QuoteGrid).row_text("PAPER1/7001")
        assert "avg 145.00" in line(app, "detail-head")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PositionsScreen)


async def test_the_screen_beneath_a_dialog_moves_once_a_second_and_misses_nothing() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        screen = app.screen
        assert app.deck is not None
        now = [app.deck.monotonic()]
        app.deck.monotonic = lambda: now[0]
        await pilot.press("x")
        await settled(pilot)
        grid = screen.query_one(QuoteGrid)
        before = grid.applies
        for _ in range(4):
            link.nudge(CALL)
            await settled(pilot, 0.06)
        assert grid.applies == before
        now[0] += 1.1
        link.nudge(name(24100, "PE"))
        await settled(pilot)
        assert grid.applies == before + 1
        assert app.deck.fmt.price(link.quotes[CALL].ltp) in grid.row_text(KEY)


async def test_finding_narrows_the_rows_and_escape_brings_them_back() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("slash", "2", "4", "1", "0", "0")
        await pilot.pause()
        assert [key.split("/")[-1] for key in grid_of(app).keys] == ["NIFTY", name(24100, "PE")]
        await pilot.press("escape")
        await pilot.pause()
        assert len(grid_of(app).keys) == 7
        assert app.focused is grid_of(app)


async def test_a_beat_paints_only_the_rows_whose_contract_moved() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        before = grid_of(app).rows_rendered
        link.nudge(CALL)
        await settled(pilot, 0.1)
        # the row itself, its group's sums and the total; a flash takes one more painting of the row
        assert 3 <= grid_of(app).rows_rendered - before <= 4


async def test_facts_of_a_resync_replace_everything() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert app.deck is not None
        other = StageLink(placed(1, name(24600, "CE"), Side.BUY, 1, 9_000))
        await app.deck.mirror.regain(other)
        await settled(pilot)
        assert [key.split("/")[-1] for key in grid_of(app).keys] == ["NIFTY", name(24600, "CE")]


async def test_buy_and_sell_are_offered_only_where_there_is_a_contract() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid_of(app).move_to("group/NIFTY")
        await settled(pilot)
        assert "Buy" not in line(app, "keys")
        grid_of(app).move_to(KEY)
        await settled(pilot)
        assert "Buy" in line(app, "keys")


async def test_an_expiry_group_cannot_be_closed_as_one_and_says_what_can() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("o", "o", "home", "x")
        await settled(pilot)
        assert "Group by underlying or account" in line(app, "fact")
        assert link.submitted == []


async def test_why_tells_what_moved_the_selected_position_last() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("w")
        assert "This row is a sum" in line(app, "fact")
        grid_of(app).move_to(KEY)
        await pilot.press("w")
        assert "NIFTY 25Nov 24500 CE: O1 SELL 2L (130) @ 145.00 at 09:20:07 moved it last" in line(app, "fact")


def test_a_percentage_is_of_the_profit_shown_beside_it() -> None:
    """Half is bought back at a gain: profit counts what was realised, and so does what it is measured against."""
    link = StageLink([*placed(1, CALL, Side.SELL, 2, 10_000), *placed(2, CALL, Side.BUY, 1, 6_000)])
    link.quotes[CALL] = msgspec.structs.replace(link.quotes[CALL], bid=None, ask=None, ltp=8_000, booked=False)
    deck = Deck(mirror := Mirror(link), Pulse(mirror, 1.0, lambda: 0.0), monotonic=lambda: 0.0)
    mirror.state, mirror.quotes = link.state, link.quotes
    table = PositionTable(list(link.state.positions.values()), deck, Grouping.UNDERLYING, set())
    sold = 2 * 65 * 10_000
    for key in (KEY, "group/NIFTY", "total"):
        values = table.values(key)
        assert values[8] == values[7] / sold, key
    assert table.values(KEY)[7] == 65 * 4_000 + 65 * 2_000


def test_what_is_flat_has_no_percentage_and_its_sums_neither() -> None:
    link = StageLink([*placed(1, CALL, Side.SELL, 2, 10_000), *placed(2, CALL, Side.BUY, 2, 6_000)])
    deck = Deck(mirror := Mirror(link), Pulse(mirror, 1.0, lambda: 0.0), monotonic=lambda: 0.0)
    mirror.state = link.state
    table = PositionTable(list(link.state.positions.values()), deck, Grouping.UNDERLYING, set())
    assert [table.values(key)[8] for key in (KEY, "group/NIFTY", "total")] == [BLANK] * 3


async def test_a_narrow_terminal_keeps_the_average_and_the_whole_contract() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert {"Avg", "LTP", "Stop"} <= set(grid_of(app).columns_shown)
        text = grid_of(app).row_text("PAPER1/NRML/" + name(52100, "CE", underlying="BANKNIFTY"))
        assert text.startswith("BANKNIFTY 25Nov 52100 CE ")


DRIFT = ev.DriftSeen(account="PAPER1", product=Product.NRML, contract=name(24500, "CE"), ours=-130, theirs=-65)
ELSEWHERE = ev.DriftSeen(account="PAPER1", product=Product.MIS, contract=name(24700, "PE"), ours=0, theirs=65)


async def test_a_difference_from_the_broker_shows_both_numbers_and_its_age() -> None:
    link = StageLink([*straddle_day(), DRIFT, ELSEWHERE])
    async with stage_app(link).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#positions", QuoteGrid)
        assert "−2L≠−1L" in grid.row_text(f"PAPER1/NRML/{name(24500, 'CE')}")
        assert "0≠1L" in grid.row_text(f"PAPER1/MIS/{name(24700, 'PE')}"), "what only the broker holds has a row"
        told = line(app, "drifts")
        assert "our book −2L (130), the broker −1L (65)" in told
        assert "our book 0, the broker 1L (65)" in told
        assert "for " in told
        link.happen(ev.DriftEnded(account="PAPER1", product=Product.NRML, contract=name(24500, "CE")))
        link.happen(ev.DriftEnded(account="PAPER1", product=Product.MIS, contract=name(24700, "PE")))
        await settled(pilot)
        assert not line(app, "drifts").strip()
        assert f"PAPER1/MIS/{name(24700, 'PE')}" not in grid.keys


async def test_the_broker_s_quantity_is_adopted_after_a_yes_and_only_where_books_differ() -> None:
    link = StageLink([*straddle_day(), ELSEWHERE])
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#positions", QuoteGrid)
        grid.move_to(f"PAPER1/NRML/{name(24500, 'CE')}")
        await settled(pilot)
        await pilot.press("A")
        await settled(pilot)
        assert not isinstance(app.screen, Confirm)
        assert "Adopt" not in line(app, "keys")
        grid.move_to(f"PAPER1/MIS/{name(24700, 'PE')}")
        await settled(pilot)
        assert "Adopt" in line(app, "keys")
        await pilot.press("A")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "the broker 1L (65)" in line(app, "dialog-text")
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.AdoptPosition)
        assert command.key == f"PAPER1/MIS/{name(24700, 'PE')}"


async def test_a_price_that_is_old_is_dim_at_any_width_and_no_move() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#positions", QuoteGrid)
        key = f"PAPER1/NRML/{name(24500, 'CE')}"
        before = grid.row_text(key)
        link.vitals = vitals(NOON + timedelta(seconds=30))
        link.nudge(name(24600, "CE"))
        await settled(pilot)
        assert grid.row_text(key) == before, "the number stays"
        assert role_of(grid, key, "LTP") == "stale"
        link.quote(msgspec.structs.replace(link.quotes[name(24500, "CE")], ts=millis(link.vitals.now)))
        await settled(pilot)
        assert role_of(grid, key, "LTP") == ""


async def test_a_position_is_reversed_after_a_yes_and_a_group_s_row_offers_no_such_key() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert not isinstance(app.screen, Confirm)
        grid_of(app).move_to(KEY)
        await settled(pilot)
        assert "Reverse" in line(app, "keys")
        await pilot.press("R")
        await settled(pilot, 0.4)
        assert isinstance(app.screen, Confirm)
        text = line(app, "dialog-text")
        assert "−2L (130) → 2L (130)" in text
        await pilot.press("enter")
        assert not link.submitted, "Enter alone is no yes to this"
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.Reverse)
        assert command.scope == cmd.Scope(cmd.ScopeKind.POSITION, KEY)
