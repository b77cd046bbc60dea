"""Faults of orders, of time and of data (reliability 2.1, 2.3, 2.7, 2.8) that a pure rule or a short scene can meet."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine import events as ev
from optconsole.engine.commands import Flatten, PlaceOrder
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.health import AccountHealth
from optconsole.engine.model.orders import OrderStatus, OrderTerms, OrderType, Product, Role, Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.pretrade import checks, refusal
from optconsole.engine.trading import intake
from optconsole.engine.trading.handlers import View, decide
from optconsole.options import RunOptions
from optconsole.runtime.house import open_house
from tests.engine.facts import CALL, DAY, Story, index, option, terms
from tests.engine.rules.test_pretrade import situation
from tests.engine.trading.test_resolution import row
from tests.faults.line import Line, scene
from tests.simulation.market import LOT, OPTIONS
from tests.simulation.script import Scene

CALENDAR = Calendar.load()


@pytest.mark.parametrize(
    ("clock", "code"),
    [
        ("08:59:00", "SESSION_CLOSED"),
        ("09:07:00", "SESSION_CLOSED"),
        ("09:14:59", "SESSION_CLOSED"),
        ("09:15:00", None),
        ("15:31:00", None),
        ("15:39:59", None),
        ("15:40:00", "SESSION_CLOSED"),
        ("16:00:00", "SESSION_CLOSED"),
    ],
)
def test_no_order_is_left_to_wait_for_another_session(clock: str, code: str | None) -> None:
    """T07: there is no order after hours by mistake, to the second."""
    now = datetime.combine(DAY, time.fromisoformat(clock), IST)
    phase, _ = CALENDAR.phase(now)
    found = refusal(checks(Story().state, terms(), option(), replace(situation(phase=phase), now=now)))
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("blind", "code"),
    [
        ({"age": lambda _name: 14.0}, None),
        ({"age": lambda _name: 16.0}, "STALE_PRICE"),
        ({"age": lambda _name: 100.0, "patience": 60.0}, None),
        ({"health": lambda _account: AccountHealth(book_age=59.0)}, None),
        ({"health": lambda _account: AccountHealth(book_age=61.0)}, "BOOK_UNSEEN"),
        ({"health": lambda _account: AccountHealth(book_age=None)}, "BOOK_UNSEEN"),
        ({"queued": 3.5}, "RATE_BUDGET"),
    ],
)
def test_no_risk_is_taken_on_what_was_not_seen_lately_and_exits_go(blind: dict[str, Any], code: str | None) -> None:
    """W01, W09, W13: an old price, an old book, a queue too long."""
    story = Story()
    seen = replace(situation(), **blind)
    found = refusal(checks(story.state, terms(Side.SELL), option(), seen))
    assert (found.code if found else None) == code
    story.fill(story.order(terms(Side.BUY)), 65, 10_000, "T1")
    assert refusal(checks(story.state, terms(Side.SELL), option(), seen)) is None


def test_a_lot_that_changed_overnight_is_todays_and_yesterdays_size_is_refused() -> None:
    """O09: the lot comes from today's list only."""
    today = msgspec.structs.replace(option(), lot=75)
    found = refusal(checks(Story().state, terms(qty=65), today, situation()))
    assert found is not None
    assert found.code == "LOT_MULTIPLE"
    assert "75" in found.text
    assert refusal(checks(Story().state, terms(qty=75), today, situation())) is None


def test_a_contract_that_left_the_list_takes_no_order() -> None:
    """W12, O23, D01: what today's list does not hold cannot be traded, whatever was known of it yesterday."""
    story = Story()
    master = InstrumentMaster((index(),))
    decision = decide(
        View(story.state, master, situation(), "ABC"), PlaceOrder(id="c", actor="key:t", terms=terms(contract=CALL))
    )
    assert [type(fact) for fact in decision.facts] == [ev.OrderDenied]
    assert decision.effects == []


def test_a_position_whose_contract_is_missing_from_a_bad_list_is_named_and_no_other_is_left_open() -> None:
    """D01: a list cut short keeps nobody in the contracts that it still holds."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        other = OPTIONS[1].name
        wanted = OrderTerms(
            account=line.broker.account.id, contract=other, side=Side.BUY, qty=LOT, type=OrderType.MARKET
        )
        await stage.ask(PlaceOrder(id="other", actor="key:t", terms=wanted))
        assert len(line.held()) == 2
        line.engine.master = InstrumentMaster(item for item in line.engine.master.instruments() if item.name != other)
        await stage.ask(Flatten(id="f", actor="key:t"))
        await line.wait(10)
        assert line.held() == line.at_exchange() == {other: LOT}
        told = [notice.text for notice in line.engine.state.notices if other in notice.text]
        assert told

    scene(script)


STATUSES = st.sampled_from(list(OrderStatus))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(STATUSES, st.integers(0, 65), st.integers(-5, 20_000), st.booleans(), st.text(max_size=8)),
        max_size=8,
    )
)
def test_no_row_a_broker_invents_ends_an_order_it_does_not_name_as_ended(
    rows: list[tuple[OrderStatus, int, int, bool, str]],
) -> None:
    """B24: an unknown word is a live order; only an end by name ends it, and an end stays."""
    story = Story()
    story.order(terms())
    hears = intake.Intake({CALL: option()}.get, lambda *_: 0, lambda *_: 0)
    ends = {
        OrderStatus.CANCELLED: OrderStatus.CANCELLED,
        OrderStatus.EXPIRED: OrderStatus.EXPIRED,
        OrderStatus.REJECTED: OrderStatus.REJECTED,
    }
    expected = OrderStatus.OPEN
    for status, filled, price, triggered, reason in rows:
        told = msgspec.structs.replace(
            row(story, "O1", status), filled=filled, price=price, triggered=triggered, reason=reason
        )
        story.tell(*hears.hear(story.state, "paper", told).facts)
        if expected is OrderStatus.OPEN and status in ends and (filled == 0 or status is OrderStatus.REJECTED):
            expected = ends[status]
        assert story.state.orders["O1"].status is expected
        assert story.state.orders["O1"].filled == 0  # only trades fill


def test_a_product_or_validity_we_never_send_is_adopted_as_the_brokers_and_not_touched() -> None:
    """O25, B24: somebody else's order is counted under its own terms."""
    story = Story()
    foreign = msgspec.structs.replace(
        row(_with_order(), "O1"), broker_id="X1", tag="M&M <b>", product=Product.MIS, reason="&\x1b[2J"
    )
    hears = intake.Intake({CALL: option()}.get, lambda *_: 0, lambda *_: 0)
    decision = hears.hear(story.state, "paper", foreign)
    story.tell(*decision.facts)
    (order,) = story.state.orders.values()
    assert order.foreign
    assert order.terms.product is Product.MIS
    assert decision.effects == []


def _with_order() -> Story:
    story = Story()
    story.order(terms())
    return story


async def test_opening_and_closing_an_engine_again_and_again_leaves_no_file_open(tmp_path: Path) -> None:
    """S13, H10: descriptors stay flat."""
    counts = []
    for _ in range(3):
        house = await open_house(RunOptions(home=tmp_path / "home", hold=True))
        await house.stop("again")
        counts.append(len(os.listdir("/proc/self/fd")))
    assert counts[2] <= counts[0]


def test_in_a_halt_nothing_climbs_nothing_is_opened_and_what_is_wanted_goes_on_when_trading_does() -> None:
    """T08: a halt is a market that says nothing; the exit that waits through it keeps its price, and then climbs."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2)
        empty = msgspec.structs.replace(stage.market_at(100_00, 9), bid=None, bid_qty=0, ask=None, ask_qty=0)
        stage.venue.on_quotes([empty])
        line.engine.on_quotes([empty])
        refused = await stage.place(Side.BUY, 1)
        assert (refused.ok, refused.code) == (False, "NO_COUNTERPARTY")
        await stage.ask(Flatten(id="f", actor="key:t"))
        (closing,) = [order for order in line.engine.state.orders.values() if order.role is Role.EXIT]
        for _ in range(30):
            line.engine.on_quotes([empty])
            await asyncio.sleep(1)
        assert "nobody quotes" in line.engine.state.flattening["f"].held
        await asyncio.sleep(60)
        assert "too old" in line.engine.state.flattening["f"].held
        waits = line.order(closing.id)
        assert (waits.status, waits.changes, waits.terms) == (OrderStatus.OPEN, 0, closing.terms)
        assert "NOT_FLAT" in line.codes()
        await stage.show(90_00, 9)
        await line.wait(3)
        assert line.order(closing.id).changes == 1
        assert line.held() == line.at_exchange() == {}

    scene(script)
