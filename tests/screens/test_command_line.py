"""The ``:`` line on a live screen: preview, completion, history, and what each command does."""

from __future__ import annotations

import pytest
from textual import events
from textual.events import Paste

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing
from optconsole.engine.model.orders import OrderType, Side
from optconsole.screens.command_line import CommandLine
from optconsole.screens.dialogs import Confirm
from optconsole.screens.reason import Reason
from optconsole.screens.ticket import TicketScreen
from tests.screens.opening import line, opened, settled
from tests.screens.stage import LOT, StageLink, stage_app, straddle_day

KEYS = {" ": "space", "-": "minus", ":": "colon", "@": "at", ".": "full_stop", "%": "percent_sign"}


async def type_line(pilot, text: str, enter: bool = True) -> None:  # type: ignore[no-untyped-def]
    await pilot.press("colon")
    await pilot.press(*[KEYS.get(character, character) for character in text])
    await settled(pilot)
    if enter:
        await pilot.press("enter")
        await settled(pilot)


async def test_the_preview_says_what_enter_will_do() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "sell 2 NIFTY 24500 CE @ 101.25", enter=False)
        assert isinstance(app.screen, CommandLine)
        assert "SELL 2L (130) NIFTY 25Nov 24500 CE at 101.25" in line(app, "line-preview")
        await pilot.press("escape")
        assert not isinstance(app.screen, CommandLine)


async def test_a_trade_opens_the_ticket_with_its_terms() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "sell 2 NIFTY 24600 CE sl 60 55")
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        assert not link.submitted
        await pilot.press("enter")
        await settled(pilot)
        (order,) = link.submitted
        assert isinstance(order, cmd.PlaceOrder)
        terms = order.terms
        assert (terms.type, terms.side, terms.qty) == (OrderType.SL, Side.SELL, 2 * LOT)
        assert (terms.trigger, terms.price) == (6_000, 5_500)


async def test_a_mistake_stays_on_the_line_with_its_sentence() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "buy NIFTY 24512 CE")
        assert isinstance(app.screen, CommandLine)
        assert "not listed" in line(app, "line-preview")


async def test_tab_completes_and_the_words_are_offered() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("colon", "c", "a")
        await settled(pilot)
        assert "cancel" in line(app, "line-words")
        await pilot.press("tab", "tab")
        await settled(pilot)
        assert "Cancels O6 at once" in line(app, "line-preview")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("cancel O6", cmd.CancelOrder(id="", actor="", order_id="O6")),
        ("kill mad market", cmd.EngageKill(id="", actor="", why="mad market")),
        ("release UNLOCK", cmd.ReleaseKill(id="", actor="", typed="UNLOCK")),
        ("pause", cmd.SteerReplay(id="", actor="", action="pause")),
        ("resume 10", cmd.SteerReplay(id="", actor="", action="resume", speed=10.0)),
        ("to 15:00", cmd.SteerReplay(id="", actor="", action="to", until="15:00")),
    ],
)
async def test_a_command_goes_to_the_engine_at_once(text: str, command: cmd.Command) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await type_line(pilot, text)
        (sent,) = link.submitted
        assert type(sent) is type(command)
        fields = [field for field in sent.__struct_fields__ if field not in ("id", "actor")]
        assert [getattr(sent, field) for field in fields] == [getattr(command, field) for field in fields]


@pytest.mark.parametrize(
    ("text", "says", "command"),
    [
        ("exit NIFTY", "Close NIFTY: 8 lots in 4 positions", cmd.Flatten),
        ("flatten 50%", "Close 50 % of everything: 9 lots in 5 positions", cmd.Flatten),
        ("cancel all", "Cancel 1 order in everything", cmd.CancelAll),
    ],
)
async def test_closing_asks_first(text: str, says: str, command: type[cmd.Command]) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, text)
        assert isinstance(app.screen, Confirm)
        assert says in line(app, "dialog-text")
        assert not link.submitted
        await pilot.press("y")
        await settled(pilot)
        (sent,) = link.submitted
        assert isinstance(sent, command)
        if text == "exit NIFTY":
            assert isinstance(sent, cmd.Flatten)
            assert sent.scope == Scope(ScopeKind.UNDERLYING, "NIFTY")


async def test_screens_chains_and_themes() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "screen orders")
        assert app.screen.name == "orders"
        await type_line(pilot, "go chain BANKNIFTY")
        await settled(pilot, 0.5)
        assert app.screen.name == "chain"
        assert "BANKNIFTY" in line(app, "chain-head")
        await type_line(pilot, "theme mono")
        assert app.theme == "mono"


async def test_up_recalls_what_was_typed() -> None:
    async with stage_app(StageLink(straddle_day())).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "screen orders")
        await type_line(pilot, "pause")
        await pilot.press("colon", "up", "up")
        await settled(pilot)
        assert "Shows the orders" in line(app, "line-preview")
        await pilot.press("down")
        await settled(pilot)
        assert "Holds the market's clock" in line(app, "line-preview")


async def test_a_refusal_is_told_on_the_screen_beneath() -> None:
    link = StageLink(straddle_day())
    link.replies[cmd.SteerReplay] = cmd.Reply(ok=False, code="NOT_PLAYED", text="This market cannot be held.")
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "pause")
        assert "This market cannot be held." in line(app, "fact")


@pytest.mark.parametrize("text", ["kill\n", "kill\r\n", "kill\nkill\n"])
async def test_a_paste_fills_the_line_and_does_nothing(text: str) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("colon")
        await settled(pilot)
        assert app.focused is not None
        app.focused.post_message(Paste(text))
        await settled(pilot)
        assert isinstance(app.screen, CommandLine)
        assert not link.submitted


@pytest.mark.parametrize("screen", ["positions", "chain", "orders", "risk", "journal", "health"])
async def test_a_paste_over_a_screen_presses_no_key(screen: str) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, screen).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        (app.focused or app.screen).post_message(Paste("b\rcCyx\ry"))
        await settled(pilot)
        assert app.screen.name == screen
        assert not link.submitted


async def test_enter_held_down_on_an_empty_line_leaves_once_and_breaks_nothing() -> None:
    async with stage_app(StageLink()).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("colon")
        line_beneath = app.screen_stack[0]
        for _ in range(20):
            app.post_message(events.Key("enter", "\r"))
        await settled(pilot)
        assert app.is_running
        assert app.screen is line_beneath


async def test_a_typed_limit_is_set_and_one_that_allows_more_asks_why() -> None:
    link = StageLink(straddle_day())
    strict = Limit(level=Level.GLOBAL, kind=LimitKind.MAX_LOSS, value=1_000_000)
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "limit global max-loss 10000", enter=False)
        assert "Sets max-loss of global to 10,000, then block-new." in line(app, "line-preview")
        await pilot.press("enter")
        await settled(pilot)
        assert [command.limit for command in link.submitted if isinstance(command, cmd.SetLimit)] == [strict]
        link.happen(ev.LimitSet(limit=strict))
        await type_line(pilot, "limit global max-loss 20000")
        assert isinstance(app.screen, Reason)
        await pilot.press(*"calm", "enter")
        await settled(pilot)
        await type_line(pilot, "limit global max-loss 30000 because the week is won")
        assert [command.why for command in link.submitted if isinstance(command, cmd.SetLimit)] == [
            "",
            "calm",
            "the week is won",
        ]


async def test_a_typed_state_is_set_at_once_where_it_is_stricter_and_a_limit_goes_only_with_a_reason() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await type_line(pilot, "state global halted")
        (halted,) = link.submitted
        assert isinstance(halted, cmd.SetTradingState)
        assert (halted.standing, halted.why) == (Standing.HALTED, "by hand")
        await type_line(pilot, "unlimit global max-loss")
        assert isinstance(app.screen, Reason)
        await pilot.press("escape")
        await settled(pilot)
        assert len(link.submitted) == 1
