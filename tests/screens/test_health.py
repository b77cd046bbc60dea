"""Health and notices: every figure, every capability by itself, and what the trader was told."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.screens.health import memory
from optconsole.screens.notices import NoticesScreen
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, stage_app, straddle_day

HOSTILE = "[bold]margin[/] \x1b[31m\u202elow"


def told() -> StageLink:
    link = StageLink(straddle_day())
    link.happen(ev.NoticeRaised(level="warning", code="FEED_SLOW", text="The feed was silent for 6 s."))
    link.happen(ev.NoticeRaised(level="alarm", code="MARGIN", text=HOSTILE, subject="PAPER1"))
    return link


async def test_the_figures_of_the_engine_are_shown() -> None:
    link = StageLink(straddle_day())
    link.vitals = msgspec.structs.replace(link.vitals, disk_free=500_000_000, inbox=3, paused=True)
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        text = line(app, "vitals")
        figures = ("0.1.0", "7m", "1.2ms / 4.0ms", "0.4ms", "500 MB", "950/s", "09:20:07", "held", "stage", "2 of 10")
        for piece in figures:
            assert piece in text, piece


async def test_each_capability_of_a_broker_stands_alone() -> None:
    link = StageLink(straddle_day())
    broker = BrokerVitals(
        name="zed", quotes=LinkState.LIVE, order_read=LinkState.STALE, order_write=LinkState.DEAD, note="session ended"
    )
    link.vitals = msgspec.structs.replace(link.vitals, brokers=(*link.vitals.brokers, broker))
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        text = app.screen.query_one("#brokers", QuoteGrid).row_text("zed")
        assert [word for word in text.split() if word in ("live", "stale", "dead")] == ["live", "stale", "dead"]
        assert "session ended" in text
        assert text.count("–") == 2


async def test_notices_show_newest_first_as_plain_text_and_are_marked_seen() -> None:
    link = told()
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#notices-list", QuoteGrid)
        first = grid.row_text(grid.keys[0])
        assert "[bold]margin[/]" in first
        assert "\x1b" not in first
        assert "\u202e" not in first
        assert "2 not seen" in line(app, "notices-head")
        await pilot.press("exclamation_mark")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.AcknowledgeNotices)
        assert command.upto == link.state.notices[-1].seq


@pytest.mark.parametrize(("key", "sent"), [("enter", 1), ("escape", 0)])
async def test_the_list_of_notices_opens_anywhere(key: str, sent: int) -> None:
    link = told()
    async with stage_app(link, "positions").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("N")
        await settled(pilot)
        assert isinstance(app.screen, NoticesScreen)
        assert "2 not seen" in line(app, "detail-head")
        await pilot.press(key)
        await settled(pilot)
        assert not isinstance(app.screen, NoticesScreen)
        assert len(link.submitted) == sent


def test_memory_is_a_figure_of_this_process() -> None:
    held = memory()
    assert held is None or held > 1_000_000
