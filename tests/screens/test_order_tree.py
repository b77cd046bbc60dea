"""Orders that belong together stand together: parents above their parts, groups above their members."""

from __future__ import annotations

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine import queries as q
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side
from optconsole.engine.model.parents import Pace, ParentStatus
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened, settled
from tests.screens.stage import LOT, StageLink, name, placed, stage_app

CALL = name(24500, "CE")
HOSTILE = "[/] \x1b[2Jgone"


def whole(lots: int = 40) -> OrderTerms:
    return OrderTerms(
        account="PAPER1", contract=CALL, side=Side.SELL, qty=lots * LOT, type=OrderType.LIMIT, price=14_500
    )


def parent(pace: Pace = Pace.AT_ONCE) -> StageLink:
    """A parent of three parts: one filled, one at work, one to come; and an order that stands alone."""
    link = StageLink(placed(1, CALL, Side.BUY, 1, 12_000, fill=False))
    link.happen(
        ev.ParentOpened(
            parent_id="P1",
            terms=whole(),
            risk=RiskClass.INCREASE,
            lot=LOT,
            largest=1755,
            parts=(15 * LOT, 15 * LOT, 10 * LOT),
            pace=pace,
            every=30.0,
        )
    )
    for number, fill in ((2, True), (3, False)):
        facts = placed(number, CALL, Side.SELL, 15, 14_500, fill=fill)
        intended = facts[0]
        assert isinstance(intended, ev.OrderIntended)
        facts[0] = msgspec.structs.replace(intended, parent="P1")
        for fact in facts:
            link.happen(fact)
    return link


async def test_a_parent_stands_above_its_parts_with_what_is_filled_of_the_whole() -> None:
    async with stage_app(parent(Pace.TIMED), "orders").run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        assert grid.keys == ["group/working", "tie/P1", "O3", "O1", "group/done", "O2"]
        text = grid.row_text("tie/P1")
        for piece in ("P1", "SELL", "40", "145.00", "2 of 3 parts", "975/2,600", "a part every 30 s"):
            assert piece in text, piece
        assert "└O3" in grid.row_text("O3")
        assert "└" not in grid.row_text("O1")


async def test_m_on_a_parent_changes_all_of_it_and_shows_one_part_before_enter() -> None:
    link = parent()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#orders", QuoteGrid).move_to("tie/P1")
        await settled(pilot)
        assert "Modify" in line(app, "keys")
        await pilot.press("m")
        await settled(pilot)
        assert isinstance(app.screen, TicketScreen)
        assert "CHANGE P1 SELL" in line(app, "dialog-text")
        assert "of each of its 3 parts" in line(app, "dialog-text")
        await pilot.press("up")
        await settled(pilot)
        asked = [query for query in link.asked if isinstance(query, q.PreviewOrder)][-1]
        assert (asked.replacing, asked.terms.qty, asked.terms.price) == ("O3", 15 * LOT, 14_505)
        await pilot.press("enter")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.ModifyOrder)
        assert (command.order_id, command.price, command.qty) == ("P1", 14_505, None)


async def test_a_parent_with_no_part_at_work_is_weighed_by_its_largest_part() -> None:
    link = parent()
    link.happen(ev.OrderCancelled(order_id="O3", reason="by you"))
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#orders", QuoteGrid).move_to("tie/P1")
        await pilot.press("m")
        await settled(pilot)
        asked = [query for query in link.asked if isinstance(query, q.PreviewOrder)][-1]
        assert (asked.replacing, asked.terms.qty) == ("", 1755)


async def test_a_group_is_not_changed_as_a_whole_and_says_so() -> None:
    link = StageLink(placed(1, CALL, Side.BUY, 1, 12_000, fill=False))
    terms = whole(1)
    link.happen(
        ev.GroupOpened(
            group_id="T1", kind=GroupKind.OCO, orders=(terms, terms), lots=(LOT, LOT), closes=False, alone=True
        )
    )
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#orders", QuoteGrid).move_to("tie/T1")
        await settled(pilot)
        assert "Modify" not in line(app, "keys")
        await pilot.press("m")
        await settled(pilot)
        assert not isinstance(app.screen, TicketScreen)


async def test_c_on_a_parent_cancels_all_of_it() -> None:
    link = parent()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        app.screen.query_one("#orders", QuoteGrid).move_to("tie/P1")
        await settled(pilot)
        assert "Cancel" in line(app, "keys")
        assert "O3 working" in line(app, "chosen")
        await pilot.press("c")
        await settled(pilot)
        (command,) = link.submitted
        assert isinstance(command, cmd.CancelOrder)
        assert command.order_id == "P1"


async def test_a_parent_that_is_over_leaves_its_parts_to_the_list() -> None:
    link = parent()
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        link.happen(ev.ParentEnded(parent_id="P1", status=ParentStatus.STOPPED, why=HOSTILE))
        await settled(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        assert grid.keys == ["group/working", "O3", "O1", "group/done", "O2"]


async def test_a_group_names_its_rule_its_members_and_what_waits_here() -> None:
    link = StageLink(placed(1, CALL, Side.BUY, 1, 12_000, fill=False))
    terms = link.state.orders["O1"].terms
    stop = msgspec.structs.replace(terms, type=OrderType.SL, trigger=18_000, price=18_100)
    link.happen(
        ev.GroupOpened(
            group_id="T1", kind=GroupKind.OCO, orders=(terms, stop), lots=(LOT, LOT), closes=True, alone=True
        )
    )
    link.happen(ev.GroupMemberSent(group_id="T1", member=0, order_id="O1"))
    async with stage_app(link, "orders").run_test(size=(200, 50)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        assert grid.keys == ["group/working", "tie/T1", "O1"]
        text = grid.row_text("tie/T1")
        for piece in ("OCO of 2 orders", "1 waits", "a fill of one cancels the others"):
            assert piece in text, piece
        grid.move_to("tie/T1")
        await settled(pilot)
        assert "waits here: BUY NIFTY 25Nov 24500 CE 180.00/181.00" in line(app, "chosen")
        grid.move_to("O1")
        await settled(pilot)
        assert "OCO with what waits here" in line(app, "chosen")
        link.happen(ev.GroupEnded(group_id="T1", why=HOSTILE))
        await settled(pilot)
        assert grid.keys == ["group/working", "O1"]


async def test_the_guard_that_waits_for_an_entry_is_told_with_it() -> None:
    link = StageLink(placed(1, CALL, Side.SELL, 1, 14_500, fill=False))
    link.happen(
        ev.BracketAttached(
            entry_id="O1",
            account="PAPER1",
            product=Product.NRML,
            contract=CALL,
            side=Side.SELL,
            stop=18_000,
            target=9_000,
        )
    )
    async with stage_app(link, "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await settled(pilot)
        assert "what fills gets stop 180.00 and target 90.00" in line(app, "chosen")
