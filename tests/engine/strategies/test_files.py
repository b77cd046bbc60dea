"""A basket's file: both ways, with a line for each fault."""

from __future__ import annotations

from datetime import time

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.baskets import Allocation, Basket, Pace
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import LegStop, Measure, Reentry, ReentryMode, Unit
from optconsole.engine.model.orders import Side
from optconsole.engine.model.overall_rules import Level, Overall
from optconsole.engine.model.strategies import CostShift, Execution, Leg, OnFailure, Schedule, Strategy
from optconsole.engine.model.triggers import Entry, Filters
from optconsole.engine.strategies.files import read_basket, write_basket

STRADDLE = """\
format = 1

[basket]
name = "expiry day"
capital = 1000000
max_loss = 25000.50

[[account]]
name = "PAPER1"
multiplier = 2

[[strategy]]
name = "short straddle"
underlying = "NIFTY"
entry = 09:20:00
exit = "15:15"
weekdays = ["mon", "tue"]
vix = "11..18"
stop = "30%"
move_to_cost = "other-right"
on_failure = "rollback"

[[strategy.leg]]
id = "ce"
side = "sell"
right = "CE"
strike = "ATM"
stop = "25%"
on_stop = "cost x2"

[[strategy.leg]]
id = "pe"
side = "sell"
right = "PE"
stop = "25%"
"""


def test_a_basket_is_read_from_its_file() -> None:
    basket, faults = read_basket(STRADDLE)
    assert faults == ()
    quarter = LegStop(move=Measure(2_500, Unit.PERCENT))
    assert basket == Basket(
        name="expiry day",
        capital=100_000_000,
        max_loss=2_500_050,
        allocations=(Allocation(account="PAPER1", multiplier=200),),
        strategies=(
            Strategy(
                name="short straddle",
                underlying="NIFTY",
                schedule=Schedule(entry_at=time(9, 20), exit_at=time(15, 15), weekdays=(0, 1)),
                entry=Entry(filters=Filters(vix_min=1100, vix_max=1800)),
                overall=Overall(stop=msgspec.structs.replace(Level(3_000), basis="gross-premium")),
                move_to_cost=CostShift.OTHER_RIGHT,
                execution=Execution(on_failure=OnFailure.ROLLBACK),
                legs=(
                    Leg(
                        id="ce",
                        side=Side.SELL,
                        right=Right.CALL,
                        stop=quarter,
                        on_stop=Reentry(mode=ReentryMode.COST, times=2),
                    ),
                    Leg(id="pe", side=Side.SELL, right=Right.PUT, stop=quarter),
                ),
            ),
        ),
    )


def test_a_written_basket_reads_back_equal_and_says_only_what_is_not_usual() -> None:
    basket, _ = read_basket(STRADDLE)
    assert basket is not None
    text = write_basket(basket)
    assert read_basket(text) == (basket, ())
    assert "grace" not in text
    assert "pace" not in text


def fault_of(text: str) -> tuple[str, str, int]:
    basket, faults = read_basket(text)
    assert basket is None
    assert len(faults) == 1, faults
    return faults[0].code, faults[0].where, faults[0].line


def test_an_unknown_field_is_named_with_its_line_and_what_was_meant() -> None:
    text = STRADDLE.replace('stop = "25%"\non_stop', 'stpo = "25%"\non_stop')
    _, faults = read_basket(text)
    assert [(fault.code, fault.where, fault.line) for fault in faults] == [
        ("UNKNOWN_FIELD", "strategy[0].leg[0].stpo", 28)
    ]
    assert "did you mean stop?" in faults[0].text


def test_a_value_that_means_nothing_is_named_with_its_line() -> None:
    assert fault_of(STRADDLE.replace('strike = "ATM"', 'strike = "near"')) == (
        "BAD_VALUE",
        "strategy[0].leg[0].strike",
        27,
    )


def test_a_missing_field_is_named_at_its_table() -> None:
    assert fault_of(STRADDLE.replace('exit = "15:15"\n', "")) == ("MISSING", "strategy[0].exit", 12)


def test_every_fault_of_a_file_is_told_at_once() -> None:
    text = STRADDLE.replace('side = "sell"', 'side = "short"').replace("multiplier = 2", "multiplier = true")
    _, faults = read_basket(text)
    assert [fault.line for fault in faults] == [10, 25, 33]


def test_text_that_is_no_toml_is_refused_with_its_line() -> None:
    assert fault_of('format = 1\n[basket\nname = "x"') == ("BAD_TOML", "the file", 2)


def test_another_format_is_refused() -> None:
    assert fault_of(STRADDLE.replace("format = 1", "format = 2"))[:2] == ("FORMAT", "format")


def test_keys_inside_long_strings_and_lists_have_no_lines_of_their_own() -> None:
    text = STRADDLE.replace('name = "short straddle"', 'note = """\nname = 3\n[[leg]]\n"""\nname = 7.5').replace(
        'weekdays = ["mon", "tue"]', 'weekdays = [\n  "mon",\n  "sun",\n]'
    )
    code, where, line = fault_of(text)
    assert (code, where) == ("BAD_VALUE", "strategy[0].weekdays")
    assert text.splitlines()[line - 1].startswith("weekdays")


LEGS = st.builds(
    Leg,
    id=st.sampled_from(["ce", "pe", "hedge-1"]),
    side=st.sampled_from(Side),
    right=st.sampled_from([*Right, None]),
    lots=st.integers(1, 1000),
    lazy=st.booleans(),
    target=st.none() | st.builds(Measure, st.integers(1, 10**6), st.sampled_from(Unit)),
    exit_at=st.none() | st.times().map(lambda moment: moment.replace(microsecond=0)),
)
BASKETS = st.builds(
    Basket,
    name=st.sampled_from(["one", "Expiry day & co"]),
    pace=st.sampled_from(Pace),
    max_loss=st.none() | st.integers(0, 10**9),
    allocations=st.lists(
        st.builds(
            Allocation,
            account=st.sampled_from(["A1", "B2"]),
            multiplier=st.integers(1, 10_000),
            lots=st.dictionaries(st.sampled_from(["ce", "pe"]), st.integers(0, 9)),
        ),
        max_size=3,
    ).map(tuple),
    strategies=st.lists(
        st.builds(
            Strategy,
            name=st.sampled_from(["s1", "s 2"]),
            underlying=st.sampled_from(["NIFTY", "M&M", "BAJAJ-AUTO"]),
            schedule=st.builds(
                Schedule,
                entry_at=st.times().map(lambda moment: moment.replace(microsecond=0)),
                exit_at=st.times().map(lambda moment: moment.replace(microsecond=0)),
                dte=st.lists(st.integers(0, 9), max_size=3).map(tuple),
                entry_dte=st.none() | st.integers(0, 24),
            ),
            legs=st.lists(LEGS, max_size=4).map(tuple),
            note=st.sampled_from(["", 'two "quoted"\nlines # not a comment']),
        ),
        max_size=3,
    ).map(tuple),
)


@given(BASKETS)
@settings(max_examples=60)
def test_any_basket_survives_its_file(basket: Basket) -> None:
    assert read_basket(write_basket(basket)) == (basket, ())


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    basket, faults = read_basket(text)
    assert basket is None
    assert faults


@given(st.text(alphabet="[]{}=\"'\n.abc#1", max_size=120))
def test_no_brackets_make_the_reader_fall(text: str) -> None:
    basket, faults = read_basket("format = 1\n" + text)
    assert basket is None or not faults
