"""Baskets as written, and that what is told as impossible never happens."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.baskets import Allocation, Basket, Pace, Rounding
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strategies import ExitOnExpiry, Holding, Schedule, Strategy
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.rules.lint import lint_basket, lint_strategy
from optconsole.engine.rules.schedules import Planned, plan
from tests.engine.rules.november import DAYS, listed
from tests.engine.rules.structures import CONDOR, FACTS, NIFTY_STBT, SOUND, changed, faults, field_of, sold, strategy

PUT = Right.PUT


@pytest.mark.parametrize("of", SOUND, ids=lambda each: each.name)
def test_what_traders_run_has_no_fault(of: Strategy) -> None:
    assert faults(of) == []


# Baskets


def basket(*allocations: Allocation, **more: object) -> Basket:
    base = Basket(name="Mine", strategies=(CONDOR, NIFTY_STBT), allocations=allocations)
    return changed(base, **more)


def test_a_sound_basket_has_no_fault() -> None:
    mine = basket(Allocation(account="own"), Allocation(account="father", multiplier=200, lots={"ce-hedge": 3}))
    assert lint_basket(mine, FACTS) == []


def test_faults_of_a_basket_name_the_strategy_and_the_leg() -> None:
    broken = changed(CONDOR, name="B", legs=(CONDOR.legs[0], sold("pe", PUT, lots=0)))
    found = lint_basket(basket(strategies=(CONDOR, broken)), FACTS)
    assert [(fault.code, fault.path) for fault in found] == [("BAD_LOTS", "strategies[1].legs[1].lots")]


BASKETS = [
    (basket(name=""), [("BAD_NAME", "name")]),
    (basket(strategies=(CONDOR, CONDOR)), [("DUPLICATE_ID", "strategies[1].name")]),
    (basket(capital=0), [("BAD_VALUE", "capital")]),
    (basket(max_loss=-1), [("BAD_VALUE", "max_loss")]),
    (basket(pace=Pace.STAGGERED), [("BAD_VALUE", "stagger_ms")]),
    (basket(stagger_ms=100), [("UNUSED", "stagger_ms")]),
    (basket(Allocation(account="own"), Allocation(account="own")), [("DUPLICATE_ID", "allocations[1].account")]),
    (basket(Allocation(account="nobody")), [("UNKNOWN_ACCOUNT", "allocations[0].account")]),
    (basket(Allocation(account="own", lots={"z": 1})), [("UNKNOWN_LEG", "allocations[0].lots")]),
    (basket(Allocation(account="own", priority=0)), [("BAD_VALUE", "allocations[0]")]),
    (
        basket(Allocation(account="own", multiplier=150), strategies=(CONDOR,)),
        [("RATIO_BROKEN", "allocations[0].multiplier")],
    ),
    (basket(Allocation(account="own", multiplier=150, rounding=Rounding.FLOOR)), []),
    (basket(Allocation(account="own", multiplier=150, enabled=False)), []),
    (
        basket(Allocation(account="own", lots={"ce": 0}), strategies=(CONDOR,)),
        [("BAD_LOTS", "allocations[0].lots")],
    ),
    (
        basket(Allocation(account="own", multiplier=20_000), strategies=(CONDOR,)),
        [("MAX_LOTS", "allocations[0].multiplier")],
    ),
]


@pytest.mark.parametrize(("mine", "expected"), BASKETS)
def test_a_basket_that_cannot_be_shared_out_is_told(mine: Basket, expected: list[tuple[str, str]]) -> None:
    found = lint_basket(mine, FACTS)
    assert [(fault.code, fault.path) for fault in found] == expected
    for fault in found:
        field_of(mine, fault.path)


# What is told as impossible never happens

FEW = st.lists(st.integers(0, 7) | st.integers(0, 60), max_size=2, unique=True).map(tuple)
schedules = st.builds(
    Schedule,
    entry_at=st.sampled_from([time(9, 20), time(15, 10)]),
    exit_at=st.sampled_from([time(9, 18), time(15, 15)]),
    holding=st.sampled_from(list(Holding)),
    weekdays=st.lists(st.integers(0, 4), max_size=2, unique=True).map(tuple),
    dte=FEW,
    non_expiry_only=st.booleans(),
    expiry_only=st.booleans(),
    entry_dte=st.none() | st.integers(0, 7),
    exit_dte=st.none() | st.integers(0, 7),
    exit_on_expiry=st.sampled_from(list(ExitOnExpiry)),
)
rules = st.builds(
    ExpiryRule,
    series=st.sampled_from([Series.WEEKLY, Series.MONTHLY]),
    offset=st.integers(0, 1),
    min_dte=st.integers(0, 3),
    roll_at=st.none() | st.just(time(12)),
)
IMPOSSIBLE = {"NO_DAY", "NO_DTE_WINDOW", "EXIT_BEFORE_ENTRY", "NO_ENTRY_WINDOW"}


@settings(max_examples=60)
@given(schedules, rules)
def test_a_strategy_told_never_to_enter_is_planned_on_no_day(schedule: Schedule, rule: ExpiryRule) -> None:
    """Over four months of 2026, two of them with holidays next to expiries."""
    of = strategy(sold(expiry=rule), schedule=schedule)
    if not {fault.code for fault in lint_strategy(of, FACTS)} & IMPOSSIBLE:
        return
    for ahead in range(120):
        day = date(2026, 8, 20) + timedelta(days=ahead)
        answer = plan(schedule, day, DAYS, listed(day), (rule,), "NIFTY")
        assert not isinstance(answer, Planned), (day, lint_strategy(of, FACTS))
