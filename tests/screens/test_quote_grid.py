"""The streaming table paints what changed, where it is seen, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from optconsole.screens.formats import Formats
from optconsole.screens.widgets.arrangement import arrange
from optconsole.screens.widgets.cells import Part, fit, lay
from optconsole.screens.widgets.columns import BLANK, Column, Row, choose, widths
from optconsole.screens.widgets.quote_grid import QuoteGrid

FMT = Formats()
COLUMNS = [
    Column("Name", 10, str, align="left"),
    Column("Price", 10, FMT.price, direction=True),
    Column("Qty", 6, FMT.count, priority=1),
    Column("Note", 8, str, align="left", priority=2),
]


def rows(count: int) -> list[Row]:
    return [Row(f"r{n:03d}", [f"row {n}", 10_000 + n, n, ""]) for n in range(count)]


class Host(App[None]):
    def __init__(self, grid: QuoteGrid) -> None:
        super().__init__()
        self.grid = grid

    def compose(self) -> ComposeResult:
        yield self.grid


@asynccontextmanager
async def on_screen(
    count: int, size: tuple[int, int] = (60, 12), **options: Any
) -> AsyncIterator[tuple[QuoteGrid, Pilot[None]]]:
    grid = QuoteGrid(options.pop("columns", COLUMNS), **options)
    async with Host(grid).run_test(size=size) as pilot:
        grid.set_rows(rows(count))
        await pilot.pause()
        yield grid, pilot


async def test_a_change_renders_only_the_visible_rows_it_touches() -> None:
    async with on_screen(200) as (grid, pilot):
        before = grid.rows_rendered
        changes = {f"r{n:03d}": [f"row {n}", 11_000, n, ""] for n in (1, 3, 5, 150, 199)}
        assert grid.apply(changes) == 3
        await pilot.pause()
        assert grid.rows_rendered - before == 3


async def test_one_apply_is_one_refresh_of_row_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    async with on_screen(50) as (grid, _):
        calls: list[tuple[Region, ...]] = []
        monkeypatch.setattr(grid, "refresh", lambda *regions, **_: calls.append(regions))
        grid.apply({f"r{n:03d}": [f"row {n}", 11_000, n, ""] for n in (0, 2, 40)})
        assert len(calls) == 1
        assert [(region.y, region.height) for region in calls[0]] == [(1, 1), (3, 1)]


async def test_only_changed_cells_are_formatted() -> None:
    async with on_screen(50) as (grid, pilot):
        before = grid.cells_formatted
        grid.apply({"r002": ["row 2", 12_345, 2, ""]})
        await pilot.pause()
        assert grid.cells_formatted - before == 1
        assert grid.row_text("r002") == "row 2 123.45 2"


async def test_values_that_stay_the_same_paint_nothing() -> None:
    async with on_screen(20) as (grid, pilot):
        before = grid.rows_rendered
        assert grid.apply({"r001": ["row 1", 10_001, 1, ""]}) == 0
        await pilot.pause()
        assert grid.rows_rendered == before


async def test_a_row_changed_off_screen_is_right_when_it_scrolls_into_view() -> None:
    async with on_screen(100) as (grid, pilot):
        grid.apply({"r090": ["row 90", 55_555, 90, ""]})
        await pilot.press("end")
        await pilot.pause()
        assert "r099" in grid.visible_keys()
        assert grid.row_text("r090") == "row 90 555.55 90"


async def test_the_cursor_repaints_two_rows() -> None:
    async with on_screen(50) as (grid, pilot):
        grid.focus()
        await pilot.pause()
        before = grid.rows_rendered
        await pilot.press("down")
        await pilot.pause()
        assert grid.cursor_key == "r001"
        assert grid.rows_rendered - before == 2


@pytest.mark.parametrize(
    ("keys", "key"), [("j", "r001"), ("G", "r049"), ("Gg", "r000"), ("jjk", "r001"), ("Gk", "r048")]
)
async def test_the_keys_of_vi_move_the_cursor(keys: str, key: str) -> None:
    async with on_screen(50) as (grid, pilot):
        grid.focus()
        await pilot.press(*keys)
        assert grid.cursor_key == key
        assert key in grid.visible_keys()


async def test_paging_keeps_one_row_of_overlap() -> None:
    async with on_screen(50) as (grid, pilot):
        grid.focus()
        page = len(grid.visible_keys())
        await pilot.press("pagedown")
        assert grid.cursor_key == f"r{page - 1:03d}"


async def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    async with on_screen(20) as (grid, _):
        grid.move_to("r010")
        grid.set_rows([row for row in rows(20) if row.key not in ("r002", "r003")])
        assert grid.cursor_key == "r010"
        grid.set_rows([])
        assert grid.cursor_key is None


async def test_narrow_terminals_lose_the_columns_of_least_priority_first() -> None:
    for width, shown in ((60, 4), (32, 3), (24, 2), (10, 1)):
        async with on_screen(5, size=(width, 10)) as (grid, _):
            assert len(grid.columns_shown) == shown
            assert grid.columns_shown[0] == "Name"


async def test_columns_beyond_the_edge_are_reached_sideways_while_the_first_stays() -> None:
    columns = [Column(f"C{n}", 12, str, align="left") for n in range(6)]
    grid = QuoteGrid(columns)
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        grid.set_rows([Row("a", [f"v{n}" for n in range(6)])])
        grid.focus()
        assert grid.columns_shown == ["C0", "C1", "C2"]
        await pilot.press("right", "right")
        assert grid.columns_shown == ["C0", "C3", "C4"]
        await pilot.press(*["right"] * 9)
        assert grid.columns_shown[-1] == "C5"
        await pilot.press(*["left"] * 9)
        assert grid.columns_shown == ["C0", "C1", "C2"]


async def test_the_zone_follows_left_and_right() -> None:
    columns = [Column("L", 8, str, zone="call"), Column("K", 8, str), Column("R", 8, str, zone="put")]
    grid = QuoteGrid(columns)
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        grid.set_rows([Row("a", ["1", "2", "3"])])
        grid.focus()
        assert grid.zone == "call"
        await pilot.press("l")
        assert grid.zone == "put"
        await pilot.press("h", "h")
        assert grid.zone == "call"


async def test_pinned_rows_stay_below_whatever_is_scrolled() -> None:
    grid = QuoteGrid(COLUMNS)
    async with Host(grid).run_test(size=(60, 12)) as pilot:
        grid.set_rows(rows(100), [Row("total", ["Total", 1, 1, ""], "total")])
        await pilot.pause()
        for key in ("home", "end"):
            grid.focus()
            await pilot.press(key)
            await pilot.pause()
            assert "Total" in grid.render_line(grid.size.height - 1).text
        assert grid.apply({"total": ["Total", 2, 1, ""]}) == 1


async def test_direction_is_that_of_the_last_change() -> None:
    async with on_screen(5) as (grid, _):
        live = grid._rows["r001"]
        grid.apply({"r001": ["row 1", 10_100, 1, ""]})
        assert live.trends[1] == "up"
        grid.apply({"r001": ["row 1", 10_050, 1, ""]})
        assert live.trends[1] == "down"
        grid.apply({"r001": ["row 1", None, 1, ""]})
        assert live.trends[1] == ""
        assert grid.row_text("r001") == "row 1 – 1"


async def test_a_flash_is_one_step_and_then_over() -> None:
    columns = [Column("Name", 10, str), Column("Price", 10, FMT.price, flash=True)]
    grid = QuoteGrid(columns)
    async with Host(grid).run_test(size=(40, 8)) as pilot:
        grid.flashing = True
        grid.set_rows([Row("a", ["a", 100])])
        grid.apply({"a": ["a", 200]})
        assert grid._flashes.of("a") == {1}
        await pilot.pause(0.4)
        assert not grid._flashes


async def test_nothing_flashes_where_everything_moves() -> None:
    columns = [Column("Name", 10, str), Column("Price", 10, FMT.price, flash=True)]
    grid = QuoteGrid(columns)
    async with Host(grid).run_test(size=(40, 30)):
        grid.flashing = True
        grid.set_rows([Row(str(n), [str(n), 100]) for n in range(20)])
        grid.apply({str(n): [str(n), 200] for n in range(20)})
        assert not grid._flashes


async def test_nothing_flashes_on_a_slow_link() -> None:
    columns = [Column("Name", 10, str), Column("Price", 10, FMT.price, flash=True)]
    grid = QuoteGrid(columns)
    async with Host(grid).run_test(size=(40, 8)):
        grid.set_rows([Row("a", ["a", 100])])
        grid.apply({"a": ["a", 200]})
        assert not grid._flashes


HOSTILE = ["[/]", "[@click=app.quit]x[/]", "\x1b]0;x\x07", "\x1b[2J", "a\u202eb", "tab\there", "new\nline", "\u200bz"]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_as_text(text: str) -> None:
    grid = QuoteGrid([Column("Name", 30, str, align="left")])
    async with Host(grid).run_test(size=(40, 5)):
        grid.set_rows([Row("a", [text])])
        line = grid.render_line(1).text
        assert line.isprintable()
        assert len(line) == 40
        if text.startswith("["):
            assert text in line


@pytest.mark.parametrize("text", [*HOSTILE, "दिल्ली", "日本語", "x" * 50, ""])
@pytest.mark.parametrize("align", ["left", "right", "center"])
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, align: Any) -> None:
    from rich.cells import cell_len

    assert cell_len(fit(text, 12, align)) == 12


def test_parts_of_one_drop_number_leave_together_and_the_highest_first() -> None:
    left = [Part("AAAA"), Part("name ", drop=3), Part("12345", drop=3), Part("bb", drop=1)]
    one, between, two = lay(left, [Part("R")], 10)
    assert [part.text for part in one] == ["AAAA", "bb"]
    assert [part.text for part in two] == ["R"]
    assert between == 3


def test_columns_grow_evenly_into_what_is_over_and_not_beyond() -> None:
    columns = [Column("a", 5, str, grow=2), Column("b", 5, str), Column("c", 5, str, grow=10)]
    kept = choose(columns, 40)
    assert widths(columns, kept, 22) == {0: 7, 1: 5, 2: 7}


def test_sorting_and_finding_stay_within_groups() -> None:
    table = [
        Row("g1", ["One", BLANK], "group"),
        Row("a", ["a", 3]),
        Row("b", ["b", None]),
        Row("c", ["c", 1]),
        Row("g2", ["Two", BLANK], "group"),
        Row("d", ["d", 9]),
    ]
    assert [row.key for row in arrange(table, sort=1)] == ["g1", "c", "a", "b", "g2", "d"]
    assert [row.key for row in arrange(table, sort=1, reverse=True)] == ["g1", "a", "c", "b", "g2", "d"]
    assert [row.key for row in arrange(table, needle="D")] == ["g2", "d"]


async def test_live_values_do_not_move_rows_that_are_sorted() -> None:
    async with on_screen(3) as (grid, _):
        grid.sort_by(1, reverse=True)
        assert grid.keys == ["r002", "r001", "r000"]
        grid.apply({"r000": ["row 0", 99_999, 0, ""]})
        assert grid.keys == ["r002", "r001", "r000"]


async def test_a_dirty_row_costs_at_most_650_bytes_in_truecolor() -> None:
    columns = [Column("n", 14, str, align="left"), *(Column(f"c{n}", 14, FMT.price, direction=True) for n in range(11))]
    grid = QuoteGrid(columns)
    host = Host(grid)
    from rich.color import ColorSystem

    async with host.run_test(size=(200, 50)) as pilot:
        host.console._color_system = ColorSystem.TRUECOLOR
        grid.set_rows([Row(str(n), [f"R{n}", *[10_000] * 11]) for n in range(200)])
        await pilot.pause()
        # the worst there is: every second price up, the others down, so that no two cells share a style
        dirty = grid.apply({str(n): [f"R{n}", *[10_000 + (5 if c % 2 else -5) for c in range(11)]] for n in range(49)})
        painted = "".join(grid.render_line(y).render(host.console) for y in range(1, 50))
        assert dirty == 49
        assert len(painted.encode()) / dirty <= 650


async def test_values_are_made_for_visible_rows_and_for_others_once_they_are_seen() -> None:
    async with on_screen(200) as (grid, pilot):
        made: list[str] = []

        def read(key: str) -> list[Any]:
            made.append(key)
            return [key, 12_345, 7, ""]

        assert grid.touch(["r001", "r150", "r199"], read) == 1
        assert made == ["r001"]
        grid.touch(["r150"], read)
        assert made == ["r001"]
        grid.move_to("r150")
        await pilot.pause()
        assert made == ["r001", "r150"]
        assert "123.45" in grid.row_text("r150")
        assert "123.45" in grid.row_text("r199")
        assert made == ["r001", "r150", "r199"]


async def test_sorting_looks_at_rows_that_nobody_has_seen_yet() -> None:
    async with on_screen(200) as (grid, _):
        grid.touch(["r199"], lambda key: [key, 1, 7, ""])
        grid.sort_by(1)
        assert grid.keys[0] == "r199"


async def test_new_rows_owe_nothing_to_the_old_ones() -> None:
    async with on_screen(200) as (grid, _):
        grid.touch(["r150"], lambda key: ["old", 1, 7, ""])
        grid.set_rows(rows(200))
        assert grid.row_text("r150").startswith("row 150")


@pytest.mark.parametrize("count", [3, 200])
async def test_every_line_fills_the_whole_width_with_and_without_a_scrollbar(count: int) -> None:
    async with on_screen(count) as (grid, _):
        strips = grid.render_lines(Region(0, 0, *grid.outer_size))
        assert [strip.cell_length for strip in strips] == [grid.outer_size.width] * grid.outer_size.height
        assert [strip.cell_length for strip in grid.render_lines(Region(4, 0, 11, 2))] == [11, 11]


@pytest.mark.parametrize(
    ("needle", "kept", "moved", "ends_on"),
    [
        ("zzz", True, False, "r020"),
        ("r001", False, False, "r020"),
        ("r001", True, False, "r001"),
        ("r00", False, True, "r001"),
    ],
)
async def test_a_find_that_is_cleared_gives_the_cursor_back_unless_its_row_was_chosen(
    needle: str, kept: bool, moved: bool, ends_on: str
) -> None:
    async with on_screen(60) as (grid, pilot):
        grid.move_to("r020")
        top = grid.scroll_y
        grid.narrow(needle)
        if moved:
            grid.move_to("r001")
        if kept:
            grid.keep()
        await pilot.pause()
        grid.narrow("")
        await pilot.pause()
        assert grid.cursor_key == ends_on
        assert ends_on in grid.visible_keys()
        assert ends_on != "r020" or grid.scroll_y == top
