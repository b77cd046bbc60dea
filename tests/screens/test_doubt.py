"""The guided resolver: every state of a doubt in words, every choice with its key, nothing sent by a slip."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from textual.widgets import Input

from optconsole.app import ConsoleApp
from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.orders import RiskClass, Side
from optconsole.engine.model.vitals import DoubtVitals
from optconsole.screens.dialogs import Confirm
from optconsole.screens.doubt import DoubtScreen
from optconsole.screens.orders import OrdersScreen
from optconsole.screens.reason import Reason
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, placed, stage_app, straddle_day

CALL = name(24600, "CE")
TAG = "T00000000000007"
RELEASABLE = ev.OrderReleasable(order_id="O7", reads=14)
ABSENT = ev.OrderPresumedAbsent(order_id="O7", reads=3)
RELEASED = ev.OrderDoubtReleased(order_id="O7", why="not in the book")


def doubtful(*after: ev.AnyEvent, risk: RiskClass = RiskClass.INCREASE) -> StageLink:
    """A day with one order in doubt, and what came after."""
    link = StageLink(straddle_day())
    lost = placed(7, CALL, Side.SELL, 2, 9_000, fill=False)[:2]
    intended = lost[0]
    assert isinstance(intended, ev.OrderIntended)
    facts: Sequence[ev.AnyEvent] = (
        msgspec.structs.replace(intended, risk=risk),
        lost[1],
        ev.OrderDoubted(order_id="O7", cause="no answer within 8 s"),
        *after,
    )
    for event in facts:
        link.happen(event)
    link.vitals = msgspec.structs.replace(
        link.vitals,
        doubts=(DoubtVitals(order_id="O7", waited=42.0, due_in=78.0, reads=2, reads_needed=3, fresh=False),),
    )
    return link


def orders_grid(app: ConsoleApp) -> QuoteGrid:
    return app.screen_stack[0].query_one("#orders", QuoteGrid)


@pytest.mark.parametrize(
    ("after", "short"),
    [
        ((), "UNKNOWN, asking"),
        ((RELEASABLE,), "probably absent"),
        ((ABSENT,), "presumed absent"),
        ((RELEASABLE, RELEASED), "released"),
    ],
)
async def test_each_state_of_a_doubt_has_its_own_words_above_all_else(
    after: tuple[ev.AnyEvent, ...], short: str
) -> None:
    async with stage_app(doubtful(*after), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = orders_grid(app)
        assert grid.keys[:2] == ["group/doubt", "O7"]
        assert short in grid.row_text("O7")
        assert "Doubt" in line(app, "keys")


async def test_the_panel_says_what_is_known_what_to_look_for_and_what_each_choice_does() -> None:
    async with stage_app(doubtful(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert isinstance(app.screen, DoubtScreen)
        told = " ".join(line(app, "doubt-text").split())
        for piece in (
            "UNKNOWN, asking the broker",
            "SELL 2L (130) NIFTY 25Nov 24600 CE LIMIT 90.00",
            "no answer within 8 s",
            "2 of at least 3, none of them provably newer",
            "Entries on the account are frozen",
            "at the earliest in 78s",
            TAG,
            "It is not there",
            "send it again by hand",
        ):
            assert piece in told, piece
        assert "Release" in line(app, "doubt-keys")
        assert "Cancel" not in line(app, "doubt-keys")


async def test_u_opens_the_doubt_from_any_row_and_only_while_there_is_one() -> None:
    link = doubtful()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        orders_grid(app).move_to("O1")
        await pilot.press("u")
        await settled(pilot)
        assert isinstance(app.screen, DoubtScreen)
        await pilot.press("escape")
        link.happen(ev.OrderAcknowledged(order_id="O7", broker_id="B7"))
        await settled(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert isinstance(app.screen, OrdersScreen)
        assert "Doubt" not in line(app, "keys")


async def test_a_release_takes_a_reason_and_a_yes() -> None:
    link = doubtful(RELEASABLE)
    link.replies[cmd.ReleaseDoubt] = cmd.Reply(ok=True, code="RELEASED", text="O7 no longer holds back entries.")
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u", "l")
        await settled(pilot)
        assert isinstance(app.screen, Reason)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Reason), "a reason is not empty"
        app.screen.query_one(Input).value = "looked: not there [/]"
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "looked: not there [/]" in line(app, "dialog-text")
        await pilot.press("enter")
        assert not link.submitted, "Enter alone is no yes to this"
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.ReleaseDoubt)
        assert (command.order_id, command.why) == ("O7", "looked: not there [/]")
        assert "no longer holds back" in line(app, "doubt-said")


@pytest.mark.parametrize("leave_at", ["reason", "question"])
async def test_a_release_that_is_left_half_way_releases_nothing(leave_at: str) -> None:
    link = doubtful(RELEASABLE)
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u", "l")
        await settled(pilot)
        if leave_at == "question":
            app.screen.query_one(Input).value = "gone"
            await pilot.press("enter")
            await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, DoubtScreen)
        assert not link.submitted


async def test_before_it_is_releasable_the_key_says_why_not() -> None:
    link = doubtful()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u", "l")
        await settled(pilot)
        assert isinstance(app.screen, DoubtScreen)
        assert "may still turn up" in line(app, "doubt-said")


async def test_the_book_is_read_now_and_a_refusal_is_shown_with_its_code() -> None:
    link = doubtful()
    link.replies[cmd.ReadBookNow] = cmd.Reply(ok=False, code="UNKNOWN_ACCOUNT", text="No broker serves \x1b[2Jit.")
    async with stage_app(link, "orders").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("u", "r")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.ReadBookNow)
        assert command.account == "PAPER1"
        said = line(app, "doubt-said")
        assert "[UNKNOWN_ACCOUNT]" in said
        assert "\x1b" not in said


async def test_once_bound_it_can_be_cancelled_from_the_panel_and_a_held_key_cancels_once() -> None:
    link = doubtful()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u")
        await settled(pilot)
        link.happen(ev.OrderAcknowledged(order_id="O7", broker_id="B7"))
        await settled(pilot)
        assert "The broker has it under B7" in line(app, "doubt-text")
        assert "Cancel" in line(app, "doubt-keys")
        assert "Release" not in line(app, "doubt-keys")
        await pilot.press("c", "c", "c")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.CancelOrder)


async def test_the_tag_goes_to_the_clipboard() -> None:
    async with stage_app(doubtful(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u", "t")
        await settled(pilot)
        assert app.clipboard == TAG


async def test_a_doubt_about_closing_freezes_nothing_and_says_so() -> None:
    async with stage_app(doubtful(risk=RiskClass.REDUCE), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert "entries are not frozen" in line(app, "doubt-text")


async def test_n_goes_through_all_doubts() -> None:
    link = doubtful()
    for event in placed(8, CALL, Side.BUY, 1, 8_000, fill=False)[:2]:
        link.happen(event)
    link.happen(ev.OrderDoubted(order_id="O8", cause="cut"))
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        orders_grid(app).move_to("O7")
        await pilot.press("u", "n")
        await settled(pilot)
        assert isinstance(app.screen, DoubtScreen)
        assert app.screen.order_id == "O8"
        await pilot.press("n")
        await settled(pilot)
        assert app.screen.order_id == "O7"


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_nothing_of_the_panel_is_cut_off(size: tuple[int, int]) -> None:
    async with stage_app(doubtful(RELEASABLE), "orders").run_test(size=size) as pilot:
        app = await opened(pilot)
        await pilot.press("u")
        await settled(pilot)
        text = app.screen.query_one("#doubt-text", Ribbon)
        said = [row for row in text.text.splitlines() if row.strip()]
        assert max(map(len, said)) <= text.size.width
        last = max(place for place, row in enumerate(text.text.splitlines()) if row.strip())
        assert last < text.size.height
        keys = app.screen.query_one("#doubt-keys", Ribbon)
        assert keys.size.height == 1
        assert keys.region.bottom < app.screen.query_one("#doubt").region.bottom <= size[1]


async def test_an_order_of_others_is_marked_and_adopted_after_a_yes() -> None:
    link = StageLink(straddle_day())
    intended = placed(9, CALL, Side.BUY, 2, 9_000)[0]
    assert isinstance(intended, ev.OrderIntended)
    link.happen(
        ev.OrderAdopted(
            order_id="O9", terms=intended.terms, tag="", broker_id="X1", risk=RiskClass.INCREASE, lot=intended.lot
        )
    )
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = orders_grid(app)
        assert grid.keys[:4] == ["group/working", "O6", "group/foreign", "O9"]
        assert "Not sent from here" in grid.row_text("group/foreign")
        assert "Adopt" not in line(app, "keys")
        grid.move_to("O9")
        await settled(pilot)
        assert "not ours: working" in line(app, "chosen")
        assert "Adopt" in line(app, "keys")
        await pilot.press("A")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("enter")
        assert not link.submitted
        await settled(pilot, 0.4)
        await pilot.press("y")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.AdoptOrder)
        assert command.order_id == "O9"
        link.happen(ev.OrderClaimed(order_id="O9"))
        await settled(pilot)
        assert grid.keys[:3] == ["group/working", "O9", "O6"]
