from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.orders import OrderType, RiskClass, Role, Side
from optconsole.engine.trading.stopless import stopless_shorts, told
from tests.engine.facts import CALL, PUT, Story, terms


def short(story: Story, qty: int = 130, contract: str = CALL) -> None:
    name = story.order(terms(Side.SELL, qty=qty, contract=contract))
    story.fill(name, qty, 10_000, f"T{name}")


def stop(story: Story, qty: int, confirmed: bool) -> None:
    name = f"O{story.state.order_count + 1}"
    wanted = terms(Side.BUY, qty=qty, type=OrderType.SL, price=12_000, trigger=11_000)
    story.tell(
        ev.OrderIntended(order_id=name, terms=wanted, tag=name, risk=RiskClass.PROTECT, lot=65, role=Role.STOP),
        ev.OrderSent(order_id=name, attempt=0),
        ev.OrderAcknowledged(order_id=name, broker_id=f"B{name}"),
    )
    if confirmed:
        story.tell(ev.OrderConfirmed(order_id=name))


@pytest.mark.parametrize(
    ("stops", "left"),
    [([], 1), ([(130, True)], 0), ([(65, True)], 1), ([(65, True), (65, True)], 0), ([(130, False)], 1)],
)
def test_a_short_is_guarded_by_stops_the_book_showed_for_every_unit(stops: list[tuple[int, bool]], left: int) -> None:
    story = Story()
    short(story)
    for qty, confirmed in stops:
        stop(story, qty, confirmed)
    assert len(stopless_shorts(story.state, "paper")) == left


def test_a_long_needs_no_stop_and_another_account_does_not_count() -> None:
    story = Story()
    name = story.order(terms(Side.BUY))
    story.fill(name, 65, 10_000, "T1")
    assert stopless_shorts(story.state, "paper") == []
    short(story, contract=PUT)
    assert stopless_shorts(story.state, "other") == []


def test_the_sentence_says_how_many_and_which() -> None:
    story = Story()
    assert told([]).startswith("No short position")
    short(story)
    assert told(stopless_shorts(story.state, "paper")).startswith("1 short position stands there")
    short(story, contract=PUT)
    both = told(stopless_shorts(story.state, "paper"))
    assert both.startswith("2 short positions stand there without a stop at the exchange")
    assert CALL in both
    assert PUT in both
