"""Legs that contradict one another: names, armed legs, hedges, and strikes measured from other legs."""

from __future__ import annotations

import pytest

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import Reentry, ReentryMode
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.strikes import MatchStrike, RelativeStrike
from optconsole.engine.model.triggers import Cross, Entry, IndicatorKind, IndicatorTrigger
from tests.engine.rules.structures import LAZY, MONTHLY, STOP, changed, faults, sold, strategy

PUT = Right.PUT


def lazily(*arms: str, **more: object) -> Reentry:
    return changed(Reentry(mode=ReentryMode.LAZY, arms=arms), **more)


def entering(*legs: object, **entry: object) -> Strategy:
    return strategy(*legs, entry=changed(Entry(), **entry))


BETWEEN = [
    (strategy(legs=()), [("NO_LEGS", "legs")]),
    (strategy(*(sold(f"l{place}") for place in range(11))), [("TOO_MANY_LEGS", "legs")]),
    (strategy(sold("a"), sold("a")), [("DUPLICATE_ID", "legs[1].id")]),
    (
        strategy(sold("a", lazy=True)),
        [("NEVER_ENTERED", "legs"), ("NEVER_ENTERED", "legs[0].lazy")],
    ),
    (strategy(sold("a"), sold("b", lazy=True)), [("NEVER_ENTERED", "legs[1].lazy")]),
    (strategy(sold("a", stop=STOP, on_stop=lazily("z"))), [("UNKNOWN_LEG", "legs[0].on_stop.arms")]),
    (strategy(sold("a", stop=STOP, on_stop=lazily("a"))), [("SELF_REFERENCE", "legs[0].on_stop.arms")]),
    (strategy(sold("a", stop=STOP, on_stop=lazily("b")), sold("b")), [("NOT_LAZY", "legs[0].on_stop.arms")]),
    (
        strategy(
            sold("a", stop=STOP, on_stop=lazily("b")),
            sold("b", lazy=True, stop=STOP, on_stop=lazily("c")),
            sold("c", lazy=True, stop=STOP, on_stop=lazily("b")),
        ),
        [("CIRCLE", "legs[1]"), ("CIRCLE", "legs[2]")],
    ),
    (
        strategy(sold("a", stop=STOP, on_stop=Reentry(mode=ReentryMode.COST, arms=("b",))), sold("b", lazy=True)),
        [("NO_LAZY_LEG", "legs[0].on_stop.arms")],
    ),
    (strategy(sold("a", hedges=("z",))), [("UNKNOWN_LEG", "legs[0].hedges")]),
    (strategy(sold("a", hedges=("a",))), [("SELF_REFERENCE", "legs[0].hedges")]),
    (
        strategy(sold("a", hedges=("b",)), sold("b", hedges=("a",))),
        [("CIRCLE", "legs[0].hedges"), ("CIRCLE", "legs[1].hedges")],
    ),
    (strategy(sold("a", with_hedge=True)), [("NO_HEDGE", "legs[0].with_hedge")]),
    (strategy(sold("a", strike=RelativeStrike("z", 2))), [("UNKNOWN_LEG", "legs[0].strike.leg")]),
    (strategy(sold("a", strike=MatchStrike("a"))), [("SELF_REFERENCE", "legs[0].strike.leg")]),
    (strategy(sold("a", strike=RelativeStrike("b", 2)), sold("b")), [("LATER_LEG", "legs[0].strike.leg")]),
    (
        strategy(
            sold("a", stop=STOP, on_stop=lazily("b")), sold("b", lazy=True), sold("c", PUT, strike=MatchStrike("b"))
        ),
        [("LAZY_REFERENCE", "legs[2].strike.leg")],
    ),
    (
        strategy(sold("f", None, expiry=MONTHLY), sold("a", strike=RelativeStrike("f", 2))),
        [("NO_STRIKE", "legs[1].strike.leg")],
    ),
    (
        strategy(
            sold("a"), entry=Entry(indicators=(IndicatorTrigger(kind=IndicatorKind.RSI, cross=Cross.UP, leg="z"),))
        ),
        [("UNKNOWN_LEG", "entry.indicators[0].leg")],
    ),
]


@pytest.mark.parametrize(("of", "expected"), BETWEEN)
def test_legs_that_contradict_one_another_are_told(of: Strategy, expected: list[tuple[str, str]]) -> None:
    assert faults(of) == expected


def test_a_plugin_decides_in_place_of_legs() -> None:
    assert faults(strategy(legs=(), plugin="my-plugin")) == []


def test_a_lazy_leg_may_be_measured_from_a_leg_written_after_it() -> None:
    assert faults(changed(LAZY, legs=(LAZY.legs[1], LAZY.legs[0]))) == []


def test_a_chain_of_lazy_legs_is_no_circle() -> None:
    of = strategy(
        sold("a", stop=STOP, on_stop=lazily("b")),
        sold("b", lazy=True, stop=STOP, on_stop=lazily("c")),
        sold("c", lazy=True),
    )
    assert faults(of) == []
