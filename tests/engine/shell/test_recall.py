from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import Reply
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.orders import OrderStatus, RiskClass
from optconsole.engine.shell.recall import recalled, reviewed
from tests.engine.facts import START, Story, terms

INTENT = ev.OrderIntended(order_id="O1", terms=terms(), tag="T1", risk=RiskClass.INCREASE, lot=65)


def told(*events: AnyEvent) -> dict[str, Reply]:
    """Answers recalled from facts of one command."""
    return recalled(
        Recorded(seq=at, at=START, actor="key", cause="c1", event=e) for at, e in enumerate(events, start=1)
    )


def test_an_order_sent_before_a_restart_is_answered_as_sent_by_its_name() -> None:
    (reply,) = told(INTENT, ev.OrderSent(order_id="O1", attempt=0)).values()
    assert (reply.ok, reply.code, reply.ids, reply.seq) == (True, "SENT", ("O1",), 1)


def test_a_refusal_stays_a_refusal_over_a_restart() -> None:
    (reply,) = told(ev.CommandRefused(command="PlaceOrder", code="KILLED", reason="The kill switch is on.")).values()
    assert (reply.ok, reply.code, reply.text) == (False, "KILLED", "The kill switch is on.")


def test_a_cancel_that_was_a_part_of_a_kill_does_not_speak_for_it() -> None:
    (reply,) = told(ev.KillEngaged(why="test"), ev.OrderCancelAsked(order_id="O1")).values()
    assert (reply.ok, reply.ids, reply.seq) == (True, (), 1)


def test_facts_of_brokers_and_of_the_engine_answer_nothing() -> None:
    assert told(ev.OrderAcknowledged(order_id="O1", broker_id="B1"), ev.SessionClosed(day=START.date())) == {}


def test_an_order_that_never_left_is_no_success_once_the_books_are_agreed() -> None:
    story = Story()
    story.order(terms(), acknowledged=False)
    answers = told(INTENT)
    assert reviewed(story.state, answers) == {}
    story.tell(ev.OrderExpired(order_id="O1", reason="It never reached the exchange."))
    changed = reviewed(story.state, answers)["c1"]
    assert (changed.ok, changed.code) == (False, "NOT_SENT")
    assert OrderStatus.EXPIRED.value in changed.text
