"""Journal: in words, following, paged, searched through the whole, with causes and proof."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.orders import Side
from optconsole.screens.fact_detail import FactDetail, fields
from optconsole.screens.formats import FULL
from optconsole.screens.journal import JournalScreen
from optconsole.screens.journal_window import PAGE
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, placed, stage_app, straddle_day

CALL = name(24500, "CE")


def grid_of(app: object) -> QuoteGrid:
    return app.screen.query_one("#journal", QuoteGrid)  # type: ignore[attr-defined]


def long_link(count: int) -> StageLink:
    link = StageLink()
    while link.state.seq < count:
        link.happen(ev.NoticeRaised(level="info", code="N", text=f"note {link.state.seq + 1}"))
    return link


async def test_it_opens_at_the_end_and_follows_new_facts() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert grid_of(app).cursor_key == str(link.state.seq)
        link.happen(ev.OrderCancelled(order_id="O6", reason="by you"))
        link.nudge(CALL)
        await settled(pilot)
        assert grid_of(app).cursor_key == str(link.state.seq)
        assert "Cancelled O6" in grid_of(app).row_text(str(link.state.seq))


async def test_a_reader_further_up_is_left_where_he_is() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("up", "up", "up")
        key = grid_of(app).cursor_key
        link.happen(ev.OrderCancelled(order_id="O6"))
        link.nudge(CALL)
        await settled(pilot)
        assert grid_of(app).cursor_key == key
        assert str(link.state.seq) in grid_of(app).keys


async def test_a_long_journal_is_read_page_by_page() -> None:
    link = long_link(1_700)
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert len(grid_of(app).keys) == PAGE
        await pilot.press("home")
        await settled(pilot)
        assert len(grid_of(app).keys) == 2 * PAGE
        assert grid_of(app).cursor_key == str(1_700 - PAGE + 1)
        await pilot.press("left_square_bracket")
        await settled(pilot)
        await pilot.press("left_square_bracket")
        await settled(pilot)
        assert grid_of(app).keys[0] == "1"
        assert "of 1,700" in line(app, "journal-head")
        reads = [query for query in link.asked if isinstance(query, q.ReadJournal)]
        assert all(query.limit <= PAGE for query in reads)


async def test_a_search_asks_the_whole_journal_and_escape_ends_it() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("slash", *"24100")
        await settled(pilot, 0.5)
        asked = [query for query in link.asked if isinstance(query, q.ReadJournal) and query.text]
        assert asked[-1].text == "24100"
        assert asked[-1].last
        assert "with 24100" in line(app, "journal-head")
        await pilot.press("escape")
        await settled(pilot, 0.5)
        assert "with" not in line(app, "journal-head")


async def test_f_shows_the_history_of_one_thing() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("f")
        await settled(pilot)
        assert len(grid_of(app).keys) == 3
        assert "only order:O6" in line(app, "journal-head")
        await pilot.press("f")
        await settled(pilot)
        assert len(grid_of(app).keys) == link.state.seq


async def test_enter_shows_every_field_and_c_goes_to_the_cause() -> None:
    link = StageLink(straddle_day())
    last = link.journal[-1]
    link.journal[-1] = msgspec.structs.replace(last, cause="8")
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, FactDetail)
        await pilot.press("c")
        await settled(pilot)
        assert isinstance(app.screen, JournalScreen)
        assert grid_of(app).cursor_key == "8"


async def test_a_fact_without_a_cause_says_so() -> None:
    async with stage_app(StageLink(straddle_day()), "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        assert "names no cause" in line(app, "fact")


def test_fields_show_rupees_and_leave_out_what_is_empty() -> None:
    link = StageLink(placed(1, CALL, Side.SELL, 2, 14_500))
    shown = dict(fields(link.journal[-1], FULL))
    assert shown["price"] == "145.00"
    assert shown["charges"] == "18.04"
    assert shown["fact"] == "OrderFilled"
    assert "cause" not in shown


@pytest.mark.parametrize(("ok", "says"), [(True, "✓ 27 facts"), (False, "✗ 27 facts")])
async def test_the_verdict_of_a_check_is_said(ok: bool, says: str) -> None:
    link = StageLink(straddle_day())
    link.answers[q.VerifyJournal] = q.JournalVerdict(
        ok=ok, events=27, head_hash="ab" * 32, first_bad=None if ok else 9, text="27 facts checked."
    )
    async with stage_app(link, "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("v")
        await settled(pilot)
        assert says in line(app, "fact")
        assert ("First broken: 9" in line(app, "fact")) is not ok


async def test_why_says_what_the_selected_fact_follows_from() -> None:
    async with stage_app(StageLink(straddle_day()), "journal").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("w")
        assert "names no cause: engine told it." in line(app, "fact")
