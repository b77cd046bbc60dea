from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import AdoptOrder, AdoptPosition, ReadBookNow
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, RiskClass
from optconsole.engine.trading import ruling
from optconsole.engine.trading.decision import ReadBook
from tests.engine.facts import CALL, Story, option, terms
from tests.engine.trading.test_resolution import KEY, situation


def test_the_brokers_position_is_taken_over_by_command_and_ends_the_drift() -> None:
    story = Story()
    story.tell(ev.DriftSeen(account="paper", product=Product.NRML, contract=CALL, ours=0, theirs=-65))
    master = InstrumentMaster((option(),))
    wish = AdoptPosition(id="c", actor="key:a", key=str(KEY))
    decision = ruling.adopt_position(story.state, wish, master, situation(story))
    story.tell(*decision.facts)
    assert story.state.positions[str(KEY)].qty == -65
    assert story.state.positions[str(KEY)].average == 10_000
    assert story.state.drifts == {}
    with pytest.raises(Refusal) as again:
        ruling.adopt_position(story.state, wish, master, situation(story))
    assert again.value.code == "NO_DRIFT"


def test_a_foreign_order_is_taken_over_by_command_and_can_then_be_cancelled() -> None:
    story = Story()
    story.tell(ev.OrderAdopted(order_id="O1", terms=terms(), tag="", broker_id="B9", risk=RiskClass.INCREASE, lot=65))
    assert story.state.orders["O1"].foreign
    story.tell(*ruling.adopt_order(story.state, AdoptOrder(id="c", actor="key:a", order_id="O1")).facts)
    assert not story.state.orders["O1"].foreign
    with pytest.raises(Refusal) as again:
        ruling.adopt_order(story.state, AdoptOrder(id="d", actor="key:a", order_id="O1"))
    assert again.value.code == "OURS_ALREADY"


def test_reading_the_book_now_asks_for_a_reading_and_nothing_else() -> None:
    decision = ruling.read_book(ReadBookNow(id="c", actor="key", account="paper"))
    assert decision.effects == [ReadBook("paper")]
    assert not decision.facts
    assert decision.reply is not None
    assert decision.reply.ok
