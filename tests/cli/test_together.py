"""What the command line reads and says of orders that belong together."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from optconsole.cli import shapes, together
from optconsole.cli.arguments import UsageError
from optconsole.cli.order import _describe
from optconsole.cli.order_group import read_lines, read_orders
from optconsole.engine.commands import PlaceGroup, PlaceOrder
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import Side
from optconsole.screens.formats import FULL
from tests.engine.facts import CALL, terms
from tests.engine.floor import Floor

LINE = "BUY NIFTY 01DEC26 24500 CE LIMIT 95 --lots 2"


def test_a_parent_is_one_line_with_its_parts_and_what_is_filled() -> None:
    floor = Floor()
    floor.ask(PlaceOrder, terms=terms(Side.SELL, 2600))
    floor.acknowledge()
    floor.fill("O1")
    state = floor.story.state
    line = together.lines(state, FULL)[0]
    assert line.startswith("P1  SELL 2,600 NIFTY 01DEC26 24500 CE  LIMIT 100.00")
    assert line.endswith("2 of 2 parts, 1,755 filled  WORKING")


def test_a_parent_as_json_names_its_parts_and_gives_money_in_paise() -> None:
    floor = Floor()
    floor.ask(PlaceOrder, terms=terms(Side.SELL, 2600))
    floor.acknowledge()
    floor.fill("O2")
    shape = together.parent_shape(floor.story.state, floor.story.state.parents["P1"])
    assert (shape["id"], shape["status"], shape["qty"], shape["filled"], shape["remaining"]) == (
        "P1", "WORKING", 2600, 845, 1755,
    )  # fmt: skip
    assert (shape["sent"], shape["parts"], shape["price_paise"]) == (["O1", "O2"], [1755, 845], 10_000)
    assert shapes.order(floor.orders["O1"])["parent"] == "P1"


def test_a_group_shows_which_of_its_orders_still_waits() -> None:
    floor = Floor()
    first, second = terms(Side.SELL, 130), terms(Side.BUY, 130, 5_000, contract=CALL.replace("CE", "PE"))
    floor.ask(PlaceGroup, kind=GroupKind.OTO, orders=(first, second))
    state = floor.story.state
    assert together.lines(state, FULL) == ["T1  OTO of 2 orders: O1, waits  WORKING"]
    shape = shapes.group(state.groups["T1"])
    members = shape["orders"]
    assert isinstance(members, list)
    assert [(each["side"], each["sent"]) for each in members] == [("SELL", ["O1"]), ("BUY", [])]


def test_finished_parents_are_left_out_of_what_works() -> None:
    floor = Floor()
    floor.ask(PlaceOrder, terms=terms(Side.SELL, 2600))
    floor.acknowledge()
    floor.fill("O1")
    floor.fill("O2")
    assert together.lines(floor.story.state, FULL, working=True) == []
    assert len(together.lines(floor.story.state, FULL)) == 1


def test_orders_of_a_group_are_given_as_words_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "group.txt"
    file.write_text(f"# a strangle\n{LINE}\n\n{LINE}\n", encoding="utf-8")
    assert read_lines([str(file)]) == read_lines([LINE, LINE]) == [LINE, LINE]
    read: list[argparse.Namespace] = read_orders([LINE, LINE], _describe)
    assert [(each.words[0], each.lots) for each in read] == [("BUY", 2), ("BUY", 2)]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([LINE, "BUY NIFTY 01DEC26 24500 CE LIMIT 95"], "Order 2 of the group"),
        ([LINE + " --stopp 3"], "--stopp is not an option"),
        (['BUY "NIFTY'], "Order 1 of the group"),
    ],
)
def test_a_line_that_is_no_order_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        read_orders(lines, _describe)
    assert said in wrong.value.text


def test_a_file_that_cannot_be_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_lines([str(tmp_path / "none.txt")])
    (tmp_path / "one.txt").write_text(LINE, encoding="utf-8")
    with pytest.raises(UsageError, match="at least two"):
        read_lines([str(tmp_path / "one.txt")])
