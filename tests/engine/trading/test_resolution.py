from __future__ import annotations

from datetime import timedelta

import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import ReleaseDoubt
from optconsole.engine.folds.orders import NOT_CONFIRMED
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, RiskClass, Side, Validity
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.ports import BrokerOrder, BrokerPosition
from optconsole.engine.rules.pretrade import Situation, checks, refusal
from optconsole.engine.trading import resolution, ruling
from optconsole.engine.trading.decision import Decision, SendCancel
from optconsole.engine.trading.resolution import QUIESCE, Resolver
from tests.engine.facts import CALL, START, Story, option, terms

KEY = PositionKey("paper", Product.NRML, CALL)


def situation(story: Story) -> Situation:
    now = START + timedelta(seconds=story.state.seq)
    quote = Quote(CALL, 0, bid=9_990, bid_qty=650, ask=10_010, ask_qty=650, ltp=10_000)
    return Situation(now=now, phase=MarketPhase.OPEN, quote=lambda _name: quote, limits=OrderLimits())


def row(story: Story, order_id: str, status: OrderStatus = OrderStatus.OPEN) -> BrokerOrder:
    order = story.state.orders[order_id]
    return BrokerOrder(
        broker_id=f"B{order_id}",
        tag=order.tag,
        account="paper",
        contract=CALL,
        side=order.terms.side,
        qty=order.terms.qty,
        filled=0,
        type=OrderType.LIMIT,
        price=order.terms.price or 0,
        trigger=None,
        product=Product.NRML,
        validity=Validity.DAY,
        status=status,
        triggered=False,
        code="",
        reason="",
        updated_at=START,
    )


def doubtful() -> tuple[Story, str]:
    """An order of which nothing is known, behind one that works."""
    story = Story()
    story.order(terms(Side.BUY, price=9_000))
    lost = story.order(terms(), acknowledged=False)
    story.tell(ev.OrderDoubted(order_id=lost, cause="no answer"))
    return story, lost


class Readings:
    """A resolver over a broker whose book proves nothing, and the time of its readings."""

    def __init__(self, story: Story, proof: bool = False) -> None:
        self.story = story
        self.now = 0.0
        self.resolver = Resolver("paper", "broker", proof)
        self.resolver.notice(story.state, self.now)

    def read(self, *rows: BrokerOrder, after: float = 60.0, held: int = 0) -> list[str]:
        """The names of the facts that a reading brings."""
        self.now += after
        self.resolver.notice(self.story.state, self.now)
        positions = [BrokerPosition(account="paper", contract=CALL, product=Product.NRML, qty=held)] if held else []
        decision = self.resolver.judge(self.story.state, rows, positions, self.now - 0.1, self.now)
        self.story.tell(*decision.facts)
        return [type(fact).__name__ for fact in decision.facts if not isinstance(fact, ev.NoticeRaised)]


def test_absence_is_presumed_only_with_three_readings_two_minutes_and_one_that_is_newer_than_the_order() -> None:
    story, lost = doubtful()
    later = story.order(terms(Side.BUY, price=8_000))
    readings = Readings(story)
    book = [row(story, "O1"), row(story, later)]
    assert readings.read(*book, after=1.0) == []
    assert readings.read(*book, after=1.0) == []
    assert readings.read(*book, after=1.0) == []
    assert readings.read(*book, after=QUIESCE) == ["OrderPresumedAbsent"]
    assert story.state.orders[lost].status is OrderStatus.PRESUMED_ABSENT
    assert readings.read(*book) == []


def test_an_absent_order_stays_reserved_and_frees_the_account_for_entries() -> None:
    story, lost = doubtful()
    assert "ORDER_IN_DOUBT" in {check.code for check in checks(story.state, terms(), option(), situation(story))}
    story.tell(ev.OrderPresumedAbsent(order_id=lost, reads=3))
    assert refusal(checks(story.state, terms(), option(), situation(story))) is None
    assert story.state.orders[lost].status.reserved
    assert not story.state.orders[lost].status.final


def test_without_a_newer_reading_the_order_is_only_probably_absent_and_a_person_decides() -> None:
    story, lost = doubtful()
    readings = Readings(story)
    with pytest.raises(Refusal) as early:
        ruling.release_doubt(story.state, ReleaseDoubt(id="c", actor="key:r", order_id=lost))
    assert early.value.code == "TOO_EARLY"
    assert story.state.orders[lost].tag in early.value.text
    found = [readings.read(row(story, "O1")) for _ in range(4)]
    assert found == [[], [], ["OrderReleasable"], []]
    decision = ruling.release_doubt(story.state, ReleaseDoubt(id="c", actor="key:r", order_id=lost, why="looked"))
    story.tell(*decision.facts)
    assert refusal(checks(story.state, terms(), option(), situation(story))) is None
    assert story.state.orders[lost].status is OrderStatus.UNKNOWN


def test_a_book_that_lacks_an_order_we_know_of_is_no_evidence() -> None:
    story, lost = doubtful()
    readings = Readings(story)
    assert [readings.read() for _ in range(6)] == [[]] * 6
    assert story.state.orders[lost].status is OrderStatus.UNKNOWN


def test_the_broker_clock_or_foreign_orders_never_make_a_reading_newer() -> None:
    story, lost = doubtful()
    story.tell(ev.OrderAdopted(order_id="O3", terms=terms(), tag="", broker_id="BO3", risk=RiskClass.INCREASE, lot=65))
    assert not resolution.newer(story.state, story.state.orders[lost], [row(story, "O1"), row(story, "O3")])


def test_a_cancel_of_ours_that_the_book_shows_makes_it_newer() -> None:
    story, lost = doubtful()
    story.tell(ev.OrderCancelAsked(order_id="O1"))
    doubted = story.state.orders[lost]
    assert not resolution.newer(story.state, doubted, [row(story, "O1")])
    assert resolution.newer(story.state, doubted, [row(story, "O1", OrderStatus.CANCELLED)])


def test_a_position_that_differs_keeps_the_order_in_doubt() -> None:
    story, lost = doubtful()
    later = story.order(terms(Side.BUY, price=8_000))
    readings = Readings(story)
    book = [row(story, "O1"), row(story, later)]
    assert [readings.read(*book, held=-65) for _ in range(5)] == [[]] * 5
    assert story.state.orders[lost].status is OrderStatus.UNKNOWN


def test_a_reading_that_began_before_the_doubt_says_nothing() -> None:
    story, _ = doubtful()
    resolver = Resolver("paper", "broker", False)
    resolver.notice(story.state, 10.0)
    assert resolver.asked_before(9.9) == frozenset()
    assert resolver.asked_before(10.0) == {"O2"}


def advance(story: Story, seconds: int) -> Decision | None:
    now = story.state.orders["O1"].updated_at + timedelta(seconds=seconds)
    view = Situation(now=now, phase=MarketPhase.OPEN, quote=lambda _name: None, limits=OrderLimits())
    return resolution.advance(story.state, InstrumentMaster((option(),)), view, "ABC")


def test_a_cancel_nobody_confirmed_is_asked_again_and_one_that_was_refused_is_not() -> None:
    story = Story()
    story.order(terms())
    story.tell(ev.OrderCancelAsked(order_id="O1"))
    assert advance(story, 60) is None
    story.tell(ev.OrderCancelRefused(order_id="O1", code=NOT_CONFIRMED, reason="no answer"))
    assert advance(story, 1) is None
    again = advance(story, 6)
    assert again is not None
    assert again.effects == [SendCancel("O1", "paper", "BO1")]
    story.tell(*again.facts)
    story.tell(ev.OrderCancelRefused(order_id="O1", code="TOO_LATE", reason="being executed"))
    assert advance(story, 60) is None


def test_the_evidence_of_a_doubt_says_how_long_it_still_takes() -> None:
    story, lost = doubtful()
    readings = Readings(story)
    readings.read(row(story, "O1"), after=30.0)
    readings.read(row(story, "O1"), after=30.0)
    (doubt,) = readings.resolver.evidence(readings.now)
    assert (doubt.order_id, doubt.waited, doubt.due_in) == (lost, 60.0, QUIESCE - 60.0)
    assert (doubt.reads, doubt.reads_needed, doubt.fresh) == (2, 3, False)
    (later,) = readings.resolver.evidence(readings.now + QUIESCE)
    assert later.due_in == 0.0


@pytest.mark.parametrize("doubted", [False, True])
def test_an_order_of_yesterday_that_the_book_of_today_does_not_hold_is_over(doubted: bool) -> None:
    story = Story()
    order = story.order(terms(), acknowledged=not doubted)
    if doubted:
        story.tell(ev.OrderDoubted(order_id=order, cause="no answer"))
    readings = Readings(story)
    assert readings.read() == [], "on its own day absence from a book proves nothing"
    story.tell(ev.SessionOpened(day=START.date() + timedelta(days=1)))
    assert readings.read(row(story, order)) == [], "the book still shows it"
    assert readings.read(held=-65) == [], "it may have filled unheard"
    assert readings.read() == ["OrderExpired"]
    assert story.state.orders[order].status is OrderStatus.EXPIRED
    assert not story.state.reserved
