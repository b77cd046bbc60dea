"""What an order is for, and on whose behalf, in a word and in a sentence."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Role, Side
from optconsole.engine.model.parents import Pace
from optconsole.screens.formats import FULL
from optconsole.screens.order_purpose import purpose_line, purposes
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened
from tests.screens.stage import LOT, StageLink, name, placed, stage_app

CALL = name(24500, "CE")


def order(number: int = 1, source: str = "", **changes: object) -> list[ev.AnyEvent]:
    """The facts of a working order that differs in what it is for."""
    facts = placed(number, CALL, Side.BUY, 1, 12_000, fill=False)
    intended = facts[0]
    assert isinstance(intended, ev.OrderIntended)
    terms = msgspec.structs.replace(intended.terms, source=source)
    return [msgspec.structs.replace(intended, terms=terms, **changes), *facts[1:]]


def in_parts() -> list[ev.AnyEvent]:
    terms = OrderTerms(
        account="PAPER1", contract=CALL, side=Side.BUY, qty=2 * LOT, type=OrderType.LIMIT, price=12_000, source="b/s"
    )
    opened_parent = ev.ParentOpened(
        parent_id="P1",
        terms=terms,
        risk=RiskClass.INCREASE,
        lot=LOT,
        largest=LOT,
        parts=(LOT, LOT),
        pace=Pace.FILLED,
        every=0.0,
    )
    return [opened_parent, *order(parent="P1", source="b/s")]


def hand_stop() -> list[ev.AnyEvent]:
    facts = placed(1, CALL, Side.BUY, 1, 12_000, fill=False, kind=OrderType.SL_M, trigger=11_900)
    intended = facts[0]
    assert isinstance(intended, ev.OrderIntended)
    return [msgspec.structs.replace(intended, risk=RiskClass.REDUCE), *facts[1:]]


def tied() -> list[ev.AnyEvent]:
    terms = order()[0].terms  # type: ignore[union-attr]
    group = ev.GroupOpened(
        group_id="T1", kind=GroupKind.OCO, orders=(terms, terms), lots=(LOT, LOT), closes=False, alone=True
    )
    return [*order(), group, ev.GroupMemberSent(group_id="T1", member=0, order_id="O1")]


@pytest.mark.parametrize(
    ("facts", "word", "sentence"),
    [
        (order(), "entry", "opens or adds"),
        (order(role=Role.STOP, parent="G1", risk=RiskClass.PROTECT), "stop", "the stop of a position"),
        (order(role=Role.TARGET), "target", "the target of a position"),
        (order(role=Role.EXIT, risk=RiskClass.REDUCE), "exit", "closes a position"),
        (order(role=Role.KILL, risk=RiskClass.REDUCE), "kill", "closes because of the kill"),
        (order(risk=RiskClass.REDUCE), "reduces", "reduces a position"),
        (order(risk=RiskClass.PROTECT), "guards", "guards a position"),
        (hand_stop(), "hand stop", "a stop placed by hand"),
        (order(source="condor/wings/ce"), "entry", "opens or adds, for condor/wings/ce"),
        (in_parts(), "part P1", "a part of P1, for b/s"),
        (tied(), "OCO T1", "in OCO T1"),
    ],
)
def test_each_order_says_what_it_is_for(facts: list[ev.AnyEvent], word: str, sentence: str) -> None:
    state = StageLink(facts).state
    assert purposes(state)["O1"] == word
    assert purpose_line(word, state.orders["O1"], FULL).startswith(sentence)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_the_purpose_has_its_column_at_every_size(size: tuple[int, int]) -> None:
    facts = [*in_parts(), *order(2, role=Role.STOP, parent="G1", risk=RiskClass.PROTECT)]
    async with stage_app(StageLink(facts), "orders").run_test(size=size) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        assert {"Contract", "Side", "Lots", "Price", " State", "For"} <= set(grid.columns_shown)
        assert "whole P1" in grid.row_text("tie/P1")
        assert "part P1" in grid.row_text("O1")
        assert "stop" in grid.row_text("O2")
        grid.move_to("O1")
        await pilot.pause()
        if size[0] > 80:
            assert "a part of P1, for b/s" in line(app, "chosen")
        if size[0] == 200:
            assert "b/s" in grid.row_text("O1")


async def test_orders_are_found_by_what_they_are_for_and_by_their_strategy() -> None:
    facts = [*order(1, source="condor/wings"), *order(2, role=Role.STOP, parent="G1", risk=RiskClass.PROTECT)]
    async with stage_app(StageLink(facts), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        grid = app.screen.query_one("#orders", QuoteGrid)
        grid.narrow("condor")
        assert grid.keys == ["group/working", "O1"]
        grid.narrow("stop")
        assert grid.keys == ["group/working", "O2"]
