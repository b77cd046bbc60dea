from __future__ import annotations

import asyncio
from datetime import timedelta

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder
from optconsole.engine.folds.orders import NOT_CONFIRMED
from optconsole.engine.model.orders import Pending, Side
from optconsole.engine.ports import PlaceOutcome
from optconsole.engine.trading.unanswered import ANSWER_LOST, Unanswered
from tests.engine.facts import Story, terms
from tests.faults.line import Call, Line, scene
from tests.simulation.script import Scene


def cancelling(story: Story) -> Unanswered:
    """A cancel asked at the machine's second 100."""
    waits = Unanswered("paper")
    story.order(terms())
    story.tell(ev.OrderCancelAsked(order_id="O1"))
    waits.notice(story.state, 100.0)
    return waits


def test_a_cancel_that_the_book_does_not_show_is_taken_up_again_and_asked_for_again() -> None:
    story = Story()
    waits = cancelling(story)
    assert waits.judge(story.state, 100.0 + ANSWER_LOST - 1).facts == []
    (fact,) = waits.judge(story.state, 100.0 + ANSWER_LOST).facts
    assert isinstance(fact, ev.OrderCancelRefused)
    assert fact.code == NOT_CONFIRMED


def test_a_change_without_an_answer_is_not_confirmed_either() -> None:
    story = Story()
    waits = Unanswered("paper")
    story.order(terms())
    story.tell(ev.OrderChangeAsked(order_id="O1", terms=terms(price=9_900)))
    waits.notice(story.state, 0.0)
    (fact,) = waits.judge(story.state, ANSWER_LOST).facts
    assert isinstance(fact, ev.OrderChangeRefused)


def test_a_cancel_asked_again_has_its_whole_time_again() -> None:
    story = Story()
    waits = cancelling(story)
    story.tell(ev.OrderCancelRefused(order_id="O1", code=NOT_CONFIRMED, reason="no answer"))
    story.tell(ev.OrderCancelAsked(order_id="O1"))
    waits.notice(story.state, 110.0)
    assert waits.judge(story.state, 100.0 + ANSWER_LOST).facts == []
    assert waits.judge(story.state, 110.0 + ANSWER_LOST).facts != []


def test_orders_of_another_account_are_not_judged() -> None:
    story = Story()
    cancelling(story)
    other = Unanswered("other")
    other.notice(story.state, 0.0)
    assert other.judge(story.state, 1000.0).facts == []


def test_a_minute_of_market_time_is_no_minute_of_waiting_for_an_answer() -> None:
    """At sixty times its pace a replay would give an answer up that is a fifth of a second old."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1, price=97_00)

        async def six_seconds_on_the_way(call: Call) -> PlaceOutcome:
            await asyncio.sleep(6)
            return await call()

        line.will("cancel", six_seconds_on_the_way)
        asking = asyncio.ensure_future(stage.ask(CancelOrder(id="c", actor="key:t", order_id="O1")))
        await asyncio.sleep(0.5)
        clock = stage.simulation.clock
        clock.jump(clock.now() + timedelta(minutes=1))
        await asyncio.sleep(4)
        assert line.readings > 1
        assert line.order("O1").pending is Pending.CANCEL
        await asking
        await asyncio.sleep(4)
        assert line.order("O1").status.final
        assert line.count("cancel") == 1

    scene(script)
