"""Orders: states in words, trades, the book, and the keys that act on them."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.orders import OrderType, RiskClass, Side
from optconsole.screens.dialogs import Confirm
from optconsole.screens.order_detail import OrderDetail
from optconsole.screens.orders import OrdersScreen
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled
from tests.screens.stage import StageLink, name, placed, stage_app, straddle_day

CALL = name(24500, "CE")


def grid_of(app: object, which: str = "orders") -> QuoteGrid:
    return app.screen.query_one(f"#{which}", QuoteGrid)  # type: ignore[attr-defined]


async def test_without_orders_it_teaches() -> None:
    async with stage_app(StageLink(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "No orders yet" in line(app, "empty")
        assert not grid_of(app).display
        assert "Cancel" not in line(app, "keys")


async def test_what_works_stands_above_what_is_done_newest_first() -> None:
    async with stage_app(StageLink(straddle_day()), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert grid_of(app).keys == ["group/working", "O6", "group/done", "O5", "O4", "O3", "O2", "O1"]
        assert grid_of(app).cursor_key == "O6"


async def test_a_row_says_everything_of_an_order() -> None:
    async with stage_app(StageLink(straddle_day()), "orders").run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        text = grid_of(app).row_text("O1")
        pieces = ("09:19:11", "PAPER1", "NIFTY 25Nov 24500 CE", "SELL", "2 130", "LIMIT", "145.00", "filled", "130/130")
        for piece in pieces:
            assert piece in text


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ev.OrderCancelAsked(order_id="O6"), "cancel asked"),
        (ev.OrderCancelled(order_id="O6", reason="by you"), "cancelled"),
        (ev.OrderRejected(order_id="O6", code="RMS", reason="[/] \x1b[2J\u202e"), "rejected"),
    ],
)
async def test_a_state_is_told_in_words_the_moment_its_fact_comes(event: ev.AnyEvent, words: str) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        link.happen(event)
        await settled(pilot)
        text = grid_of(app).row_text("O6")
        assert words in text
        assert "\x1b" not in text


async def test_a_doubted_order_is_unknown_and_alarming() -> None:
    link = StageLink(placed(1, CALL, Side.BUY, 1, 12_800, fill=False)[:2])
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "sent" in grid_of(app).row_text("O1")
        link.happen(ev.OrderDoubted(order_id="O1", cause="timeout"))
        await settled(pilot)
        assert "UNKNOWN, asking" in grid_of(app).row_text("O1")


async def test_a_stop_shows_trigger_and_limit() -> None:
    link = StageLink(placed(1, CALL, Side.BUY, 1, 12_800, fill=False, kind=OrderType.SL, trigger=12_660))
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        text = grid_of(app).row_text("O1")
        assert "126.60/128.00" in text
        assert "awaits trigger" in text


async def test_one_order_is_cancelled_without_a_question_and_a_held_key_asks_once() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        await pilot.press("c", "c", "c")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.CancelOrder)
        assert command.order_id == "O6"


async def test_a_done_order_offers_no_cancel_and_takes_none() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("down", "down")
        assert grid_of(app).cursor_key == "O5"
        await settled(pilot)
        assert "Modify" not in line(app, "keys")
        await pilot.press("c", "m")
        await settled(pilot)
        assert not link.submitted
        assert isinstance(app.screen, OrdersScreen)


async def test_cancel_all_asks_first_and_lists_what_goes() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("C")
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        text = app.screen.query_one("#dialog-text", Ribbon).text
        assert "Cancel 1 order in everything" in text
        assert "O6" in text
        assert "PAPER  PAPER1" in text
        await pilot.press("escape")
        assert not link.submitted
        app.deck.monotonic = lambda: 1e9
        await pilot.press("C", "y")
        await settled(pilot)
        assert isinstance(link.submitted[0], cmd.CancelAll)


async def test_enter_opens_the_order_s_history_and_it_grows() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("enter")
        await settled(pilot)
        detail = app.screen
        assert isinstance(detail, OrderDetail)
        assert len(detail.query_one(QuoteGrid).keys) == 3
        link.happen(ev.OrderCancelled(order_id="O6", reason="gone"))
        await settled(pilot)
        rows = detail.query_one(QuoteGrid)
        assert "Cancelled O6" in rows.row_text(rows.keys[-1])
        await pilot.press("escape")
        assert isinstance(app.screen, OrdersScreen)


async def test_trades_and_their_charges_stand_below() -> None:
    async with stage_app(StageLink(straddle_day()), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert len(grid_of(app, "trades").keys) == 5
        assert "90.20" in line(app, "trades-head")


async def test_the_book_of_the_selected_contract_shows_where_there_is_room() -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert "NIFTY 25Nov 24550 CE" in line(app, "book-head")
        await pilot.press("down", "down")
        await settled(pilot)
        assert "BANKNIFTY 25Nov 52100 CE" in line(app, "book-head")
        assert "1,040" in line(app, "book-levels")
        await pilot.press("d")
        assert not app.screen.has_class("-book")
        await pilot.resize_terminal(80, 24)
        await pilot.press("d")
        assert not app.screen.has_class("-book")


async def test_buy_and_sell_open_the_ticket_on_the_order_s_contract() -> None:
    async with stage_app(StageLink(straddle_day()), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("b")
        await settled(pilot)
        assert isinstance(app.screen, TicketScreen)
        assert app.screen.contract == name(24550, "CE")


async def test_finding_keeps_the_sections() -> None:
    async with stage_app(StageLink(straddle_day()), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("slash", *"24100")
        await settled(pilot)
        assert grid_of(app).keys == ["group/done", "O4"]


@pytest.mark.parametrize(
    ("keys", "says", "command"),
    [
        ("Xoa", "Cancel 1 order in everything", cmd.CancelAll),
        ("Xoc", "Cancel 1 order in NIFTY 25NOV26 24550 CE", cmd.CancelAll),
        ("Xpu", "Close NIFTY: 8 lots in 4 positions", cmd.Flatten),
        ("Xp1", "Close account PAPER1: 9 lots in 5 positions", cmd.Flatten),
    ],
)
async def test_the_leader_key_closes_in_a_scope_after_a_question(
    keys: str, says: str, command: type[cmd.Command]
) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        assert says in line(app, "dialog-text")
        assert not link.submitted
        await pilot.press("enter")
        await settled(pilot)
        (sent,) = link.submitted
        assert isinstance(sent, command)


@pytest.mark.parametrize("keys", [["X", "escape"], ["X", "x"], ["X", "o", "z"], ["X", "p", "escape"]])
async def test_any_other_key_after_the_leader_does_nothing(keys: list[str]) -> None:
    link = StageLink(straddle_day())
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        assert isinstance(app.screen, OrdersScreen)
        assert not link.submitted


async def test_orders_that_guard_a_position_are_not_cancelled_by_enter_alone() -> None:
    link = StageLink(straddle_day())
    stop = placed(7, CALL, Side.BUY, 2, 20_000, fill=False, kind=OrderType.SL, trigger=19_500)
    intended = stop[0]
    assert isinstance(intended, ev.OrderIntended)
    stop[0] = msgspec.structs.replace(intended, risk=RiskClass.REDUCE)
    for event in stop:
        link.happen(event)
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("C")
        await settled(pilot)
        assert "1 of them closes or protects a position" in line(app, "dialog-text")
        await pilot.press("enter")
        await settled(pilot)
        assert not link.submitted
        await pilot.press("y")
        await settled(pilot)
        assert len(link.submitted) == 1


def crowd() -> StageLink:
    """More orders and trades than any pane has lines."""
    many = [fact for n in range(1, 60) for fact in placed(n, name(24500, "CE"), Side.SELL, 1, 14_500)]
    return StageLink([*many, *placed(60, name(24500, "CE"), Side.BUY, 1, 15_000, fill=False, kind=OrderType.MARKET)])


async def test_columns_stay_when_the_rows_overflow() -> None:
    async with stage_app(crowd(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        orders, trades = (app.screen.query_one(f"#{which}", QuoteGrid) for which in ("orders", "trades"))
        assert orders.show_vertical_scrollbar
        assert trades.show_vertical_scrollbar
        assert {"Time", "Order", "For", "Filled", " Reason"} <= set(orders.columns_shown)
        assert {"Time", "Lots (units)", "Price"} <= set(trades.columns_shown)


async def test_a_market_order_s_price_is_the_market_s_and_its_protection_quiet() -> None:
    async with stage_app(crowd(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        assert "MKT 150.00" in app.screen.query_one("#orders", QuoteGrid).row_text("O60")


async def test_on_a_narrow_terminal_a_line_tells_number_time_type_and_reason() -> None:
    link = StageLink(straddle_day())
    for event in placed(9, name(24400, "PE"), Side.SELL, 1, 9_100, fill=False)[:2]:
        link.happen(event)
    link.happen(ev.OrderRejected(order_id="O9", code="RMS", reason="Margin exceeds"))
    async with stage_app(link, "orders").run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#orders", QuoteGrid).move_to("O9")
        await settled(pilot)
        said = line(app, "chosen")
        for piece in ("O9", "LIMIT", "rejected: Margin exceeds"):
            assert piece in said
