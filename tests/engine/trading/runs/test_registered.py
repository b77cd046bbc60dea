"""A run in which a registered strategy decides: its legs, its wishes, and what becomes of it when it fails."""

from __future__ import annotations

import pytest
from pydantic import Field

from optconsole.engine import commands as cmd
from optconsole.engine.market.market_days import market_days
from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.plugins import (
    AskKind,
    EnterLeg,
    ExitAll,
    ExitLeg,
    MoveStop,
    Note,
    PluginFault,
    StrategyAnswer,
    View,
)
from optconsole.engine.model.runs import LegStage, RunStatus
from optconsole.engine.strategies.plugin import Entry, Legs, Memory, Parameters, Plugin, Skip, Wait
from optconsole.engine.trading.runs.duty import Runs
from tests.engine.trading.runs.registered import HEAD, RegisteredStage, registered
from tests.engine.trading.runs.stage import name, strategy

CE = {"id": "ce", "side": "sell", "right": "CE", "stop": "25%"}
PE = {"id": "pe", "side": "sell", "right": "PE", "stop": "25%"}


class Straddle(Plugin):
    """Sells the straddle, and does at a minute what the test wrote for it."""

    name = "straddle"
    script: dict[str, list[object]] = {}
    legs: list[dict[str, object]] = [CE, PE]

    class Params(Parameters):
        steps: int = Field(0, ge=0)

    def entry(self, view: View, memory: Memory) -> Entry:
        memory["seen"] = 0
        return Legs(self.legs)

    def look(self, view: View, memory: Memory) -> list[object]:
        memory["seen"] += 1
        return self.script.get(f"{view.now:%H:%M}", [])


def scripted(legs: list[dict[str, object]] | None = None, **script: list[object]) -> type[Straddle]:
    """``scripted(t0921=[ExitAll()])``."""
    minutes = {f"{each[1:3]}:{each[3:]}": actions for each, actions in script.items()}
    return type("Straddle", (Straddle,), {"script": minutes, "legs": legs or [CE, PE]})


def entered(kind: type[Plugin], *, at: str = "09:20:00") -> RegisteredStage:
    stage = RegisteredStage(kind)
    stage.start(registered(kind))
    stage.to(at)
    return stage


def test_the_legs_that_it_gives_are_entered_at_their_time_in_the_accounts_size() -> None:
    stage = RegisteredStage(Straddle)
    stage.start(registered(Straddle), accounts=[Allocation(account="paper", multiplier=300)])
    stage.to("09:19:59")
    assert [each.kind for each in stage.requests] == [AskKind.WARM]
    assert stage.held() == {}
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -195, "24500 PE": -195}
    assert stage.said(RunStatus.ACTIVE) == "ON_TIME"
    assert stage.run().legs["ce"].levels is not None


def test_it_sees_the_market_and_its_own_legs() -> None:
    stage = entered(Straddle)
    stage.to("09:21:00")
    view = stage.requests[-1].view
    assert (view.spot, view.underlying, f"{view.now:%H:%M}") == (2_450_000, "NIFTY", "09:21")
    call = view.leg("ce")
    assert call is not None
    assert (call.stage, call.contract, call.units) == ("OPEN", name(24500, "CE"), -65)
    assert call.entry is not None
    assert call.price is not None
    assert call.mtm == -65 * (call.price - call.entry)
    assert view.mtm == sum(leg.mtm or 0 for leg in view.legs)
    atm = next(row for row in view.chain if row.contract == call.contract)
    assert atm.delta is not None
    assert 400 < atm.delta < 600


def test_it_is_asked_once_a_minute_and_gets_its_memory_back_after_a_restart() -> None:
    stage = entered(Straddle)
    stage.minutes("09:20:10", "09:20:59", "09:21:00", "09:21:01", "09:22:30")
    looks = [each for each in stage.requests if each.kind is AskKind.LOOK]
    assert [f"{each.view.now:%H:%M:%S}" for each in looks] == ["09:21:00", "09:22:30"]
    stage.runs = Runs(market_days(stage.calendar))
    stage.to("09:23:00")
    assert stage.requests[-1].memory == '{"seen": 2}'


def test_what_it_changes_in_its_memory_is_a_fact_and_nothing_else_is() -> None:
    class Quiet(Plugin):
        name = "quiet"

        def entry(self, view: View, memory: Memory) -> Entry:
            return Legs([CE])

    stage = entered(Quiet)
    before = stage.state.seq
    stage.minutes("09:21:00", "09:22:00")
    assert len(stage.requests) == 3
    assert stage.state.seq == before


def test_a_strategy_may_skip_the_day_and_says_why() -> None:
    class Shy(Plugin):
        name = "shy"

        def entry(self, view: View, memory: Memory) -> Entry:
            return Skip("a quiet day")

    stage = entered(Shy)
    assert stage.said(RunStatus.SKIPPED) == "STRATEGY_SKIPPED"
    assert "a quiet day" in stage.run().text


def test_a_strategy_may_wait_while_its_entry_may_still_be_made() -> None:
    class Late(Plugin):
        name = "late"
        every = 20

        def entry(self, view: View, memory: Memory) -> Entry:
            memory["asked"] = memory.get("asked", 0) + 1
            return Wait() if memory["asked"] < 3 else Legs([CE])

    stage = entered(Late)
    assert stage.held() == {}
    stage.minutes("09:20:20", "09:20:40")
    assert stage.held() == {"24500 CE": -65}


def test_one_that_waits_past_the_grace_is_missed() -> None:
    class Never(Plugin):
        name = "never"

        def entry(self, view: View, memory: Memory) -> Entry:
            return Wait()

    stage = entered(Never)
    stage.to("09:21:00")
    assert stage.said(RunStatus.SKIPPED) == "MISSED"


@pytest.mark.parametrize(
    ("legs", "words"),
    [
        ([{"id": "ce", "side": "sell"}], "right"),
        ([{**CE, "stop": "many"}], "stop"),
        ([{**CE, "lots": 0}], "lots"),
        ([{**CE, "account": "other"}], "account"),
        ([CE, CE], "called ce already"),
        ([{**CE, "id": f"c{n}"} for n in range(11)], "11 legs"),
        ([{**CE, "strike": "24501"}], "24501"),
    ],
)
def test_legs_that_could_not_be_saved_are_not_entered_either(legs: list[dict[str, object]], words: str) -> None:
    stage = entered(scripted(legs))
    assert stage.held() == {}
    assert stage.said(RunStatus.SKIPPED) == "STRATEGY_FAILED"
    (alarm,) = stage.alarms()
    assert words in alarm


def test_one_that_fails_at_its_entry_enters_nothing_and_is_told() -> None:
    class Broken(Plugin):
        name = "broken"

        def entry(self, view: View, memory: Memory) -> Entry:
            raise KeyError("nifty\x1b[2J")

    stage = entered(Broken)
    assert stage.said(RunStatus.SKIPPED) == "STRATEGY_FAILED"
    (alarm,) = stage.alarms()
    assert "[RAISED]: KeyError" in alarm
    assert "\x1b" not in alarm


def test_one_that_fails_under_way_is_asked_no_more_while_stops_and_exit_time_go_on() -> None:
    stage = entered(Straddle)
    fault = PluginFault("TOO_SLOW", "it did not answer within 500 ms")
    stage.silent = True
    stage.to("09:21:00")
    stage.hear(StrategyAnswer(run_id="R1", kind=AskKind.LOOK, fault=fault))
    assert stage.run().watch.plugin.down == "TOO_SLOW"
    assert "500 ms" in stage.alarms()[0]
    asked = len(stage.requests)
    stage.minutes("09:22:00", "09:23:00")
    assert len(stage.requests) == asked
    stage.price(name(24500, "CE"), 126)
    assert stage.held() == {"24500 PE": -65}
    stage.to("15:15:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED)


def test_it_may_leave_one_leg_and_later_all() -> None:
    stage = entered(scripted(t0921=[ExitLeg(leg="ce", why="enough")], t0922=[ExitAll(why="done")]))
    stage.to("09:21:00")
    assert stage.held() == {"24500 PE": -65}
    assert (stage.run().legs["ce"].code, stage.run().legs["ce"].text) == ("PLUGIN", "straddle: enough")
    stage.to("09:22:00")
    assert stage.held() == {}
    assert stage.said(RunStatus.CLOSED) == "PLUGIN"


def test_its_stop_may_come_nearer_on_the_tick_and_never_go_away_or_past_the_price() -> None:
    stage = entered(
        scripted(
            t0921=[MoveStop(leg="ce", price=11_003)],
            t0922=[MoveStop(leg="ce", price=12_000)],
            t0923=[MoveStop(leg="ce", price=9_000)],
        )
    )
    first = stage.run().legs["ce"].levels
    assert first is not None
    stage.to("09:21:00")
    moved = stage.run().legs["ce"].levels
    assert moved is not None
    assert first.leg.stop is not None
    assert moved.leg.stop == 11_000 < first.leg.stop
    stage.minutes("09:22:00", "09:23:00")
    after = stage.run().legs["ce"].levels
    assert after is not None
    assert after.leg.stop == 11_000
    assert [text.partition("[")[2].partition("]")[0] for text in stage.told("STRATEGY_REFUSED")] == [
        "WIDER",
        "WOULD_FIRE",
    ]
    stage.price(name(24500, "CE"), 110.5)
    assert stage.run().legs["ce"].code == "LEG_SL"


def test_a_hedge_is_not_left_while_what_it_protects_is_open() -> None:
    wing = {"id": "wing", "side": "buy", "right": "CE", "strike": "otm4", "hedges": ["ce"]}
    both = [ExitLeg(leg="wing"), ExitLeg(leg="ce")]
    stage = entered(scripted([wing, CE], t0921=both, t0922=[ExitLeg(leg="wing")]))
    assert stage.held() == {"24700 CE": 65, "24500 CE": -65}
    stage.to("09:21:00")
    assert stage.held() == {"24700 CE": 65}
    assert "[HEDGE]" in stage.told("STRATEGY_REFUSED")[0]
    stage.to("09:22:00")
    assert stage.held() == {}


def test_it_enters_lazy_legs_when_it_likes_and_only_those() -> None:
    lazy = {**PE, "id": "later", "lazy": True}
    stage = entered(
        scripted([CE, lazy], t0921=[EnterLeg(leg="ce"), EnterLeg(leg="later")], t0923=[EnterLeg(leg="later")])
    )
    assert stage.held() == {"24500 CE": -65}
    stage.to("09:21:00")
    assert stage.held() == {"24500 CE": -65, "24500 PE": -65}
    assert "[NOT_NOW]" in stage.told("STRATEGY_REFUSED")[0]
    stage.price(name(24500, "PE"), 126)
    stage.quote(name(24500, "PE"), 10_000)
    stage.to("09:23:00")
    assert stage.run().legs["later"].entries == 2


def test_a_run_of_lazy_legs_waits_and_ends_as_one_that_was_never_entered() -> None:
    stage = entered(scripted([{**CE, "lazy": True}]))
    assert stage.run().status is RunStatus.WAITING
    stage.to("15:15:00")
    assert stage.said(RunStatus.SKIPPED) == "NOT_TRIGGERED"


def test_notes_are_told_and_made_safe_to_show() -> None:
    stage = entered(scripted(t0921=[Note(why="rolling\x07 soon")]))
    stage.to("09:21:00")
    assert stage.told("STRATEGY_NOTE") == ["s on paper: rolling\\x07 soon"]


def test_wishes_for_legs_that_are_not_there_or_twice_are_refused_and_told_once() -> None:
    stage = entered(
        scripted(
            t0921=[ExitLeg(leg="xx"), ExitLeg(leg="ce"), MoveStop(leg="ce", price=11_000)], t0922=[ExitLeg(leg="xx")]
        )
    )
    stage.minutes("09:21:00", "09:22:00")
    assert [text.partition("[")[2].partition("]")[0] for text in stage.told("STRATEGY_REFUSED")] == [
        "NO_SUCH_LEG",
        "TWICE",
    ]


def test_an_answer_that_comes_when_the_run_is_being_closed_changes_nothing() -> None:
    stage = entered(Straddle)
    stage.ask(cmd.SteerRun(id="x", actor="key", run_id="R1", action=cmd.RunAction.EXIT))
    before = stage.state.seq
    stage.hear(StrategyAnswer(run_id="R1", kind=AskKind.LOOK, actions=(ExitAll(), Note(why="x"))))
    stage.hear(StrategyAnswer(run_id="R1", kind=AskKind.ENTRY, legs=(CE,)))
    stage.hear(StrategyAnswer(run_id="R9", kind=AskKind.LOOK, actions=(ExitAll(),)))
    assert stage.state.seq == before


def test_nothing_is_asked_while_the_kill_switch_is_on_or_the_run_is_halted() -> None:
    stage = entered(Straddle)
    stage.ask(cmd.SteerRun(id="x", actor="key", run_id="R1", action=cmd.RunAction.HALT))
    asked = len(stage.requests)
    stage.to("09:21:00")
    stage.ask(cmd.SteerRun(id="y", actor="key", run_id="R1", action=cmd.RunAction.RESUME))
    stage.ask(cmd.EngageKill(id="k", actor="key", why="test"))
    stage.to("09:22:00")
    assert len(stage.requests) == asked


def test_a_call_that_is_under_way_is_not_made_again() -> None:
    stage = entered(Straddle)
    stage.silent = True
    stage.minutes("09:21:00", "09:22:00", "09:23:00")
    assert [each.kind for each in stage.requests].count(AskKind.LOOK) == 1


def test_a_strategy_that_nobody_registered_cannot_be_saved() -> None:
    stage = RegisteredStage(Straddle)
    basket = Basket(name="day", strategies=(registered(Straddle, HEAD),))
    with pytest.raises(Refusal) as refused:
        super(RegisteredStage, stage).ask(cmd.SaveBasket(id="s", actor="key", basket=basket))
    assert refused.value.code == "LINT"
    assert refused.value.text.startswith("strategies[0].plugin: No strategy is registered as 'straddle'")


def test_legs_written_in_the_file_are_entered_when_it_gives_none_of_its_own() -> None:
    class Plain(Plugin):
        name = "plain"

    stage = RegisteredStage(Plain)
    stage.start(strategy(HEAD + 'plugin = "plain"', ce="sell CE"))
    stage.to("09:20:00")
    assert stage.held() == {"24500 CE": -65}
    assert stage.run().legs["ce"].stage is LegStage.OPEN
