"""The chain: strikes in the middle, the money marked, the ticket on the side that is chosen."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from optconsole.engine import queries as q
from optconsole.engine.model.orders import Side
from optconsole.screens.chain import ChainPane, ChainScreen
from optconsole.screens.chain_columns import SETS, ColumnSet, chain_columns, side_fields
from optconsole.screens.chain_model import Expiry, holdings
from optconsole.screens.formats import Formats
from optconsole.screens.mirror import Mirror
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import FAR, NEAR, NOON, StageLink, listed_chain, name, placed, stage_app, straddle_day

ATM = str(24_500 * 100)


async def chain(pilot: object) -> tuple[object, ChainPane, QuoteGrid]:
    app = await opened(pilot)  # type: ignore[arg-type]
    assert isinstance(app.screen, ChainScreen)
    screen = app.screen.pane
    assert isinstance(screen, ChainPane)
    for _ in range(100):
        if screen.expiry is not None and screen.expiry.solved is not None:
            break
        await pilot.pause(0.02)  # type: ignore[attr-defined]
    await settled(pilot)  # type: ignore[arg-type]
    return app, screen, screen.grid


async def test_it_opens_at_the_money_with_straddle_ratio_and_pain() -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
        app, _, grid = await chain(pilot)
        assert grid.cursor_key == ATM
        keys = grid.visible_keys()
        assert abs(keys.index(ATM) - len(keys) // 2) <= 1
        head = line(app, "chain-head")  # type: ignore[arg-type]
        for piece in ("[25Nov D1]", "straddle", "PCR", "max pain", "synthetic 24,5", "01Dec"):
            assert piece in head


async def test_calls_mirror_puts_around_the_strike() -> None:
    columns = [column.zone for column in chain_columns(ColumnSet.INTEREST, Formats())]
    middle = columns.index("")
    assert columns[:middle] == ["call"] * middle
    assert columns[middle + 1 :] == ["put"] * middle


@pytest.mark.parametrize("chosen", SETS)
def test_a_bid_stands_left_of_its_ask_on_both_sides(chosen: ColumnSet) -> None:
    for zone in ("call", "put"):
        fields = side_fields(chosen, zone)
        assert fields.index("bid") < fields.index("ask")


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("chosen", SETS)
async def test_both_sides_lose_the_same_columns_on_a_narrow_terminal(width: int, chosen: ColumnSet) -> None:
    grid = QuoteGrid(chain_columns(chosen, Formats()), frozen=0)
    from tests.screens.test_quote_grid import Host

    async with Host(grid).run_test(size=(width, 10)):
        shown = grid.columns_shown
        middle = shown.index("Strike")
        assert sorted(shown[:middle]) == sorted(shown[middle + 1 :])
        assert {"LTP", "Bid"} & set(shown)


async def test_the_money_is_shaded_and_the_strike_at_it_marked() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(120, 36)) as pilot:
        _, _, grid = await chain(pilot)
        rows = {key: live.row for key, live in grid._rows.items()}
        assert rows[ATM].kind == "atm"
        assert rows[str(24_000 * 100)].shades == {"call": "itm"}
        assert rows[str(25_000 * 100)].shades == {"put": "itm"}


async def test_my_lots_and_working_orders_stand_at_their_strike() -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(120, 36)) as pilot:
        _, _, grid = await chain(pilot)
        assert grid.row_text(ATM).count("−2") >= 2
        assert "+2" in grid.row_text(str(24_100 * 100))
        assert "◦−1" in grid.row_text(str(24_550 * 100))


async def test_left_and_right_choose_what_the_ticket_opens_on() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(120, 36)) as pilot:
        _, screen, _ = await chain(pilot)
        assert screen.selected_contract() == name(24500, "CE")
        await pilot.press("l", "j")
        assert screen.selected_contract() == name(24550, "PE")
        await pilot.press("h")
        assert screen.selected_contract() == name(24550, "CE")


async def test_brackets_change_the_expiry_and_stop_at_the_last() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(120, 36)) as pilot:
        app, screen, _ = await chain(pilot)
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert screen.expiry is not None
        assert screen.expiry.day == FAR
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "no expiry beyond" in line(app, "fact")  # type: ignore[arg-type]
        await pilot.press("left_square_bracket")
        await settled(pilot)
        assert screen.expiry.day == NEAR


async def test_only_the_expiry_shown_is_watched() -> None:
    link = StageLink()
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        await chain(pilot)
        assert name(24500, "CE") in link.taps[0].watched
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert name(24500, "CE") not in link.taps[0].watched
        assert name(24500, "CE", FAR) in link.taps[0].watched


async def test_an_underlying_without_contracts_teaches_instead_of_an_empty_table() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(120, 36)) as pilot:
        app, screen, grid = await chain(pilot)
        await pilot.press("n", "n")
        await settled(pilot)
        assert screen.underlying == "SENSEX"
        assert not grid.display
        assert "No contracts of SENSEX" in line(app, "empty")  # type: ignore[arg-type]
        await pilot.press("n")
        await settled(pilot)
        assert grid.display


async def test_a_key_changes_the_columns_and_the_cursor_stays() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(200, 36)) as pilot:
        _, _, grid = await chain(pilot)
        await pilot.press("j", "j", "v")
        await pilot.pause()
        assert grid.cursor_key == str(24_600 * 100)
        assert "Theta" in grid.columns_shown
        await pilot.press("v")
        assert "Bid qty" in grid.columns_shown


async def test_a_tick_repaints_its_strike_alone() -> None:
    link = StageLink()
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        _, screen, grid = await chain(pilot)
        screen._solved_at = screen.deck.monotonic() + 60
        await settled(pilot, 0.4)
        before = grid.rows_rendered
        link.nudge(name(24500, "CE"))
        await settled(pilot, 0.05)
        assert 1 <= grid.rows_rendered - before <= 2


async def test_volatilities_are_solved_at_most_once_a_second() -> None:
    link = StageLink()
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        _, screen, _ = await chain(pilot)
        now = [1_000.0]
        screen.deck.monotonic = lambda: now[0]
        screen._solved_at = 0.0
        solved: list[int] = []
        expiry = screen.expiry
        assert expiry is not None
        original = expiry.solve
        expiry.solve = lambda *given: solved.append(1) or original(*given)  # type: ignore[func-returns-value,method-assign]
        for _ in range(4):
            screen.beat({name(24500, "CE")})
        assert len(solved) == 1
        now[0] += 1.0
        screen.beat(set())
        assert len(solved) == 2


async def test_a_listing_nobody_can_answer_is_no_fault() -> None:
    link = StageLink()
    link.answers[q.FindInstruments] = q.Refused(code="NO_MASTER", text="No instruments.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert "No contracts" in line(app, "empty")


def expiry_of(link: StageLink) -> tuple[Expiry, Mirror]:
    mirror = Mirror(link)
    mirror.state, mirror.vitals, mirror.quotes = link.state, link.vitals, link.quotes
    return Expiry("NIFTY", NEAR, listed_chain()), mirror


def test_greeks_have_the_signs_a_trader_expects() -> None:
    expiry, mirror = expiry_of(StageLink())
    assert expiry.solve(mirror.quotes, NOON)
    call, put = expiry.greeks(name(24500, "CE")), expiry.greeks(name(24500, "PE"))
    assert call is not None
    assert put is not None
    assert 0.4 < call[0] < 0.6
    assert -0.6 < put[0] < -0.4
    assert call[1] < 0
    assert put[1] < 0


def test_a_contract_without_a_quote_shows_unknown_and_not_zero() -> None:
    link = StageLink()
    del link.quotes[name(24500, "CE")]
    expiry, mirror = expiry_of(link)
    strike = next(strike for strike in expiry.strikes if strike.key == ATM)
    values = expiry.values(strike, ColumnSet.INTEREST, mirror, {})
    calls = values[: len(side_fields(ColumnSet.INTEREST, "call"))]
    assert [value for value in calls if value != ""] == [None] * (len(calls) - 1)


def test_holdings_sum_accounts_and_the_lots_that_work_on_each_side() -> None:
    link = StageLink(
        [
            *straddle_day(),
            *placed(9, name(24500, "CE"), Side.BUY, 1, 14_000),
            *placed(10, name(24550, "CE"), Side.BUY, 3, 9_000, fill=False),
        ]
    )
    _, mirror = expiry_of(link)
    mine = holdings(mirror)
    assert mine[name(24500, "CE")] == (-1, 0, 0)
    assert mine[name(24550, "CE")] == (0, 3, 1)


def test_numpy_is_not_loaded_until_a_chain_opens() -> None:
    modules = "optconsole.app, optconsole.screens.chain, optconsole.screens.positions"
    code = f"import sys, {modules}; print('numpy' in sys.modules)"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == "False"


async def test_it_opens_on_what_is_asked_for() -> None:
    async with stage_app(StageLink(), "chain").run_test(size=(120, 36)) as pilot:
        app, screen, _ = await chain(pilot)
        app.screen.open_on("NIFTY", FAR)  # type: ignore[attr-defined]
        await settled(pilot)
        assert screen.expiry is not None
        assert screen.expiry.day == FAR
        app.screen.open_on("BANKNIFTY")  # type: ignore[attr-defined]
        await settled(pilot)
        assert screen.underlying == "BANKNIFTY"
        app.screen.open_on("GOLD")  # type: ignore[attr-defined]
        assert "GOLD has no chain" in line(app, "fact")  # type: ignore[arg-type]


async def test_a_chain_opened_while_the_link_was_lost_fills_once_it_is_back() -> None:
    link = StageLink(straddle_day())
    link.answers[q.FindInstruments] = q.Refused(code="LINK_LOST", text="The link to the engine is lost.")
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot, 0.3)
        assert app.screen.pane.has_class("-empty")  # type: ignore[attr-defined]
        link.drop()
        await settled(pilot)
        link.answers.clear()
        await chain(pilot)
        assert not app.screen.pane.has_class("-empty")  # type: ignore[attr-defined]
        assert app.screen.pane.grid.cursor_key == ATM  # type: ignore[attr-defined]


@pytest.mark.parametrize("moved", [False, True])
async def test_another_size_centres_the_money_again_unless_the_cursor_was_moved(moved: bool) -> None:
    async with stage_app(StageLink(straddle_day()), "chain").run_test(size=(80, 24)) as pilot:
        _, _, grid = await chain(pilot)
        if moved:
            await pilot.press("j")
        await pilot.resize_terminal(200, 40)
        await settled(pilot)
        keys = grid.visible_keys()
        assert (abs(keys.index(ATM) - len(keys) // 2) <= 1) is not moved


async def test_old_prices_and_what_follows_from_them_are_dimmed_and_fresh_ones_light_again() -> None:
    link = StageLink()
    async with stage_app(link, "chain").run_test(size=(200, 50)) as pilot:
        app, _, grid = await chain(pilot)
        call = name(24500, "CE")

        def roles() -> dict[str, str]:
            live = grid._rows[ATM]
            return {
                column.title: live.format(index, column, column.width)[1]
                for index, column in enumerate(grid._columns)
                if column.zone == "call" and column.title in ("Bid", "Ask", "LTP", "IV", "Delta", "OI")
            }

        assert "stale" not in roles().values()
        old = link.quotes[call]
        link.quote(msgspec.structs.replace(old, ts=old.ts - 9_000))
        await settled(pilot)
        assert {title for title, role in roles().items() if role == "stale"} == {"Bid", "Ask", "LTP", "IV", "Delta"}
        assert "old" in line(app, "chain-head")
        link.quote(old)
        await settled(pilot)
        assert "stale" not in roles().values()
        assert "old" not in line(app, "chain-head")
