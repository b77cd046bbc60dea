"""The console as a whole: it opens, follows, survives a lost link, and never trades by accident."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote
from optconsole.link.protocol import EngineLink
from optconsole.screens.command_line import CommandLine
from optconsole.screens.dialogs import Confirm
from optconsole.screens.widgets import frame
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, placed, stage_app, straddle_day

CALL = name(24500, "CE")


def header(app: ConsoleApp) -> str:
    return app.screen.query_one("#header", Ribbon).text


def fact_line(app: ConsoleApp) -> str:
    return app.screen.query_one("#fact", Ribbon).text


async def test_it_opens_on_positions_and_says_mode_feed_and_profit() -> None:
    async with stage_app().run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert app.screen.name == "positions"
        for piece in (
            "PAPER",
            "NIFTY",
            "24,512.35 ▲0.42%",
            "feed 0.2s",
            "P&L",
            "net",
            "OPEN −6:19:53",
            "4.56 L / 10.00 L",
        ):
            assert piece in header(app)


async def test_india_vix_is_shown_once_it_is_quoted() -> None:
    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "VIX" not in header(app)
        link.quote(Quote(name="INDIAVIX", ts=link.quotes["NIFTY"].ts, ltp=1_320, booked=False))
        await settled(pilot)
        assert "VIX 13.20" in header(app)
        shown = "".join(segment.text for segment in app.screen.query_one("#header", Ribbon).render_line(0))
        for piece in ("NIFTY 24,512.35 ▲0.42%", "BANKNIFTY 52,110.10 ▼0.11%", "VIX 13.20", "09:20:07", "OPEN −6:19:53"):
            assert piece in shown


async def test_a_refused_start_ends_with_one_sentence_and_exit_code_one() -> None:
    async def refuse() -> tuple[EngineLink, object]:
        raise Refusal("NO_ENGINE", "No engine runs here; start one with optconsole engine.")

    app = ConsoleApp(refuse, ConsoleOptions(home=Path("/dev/null/x"), attached=True))  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        for _ in range(50):
            if app.return_code:
                break
            await pilot.pause(0.02)
    assert app.return_code == 1


async def test_a_fact_paints_at_once_without_waiting_for_a_beat() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, hz=1.0).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        beats = app.deck.pulse.beats if app.deck else 0
        link.happen(ev.NoticeRaised(level="alarm", code="X", text="the broker is slow"))
        for _ in range(10):
            await pilot.pause()
        assert "the broker is slow" in fact_line(app)
        assert app.deck is not None
        assert app.deck.pulse.beats - beats <= 1


async def test_hostile_text_from_the_broker_is_shown_as_text_everywhere() -> None:
    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        for hostile in ("[/]", "[@click=app.quit]x[/]", "\x1b]0;owned\x07", "a\u202eb"):
            link.happen(ev.NoticeRaised(level="alarm", code="X", text=f"broker says {hostile}"))
            for _ in range(5):
                await pilot.pause()
            assert fact_line(app).isprintable()
            assert "broker says" in fact_line(app)
        assert app.is_running


async def test_the_kill_takes_two_chords_and_no_question() -> None:
    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("ctrl+x")
        assert link.submitted == []
        assert "^X again" in fact_line(app)
        await pilot.press("ctrl+x")
        assert [type(command) for command in link.submitted] == [cmd.EngageKill]


async def test_the_kill_works_from_inside_a_dialog() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("x")
        assert isinstance(app.screen, Confirm)
        await pilot.press("ctrl+x", "ctrl+x")
        assert isinstance(link.submitted[-1], cmd.EngageKill)


async def test_two_chords_far_apart_do_not_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    link = StageLink()
    app = stage_app(link)
    now = [100.0]
    monkeypatch.setattr(app, "_monotonic", lambda: now[0])
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+x")
        now[0] += 2.5
        await pilot.press("ctrl+x")
        assert link.submitted == []


async def test_the_whole_frame_changes_when_killed() -> None:
    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert app.screen.has_class("-paper")
        link.happen(ev.KillEngaged(why="test"))
        for _ in range(5):
            await pilot.pause()
        assert app.screen.has_class("-halted")
        assert "HALTED" in header(app)
        assert "KILLED" in header(app)


async def test_the_frame_says_why_only_guards_act() -> None:
    link = StageLink()
    link.vitals = msgspec.structs.replace(link.vitals, guard="GUARD ONLY")
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "GUARD ONLY" in header(app)
        link.happen(ev.KillEngaged(why="test"))
        for _ in range(5):
            await pilot.pause()
        assert "KILLED" in header(app)


async def test_leaving_asks_while_orders_work_in_an_engine_of_our_own() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("q")
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        await pilot.press("q", "y")
        await pilot.pause()
    assert app.return_code == 0


async def test_leaving_an_attached_console_asks_nothing() -> None:
    async with stage_app(StageLink(straddle_day()), attached=True).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_lost_link_is_said_with_the_age_of_what_is_shown_and_then_regained() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        link.drop()
        for _ in range(20):
            await pilot.pause()
            if app.screen.has_class("-lost"):
                break
        assert app.screen.has_class("-lost")
        assert "LINK LOST" in header(app)
        grid = app.screen.query_one(QuoteGrid)
        quiet = {app.look.style("dim", ground).color for ground in ("", "cursor", "group", "total")}
        assert {segment.style.color for y in range(1, 8) for segment in grid.render_line(y) if segment.style} <= quiet
        for _ in range(100):
            await pilot.pause(0.02)
            if not app.screen.has_class("-lost"):
                break
        assert "LINK LOST" not in header(app)


async def test_pasted_text_is_never_a_key() -> None:
    from textual import events

    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.post_message(events.Paste("xyq2bs"))
        for _ in range(5):
            await pilot.pause()
        assert app.screen.name == "positions"
        assert not isinstance(app.screen, Confirm)
        assert link.submitted == []
        assert app.is_running


@pytest.mark.parametrize("size", [(40, 10), (59, 30), (100, 14)])
async def test_a_terminal_too_small_is_told_so(size: tuple[int, int]) -> None:
    async with stage_app().run_test(size=size) as pilot:
        app = await opened(pilot)
        small = app.screen.query_one("#too-small", Ribbon)
        assert small.display
        assert "too small" in small.text
        for x, y in ((0, 0), (size[0] // 2, size[1] // 2), (size[0] - 1, size[1] - 1)):
            assert app.screen.get_widget_at(x, y)[0] is small


async def test_growing_again_brings_everything_back_with_the_focus() -> None:
    async with stage_app().run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        focused = app.focused
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert app.screen.get_widget_at(10, 10)[0] is app.screen.query_one(QuoteGrid)
        assert app.focused is focused


@pytest.mark.parametrize("theme", ["ember", "daylight", "contrast", "deuter", "ansi", "mono"])
async def test_every_theme_can_be_put_on_while_running(theme: str) -> None:
    async with stage_app().run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.theme = theme
        await pilot.pause()
        assert app.look.name == theme
        grid = app.screen.query_one(QuoteGrid)
        styles = {segment.style for segment in grid.render_line(1)}
        assert app.look.style("", "cursor") in styles


async def test_only_our_themes_are_offered() -> None:
    async with stage_app().run_test() as pilot:
        app = await opened(pilot)
        assert set(app.available_themes) == set(app.wardrobe.looks)


async def test_a_theme_nobody_has_is_told_and_the_default_stays() -> None:
    async with stage_app(theme="nope").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert app.theme == "harbour"
        assert "There is no theme 'nope'" in fact_line(app)


async def test_an_edited_theme_file_is_put_on_at_once_and_a_broken_one_is_told(tmp_path: Path) -> None:
    from optconsole.paths import themes_dir

    folder = tmp_path / "themes"
    folder.mkdir()
    text = (themes_dir() / "harbour.toml").read_text(encoding="utf-8")
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    async with stage_app(theme="mine", home=tmp_path).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.reload_theme()
        path.write_text(text.replace('up = "#5fbf7f"', 'up = "#010203"'), encoding="utf-8")
        import os

        os.utime(path, ns=(1, 1))
        app.reload_theme()
        colour = app.look.style("up").color
        assert colour is not None
        assert tuple(colour.get_truecolor()) == (1, 2, 3)
        path.write_text("[base", encoding="utf-8")
        os.utime(path, ns=(2, 2))
        app.reload_theme()
        assert "not valid TOML" in fact_line(app)
        assert app.look.name == "mine"


async def test_own_keys_work_and_the_old_ones_do_not() -> None:
    async with stage_app(keys={"screen.chain": "ctrl+g"}).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("2")
        await pilot.pause()
        assert app.screen.name == "positions"
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert app.screen.name == "chain"


async def test_a_hidden_screen_costs_nothing() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        positions = app.screen
        await pilot.press("2")
        await pilot.pause(0.1)
        grid = positions.query_one(QuoteGrid)
        before = (grid.applies, grid.rows_rendered, grid.cells_formatted)
        for _ in range(5):
            link.nudge(CALL)
            await pilot.pause(0.06)
        assert (grid.applies, grid.rows_rendered, grid.cells_formatted) == before
        await pilot.press("1")
        await pilot.pause(0.1)
        assert app.screen is positions
        price = app.deck.fmt.price(link.quotes[CALL].ltp) if app.deck else ""
        assert price in grid.row_text(f"PAPER1/NRML/{CALL}")


async def test_a_beat_sends_no_textual_message_per_quote() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "chain").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one(QuoteGrid)
        sent: list[object] = []
        original = grid.post_message
        grid.post_message = lambda message: sent.append(message) or original(message)  # type: ignore[func-returns-value,method-assign]
        before = grid.applies
        for _ in range(40):
            link.nudge(*list(link.quotes)[:60])
        await pilot.pause(0.2)
        assert grid.applies - before <= 5
        assert len(sent) <= 10


async def test_a_fault_ends_in_one_sentence_without_locals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = stage_app(home=tmp_path)

    async def fail() -> None:
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)

            def boom() -> None:
                secret_local = "do-not-show"
                raise ZeroDivisionError(len(secret_local))

            app.call_later(boom)
            await pilot.pause(0.1)

    with pytest.raises(ZeroDivisionError):
        await fail()
    shown = "".join(segment.text for group in app._exit_renderables for segment in group.segments)  # type: ignore[union-attr]
    text = shown + capsys.readouterr().err
    assert "incident" in text
    assert "do-not-show" not in text
    assert "Traceback" not in text
    assert list((tmp_path / "incidents").iterdir())


async def test_the_palette_knows_every_key_of_the_screen() -> None:
    async with stage_app().run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Exit", "Group", "Chain", "Theme", "KILL", "Help", "Find"} <= titles


async def test_a_command_of_the_palette_does_what_its_key_does() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        await commands["Exit"]()  # type: ignore[misc]
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("escape")
        await commands["Chain"]()  # type: ignore[misc]
        await pilot.pause()
        assert app.screen.name == "chain"


@pytest.mark.parametrize("screen", ["positions", "chain", "orders", "risk", "journal", "health"])
async def test_ascii_sends_nothing_else_from_any_screen(screen: str) -> None:
    link = StageLink([*straddle_day(), ev.NoticeRaised(level="alarm", code="X", text="₹ é 日本")])
    async with stage_app(link, screen, ascii=True).run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        for key in ("x", "q", "question_mark"):
            strips = app.screen._compositor.render_strips()
            text = "".join(strip.text for strip in strips)
            assert text.isascii(), {char for char in text if not char.isascii()}
            await pilot.press(key)
            await pilot.pause()


async def test_a_new_day_s_listing_is_learnt() -> None:
    from datetime import date

    from optconsole.engine import queries as q

    link = StageLink()
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        other = q.Underlying(name="FINNIFTY", exchange="NSE", expiries=(date(2026, 11, 25),), monthly=(True,))
        link.answers[q.ListUnderlyings] = q.UnderlyingList(underlyings=(other,))
        link.happen(ev.SessionOpened(day=date(2026, 11, 24)))
        for _ in range(10):
            await pilot.pause()
        assert app.deck is not None
        assert app.deck.indices == ("FINNIFTY",)
        assert "FINNIFTY" in app.deck.pulse.watched


async def test_control_c_leaves_as_q_does() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await pilot.pause()
    assert app.return_code == 0


async def test_control_c_asks_over_a_dialog_too_and_only_once() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("colon", "s", "ctrl+c", "ctrl+c")
        await pilot.pause()
        assert [type(screen).__name__ for screen in app.screen_stack[-2:]] == ["CommandLine", "LeavingQuestion"]
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        assert isinstance(app.screen, CommandLine)
        await pilot.press("ctrl+c", "y")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_lost_engine_is_told_from_a_lost_link() -> None:
    link = StageLink(straddle_day())
    app = stage_app(link)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)

        async def nobody() -> None:
            raise Refusal("NO_ENGINE", "No engine runs here.")

        reach, app._lifeline._opener = app._lifeline._opener, nobody  # type: ignore[union-attr, assignment]
        link.drop()
        for _ in range(100):
            await pilot.pause(0.02)
            if "ENGINE GONE" in header(app):
                break
        assert "start it with `optconsole engine`; what is shown is from 09:20:07" in header(app)
        app._lifeline._opener = reach  # type: ignore[union-attr]
        for _ in range(200):
            await pilot.pause(0.02)
            if not app.screen.has_class("-lost"):
                break
        assert "GONE" not in header(app)


async def test_a_fill_asks_for_funds_at_once() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        app._funds_at = app._monotonic()
        link.answers[q.GetFunds] = q.FundsAnswer(account="PAPER1", cash=100_000_000, margin_used=77_700_000, free=1)
        for event in placed(7, name(24600, "CE"), Side.SELL, 1, 10_000):
            link.happen(event)
        await settled(pilot, 0.5)
        assert "margin 7.77 L" in header(app)


async def test_what_the_console_says_makes_room_for_the_newest_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "SAID_FOR", 0.2)
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        newest = line(app, "fact")
        app.say("Only for a while.")
        assert "Only for a while." in line(app, "fact")
        await settled(pilot, 0.4)
        assert line(app, "fact") == newest


async def test_what_was_said_on_a_screen_is_gone_on_return() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.say("Only here.")
        await pilot.press("3", "1")
        await settled(pilot)
        assert "Only here." not in line(app, "fact")


async def test_on_a_narrow_terminal_dots_keep_a_letter_and_the_footer_keeps_help() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        health = app.screen.query_one("#header", Ribbon).render_line(1).text
        assert "● p " in health
        assert "● s " in health
        assert "? Help" in app.screen.query_one("#keys", Ribbon).render_line(0).text
