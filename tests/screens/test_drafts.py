"""The form and the file are two views of one basket: what is typed in one stands in the other."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.strategies import Schedule
from optconsole.engine.strategies.files import write_basket
from optconsole.engine.strategies.templates import TEMPLATES, from_template
from optconsole.screens import drafts
from optconsole.screens.draft_rows import form_row, form_rows
from optconsole.screens.formats import FULL
from tests.screens.running import TEXT, basket

LEG = ("strategy", 0, "leg", 0)


def draft(text: str = TEXT) -> drafts.Draft:
    return drafts.draft_of(basket(text))


@given(st.sampled_from(sorted(TEMPLATES)), st.integers(1, 5), st.integers(25, 400))
@settings(max_examples=30, deadline=None)
def test_a_basket_comes_back_equal_from_its_form(name: str, lots: int, multiplier: int) -> None:
    hours = Schedule(entry_at=time(9, 20), exit_at=time(15, 15), weekdays=(0, 4), dte=(0, 1, 2), expiry_only=True)
    written = Basket(
        name=name,
        strategies=(from_template(name, "NIFTY", lots, schedule=hours),),
        allocations=(Allocation(account="A1", multiplier=multiplier, lots={"ce": 2} if lots > 3 else {}),),
    )
    text, checked = drafts.check(drafts.draft_of(written))
    assert text == write_basket(written)
    assert checked.basket == written or checked.faults


@pytest.mark.parametrize(
    ("path", "typed", "line"),
    [
        ((*LEG, "stop"), "30 %", 'stop = "30%"'),
        ((*LEG, "strike"), "otm 2", 'strike = "OTM 2"'),
        ((*LEG, "hedges"), "pe , wing", 'hedges = ["pe", "wing"]'),
        ((*LEG, "locks"), "20: 10; 40: 25", 'locks = ["20: 10", "40: 25"]'),
        (("strategy", 0, "weekdays"), "mon,fri", 'weekdays = ["mon", "fri"]'),
        (("strategy", 0, "dte"), "0,1, 2", "dte = [0, 1, 2]"),
        (("strategy", 0, "ladder"), "5,000: 50%, 10,000: 25%", 'ladder = ["5000: 50%", "10000: 25%"]'),
        (("strategy", 0, "expiry_only"), "yes", "expiry_only = true"),
        (("strategy", 0, "pnl"), "net", 'pnl = "net"'),
        (("account", 0, "lots"), "{ ce = 2 }", "[account.lots]"),
        (("account", 0, "multiplier"), "1.5", "multiplier = 1.5"),
        (("basket", "max_loss"), "25,000", "max_loss = 25000"),
        (("strategy", 0, "entry"), "9:21", 'entry = "09:21"'),
    ],
)
def test_what_is_typed_stands_in_the_file_as_the_file_writes_it(
    path: tuple[str | int, ...], typed: str, line: str
) -> None:
    assert line in drafts.toml_of(drafts.put(draft(), path, typed)).splitlines()


def test_what_cannot_be_read_keeps_its_text_and_has_its_line_and_field() -> None:
    text, checked = drafts.check(drafts.put(draft(), (*LEG, "stop"), "a quarter"))
    assert checked.basket is None
    assert [fault.where for fault in checked.faults] == ["strategy[0].leg[0].stop"]
    assert text.splitlines()[checked.faults[0].line - 1] == 'stop = "a quarter"'


def test_a_fault_of_the_whole_is_told_where_it_is_written() -> None:
    _, checked = drafts.check(drafts.put(draft(), ("strategy", 0, "exit"), "09:10"))
    assert checked.basket is not None
    assert not checked.sound
    assert checked.faults[0].where.startswith("strategy[0]")


def test_an_emptied_field_says_nothing() -> None:
    changed = drafts.put(draft(), (*LEG, "stop"), "  ")
    assert "stop" not in drafts._table(changed["strategy"][0]["leg"][0], "leg")


def test_legs_are_added_cloned_and_removed_without_touching_the_draft_before() -> None:
    before = draft()
    added, where = drafts.add(before, ("strategy", 0, "leg"), {"id": "x", "side": "buy", "right": "CE"})
    assert where == ("strategy", 0, "leg", 2)
    cloned, twin = drafts.clone(added, LEG)
    assert [leg["id"] for leg in cloned["strategy"][0]["leg"]] == ["ce", "ce2", "pe", "x"]
    assert twin == ("strategy", 0, "leg", 1)
    removed = drafts.remove(cloned, twin)
    assert removed == added
    assert before == draft()
    assert drafts.fresh_name("ce2", ["ce", "ce2", "ce3"]) == "ce4"


def test_the_form_shows_what_says_something_and_what_often_does() -> None:
    _, checked = drafts.check(drafts.put(draft(), (*LEG, "spike"), "often"))
    changed = drafts.put(draft(), (*LEG, "spike"), "often")
    rows = {row.key: row for row in form_rows(changed, checked.faults, frozenset(), frozenset())}
    assert rows["strategy[0].leg[0].spike"].fault
    assert "strategy[0].leg[1].spike" not in rows
    assert rows["strategy[0].leg[1].target"].text == ""
    assert rows["strategy[0].leg[0].lots"].text == "2"
    assert rows["strategy[0].leg[0]"].default == "sell 2 CE"
    all_of_it = form_rows(changed, (), frozenset({("strategy", 0, "leg", 1)}), frozenset())
    assert "strategy[0].leg[1].spike" in {row.key for row in all_of_it}
    folded = form_rows(changed, checked.faults, frozenset(), frozenset({LEG}))
    head = next(row for row in folded if row.key == "strategy[0].leg[0]")
    assert head.fault
    assert "strategy[0].leg[0].stop" not in {row.key for row in folded}


def test_of_a_run_only_its_rules_can_change() -> None:
    rows = {row.key: row for row in form_rows(draft(), (), frozenset(), frozenset(), of_run=True)}
    assert "basket.name" not in rows
    assert rows["strategy[0].leg[0].strike"].fixed
    assert not rows["strategy[0].leg[0].stop"].fixed
    assert form_row(rows["strategy[0].leg[0].strike"], FULL).values[2][0] == "as entered"


def test_what_an_empty_field_means_is_shown_and_what_is_needed_is_said() -> None:
    rows = {row.key: row for row in form_rows(drafts.put(draft(), (*LEG, "side"), ""), (), frozenset(), frozenset())}
    assert form_row(rows["strategy[0].holding"], FULL).values[1] == ("intraday", "dim")
    assert form_row(rows["strategy[0].leg[0].side"], FULL).values[1] == ("needed", "warn")
    assert form_row(rows["strategy[0].leg[0].target"], FULL).values[1] == ("–", "dim")
