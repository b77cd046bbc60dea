"""Risk: limits as bars at every level, the trading state of each level, and keys that loosen only with a reason."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from optconsole.app import ConsoleApp
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import (
    UNITS,
    Level,
    Limit,
    LimitAction,
    LimitKind,
    ScopeState,
    Standing,
)
from optconsole.screens.dialogs import Confirm
from optconsole.screens.formats import FULL, Formats
from optconsole.screens.limit_words import read_limit, read_value
from optconsole.screens.reason import Reason
from optconsole.screens.risk_rows import bar, used_role
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import NOON, StageLink, stage_app, straddle_day

HOSTILE = "[/] \x1b[2Jnews"


def row(
    kind: LimitKind, value: int, used: int | None, *, level: Level = Level.GLOBAL, name: str = "", broken: bool = False
) -> q.LimitRow:
    percent = None if used is None else used * 100 / value
    return q.LimitRow(
        level=level,
        name=name,
        kind=kind,
        unit=UNITS[kind],
        value=value,
        second=None,
        used=used,
        percent=percent,
        state=Standing.ACTIVE,
        action=LimitAction.EXIT_SCOPE,
        until=None,
        warned=0,
        broken=broken,
        missing="" if used is not None else HOSTILE,
    )


def limited(*states: ScopeState) -> StageLink:
    link = StageLink(straddle_day())
    link.answers[q.GetRisk] = q.RiskAnswer(
        limits=(
            row(LimitKind.OPEN_LOTS, 20, 9, level=Level.ACCOUNT, name="PAPER1"),
            row(LimitKind.MAX_LOSS, 2_500_000, 2_100_000),
            row(LimitKind.TRADES, 10, 10, broken=True),
            row(LimitKind.NOTIONAL, 1_000_000, None),
        ),
        states=states,
    )
    link.happen(
        ev.LimitsSeeded(
            limits=(Limit(level=Level.GLOBAL, kind=LimitKind.MAX_LOSS, value=2_500_000, action=LimitAction.EXIT_SCOPE),)
        )
    )
    return link


def halted(level: Level = Level.GLOBAL, name: str = "") -> ScopeState:
    return ScopeState(level=level, name=name, standing=Standing.HALTED, why=HOSTILE, by="key:state", since=NOON)


def grid_of(app: ConsoleApp) -> QuoteGrid:
    return app.screen_stack[0].query_one("#limits", QuoteGrid)


# ---------------------------------------------------------------- pure


@pytest.mark.parametrize(
    ("percent", "broken", "role"),
    [
        (None, False, "unknown"),
        (10.0, False, "bar"),
        (50.0, False, "accent"),
        (80.0, False, "warn"),
        (95.0, False, "bad"),
        (3.0, True, "bad"),
    ],
)
def test_a_bar_changes_its_colour_at_the_steps_that_are_told(percent: float | None, broken: bool, role: str) -> None:
    assert used_role(percent, broken) == role


def test_a_bar_marks_its_steps_and_is_never_longer_than_its_cell() -> None:
    assert bar(None, 20, FULL) == " " * 10 + "·" + " " * 5 + "·" + "  " + "·"
    assert bar(55.0, 20, FULL).startswith("█" * 11)
    assert len(bar(250.0, 20, FULL)) == 20
    assert bar(0.0, 20, Formats(ascii=True)).count(".") == 3


def test_a_limit_is_read_as_it_is_written() -> None:
    limit = read_limit("global max-loss 25000 exit-scope")
    assert (limit.level, limit.kind, limit.value, limit.action) == (
        Level.GLOBAL,
        LimitKind.MAX_LOSS,
        2_500_000,
        LimitAction.EXIT_SCOPE,
    )
    leg = read_limit("leg:NIFTY 25NOV26 24500 CE open-lots 10")
    assert (leg.name, leg.value, leg.action) == ("NIFTY 25NOV26 24500 CE", 10, LimitAction.BLOCK_NEW)
    assert read_value(LimitKind.HOURS, "09:20-15:10") == (560, 910)
    assert read_value(LimitKind.PROFIT_LOCK, "20000:12000") == (2_000_000, 1_200_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "max-loss 1",
        "global",
        "global max-loss",
        "moon max-loss 5",
        "global max-loss 5 explode",
        "global lots x",
        "global hours 9",
    ],
)
def test_what_is_no_limit_says_what_would_be_one(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_limit(text)
    assert len(refused.value.text) > 20


# ---------------------------------------------------------------- the screen


async def test_limits_stand_below_their_level_with_what_is_used_of_them() -> None:
    async with stage_app(limited(), "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        grid = grid_of(app)
        assert grid.keys == [
            "group/global",
            "global/max-loss",
            "global/trades-a-day",
            "global/notional",
            "group/account:PAPER1",
            "account:PAPER1/open-lots",
        ]
        text = grid.row_text("global/max-loss")
        for piece in ("21,000", "25,000", "84", "█", "exit-scope"):
            assert piece in text, piece
        assert "REACHED" in grid.row_text("global/trades-a-day")
        assert "–" in grid.row_text("global/notional")
        assert "\x1b" not in grid.row_text("global/notional")
        assert "ACTIVE" in grid.row_text("group/global")
        assert "Trading is ACTIVE" in line(app, "risk-head")


async def test_without_limits_it_teaches_how_to_set_one() -> None:
    async with stage_app(StageLink(), "risk").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert "n sets one" in line(app, "risk-teach")


async def test_a_stricter_state_goes_after_a_yes_on_the_level_under_the_cursor() -> None:
    link = limited()
    async with stage_app(link, "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        grid_of(app).move_to("account:PAPER1/open-lots")
        await pilot.press("t")
        await settled(pilot, 0.4)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.SetTradingState)
        assert (command.level, command.name, command.standing) == (Level.ACCOUNT, "PAPER1", Standing.HALTED)


async def test_a_looser_state_takes_a_reason_in_words() -> None:
    link = limited(halted())
    async with stage_app(link, "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert "HALTED" in line(app, "risk-head")
        assert "\x1b" not in grid_of(app).row_text("group/global")
        await pilot.press("a")
        await settled(pilot)
        assert isinstance(app.screen, Reason)
        await pilot.press("escape")
        assert not link.submitted
        await pilot.press("a")
        await settled(pilot)
        app.screen.query_one(Input).value = "news is out"
        await pilot.press("enter")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.SetTradingState)
        assert (command.standing, command.why) == (Standing.ACTIVE, "news is out")


@pytest.mark.parametrize(("typed", "asked"), [("20000", 0), ("30000", 1)])
async def test_a_new_value_goes_at_once_unless_it_allows_more(typed: str, asked: int) -> None:
    link = limited()
    async with stage_app(link, "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        grid_of(app).move_to("global/max-loss")
        await pilot.press("m")
        await settled(pilot)
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Reason) == bool(asked)
        if asked:
            assert not link.submitted
            app.screen.query_one(Input).value = "bigger account"
            await pilot.press("enter")
            await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.SetLimit)
        assert (command.limit.value, bool(command.why)) == (int(typed) * 100, bool(asked))
        assert command.limit.action is LimitAction.EXIT_SCOPE, "what it does stays"


async def test_a_value_that_is_none_is_said_and_sent_nowhere() -> None:
    link = limited()
    async with stage_app(link, "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        grid_of(app).move_to("global/max-loss")
        await pilot.press("m")
        await settled(pilot)
        app.screen.query_one(Input).value = "much"
        await pilot.press("enter")
        await settled(pilot)
        assert not link.submitted
        assert "[BAD_AMOUNT]" in line(app, "fact")


async def test_a_limit_is_added_and_one_is_taken_away_with_a_reason() -> None:
    link = limited()
    async with stage_app(link, "risk").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        app.screen.query_one(Input).value = "account:PAPER1 rejects-in-a-row 3"
        await pilot.press("enter")
        await settled(pilot)
        grid_of(app).move_to("global/max-loss")
        await pilot.press("d")
        await settled(pilot)
        app.screen.query_one(Input).value = "no longer needed"
        await pilot.press("enter")
        await settled(pilot)
        added, removed = link.submitted
        assert isinstance(added, cmd.SetLimit)
        assert (added.limit.name, added.limit.kind) == ("PAPER1", LimitKind.REJECTS)
        assert isinstance(removed, cmd.RemoveLimit)
        assert (removed.kind, removed.why) == (LimitKind.MAX_LOSS, "no longer needed")


async def test_a_halted_level_is_told_in_every_header() -> None:
    link = StageLink(straddle_day())
    link.happen(ev.TradingStateChanged(level=Level.ACCOUNT, name="PAPER1", standing=Standing.REDUCING, why=HOSTILE))
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        told = line(app, "trouble")
        assert "REDUCING: account:PAPER1" in told
        assert "entries stop" in told
        assert "\x1b" not in told
        assert "ENTRIES STOPPED" in line(app, "header")
