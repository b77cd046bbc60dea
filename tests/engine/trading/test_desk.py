from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceOrder
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import OrderType, Side
from optconsole.engine.rules import tags
from optconsole.engine.trading import desk
from optconsole.engine.trading.decision import SendCancel, SendModify, SendPlace
from tests.engine.facts import Story, index, option, terms
from tests.engine.rules.test_pretrade import situation

MASTER = InstrumentMaster((index(), option()))


def place(story: Story, **changes: object) -> desk.Decision:
    return desk.place(
        story.state,
        PlaceOrder(id="c", actor="key", terms=terms(**changes)),
        MASTER,
        situation(),
        "ABC",  # type: ignore[arg-type]
    )


def test_an_order_is_intended_and_sent_in_one_commit_before_its_request_leaves() -> None:
    decision = place(Story())
    assert [type(fact) for fact in decision.facts] == [ev.OrderIntended, ev.OrderSent]
    assert [type(effect) for effect in decision.effects] == [SendPlace]


def test_the_request_carries_a_tag_that_names_the_order() -> None:
    decision = place(Story())
    effect = decision.effects[0]
    assert isinstance(effect, SendPlace)
    tag = tags.decode(effect.request.tag)
    assert tag is not None
    assert (tag.install, tag.counter, tag.role) == ("ABC", 1, "E")


def test_a_refused_order_is_a_fact_and_nothing_leaves() -> None:
    decision = place(Story(), qty=100)
    assert [type(fact) for fact in decision.facts] == [ev.OrderDenied]
    assert decision.effects == []
    assert decision.reply is not None
    assert (decision.reply.ok, decision.reply.code) == (False, "LOT_MULTIPLE")


def test_an_unlisted_contract_is_denied_by_name() -> None:
    decision = place(Story(), contract="NIFTY 01DEC26 99999 CE")
    assert decision.reply is not None
    assert decision.reply.code == "NOT_LISTED"


def test_every_request_has_a_worst_price_whatever_the_type() -> None:
    for changes in (
        {"type": OrderType.MARKET, "price": None},
        {"type": OrderType.SL_M, "price": None, "side": Side.BUY, "trigger": 12_000},
    ):
        effect = place(Story(), **changes).effects[0]
        assert isinstance(effect, SendPlace)
        assert effect.request.price > 0
        assert effect.request.type in (OrderType.LIMIT, OrderType.SL)


def test_order_ids_follow_each_other_through_denials() -> None:
    story = Story()
    story.tell(*place(story, qty=100).facts)
    decision = place(story)
    assert decision.reply is not None
    assert decision.reply.ids == ("O2",)


def test_a_change_is_durable_before_it_is_asked_for() -> None:
    story = Story()
    order = story.order(terms(Side.SELL, 130, 10_500))
    decision = desk.modify(
        story.state, ModifyOrder(id="c", actor="key", order_id=order, price=10_400, qty=65), MASTER, situation()
    )
    assert isinstance(decision.facts[0], ev.OrderChangeAsked)
    effect = decision.effects[0]
    assert isinstance(effect, SendModify)
    assert (effect.request.price, effect.request.qty) == (10_400, 65)


def test_moving_the_trigger_of_a_protected_stop_moves_its_protection_along() -> None:
    story = Story()
    stop = terms(Side.BUY, type=OrderType.SL_M, price=None, trigger=12_000, protection=12_240)
    order = story.order(stop)
    decision = desk.modify(
        story.state, ModifyOrder(id="c", actor="key", order_id=order, trigger=12_100), MASTER, situation()
    )
    fact = decision.facts[0]
    assert isinstance(fact, ev.OrderChangeAsked)
    assert (fact.terms.trigger, fact.terms.protection) == (12_100, 12_340)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda story, order: order + "x", "NO_SUCH_ORDER"),
        (lambda story, order: story.tell(ev.OrderCancelled(order_id=order)) and order, "ORDER_FINAL"),
        (lambda story, order: story.tell(ev.OrderCancelAsked(order_id=order)) and order, "CHANGE_PENDING"),
    ],
)
def test_what_cannot_be_changed_says_why(prepare: object, code: str) -> None:
    story = Story()
    order = prepare(story, story.order(terms()))  # type: ignore[operator]
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="c", actor="key", order_id=order, price=9_000), MASTER, situation())
    assert refused.value.code == code


def test_an_order_without_an_answer_cannot_be_cancelled_yet() -> None:
    story = Story()
    order = story.order(terms(), acknowledged=False)
    with pytest.raises(Refusal) as refused:
        desk.cancel(story.state, CancelOrder(id="c", actor="key", order_id=order))
    assert refused.value.code == "NOT_ACKNOWLEDGED"


def test_a_change_that_changes_nothing_is_refused() -> None:
    story = Story()
    order = story.order(terms(price=10_500))
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="c", actor="key", order_id=order, price=10_500), MASTER, situation())
    assert refused.value.code == "NO_CHANGE"


def test_a_quantity_below_what_is_filled_is_refused() -> None:
    story = Story()
    order = story.order(terms(qty=195, price=10_500))
    story.fill(order, 130, 10_500, "t1")
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="c", actor="key", order_id=order, qty=130), MASTER, situation())
    assert refused.value.code == "BELOW_FILLED"


def test_a_cancel_asks_the_broker_by_its_own_id() -> None:
    story = Story()
    order = story.order(terms())
    decision = desk.cancel(story.state, CancelOrder(id="c", actor="key", order_id=order))
    assert decision.effects == [SendCancel(order, "paper", f"B{order}")]


def test_the_worst_price_given_to_a_protected_order_must_be_on_tick_too() -> None:
    story = Story()
    order_id = story.order(terms(Side.BUY, type=OrderType.MARKET, price=None, protection=10_300))
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="m", actor="key", order_id=order_id, price=10_303), MASTER, situation())
    assert refused.value.code == "TICK_SIZE"


def test_the_25th_change_of_an_order_is_refused_with_the_way_round_it() -> None:
    """B17: brokers stop taking changes of an order at 25; a stop at the wrong price could then never be moved."""
    story = Story()
    order = story.order(terms(qty=195, price=10_500))
    for done in range(24):
        asked = ModifyOrder(id=f"m{done}", actor="key", order_id=order, price=10_505 + 5 * done)
        story.tell(*desk.modify(story.state, asked, MASTER, situation()).facts)
        story.tell(ev.OrderChanged(order_id=order, terms=story.state.orders[order].asked or terms()))
    story.fill(order, 65, 10_600, "t1")
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="m", actor="key", order_id=order, price=10_400), MASTER, situation())
    assert refused.value.code == "TOO_MANY_CHANGES"
    assert "changed 24 times; brokers take 25" in refused.value.text
    assert "130 units" in refused.value.text
    assert desk.cancel(story.state, CancelOrder(id="c", actor="key", order_id=order)).effects, "cancelling always works"


def test_a_change_of_which_nobody_knows_what_became_counts_as_one() -> None:
    story = Story()
    order = story.order(terms(price=10_500))
    for done in range(24):
        asked = ModifyOrder(id=f"m{done}", actor="key", order_id=order, price=10_400)
        story.tell(*desk.modify(story.state, asked, MASTER, situation()).facts)
        story.tell(ev.OrderChangeRefused(order_id=order, code="NOT_CONFIRMED", reason="no answer"))
    with pytest.raises(Refusal) as refused:
        desk.modify(story.state, ModifyOrder(id="m", actor="key", order_id=order, price=10_400), MASTER, situation())
    assert refused.value.code == "TOO_MANY_CHANGES"
