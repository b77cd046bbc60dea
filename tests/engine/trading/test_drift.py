from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.orders import Product
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.trading.drift import DRIFT_GRACE, Drifts, agree
from tests.engine.facts import CALL, Story, terms


def test_a_difference_read_twice_is_drift_and_after_half_a_minute_an_alarm() -> None:
    story = Story()
    drifts = Drifts("paper", "broker")
    theirs = [BrokerPosition(account="paper", contract=CALL, product=Product.NRML, qty=-65)]

    def compare(now: float, positions: list[BrokerPosition]) -> list[str]:
        decision = drifts.compare(story.state, positions, now)
        story.tell(*decision.facts)
        return [fact.code if isinstance(fact, ev.NoticeRaised) else type(fact).__name__ for fact in decision.facts]

    assert compare(0.0, theirs) == []
    assert compare(2.0, theirs) == ["DriftSeen"]
    assert compare(4.0, theirs) == []
    assert compare(DRIFT_GRACE, theirs) == ["POSITION_DRIFT"]
    assert compare(DRIFT_GRACE + 2, theirs) == []
    assert compare(DRIFT_GRACE + 4, []) == ["DriftEnded"]
    assert story.state.drifts == {}


def test_a_difference_that_passes_within_one_reading_is_never_told() -> None:
    story = Story()
    drifts = Drifts("paper", "broker")
    theirs = [BrokerPosition(account="paper", contract=CALL, product=Product.NRML, qty=-65)]
    assert drifts.compare(story.state, theirs, 0.0).facts == []
    assert drifts.compare(story.state, [], 2.0).facts == []
    assert drifts.compare(story.state, theirs, 4.0).facts == []


def test_books_agree_on_a_contract_when_all_products_together_do() -> None:
    story = Story()
    order = story.order(terms())
    story.fill(order, 65, 10_000, "T1")
    there = [BrokerPosition(account="paper", contract=CALL, product=Product.MIS, qty=-65)]
    assert agree(story.state, "paper", CALL, there)
    assert not agree(story.state, "paper", CALL, [])
    assert not agree(story.state, "other", CALL, there)
