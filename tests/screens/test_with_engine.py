"""The keys against the real engine, its journal and the practice exchange: place, change, cancel, prove."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from optconsole.app import ConsoleApp, ConsoleOptions
from optconsole.engine.model.orders import Order, OrderStatus, OrderType
from optconsole.engine.queries import FindInstruments, InstrumentList
from optconsole.link.local import LocalLink
from optconsole.link.protocol import EngineLink
from optconsole.options import RunOptions
from optconsole.runtime.house import House, open_house
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.tour import SEEN_FILE
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from tests.screens.opening import line, opened, settled


@asynccontextmanager
async def console(home: Path, screen: str = "orders") -> AsyncIterator[tuple[House, ConsoleApp, Pilot[int]]]:
    """A whole house in this process with a console on it."""
    house = await open_house(RunOptions(home=home, seed=7, start_at="10:00", rate=200))
    (home / SEEN_FILE).touch()
    link = LocalLink(house.engine)

    async def reach() -> tuple[EngineLink, Callable[[], object]]:
        return link, link.close

    app = ConsoleApp(reach, ConsoleOptions(home=home, screen=screen, hz=20.0))  # type: ignore[arg-type]
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            yield house, app, pilot
    finally:
        await house.stop("test over")


async def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


async def near_call(house: House) -> str:
    """The at-the-money call of the nearest expiry but one."""
    spot = house.engine.board.get("NIFTY")
    assert spot is not None
    assert spot.ltp is not None
    found = await house.engine.query(FindInstruments(underlying="NIFTY"))
    assert isinstance(found, InstrumentList)
    days = sorted({listed.expiry for listed in found.instruments if listed.strike and listed.expiry})
    calls = [each for each in found.instruments if each.strike and each.expiry == days[1] and each.right == "CE"]
    return min(calls, key=lambda each: abs((each.strike or 0) - (spot.ltp or 0))).name


def only(house: House) -> Order:
    (order,) = house.engine.state.orders.values()
    return order


async def command(pilot: Pilot[int], text: str) -> None:
    names = {" ": "space", ".": "full_stop", "@": "at"}
    await pilot.press("colon", *[names.get(character, character) for character in text], "enter")
    await settled(pilot, 0.3)


@pytest.mark.parametrize(
    ("words", "kind", "status"),
    [
        ("@ 5", OrderType.LIMIT, OrderStatus.OPEN),
        ("mkt", OrderType.MARKET, OrderStatus.FILLED),
        ("sl 2000 2010", OrderType.SL, OrderStatus.TRIGGER_PENDING),
        ("slm 2000", OrderType.SL_M, OrderStatus.TRIGGER_PENDING),
    ],
)
async def test_every_type_is_placed_shown_and_cancelled_through_the_keys(
    tmp_path: Path, words: str, kind: OrderType, status: OrderStatus
) -> None:
    async with console(tmp_path) as (house, app, pilot):
        contract = await near_call(house)
        await command(pilot, f"buy 2 {contract} {words}")
        assert isinstance(app.screen, TicketScreen)
        await until(lambda: isinstance(app.screen, TicketScreen) and app.screen.face().fresh, "the preview")
        await pilot.press("enter")
        await until(lambda: len(house.engine.state.orders) == 1 and only(house).status is status, f"{status}")
        assert only(house).terms.type is kind
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        assert only(house).id in grid.keys
        if status is OrderStatus.FILLED:
            assert "BOUGHT" in line(app, "fact")
            return
        await pilot.press("c")
        await until(lambda: only(house).status is OrderStatus.CANCELLED, "the cancellation")
        await settled(pilot)
        assert "cancelled" in grid.row_text(only(house).id)


async def test_fifty_enters_at_a_real_engine_are_one_order(tmp_path: Path) -> None:
    async with console(tmp_path) as (house, app, pilot):
        await command(pilot, f"sell {await near_call(house)} mkt")
        assert isinstance(app.screen, TicketScreen)
        await pilot.press(*["enter"] * 50)
        await until(lambda: any(order.status.final for order in house.engine.state.orders.values()), "an answer")
        assert only(house).status is OrderStatus.FILLED


async def test_a_limit_order_is_changed_through_the_ticket(tmp_path: Path) -> None:
    async with console(tmp_path) as (house, app, pilot):
        await command(pilot, f"buy 2 {await near_call(house)} @ 5")
        ticket = app.screen
        await pilot.press("l")
        await settled(pilot, 0.3)
        book = ticket.query_one("#dialog-text", Ribbon).text.split("mine\n")[1].splitlines()[:5]
        assert len(book[0].split()) == 4
        await until(lambda: ticket.face().fresh, "the preview")
        await pilot.press("enter")
        await until(lambda: only(house).status is OrderStatus.OPEN if house.engine.state.orders else False, "open")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("m", "shift+up")
        await until(lambda: app.screen.face().fresh, "the preview of the change")
        await pilot.press("enter")
        await until(lambda: only(house).terms.price == 525, "the new price")
        await settled(pilot)
        assert "5.25" in app.screen_stack[0].query_one("#orders", QuoteGrid).row_text(only(house).id)


async def test_an_order_in_parts_is_changed_as_a_whole_through_the_ticket(tmp_path: Path) -> None:
    async with console(tmp_path) as (house, app, pilot):
        contract = await near_call(house)

        def parts() -> set[tuple[int | None, OrderStatus]]:
            return {(each.terms.price, each.status) for each in house.engine.state.orders.values()}

        await command(pilot, f"buy 40 {contract} @ 5")
        await until(lambda: isinstance(app.screen, TicketScreen) and app.screen.face().fresh, "the preview")
        await pilot.press("enter")
        orders = house.engine.state.orders
        await until(
            lambda: len(orders) == 2 and all(each.status is OrderStatus.OPEN for each in orders.values()), "open"
        )
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot, 0.4)
        (parent,) = house.engine.state.parents
        app.screen.query_one("#orders", QuoteGrid).move_to(f"tie/{parent}")
        await pilot.press("m")
        await until(lambda: isinstance(app.screen, TicketScreen) and app.screen.face().fresh, "the change's preview")
        await pilot.press("up")
        await until(lambda: isinstance(app.screen, TicketScreen) and app.screen.face().fresh, "the new price's preview")
        await pilot.press("enter")
        await until(lambda: parts() == {(505, OrderStatus.OPEN)}, "both parts have the new price")
        assert house.engine.state.parents[parent].terms.price == 505


async def test_the_engine_s_refusals_show_before_enter_and_keep_the_ticket(tmp_path: Path) -> None:
    async with console(tmp_path) as (house, app, pilot):
        await command(pilot, f"buy 9999 {await near_call(house)} @ 5.03")
        ticket = app.screen
        assert isinstance(ticket, TicketScreen)
        await until(lambda: ticket.face().fresh, "the preview")
        text = ticket.query_one("#dialog-text", Ribbon).text
        told = " ".join(text.split())
        assert "5.00 or 5.05 would pass" in told
        assert "above your limit" in told
        await pilot.press("enter")
        await settled(pilot, 0.3)
        assert app.screen is ticket
        assert all(order.status is OrderStatus.DENIED for order in house.engine.state.orders.values())


async def test_the_journal_tells_and_proves_the_day(tmp_path: Path) -> None:
    async with console(tmp_path, "journal") as (house, app, pilot):
        await command(pilot, f"sell {await near_call(house)} mkt")
        await pilot.press("enter")
        await until(lambda: any(order.status.final for order in house.engine.state.orders.values()), "a fill")
        await settled(pilot, 0.3)
        await pilot.press("escape")
        await settled(pilot, 0.3)
        grid = app.screen.query_one("#journal", QuoteGrid)
        assert any("SOLD 1L" in grid.row_text(key) for key in grid.keys)
        await pilot.press("v")
        await until(lambda: "✓" in line(app, "fact"), "the verdict")


async def test_flatten_and_kill_from_the_line(tmp_path: Path) -> None:
    async with console(tmp_path) as (house, app, pilot):
        await command(pilot, f"sell {await near_call(house)} mkt")
        await pilot.press("enter")
        await until(lambda: any(each.qty for each in house.engine.state.positions.values()), "a position")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        await command(pilot, "flatten")
        await pilot.press("enter")
        await until(lambda: not any(each.qty for each in house.engine.state.positions.values()), "flat")
        await command(pilot, "kill")
        await until(lambda: house.engine.state.killed, "the kill")
        await settled(pilot)
        assert app.screen.has_class("-halted")
        await command(pilot, "release UNLOCK")
        assert "The kill switch holds for" in line(app, "fact")
