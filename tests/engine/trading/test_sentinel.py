from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.limits import Level, OrderLimits, Standing, Sweep
from optconsole.engine.model.orders import OrderStatus, OrderTerms, RiskClass, Role, Side
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading import sentinel
from optconsole.engine.trading.decision import Decision
from tests.engine.facts import START, Story, option, terms
from tests.engine.trading.test_resolution import row


def look(story: Story, seconds: int = 0) -> list[tuple[str, str]]:
    """Rule and subject of each alarm, told to the story."""
    now = START + timedelta(seconds=story.state.seq + seconds)
    view = Situation(now=now, phase=MarketPhase.OPEN, quote=lambda _name: None, limits=OrderLimits())
    return told(story, sentinel.advance(story.state, InstrumentMaster((option(),)), view, "ABC"))


def told(story: Story, decision: Decision | None) -> list[tuple[str, str]]:
    facts = [] if decision is None else decision.facts
    story.tell(*facts)
    return [(fact.code, fact.subject) for fact in facts if isinstance(fact, ev.NoticeRaised)]


def closing(story: Story, wanted: OrderTerms) -> None:
    name = f"O{story.state.order_count + 1}"
    story.tell(
        ev.OrderIntended(order_id=name, terms=wanted, tag=name, risk=RiskClass.REDUCE, lot=65, role=Role.EXIT),
        ev.OrderSent(order_id=name, attempt=0),
        ev.OrderAcknowledged(order_id=name, broker_id=f"B{name}"),
    )


def test_a_sent_order_of_which_nothing_is_heard_is_told_once() -> None:
    story = Story()
    story.order(terms(), acknowledged=False)
    assert look(story) == []
    assert look(story, 16) == [("SENTINEL_I17", "O1")]
    assert look(story, 60) == []
    story.tell(ev.NoticeAcknowledged(upto=story.state.seq))
    assert look(story, 60) == [("SENTINEL_I17", "O1")]


def test_an_entry_that_works_on_after_a_kill_is_told() -> None:
    story = Story()
    story.order(terms())
    story.tell(ev.KillEngaged(why="test"))
    assert look(story) == []
    assert look(story, 11) == [("SENTINEL_I13", "O1")]


@pytest.mark.parametrize(("lots", "found"), [(2, []), (3, ["SENTINEL_I11"])])
def test_closing_orders_that_go_past_flat_are_told(lots: int, found: list[str]) -> None:
    story = Story()
    story.fill(story.order(terms(Side.SELL, qty=130)), 130, 10_000, "T1")
    for _ in range(lots):
        closing(story, terms(Side.BUY))
    assert [code for code, _ in look(story)] == found


def test_two_orders_with_one_tag_at_the_broker_are_told() -> None:
    story = Story()
    story.order(terms())
    one = row(story, "O1")
    other = msgspec.structs.replace(one, broker_id="B9")
    rejected = msgspec.structs.replace(other, status=OrderStatus.REJECTED)
    assert told(story, sentinel.inspect(story.state, "paper", [one, rejected])) == []
    assert told(story, sentinel.inspect(story.state, "paper", [one, other])) == [("SENTINEL_I2", one.tag)]


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.PARTIAL])
def test_an_order_declared_never_to_have_arrived_that_lives_is_told(status: OrderStatus) -> None:
    story = Story()
    story.order(terms(), acknowledged=False)
    story.tell(ev.OrderExpired(order_id="O1", reason="It never reached the exchange."))
    risen = msgspec.structs.replace(row(story, "O1"), status=status)
    assert told(story, sentinel.inspect(story.state, "paper", [risen])) == [("SENTINEL_I4", "O1")]
    gone = msgspec.structs.replace(risen, status=OrderStatus.CANCELLED)
    assert told(Story(), sentinel.inspect(story.state, "paper", [gone])) == []


def silent(story: Story) -> Decision | None:
    """What the sentinel says of an order of which nothing was heard for long."""
    now = START + timedelta(seconds=story.state.seq + 60)
    view = Situation(now=now, phase=MarketPhase.OPEN, quote=lambda _name: None, limits=OrderLimits())
    return sentinel.advance(story.state, InstrumentMaster((option(),)), view, "ABC")


def changes(decision: Decision | None) -> list[ev.TradingStateChanged]:
    facts = [] if decision is None else decision.facts
    return [fact for fact in facts if isinstance(fact, ev.TradingStateChanged)]


def test_a_broken_rule_lets_only_orders_that_reduce_leave_its_account() -> None:
    story = Story()
    story.order(terms(), acknowledged=False)
    (change,) = changes(silent(story))
    assert (change.level, change.name, change.standing) == (Level.ACCOUNT, "paper", Standing.REDUCING)
    assert change.why.startswith("SENTINEL_I17: O1 was sent")
    assert (change.until, change.daily) == (None, False), "only a person allows more again"


@pytest.mark.parametrize(
    ("standing", "until", "daily", "wanted"),
    [
        (Standing.HALTED, None, False, []),
        (Standing.REDUCING, None, False, []),
        (Standing.HALTED, START + timedelta(hours=1), False, [Standing.HALTED]),
        (Standing.REDUCING, None, True, [Standing.REDUCING]),
        (Standing.ACTIVE, None, False, [Standing.REDUCING]),
    ],
)
def test_a_broken_rule_never_loosens_a_state_and_ends_none_by_itself(
    standing: Standing, until: datetime | None, daily: bool, wanted: list[Standing]
) -> None:
    story = Story()
    story.order(terms(), acknowledged=False)
    story.tell(
        ev.TradingStateChanged(
            level=Level.ACCOUNT, name="paper", standing=standing, why="x", until=until, daily=daily, sweep=Sweep.ENTRIES
        )
    )
    found = changes(silent(story))
    assert [change.standing for change in found] == wanted
    assert all(change.until is None and not change.daily for change in found)
    if standing is not Standing.ACTIVE:
        assert all(change.sweep is Sweep.ENTRIES for change in found)


def test_a_breach_that_a_person_let_pass_is_told_again_once_acknowledged_and_freezes_nothing() -> None:
    story = Story()
    story.order(terms())
    one = row(story, "O1")
    book = [one, msgspec.structs.replace(one, broker_id="B9")]
    first = sentinel.inspect(story.state, "paper", book)
    assert len(changes(first)) == 1
    told(story, first)
    story.tell(
        ev.TradingStateChanged(level=Level.ACCOUNT, name="paper", standing=Standing.ACTIVE, why="seen", rearms=True),
        ev.NoticeAcknowledged(upto=story.state.seq),
    )
    again = sentinel.inspect(story.state, "paper", book)
    assert changes(again) == []
    assert told(story, again) == [("SENTINEL_I2", one.tag)]


def test_a_state_that_its_journal_does_not_give_freezes_every_account() -> None:
    story = Story()
    (change,) = changes(sentinel.differs(story.state, "Replaying 9 facts does not give the live state."))
    assert (change.level, change.name, change.standing) == (Level.GLOBAL, "", Standing.REDUCING)
