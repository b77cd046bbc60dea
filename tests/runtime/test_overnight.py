"""The owner's reference strategy over days: it leaves at 09:18:00 and enters at 09:19:00, whatever kills the engine."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.core import Engine
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.strategies.linting import check_text
from tests.runtime.days import Days

LEG = """
[[strategy.leg]]
id = "{id}"
side = "sell"
right = "{right}"
strike = "premium 100"
stop = "20"
on_stop = "cost x2"
wait = "+6%"
"""
CLONE = """
[[strategy]]
name = "NIFTY_STBT {day}"
underlying = "NIFTY"
entry = "09:19:00"
exit = "09:18:00"
holding = "overnight"
product = "NRML"
non_expiry_only = true
misfire = "run-within-grace"
weekdays = ["{day}"]
"""
TEXT = 'format = 1\n[basket]\nname = "stbt"\n[[account]]\nname = "paper"\n' + "".join(
    CLONE.format(day=day) + "".join(LEG.format(id=right.lower(), right=right) for right in Right)
    for day in ("mon", "tue", "wed", "thu", "fri")
)
"""Five clones of one rule, one for each weekday."""

NOV, DEC = (lambda day: date(2026, 11, day)), (lambda day: date(2026, 12, day))
DAYS = (NOV(19), NOV(20), NOV(23), NOV(25), NOV(26), NOV(27), NOV(30), DEC(1), DEC(2), DEC(3))
"""The 24th is a holiday, so that NIFTY expires on Monday the 23rd; the next expiry is Tuesday the 1st."""
WEEK = DAYS[3:7]
MOVES = (
    ("09:31:30", Right.CALL, 107),
    ("10:05:30", Right.CALL, 130),
    ("10:35:30", Right.CALL, 105),
    ("11:05:30", Right.PUT, 108),
)
"""The call is entered, stopped, entered again at cost; the put is entered and kept overnight."""
MOMENTS = ("09:18:00", "09:19:00", *(at for at, _, _ in MOVES))


def played(folder: Path, days: tuple[date, ...] = DAYS, kills: float = 0.0, seed: int = 0) -> tuple[Days, Engine]:
    """The strategy from its text over these days."""
    basket = check_text(TEXT).basket
    assert basket is not None
    folder.mkdir()
    run = Days(folder, days, MOVES, MOMENTS, kills, seed)
    return run, run.play(
        cmd.SaveBasket(id="save", actor="test", basket=basket),
        cmd.SetBasketStatus(id="start", actor="test", name="stbt", status=BasketStatus.ACTIVE),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The book after a week without a crash."""
    return book(*played(tmp_path_factory.mktemp("undisturbed") / "calm", WEEK))


def book(days: Days, engine: Engine) -> dict[str, Any]:
    """What must not depend on when the engine was killed: positions, runs, money, and what was traded."""
    planned = [fact.event.run for fact in days.facts if isinstance(fact.event, ev.RunPlanned)]
    last = {
        fact.event.run_id: (fact.event.status, fact.event.code)
        for fact in days.facts
        if isinstance(fact.event, ev.RunMoved)
    }
    fills = [fact.event for fact in days.facts if isinstance(fact.event, ev.OrderFilled)]
    return {
        "runs": sorted(
            (run.trade_date, run.strategy.name, *last.get(run.id, (run.status, run.code))) for run in planned
        ),
        "fills": sorted((fill.traded_at.date(), fill.contract, fill.side, fill.qty, fill.price) for fill in fills),
        "held": {str(each.key): (each.qty, each.cost) for each in engine.state.positions.values() if each.qty},
        "made": engine.state.accounts["paper"].realised_before,
    }


def test_nifty_stbt_over_a_weekend_a_holiday_and_two_expiries(tmp_path: Path) -> None:
    days, engine = played(tmp_path / "calm")
    seen = book(days, engine)
    begun = {day: (name, status, code) for day, name, status, code in seen["runs"] if code != "WEEKDAY"}
    closed, left = RunStatus.CLOSED, RunStatus.SKIPPED
    assert begun == {
        NOV(19): ("NIFTY_STBT thu", closed, "TIME"),
        NOV(20): ("NIFTY_STBT fri", left, "EXIT_ON_EXPIRY"),
        NOV(23): ("NIFTY_STBT mon", left, "EXPIRY_DAY"),
        NOV(25): ("NIFTY_STBT wed", closed, "TIME"),
        NOV(26): ("NIFTY_STBT thu", closed, "TIME"),
        NOV(27): ("NIFTY_STBT fri", closed, "TIME"),
        NOV(30): ("NIFTY_STBT mon", left, "EXIT_ON_EXPIRY"),
        DEC(1): ("NIFTY_STBT tue", left, "EXPIRY_DAY"),
        DEC(2): ("NIFTY_STBT wed", closed, "TIME"),
        DEC(3): ("NIFTY_STBT thu", RunStatus.ACTIVE, "ON_TIME"),
    }
    assert len(seen["runs"]) == 5 * len(DAYS)
    assert seen["fills"] == sorted(expected_fills())
    made = sum(-side.sign * qty * price for *_, side, qty, price in seen["fills"])
    open_cost = sum(cost for _, cost in seen["held"].values())
    assert sum(each.realised for each in engine.state.positions.values()) + seen["made"] == made + open_cost


def test_what_was_held_overnight_is_left_a_minute_before_the_same_contracts_are_chosen_again(tmp_path: Path) -> None:
    days, _ = played(tmp_path / "calm", (NOV(25), NOV(26)))
    told = [
        (fact.at.replace(microsecond=0), fact.event)
        for fact in days.facts
        if fact.at.date() == NOV(26) and f"{fact.at:%H:%M}" in ("09:18", "09:19")
    ]
    left = {(event.contract, f"{at:%H:%M:%S}") for at, event in told if isinstance(event, ev.OrderFilled)}
    chosen = {
        (event.leg.contract, f"{at:%H:%M:%S}")
        for at, event in told
        if isinstance(event, ev.LegMoved) and event.what == "chosen"
    }
    contracts = {"NIFTY 01DEC26 24900 CE", "NIFTY 01DEC26 24100 PE"}
    assert left == {(name, "09:18:00") for name in contracts}
    assert chosen == {(name, "09:19:00") for name in contracts}


@pytest.mark.parametrize("seed", range(int(os.environ.get("OPTCONSOLE_OVERNIGHT_SEEDS", "2"))))
def test_an_engine_that_is_killed_at_random_ends_with_the_same_book(
    seed: int, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    days, engine = played(tmp_path / "killed", WEEK, kills=0.02, seed=seed)
    assert days.crashes >= 3
    assert book(days, engine) == undisturbed


def expected_fills() -> list[tuple[Any, ...]]:
    """Of each run: the call sold 6 % up, stopped, sold again at its cost; the put sold 6 % up; both left next day."""
    sell, buy = Side.SELL, Side.BUY
    nights = (
        (NOV(19), NOV(20), "23NOV26"),
        (NOV(25), NOV(26), "01DEC26"),
        (NOV(26), NOV(27), "01DEC26"),
        (NOV(27), NOV(30), "01DEC26"),
        (DEC(2), DEC(3), "08DEC26"),
        (DEC(3), None, "08DEC26"),
    )
    found: list[tuple[Any, ...]] = []
    for day, after, expiry in nights:
        call, put = f"NIFTY {expiry} 24900 CE", f"NIFTY {expiry} 24100 PE"
        found += [(day, call, side, 65, price) for side, price in ((sell, 10_700), (buy, 13_005), (sell, 10_500))]
        found.append((day, put, sell, 65, 10_800))
        if after is not None:
            found += [(after, name, buy, 65, 10_005) for name in (call, put)]
    return found
