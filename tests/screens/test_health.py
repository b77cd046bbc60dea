"""Health and notices: every figure, every capability by itself, and what the trader was told."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.vitals import BrokerVitals, LinkState
from optconsole.screens.dialogs import Confirm
from optconsole.screens.health_figures import memory
from optconsole.screens.letter_words import pretty
from optconsole.screens.letters import LetterDetail
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
        figures = (
            "0.1.0",
            "7m",
            "1.2ms / 4.0ms",
            "0.4ms",
            "500 MB",
            "950/s",
            "09:20:07",
            "held",
            "stage",
            "2 of 10/s",
            "rules hold",
        )
        for piece in figures:
            assert piece in text, piece


async def test_each_capability_of_a_broker_stands_alone() -> None:
    link = StageLink(straddle_day())
    broker = BrokerVitals(
        name="zed",
        quotes=LinkState.LIVE,
        order_read=LinkState.STALE,
        order_write=LinkState.DEAD,
        note="session ended",
        book_age=2.0,
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
        assert app.deck.fmt.clock(link.state.notices[-1].at) in first
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


ROW = '{"broker_id":"B\\u001b[2J9","why":"[bold]x[/]","qty":65,"tag":"T00000000000009"}'


def with_letters() -> StageLink:
    link = told()
    for number, kind in enumerate(("trade", "order"), start=1):
        link.happen(
            ev.InputSetAside(letter_id=f"L{number}", account="PAPER1", kind=kind, row=ROW, why=f"incident {number}")
        )
    return link


async def test_an_account_shows_the_age_of_its_book_and_whether_entries_leave() -> None:
    link = StageLink(straddle_day())
    (one,) = link.vitals.brokers
    accounts = [
        {"account": "A1", "book_age": 1.4},
        {"account": "A2", "book_age": 3.0, "refusing_for": 12.4, "failures": 4},
        {"account": "A3", "book_age": 90.0, "order_read": LinkState.DEAD},
        {"account": "A4", "lost": "token \x1b[2Jexpired", "order_write": LinkState.DEAD},
    ]
    link.vitals = msgspec.structs.replace(
        link.vitals, brokers=tuple(msgspec.structs.replace(one, **changes) for changes in accounts)
    )
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#brokers", QuoteGrid)
        assert grid.keys == ["A1", "A2", "A3", "A4"]
        for key, pieces in {
            "A1": ("1.0s", "open"),
            "A2": ("in 12s", "4 requests in a row failed"),
            "A3": ("90s", "stopped"),
            "A4": ("stopped", "expired"),
        }.items():
            for piece in pieces:
                assert piece in grid.row_text(key), (key, piece)
        assert "\x1b" not in grid.row_text("A4")


async def test_without_letters_nothing_speaks_of_them() -> None:
    async with stage_app(told(), "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert not app.screen.query_one("#letters").display
        assert "Hear again" not in line(app, "keys")


async def test_a_letter_is_heard_again_or_put_away_after_a_yes() -> None:
    link = with_letters()
    link.replies[cmd.ReplayLetter] = cmd.Reply(ok=True, code="REPLAYED", text="L1 is heard again.")
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "2 of what a broker said" in line(app, "letters-head")
        assert "Hear again" in line(app, "keys")
        await pilot.press("r")
        await settled(pilot)
        await pilot.press("down", "d")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.ReplayLetter, cmd.DropLetter]
        assert [command.letter_id for command in link.submitted] == ["L1", "L2"]  # type: ignore[union-attr]
        for gone in ("L1", "L2"):
            link.happen(ev.InputDropped(letter_id=gone))
        await settled(pilot)
        assert not app.screen.query_one("#letters").display
        assert app.screen.focused is app.screen.query_one("#notices-list")


async def test_the_keys_of_letters_do_nothing_while_notices_have_the_focus() -> None:
    link = with_letters()
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#notices-list", QuoteGrid).focus()
        await settled(pilot)
        assert "Put away" not in line(app, "keys")
        await pilot.press("r", "d")
        await settled(pilot)
        assert not link.submitted
        assert not isinstance(app.screen, Confirm)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_letter_opens_whole_indented_and_harmless(size: tuple[int, int]) -> None:
    link = with_letters()
    async with stage_app(link, "health").run_test(size=size) as pilot:
        app = await opened(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, LetterDetail)
        grid = app.screen.query_one(QuoteGrid)
        told_lines = [grid.row_text(key) for key in grid.keys]
        assert told_lines[0] == "{"
        assert any("[bold]x[/]" in text for text in told_lines)
        assert all("\x1b" not in text for text in told_lines)
        await pilot.press("r")
        await settled(pilot)
        assert [type(command) for command in link.submitted] == [cmd.ReplayLetter]
        link.happen(ev.InputReplayed(letter_id="L1"))
        await settled(pilot)
        assert not isinstance(app.screen, LetterDetail), "what was taken in closes"


async def test_a_broken_rule_stands_above_all_notices_until_it_is_seen() -> None:
    link = StageLink(straddle_day())
    link.happen(ev.NoticeRaised(level="alarm", code="SENTINEL_I11", text="O1, O2 would close 130 of 65.", subject="k"))
    link.happen(ev.NoticeRaised(level="warning", code="FEED_SLOW", text="The feed was silent for 6 s."))
    async with stage_app(link, "health").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#notices-list", QuoteGrid)
        assert "would close" in grid.row_text(grid.keys[0])
        assert "1 broken" in line(app, "vitals")
        link.happen(ev.NoticeAcknowledged(upto=link.state.seq))
        await settled(pilot)
        assert "FEED_SLOW" in grid.row_text(grid.keys[0])
        assert "rules hold" in line(app, "vitals")


def test_a_row_is_cut_to_width_and_no_json_stays_as_it_is() -> None:
    shown = pretty('{"a":"' + "x" * 50 + '"}', 24)
    assert max(map(len, shown)) <= 24
    assert "".join(piece.strip() for piece in shown).count("x") == 50
    assert pretty("not \x1b json", 80) == ["not \\x1b json"]
