"""Two runs in one contract of one account: each holds its own part, and each can leave it."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.limits import Level, Standing
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.model.strategies import Strategy
from tests.engine.trading.runs.stage import Stage, name, strategy

CE, PE = name(24500, "CE"), name(24500, "PE")


def named(called: str, clock: tuple[str, str], leg: str) -> Strategy:
    written = strategy(f'entry = "{clock[0]}"\nexit = "{clock[1]}"\n', ce=leg)
    return msgspec.structs.replace(written, name=called)


def opposed(first: int = 1, second: int = 1) -> Stage:
    """R1 sells the call until 10:00, R2 buys it until 11:00."""
    stage = Stage()
    stage.start(
        named("seller", ("09:20", "10:00"), f'sell CE lots = {first}; stop = "25"'),
        named("buyer", ("09:21", "11:00"), f'buy CE lots = {second}; stop = "25"'),
    )
    stage.to("09:20:00")
    stage.to("09:21:00")
    return stage


def parts(stage: Stage) -> dict[str, int]:
    found = stage.state.books.get(f"paper/NRML/{CE}", ())
    return {part.source.split("/")[1]: part.held.qty for part in found if part.source and part.held.qty}


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 2), (2, 3), (1, 3), (3, 1)])
def test_each_leaves_its_own_part_whatever_the_other_holds(first: int, second: int) -> None:
    stage = opposed(first, second)
    assert parts(stage) == {"seller": -65 * first, "buyer": 65 * second}
    stage.to("10:00:00")
    assert parts(stage) == {"buyer": 65 * second}
    assert stage.held() == {"24500 CE": 65 * second}
    assert stage.said(RunStatus.CLOSED, "R1") == "TIME"
    stage.to("11:00:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED, "R2") == "TIME"
    assert stage.working() == []


def test_both_leave_in_the_same_second_without_meeting_each_other() -> None:
    stage = Stage()
    stage.start(
        named("seller", ("09:20", "10:00"), 'sell CE lots = 2; stop = "25"'),
        named("buyer", ("09:21", "10:00"), 'buy CE lots = 2; stop = "25"'),
    )
    stage.to("09:20:00")
    stage.to("09:21:00")
    stage.to("10:00:00")
    for _ in range(5):
        stage.settle(2)
    assert parts(stage) == {}
    assert stage.held() == {}
    assert {run.status for run in stage.state.runs.values()} == {RunStatus.CLOSED}


def test_the_stop_of_a_part_closes_it_though_the_account_is_flat() -> None:
    stage = opposed()
    assert stage.held() == {}
    stage.settle(5)
    stage.price(CE, 126)
    assert parts(stage) == {"buyer": 65}
    assert stage.run("R1").legs["ce"].code == "LEG_SL"
    stage.settle(5)
    assert stage.stops()["24500 CE"][1] == 65, "what is open now is guarded at the exchange"


def test_neither_a_reducing_account_nor_a_wide_book_keeps_a_part_from_being_left() -> None:
    stage = opposed()
    command = cmd.SetTradingState(
        id="s", actor="key", level=Level.ACCOUNT, name="paper", standing=Standing.REDUCING, why="test"
    )
    stage.ask(command)
    stage.quote(CE, 10_000, spread=2_000)
    stage.to("10:00:00")
    for _ in range(4):
        stage.settle(3)
    assert parts(stage) == {"buyer": 65}


def test_a_part_is_not_left_while_the_account_has_an_order_in_doubt_and_the_reason_is_told() -> None:
    stage = opposed()
    stage.lose(PE)
    stage.to("10:00:00")
    assert parts(stage) == {"seller": -65, "buyer": 65}
    assert stage.run("R1").legs["ce"].stage is LegStage.LEAVING
    assert "NOT_FLAT" in stage.codes()


def test_a_kill_ends_runs_that_net_each_other() -> None:
    stage = opposed()
    stage.ask(cmd.EngageKill(id="k", actor="key", why="test"))
    stage.settle(2)
    assert stage.held() == {}
    assert {run.status for run in stage.state.runs.values()} == {RunStatus.CLOSED}
    assert {run.code for run in stage.state.runs.values()} == {"KILL"}


def test_parts_of_one_side_are_left_one_by_one() -> None:
    stage = Stage()
    stage.start(
        named("one", ("09:20", "10:00"), 'sell CE lots = 2; stop = "25"'),
        named("two", ("09:20", "11:00"), 'sell CE lots = 1; stop = "60"'),
    )
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -195}
    stage.price(CE, 126)
    assert parts(stage) == {"two": -65}
    stage.to("11:00:00")
    assert stage.held() == {}


def test_a_restart_between_leaves_both_their_parts() -> None:
    stage = opposed(2, 3)
    stage.restart()
    stage.to("10:00:00")
    stage.restart()
    assert parts(stage) == {"buyer": 195}
    stage.to("11:00:00")
    assert stage.held() == {}
