"""Limits at work: warned of once, acted on once, ended by a person; what cannot be seen blocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import PlaceOrder, RemoveLimit, SetLimit, SetTradingState
from optconsole.engine.events import Recorded
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, OrderLimits, Standing, Sweep
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Pending, RiskClass, Role, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.limit_terms import checked, loosens
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.state import apply
from optconsole.engine.store.codec import decode
from optconsole.engine.trading import desk, limit_commands, supervision
from optconsole.engine.trading.decision import Decision, SendPlace
from optconsole.engine.trading.risk import RiskWatch
from tests.engine.facts import CALL, DAY, PUT, START, Story, option, terms

LOT = 65
K = LimitKind
MASTER = InstrumentMaster((option(), option(right=Right.PUT)))
INSTALL = "AB7"


class Stage:
    """A story, a watch, and a market whose price and clock the test moves."""

    def __init__(self, *limits: Limit) -> None:
        self.story = Story()
        self.watch = RiskWatch()
        self.mark: int | None = 10_000
        self.age: float | None = 0.0
        self.tick = 0.0
        self.now: datetime = START
        self.phase = MarketPhase.OPEN
        for limit in limits:
            self.story.tell(ev.LimitSet(limit=limit))

    @property
    def state(self) -> Any:
        return self.story.state

    @property
    def situation(self) -> Situation:
        mark = self.mark
        quote = None if mark is None else Quote(name=CALL, ts=0, bid=mark, bid_qty=650, ask=mark, ask_qty=650, ltp=mark)
        return Situation(
            now=self.now,
            phase=self.phase,
            quote=lambda _name: quote,
            limits=OrderLimits(),
            age=lambda _name: self.age,
            tick=self.tick,
        )

    def look(self, after: float = 1.0) -> list[ev.AnyEvent]:
        """Let time pass, and carry the watch as far as it goes, as the engine does."""
        self.tick += after
        told: list[ev.AnyEvent] = []
        while (step := self.watch.advance(self.state, MASTER, self.situation, INSTALL)) is not None:
            assert step.facts
            assert len(told) < 50, "the watch goes round in circles"
            self.story.tell(*step.facts, actor=step.actor)
            told += step.facts
        return told

    def short(self, lots: int = 2, source: str = "", contract: str = CALL) -> None:
        wanted = msgspec.structs.replace(terms(Side.SELL, lots * LOT, contract=contract), source=source)
        self.story.fill(self.story.order(wanted), lots * LOT, 10_000, f"t{len(self.state.trades)}")

    def place(self, wanted: OrderTerms) -> str:
        command = PlaceOrder(id="c", actor="test", terms=wanted)
        reply = desk.place(self.state, command, MASTER, self.situation, INSTALL).reply
        assert reply is not None
        return reply.code

    def does(self, decision: Decision) -> None:
        self.story.tell(*decision.facts, actor=decision.actor)

    def standing(self, key: str = "global") -> Standing | None:
        scope = self.state.scopes.get(key)
        return None if scope is None else scope.standing


def limit(kind: LimitKind = K.MAX_LOSS, value: int = 2 * LOT * 1_000, **more: Any) -> Limit:
    return Limit(level=more.pop("level", Level.GLOBAL), kind=kind, value=value, **more)


def of(told: list[ev.AnyEvent], kind: type[Any]) -> list[Any]:
    return [fact for fact in told if isinstance(fact, kind)]


def codes(told: list[ev.AnyEvent]) -> list[str]:
    return [fact.code for fact in of(told, ev.NoticeRaised)]


# ---------------------------------------------------------------- warned of, then acted on


def test_each_step_is_told_once_a_day_and_a_jump_tells_the_highest() -> None:
    stage = Stage(limit())
    stage.short()
    assert stage.look() == []
    stage.mark = 10_500
    assert [fact.step for fact in of(stage.look(), ev.LimitWarned)] == [50]
    assert stage.look() == []
    stage.mark = 10_200
    assert stage.look() == []
    stage.mark = 10_960
    assert [fact.step for fact in of(stage.look(), ev.LimitWarned)] == [95]
    stage.mark = 10_850
    assert stage.look() == []
    stage.story.tell(ev.SessionOpened(day=DAY + timedelta(days=1)))
    assert of(stage.look(), ev.LimitWarned) == [], "what was lost yesterday is yesterday's"
    stage.mark = 10_850 + 850
    assert [fact.step for fact in of(stage.look(), ev.LimitWarned)] == [80]


def test_a_reached_limit_acts_once_and_stands_though_the_loss_goes_back() -> None:
    stage = Stage(limit())
    stage.short()
    stage.mark = 11_000
    told = stage.look()
    assert [fact.used for fact in of(told, ev.LimitBroken)] == [2 * LOT * 1_000]
    assert codes(told) == ["LIMIT_REACHED"]
    stage.mark = 10_000
    assert stage.look() == []
    assert stage.standing() is Standing.REDUCING
    assert stage.place(terms(Side.SELL, LOT)) == "REDUCING"
    assert stage.place(terms(Side.BUY, LOT, 10_000)) == "SENT"


@pytest.mark.parametrize(
    ("action", "standing", "sweep", "flattens"),
    [
        (LimitAction.ALERT, None, None, False),
        (LimitAction.BLOCK_NEW, Standing.REDUCING, Sweep.NONE, False),
        (LimitAction.REDUCE_ONLY, Standing.REDUCING, Sweep.ENTRIES, False),
        (LimitAction.CANCEL_WORKING, Standing.REDUCING, Sweep.ALL, False),
        (LimitAction.EXIT_SCOPE, Standing.HALTED, Sweep.ENTRIES, True),
    ],
)
def test_each_action_does_what_it_says(
    action: LimitAction, standing: Standing | None, sweep: Sweep | None, flattens: bool
) -> None:
    stage = Stage(limit(action=action))
    stage.short()
    stage.mark = 12_000
    told = stage.look()
    assert stage.standing() is standing
    assert [change.sweep for change in of(told, ev.TradingStateChanged)] == ([] if sweep is None else [sweep])
    assert [(wish.flatten_id, wish.kind) for wish in of(told, ev.FlattenBegun)] == (
        [(f"limit:global/max-loss:{DAY}", "all")] if flattens else []
    )


def test_an_exit_of_a_scope_leaves_the_engine_by_the_way_of_every_flatten() -> None:
    stage = Stage(limit(action=LimitAction.EXIT_SCOPE, level=Level.ACCOUNT, name="paper"))
    stage.short()
    stage.mark = 11_000
    stage.look()
    step = supervision.advance(stage.state, MASTER, stage.situation, INSTALL)
    assert step is not None
    (closer,) = of(step.facts, ev.OrderIntended)
    assert (closer.terms.side, closer.terms.qty, closer.role, closer.risk) == (
        Side.BUY,
        2 * LOT,
        Role.EXIT,
        RiskClass.REDUCE,
    )


def test_a_strategys_exit_is_for_what_it_holds_itself_and_halts_nobody_else() -> None:
    stage = Stage(limit(action=LimitAction.EXIT_SCOPE, level=Level.STRATEGY, name="am/x"))
    stage.short(source="am/x/ce")
    stage.short(source="am/y", contract=PUT)
    stage.mark = 11_000
    (wish,) = of(stage.look(), ev.FlattenBegun)
    assert (wish.flatten_id, wish.kind, wish.name) == (f"limit:strategy:am/x/max-loss:{DAY}", "strategy", "am/x")
    assert stage.place(terms(Side.SELL, LOT, contract=PUT)) == "SENT", "a strategy's limit is not the hand's"


def test_an_exit_tells_of_units_that_others_hold_against() -> None:
    stage = Stage(limit(action=LimitAction.EXIT_SCOPE, level=Level.STRATEGY, name="am/x"))
    stage.short(source="am/x")
    stage.story.fill(stage.story.order(terms(Side.BUY, 3 * LOT)), 3 * LOT, 10_000, "hand")
    assert [part.held.qty for part in next(iter(stage.state.books.values()))] == [LOT, 0]
    stage.short(source="am/x")
    stage.mark = 11_000
    told = stage.look()
    assert codes(told) == ["LIMIT_REACHED", "EXIT_OFFSET"]
    assert "paper has -65 in all" in of(told, ev.NoticeRaised)[1].text


def test_the_milder_of_two_limits_never_loosens_what_the_harsher_set() -> None:
    stage = Stage(limit(action=LimitAction.EXIT_SCOPE), limit(K.TRADES, 1))
    stage.short()
    stage.mark = 11_000
    stage.look()
    scope = stage.state.scopes["global"]
    assert (scope.standing, scope.sweep) == (Standing.HALTED, Sweep.ENTRIES)


def test_a_cap_set_below_what_is_open_is_told_and_frees_by_itself_once_less_is_open() -> None:
    stage = Stage()
    stage.short(3)
    stage.story.tell(ev.LimitSet(limit=limit(K.OPEN_LOTS, 2)))
    assert codes(stage.look()) == ["LIMIT_REACHED"]
    assert stage.standing() is None
    assert stage.place(terms(Side.SELL, LOT)) == "LIMIT_OPEN_LOTS"
    stage.story.fill(stage.story.order(terms(Side.BUY, 2 * LOT)), 2 * LOT, 10_000, "close")
    assert stage.look() == []
    assert stage.place(terms(Side.SELL, LOT)) == "SENT"


# ---------------------------------------------------------------- what waits is cancelled


def entry(stage: Stage, source: str = "", acknowledged: bool = True) -> str:
    wanted = msgspec.structs.replace(terms(Side.SELL, LOT, 13_000), source=source)
    return stage.story.order(wanted, acknowledged=acknowledged)


def test_entries_of_the_scope_are_cancelled_and_stops_and_others_orders_stay() -> None:
    stage = Stage()
    own, other = entry(stage, "am/x"), entry(stage, "pm")
    stop = f"O{stage.state.order_count + 1}"
    stage.story.tell(
        ev.OrderIntended(
            order_id=stop,
            terms=msgspec.structs.replace(terms(Side.BUY, LOT), source="am/x"),
            tag="S",
            risk=RiskClass.INCREASE,
            lot=LOT,
            role=Role.STOP,
        ),
        ev.OrderSent(order_id=stop, attempt=0),
        ev.OrderAcknowledged(order_id=stop, broker_id="B9"),
    )
    stage.story.tell(
        ev.TradingStateChanged(level=Level.BASKET, name="am", standing=Standing.HALTED, why="x", sweep=Sweep.ALL)
    )
    assert [fact.order_id for fact in of(stage.look(), ev.OrderCancelAsked)] == [own]
    assert stage.state.orders[other].pending is Pending.NONE
    assert stage.look() == []


def test_an_entry_acknowledged_after_the_state_was_set_is_cancelled_too() -> None:
    stage = Stage()
    late = entry(stage, acknowledged=False)
    stage.story.tell(
        ev.TradingStateChanged(level=Level.GLOBAL, name="", standing=Standing.HALTED, why="x", sweep=Sweep.ENTRIES)
    )
    assert stage.look() == []
    stage.story.tell(ev.OrderAcknowledged(order_id=late, broker_id="B"))
    assert [fact.order_id for fact in of(stage.look(), ev.OrderCancelAsked)] == [late]
    stage.story.tell(ev.OrderCancelRefused(order_id=late, code="X", reason="busy"))
    stage.now = stage.state.orders[late].updated_at
    assert stage.look() == [], "a refused cancellation rests before it is asked again"
    stage.now += timedelta(seconds=5)
    assert [fact.order_id for fact in of(stage.look(), ev.OrderCancelAsked)] == [late]


# ---------------------------------------------------------------- what cannot be seen


def test_a_profit_unknown_for_ten_seconds_blocks_new_risk_until_it_is_known() -> None:
    stage = Stage(limit())
    stage.short()
    stage.look()
    stage.age = 6.0
    assert stage.look() == []
    assert stage.look(9.5) == []
    told = stage.look(1.0)
    assert codes(told) == ["PNL_UNKNOWN"]
    assert of(told, ev.ProfitLost)[0].blocks is True
    assert stage.look(60.0) == []
    assert stage.place(terms(Side.SELL, LOT)) == "PNL_UNKNOWN"
    assert stage.place(terms(Side.BUY, LOT, 10_000)) == "SENT"
    stage.age = 0.0
    assert codes(stage.look()) == ["PNL_KNOWN"]
    assert stage.place(terms(Side.SELL, LOT)) == "SENT"


def test_a_contract_that_was_never_priced_is_unknown_and_not_without_loss() -> None:
    stage = Stage(limit())
    stage.short()
    stage.mark = None
    assert stage.look() == []
    assert codes(stage.look(11.0)) == ["PNL_UNKNOWN"]


def test_a_gap_shorter_than_ten_seconds_starts_the_count_anew() -> None:
    stage = Stage(limit())
    stage.short()
    for _ in range(5):
        stage.age = 7.0
        assert stage.look(8.0) == []
        stage.age = 0.0
        assert stage.look(1.0) == []


def test_a_limit_that_only_alerts_tells_of_blindness_and_blocks_nothing() -> None:
    stage = Stage(limit(action=LimitAction.ALERT))
    stage.short()
    stage.age = 6.0
    stage.look()
    assert codes(stage.look(11.0)) == ["PNL_UNKNOWN"]
    stage.age = 0.0
    assert stage.place(terms(Side.SELL, LOT)) == "SENT"


def test_a_closed_market_is_no_blindness_and_ends_none() -> None:
    stage = Stage(limit())
    stage.short()
    stage.age, stage.phase = 60.0, MarketPhase.CLOSED
    assert stage.look(60.0) == []
    assert stage.look(60.0) == []


def test_blindness_ends_with_the_limit_it_was_for() -> None:
    stage = Stage(limit())
    stage.short()
    stage.age = 6.0
    stage.look()
    stage.look(11.0)
    gone = RemoveLimit(id="r", actor="me", level=Level.GLOBAL, kind=K.MAX_LOSS, why="end")
    stage.does(limit_commands.remove_limit(stage.state, gone))
    stage.look()
    assert stage.state.unseen == {}


# ---------------------------------------------------------------- peaks and locks


def test_a_trail_remembers_its_height_through_a_restart() -> None:
    stage = Stage(limit(K.PROFIT_TRAIL, 2 * LOT * 500, second=2 * LOT * 1_000))
    stage.short()
    for mark in (9_500, 8_900, 8_895, 8_000):
        stage.mark = mark
        stage.look()
    assert stage.state.peaks == {"global": 2 * LOT * 2_000}
    stage.watch = RiskWatch()
    stage.mark = 8_490
    assert of(stage.look(), ev.LimitBroken) == []
    stage.mark = 8_500
    assert [fact.kind for fact in of(stage.look(), ev.LimitBroken)] == [K.PROFIT_TRAIL]


def test_a_new_height_is_recorded_in_steps_and_not_by_the_tick() -> None:
    stage = Stage(limit(K.PROFIT_TRAIL, 2 * LOT * 1_000))
    stage.short()
    told = 0
    for mark in range(9_999, 8_000, -1):
        stage.mark = mark
        told += len(of(stage.look(), ev.ProfitPeaked))
    assert 50 <= told <= 102


def test_a_lock_lets_go_at_its_time_and_does_not_fall_again_the_same_day() -> None:
    stage = Stage(limit(action=LimitAction.LOCK_UNTIL, until=14 * 60 + 30))
    stage.short()
    stage.mark = 11_000
    stage.look()
    assert stage.state.scopes["global"].until == START.replace(hour=14, minute=30)
    assert stage.place(terms(Side.SELL, LOT, 11_000)) == "REDUCING"
    stage.now = START.replace(hour=14, minute=30)
    (freed,) = stage.look()
    assert isinstance(freed, ev.TradingStateChanged)
    assert freed.standing is Standing.ACTIVE
    assert stage.look() == []
    assert stage.place(terms(Side.SELL, LOT, 11_000)) == "SENT"


def closed(stage: Stage, bought_at: int, contract: str = CALL, units: tuple[int, ...] = (LOT,)) -> None:
    """One lot sold at 100 is bought back by one order, in so many fills."""
    stage.short(1, contract=contract)
    order = stage.story.order(terms(Side.BUY, LOT, bought_at, contract=contract))
    for qty in units:
        stage.story.fill(order, qty, bought_at, f"t{len(stage.state.trades)}")


def test_losing_exits_in_a_row_end_new_risk_for_some_minutes_and_as_often_as_it_comes_to_that() -> None:
    stage = Stage(limit(K.COOL_OFF, 2, second=30))
    stage.now = START + timedelta(minutes=10)
    closed(stage, 11_000, units=(30, 35))
    assert stage.standing() is None
    stage.look()
    closed(stage, 9_000)
    closed(stage, 11_000, PUT)
    assert of(stage.look(), ev.TradingStateChanged) == []
    closed(stage, 10_500)
    (locked,) = of(stage.look(), ev.TradingStateChanged)
    assert (locked.standing, locked.until) == (Standing.REDUCING, stage.now + timedelta(minutes=30))
    assert stage.place(terms(Side.SELL, LOT)) == "REDUCING"
    stage.now += timedelta(minutes=30)
    assert [fact.standing for fact in of(stage.look(), ev.TradingStateChanged)] == [Standing.ACTIVE]
    assert stage.place(terms(Side.SELL, LOT)) == "SENT"
    closed(stage, 11_000)
    assert of(stage.look(), ev.TradingStateChanged) == []
    closed(stage, 11_000)
    assert [fact.standing for fact in of(stage.look(), ev.TradingStateChanged)] == [Standing.REDUCING]


def test_exits_of_another_strategy_and_of_yesterday_are_no_streak() -> None:
    stage = Stage(limit(K.COOL_OFF, 1, second=5, level=Level.STRATEGY, name="am/x"))
    closed(stage, 11_000)
    assert stage.look() == []
    stage.short(1, source="am/x", contract=PUT)
    stage.story.fill(stage.story.order(terms(Side.BUY, LOT, 11_000, contract=PUT)), LOT, 11_000, "out")
    assert [fact.until for fact in of(stage.look(), ev.TradingStateChanged)] == [START + timedelta(minutes=5)]
    stage.story.tell(ev.SessionOpened(day=DAY + timedelta(days=1)))
    assert stage.state.exits == {}


def test_a_cool_off_needs_both_figures_and_is_looser_with_fewer_minutes() -> None:
    made = limit(K.COOL_OFF, 3, second=30)
    assert checked(made, []) == made
    for wrong in (limit(K.COOL_OFF, 3), limit(K.COOL_OFF, 3, second=0), limit(K.COOL_OFF, 0, second=30)):
        with pytest.raises(Refusal):
            checked(wrong, [])
    with pytest.raises(Refusal):
        checked(limit(K.COOL_OFF, 3, second=30, action=LimitAction.EXIT_SCOPE), [])
    assert loosens(made, limit(K.COOL_OFF, 3, second=20))
    assert loosens(made, limit(K.COOL_OFF, 4, second=30))
    assert not loosens(made, limit(K.COOL_OFF, 2, second=40))


def test_what_was_warned_of_is_not_told_again_after_a_restart() -> None:
    stage = Stage(limit())
    stage.short()
    stage.mark = 10_850
    assert [fact.step for fact in of(stage.look(), ev.LimitWarned)] == [80]
    facts, stage.watch, stage.story.state = stage.story.facts, RiskWatch(), TradingState()
    for fact in facts:
        stage.story.state = apply(
            stage.story.state, decode(fact.seq, fact.at.isoformat(), fact.actor, "", stored(fact))
        )
    assert stage.look() == []
    stage.mark = 10_960
    assert [fact.step for fact in of(stage.look(), ev.LimitWarned)] == [95]


@pytest.mark.parametrize(
    ("level", "name", "code"),
    [
        (Level.ACCOUNT, "paper", "ACCOUNT_LIMIT"),
        (Level.BASKET, "am", "BASKET_LIMIT"),
        (Level.STRATEGY, "am/x", "STRATEGY_LIMIT"),
        (Level.GLOBAL, "", "GLOBAL_LIMIT"),
    ],
)
def test_an_exit_by_a_limit_says_whose_limit_it_was(level: Level, name: str, code: str) -> None:
    stage = Stage(limit(level=level, name=name, action=LimitAction.EXIT_SCOPE))
    stage.short(source="am/x")
    stage.mark = 11_000
    (wish,) = of(stage.look(), ev.FlattenBegun)
    assert wish.why == code


def stored(fact: Recorded) -> str:
    return msgspec.json.encode(fact.event).decode()


def test_a_lock_whose_time_is_past_holds_for_the_day() -> None:
    stage = Stage(limit(action=LimitAction.LOCK_UNTIL, until=9 * 60))
    stage.short()
    stage.mark = 11_000
    stage.look()
    scope = stage.state.scopes["global"]
    assert (scope.until, scope.daily) == (None, True)


def test_states_of_the_day_end_with_it_and_a_persons_do_not() -> None:
    stage = Stage(limit(K.TRADES, 1))
    stage.short()
    stage.look()
    by_hand = SetTradingState(id="s", actor="me", level=Level.ACCOUNT, name="paper", standing=Standing.HALTED)
    stage.does(limit_commands.set_trading_state(stage.state, by_hand, stage.situation))
    assert (stage.standing(), stage.standing("account:paper")) == (Standing.REDUCING, Standing.HALTED)
    stage.story.tell(ev.SessionOpened(day=DAY + timedelta(days=1)))
    assert (stage.standing(), stage.standing("account:paper")) == (Standing.ACTIVE, Standing.HALTED)


# ---------------------------------------------------------------- by command


def refusal_of(call: Any) -> str:
    with pytest.raises(Refusal) as found:
        call()
    return found.value.code


def test_a_looser_limit_and_none_at_all_need_a_reason_and_say_so_in_the_journal() -> None:
    stage = Stage(limit())
    looser = limit(value=10**9)
    assert (
        refusal_of(lambda: limit_commands.set_limit(stage.state, SetLimit(id="1", actor="me", limit=looser)))
        == "WHY_NEEDED"
    )
    (fact,) = limit_commands.set_limit(stage.state, SetLimit(id="1", actor="me", limit=looser, why="hedged")).facts
    assert isinstance(fact, ev.LimitSet)
    assert (fact.loosened, fact.before, fact.why) == (True, limit(), "hedged")
    tighter = limit_commands.set_limit(stage.state, SetLimit(id="2", actor="me", limit=limit(value=5))).facts[0]
    assert isinstance(tighter, ev.LimitSet)
    assert tighter.loosened is False
    assert (
        refusal_of(lambda: limit_commands.set_limit(stage.state, SetLimit(id="3", actor="me", limit=limit())))
        == "NO_CHANGE"
    )
    gone = RemoveLimit(id="4", actor="me", level=Level.GLOBAL, kind=K.MAX_LOSS)
    assert refusal_of(lambda: limit_commands.remove_limit(stage.state, gone)) == "WHY_NEEDED"
    never = RemoveLimit(id="5", actor="me", level=Level.GLOBAL, kind=K.LOTS, why="tidy")
    assert refusal_of(lambda: limit_commands.remove_limit(stage.state, never)) == "NO_SUCH_LIMIT"


def active(why: str = "looked at it") -> SetTradingState:
    return SetTradingState(id="a", actor="me", level=Level.GLOBAL, standing=Standing.ACTIVE, why=why)


def test_trading_goes_on_only_for_a_reason_and_under_limits_that_are_not_reached() -> None:
    stage = Stage(limit())
    assert (
        refusal_of(lambda: limit_commands.set_trading_state(stage.state, active(), stage.situation)) == "ALREADY_ACTIVE"
    )
    stage.short()
    stage.mark = 11_000
    stage.look()
    assert (
        refusal_of(lambda: limit_commands.set_trading_state(stage.state, active(""), stage.situation)) == "WHY_NEEDED"
    )
    assert (
        refusal_of(lambda: limit_commands.set_trading_state(stage.state, active(), stage.situation)) == "LIMIT_REACHED"
    )
    stage.mark = 10_100
    stage.does(limit_commands.set_trading_state(stage.state, active(), stage.situation))
    assert stage.look() == []
    assert stage.place(terms(Side.SELL, LOT, 10_100)) == "SENT"
    stage.mark = 11_000
    assert len(of(stage.look(), ev.LimitBroken)) == 1, "the limit acts anew once trading was allowed again"


def test_rejects_in_a_row_block_new_risk_and_count_anew_once_a_person_looked() -> None:
    stage = Stage(limit(K.REJECTS, 3))
    for _ in range(3):
        order = stage.story.order(terms(), acknowledged=False)
        stage.story.tell(ev.OrderRejected(order_id=order, code="X", reason="no"))
    assert codes(stage.look()) == ["LIMIT_REACHED"]
    assert stage.place(terms(Side.SELL, LOT)) == "REDUCING"
    stage.does(limit_commands.set_trading_state(stage.state, active(), stage.situation))
    assert stage.look() == []
    assert stage.place(terms(Side.SELL, LOT)) == "SENT"


def test_halted_by_hand_cancels_entries_and_reducing_leaves_them() -> None:
    stage = Stage()
    waiting = entry(stage)
    for standing, asked in ((Standing.REDUCING, []), (Standing.HALTED, [waiting])):
        command = SetTradingState(id="s", actor="me", level=Level.GLOBAL, standing=standing, why="news")
        stage.does(limit_commands.set_trading_state(stage.state, command, stage.situation))
        assert [fact.order_id for fact in of(stage.look(), ev.OrderCancelAsked)] == asked
    milder = SetTradingState(id="s", actor="me", level=Level.GLOBAL, standing=Standing.REDUCING)
    assert refusal_of(lambda: limit_commands.set_trading_state(stage.state, milder, stage.situation)) == "WHY_NEEDED"
    one = SetTradingState(id="s", actor="me", level=Level.ORDER, standing=Standing.HALTED)
    assert refusal_of(lambda: limit_commands.set_trading_state(stage.state, one, stage.situation)) == "LIMIT_LEVEL"


def test_a_repeated_order_is_denied_until_it_is_said_to_be_meant() -> None:
    stage = Stage()
    stage.story.order(terms())
    at = msgspec.structs.replace(OrderLimits(), duplicate_seconds=30)
    situation = Situation(now=START, phase=MarketPhase.OPEN, quote=stage.situation.quote, limits=at)
    for again, code in ((False, "DUPLICATE"), (True, "SENT")):
        command = PlaceOrder(id="c", actor="me", terms=terms(), again=again)
        decision = desk.place(stage.state, command, MASTER, situation, INSTALL)
        assert decision.reply is not None
        assert decision.reply.code == code
        assert bool(of(decision.facts, ev.OrderDenied)) is not again


def test_an_impossible_number_reaches_neither_the_journal_nor_the_broker() -> None:
    stage = Stage()
    command = PlaceOrder(id="c", actor="me", terms=terms(qty=10**30))
    assert refusal_of(lambda: desk.place(stage.state, command, MASTER, stage.situation, INSTALL)) == "BAD_NUMBER"
    assert OrderStatus.DENIED not in {order.status for order in stage.state.orders.values()}


NUMBERS = st.one_of(st.integers(-(10**15), 10**15), st.integers(-200, 200), st.sampled_from([65, 130, 9_990, 10_000]))


@settings(max_examples=200, deadline=None)
@given(
    qty=NUMBERS,
    price=st.none() | NUMBERS,
    trigger=st.none() | NUMBERS,
    side=st.sampled_from(list(Side)),
    kind=st.sampled_from(list(OrderType)),
)
def test_no_number_that_is_typed_lets_a_bad_order_leave(
    qty: int, price: int | None, trigger: int | None, side: Side, kind: OrderType
) -> None:
    stage = Stage()
    command = PlaceOrder(id="c", actor="me", terms=terms(side, qty, price, kind, trigger=trigger))
    if any(abs(number) > 10**12 for number in (qty, price or 0, trigger or 0)):
        assert refusal_of(lambda: desk.place(stage.state, command, MASTER, stage.situation, INSTALL)) == "BAD_NUMBER"
        return
    decision = desk.place(stage.state, command, MASTER, stage.situation, INSTALL)
    for effect in decision.effects:
        assert isinstance(effect, SendPlace)
        sent = effect.request
        assert 0 < sent.qty <= 1_800
        assert sent.qty % LOT == 0
        assert sent.price > 0
        assert sent.price % 5 == 0
        assert (sent.trigger is None) is (kind not in (OrderType.SL, OrderType.SL_M))
    stage.does(decision)
