"""Faults of requests to a broker (reliability 2.1): an engine on virtual time, an exchange that keeps the truth."""

from __future__ import annotations

import asyncio

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import AcknowledgeNotices, CancelOrder, Flatten, ModifyOrder, SetTradingState
from optconsole.engine.model.limits import Level, Standing
from optconsole.engine.model.orders import OrderStatus, Pending, Side
from optconsole.engine.ports import LOGIN_LOST, Doubtful, LoginLost, NotSent, Rejected
from optconsole.engine.store.codec import decode
from optconsole.engine.watching import BREAK_AFTER
from tests.faults.line import Line, answer_lost, answered, late, lost, scene, slow_answer
from tests.simulation.market import LOT
from tests.simulation.script import CALL, Scene


def test_an_order_whose_answer_was_lost_is_found_by_its_tag_and_not_sent_again() -> None:
    """B01."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        line.mute()
        line.will("place", answer_lost)
        await stage.place(Side.BUY, 2)
        assert line.order("O1").status is OrderStatus.SENT
        await line.wait(15)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.count("place") == 1
        assert line.held() == line.at_exchange() == {CALL: 2 * LOT}

    assert scene(script) == []


def test_an_order_that_never_arrived_is_in_doubt_holds_back_entries_and_is_not_sent_again() -> None:
    """B02: unknown, then presumed absent by evidence, all of it visible; exits go on meanwhile."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2)
        resting = await stage.place(Side.BUY, 1, price=95_00)
        line.will("place", lost)
        await stage.place(Side.BUY, 1)
        await line.wait(9)
        assert line.order("O3").status is OrderStatus.UNKNOWN
        assert "ORDER_UNKNOWN" in line.codes()
        assert (await stage.place(Side.BUY, 1)).code == "ORDER_IN_DOUBT"
        # something newer than the order, which the absence proof needs
        assert (await stage.ask(CancelOrder(id="c", actor="key:t", order_id=resting.ids[0]))).ok
        await line.wait(100)
        assert line.order("O3").status is OrderStatus.UNKNOWN
        await line.wait(40)
        assert line.order("O3").status is OrderStatus.PRESUMED_ABSENT
        sent = line.count("place")
        assert (await stage.ask(Flatten(id="f", actor="key:t"))).ok
        await line.wait(5)
        assert line.held() == line.at_exchange() == {}
        assert line.count("place") == sent + 1

    assert scene(script) == []


def test_an_order_that_arrives_85_seconds_after_its_error_is_still_in_doubt_and_then_counted() -> None:
    """B03: no verdict of absence within the time in which orders were seen to turn up."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        line.will("place", late(85))
        await stage.place(Side.BUY, 1)
        await line.wait(80)
        assert line.order("O1").status is OrderStatus.UNKNOWN
        await line.wait(10)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.held() == line.at_exchange() == {CALL: LOT}
        assert line.count("place") == 1

    assert scene(script) == []


def test_an_order_given_up_that_arrives_after_all_is_cancelled_and_told() -> None:
    """B03: watched all day, cancelled on sight while it is open."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        resting = await stage.place(Side.BUY, 1, price=95_00)
        line.will("place", late(200))
        await stage.place(Side.BUY, 1, price=96_00)
        await stage.ask(CancelOrder(id="c", actor="key:t", order_id=resting.ids[0]))
        await line.wait(150)
        assert line.order("O2").status is OrderStatus.PRESUMED_ABSENT
        await line.wait(60)
        assert "LATE_ARRIVAL" in line.codes()
        assert line.order("O2").status is OrderStatus.CANCELLED
        assert line.held() == line.at_exchange() == {}

    scene(script)  # the judge counts any order given up that lives as a breach; that is what is tested here


def test_a_broker_that_takes_nothing_gets_no_storm_of_entries_and_every_exit() -> None:
    """B06, B20: what provably never left ends there; after three, entries wait for the broker and exits do not."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        line.will("place", *[answered(NotSent("429 too many requests"))] * BREAK_AFTER)
        for _ in range(BREAK_AFTER):
            await stage.place(Side.BUY, 1)
        assert [line.order(f"O{n}").reason_code for n in (2, 3, 4)] == ["NOT_SENT"] * 3
        sent = line.count("place")
        await line.wait(2)
        assert line.count("place") == sent  # an entry is not sent again unasked
        assert (await stage.place(Side.BUY, 1)).code == "BREAKER_OPEN"
        line.will("place", answered(NotSent("429 too many requests")))
        assert (await stage.ask(Flatten(id="f", actor="key:t"))).ok
        await line.wait(10)
        assert line.held() == line.at_exchange() == {}  # an exit that was not sent is sent again
        assert line.count("place") <= sent + 3

    assert scene(script) == []


def test_a_lost_login_refuses_entries_lets_exits_go_and_is_told_once_until_it_is_back() -> None:
    """B08, B09: never tried again with the same token by a request; picked up without a restart."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 2)
        line.unreadable = LoginLost("the token was replaced by another login")
        await line.wait(20)
        assert line.codes().count("LOGIN_LOST") == 1
        (alarm,) = (notice for notice in line.engine.state.notices if notice.code == "LOGIN_LOST")
        assert f"1 short position stands there without a stop at the exchange: {CALL}" in alarm.text
        before = line.count("place")
        assert (await stage.place(Side.BUY, 3)).code == "LOGIN_LOST"
        assert line.count("place") == before
        await stage.ask(Flatten(id="f", actor="key:t"))
        await line.wait(3)
        assert line.count("place") == before + 1
        assert line.at_exchange() == {}
        line.unreadable = None
        await line.wait(35)
        assert line.codes().count("LOGIN_LOST") == 1
        assert "BOOK_BACK" in line.codes()
        assert (await stage.place(Side.BUY, 1)).ok

    assert scene(script) == []


def test_a_request_refused_for_its_token_is_not_tried_again_with_it() -> None:
    """B08: the refusal of one order already loses the login for the account's entries."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        line.unreadable = LoginLost("expired")
        line.will("place", answered(Rejected(LOGIN_LOST, "TokenException")))
        await stage.place(Side.BUY, 1)
        assert line.order("O1").status is OrderStatus.REJECTED
        assert (await stage.place(Side.BUY, 2)).code == "LOGIN_LOST"
        await line.wait(10)
        assert line.count("place") == 1

    assert scene(script) == []


def test_a_book_that_lacks_orders_we_know_is_no_evidence_against_a_doubtful_one() -> None:
    """B13, B14: empty and cut readings for three minutes; nothing is declared absent, no fill goes back."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2)
        await stage.place(Side.BUY, 1, price=95_00)
        line.shown = lambda _rows: []
        line.will("place", lost)
        await stage.place(Side.BUY, 1)
        await line.wait(90)
        line.shown = lambda rows: rows[:1]
        await line.wait(90)
        assert line.order("O3").status is OrderStatus.UNKNOWN
        assert not line.order("O3").releasable
        assert line.order("O1").filled == 2 * LOT
        assert line.order("O2").status is OrderStatus.OPEN

    assert scene(script) == []


def test_an_acknowledged_order_that_the_risk_desk_rejects_later_is_rejected_and_told() -> None:
    """B15: the broker's yes is no promise; the book decides."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1, price=95_00)
        assert line.order("O1").status is OrderStatus.OPEN

        def rejected(rows: list) -> list:  # type: ignore[type-arg]
            return [msgspec.structs.replace(row, status=OrderStatus.REJECTED, reason="RMS: margin") for row in rows]

        line.shown = rejected
        await line.wait(4)
        assert line.order("O1").status is OrderStatus.REJECTED
        assert line.codes() == ["ORDER_REJECTED"]

    scene(script)


def test_an_order_filled_while_its_cancel_was_under_way_is_a_position_and_no_cancelled_order() -> None:
    """B16: the answer to the cancel is lost, the fill is inside."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2, price=97_00)
        line.mute()

        async def filled_first(call: object) -> Doubtful:
            await stage.show(96_50, 9)
            return Doubtful("read timeout")

        line.will("cancel", filled_first)  # type: ignore[arg-type]
        await stage.ask(CancelOrder(id="c", actor="key:t", order_id="O1"))
        await line.wait(10)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.held() == line.at_exchange() == {CALL: 2 * LOT}

    assert scene(script) == []


def test_a_lost_answer_to_a_cancel_is_believed_from_the_book_only() -> None:
    """B16."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2, price=97_00)
        line.mute()
        line.will("cancel", answer_lost)
        await stage.ask(CancelOrder(id="c", actor="key:t", order_id="O1"))
        await line.wait(12)
        assert line.order("O1").status is OrderStatus.CANCELLED
        assert line.count("cancel") == 1

    assert scene(script) == []


def test_a_change_that_was_carried_out_after_its_error_is_read_from_the_book() -> None:
    """B17: no price is assumed in between, and the change is not asked for twice."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2, price=97_00)
        line.mute()
        line.will("modify", late(5))
        await stage.ask(ModifyOrder(id="m", actor="key:t", order_id="O1", price=98_00))
        order = line.order("O1")
        assert (order.pending, order.terms.price) == (Pending.NONE, 97_00)
        await line.wait(9)
        stored = [decode(r.seq, r.at_ist, r.actor, r.cause, r.payload).event for r in stage.simulation.disk.synced]
        assert [fact.terms.price for fact in stored if isinstance(fact, ev.OrderChanged)] == [98_00]
        assert line.count("modify") == 1

    assert scene(script) == []


def test_a_silent_broker_leaves_every_call_in_doubt_within_its_deadline() -> None:
    """B18: nothing hangs; the engine takes orders again and the exit climbs over a dead call."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 1)
        await stage.place(Side.BUY, 1, price=95_00)
        line.will("modify", lost)
        line.will("cancel", lost)
        await stage.ask(ModifyOrder(id="m", actor="key:t", order_id="O2", price=96_00))
        await line.wait(9)
        assert line.order("O2").pending is Pending.NONE
        await stage.ask(CancelOrder(id="c", actor="key:t", order_id="O2"))
        await line.wait(20)
        assert line.order("O2").status is OrderStatus.CANCELLED
        assert line.count("cancel") == 2
        line.will("place", lost)
        await stage.ask(Flatten(id="f", actor="key:t"))
        await line.wait(45)
        assert line.held() == line.at_exchange() == {}

    assert scene(script) == []


def test_two_orders_with_our_tag_are_both_counted_and_told() -> None:
    """B25: a copy made by hand at the broker carries the tag; its fill is a position all the same."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 1)
        trade = stage.venue.picture().trades[0]
        line.shown = lambda rows: [*rows, *(msgspec.structs.replace(row, broker_id="COPY") for row in rows[:1])]
        await line.wait(6)
        hear = line.engine.hearer(line.broker.account.id)
        hear(msgspec.structs.replace(trade, trade_id="T-COPY", broker_id="COPY"))
        await line.wait(2)
        assert line.held() == {CALL: 2 * LOT}
        assert line.order("O1").filled == line.order("O2").filled == LOT
        assert line.order("O2").foreign
        assert "SENTINEL_I2" in line.codes()
        refused = await stage.place(Side.BUY, 1)
        assert (refused.ok, line.codes().count("SENTINEL_I2")) == (False, 1)
        assert "SENTINEL_I2" in refused.text
        assert (await stage.place(Side.SELL, 1)).ok, "an exit goes"
        active = SetTradingState(
            id="a", actor="key:t", level=Level.ACCOUNT, name="SIM1", standing=Standing.ACTIVE, why="looked at it"
        )
        assert (await stage.ask(active)).ok
        assert (await stage.place(Side.BUY, 1)).ok
        await stage.ask(AcknowledgeNotices(id="n", actor="key:t", upto=line.engine.state.seq))
        await line.wait(5)
        assert (await stage.place(Side.BUY, 2)).ok, "what a person has let pass freezes nothing again"

    scene(script)


def test_an_update_that_comes_before_the_answer_is_kept_and_the_answer_changes_nothing() -> None:
    """W06."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        line.will("place", slow_answer(3))
        await stage.place(Side.BUY, 2)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.held() == {CALL: 2 * LOT}
        await line.wait(5)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.held() == line.at_exchange()

    assert scene(script) == []


def test_a_fill_whose_update_is_lost_is_known_from_the_next_reading() -> None:
    """W04: hints may be lost, the book is read every two seconds while something works."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2, price=97_00)
        line.mute()
        await stage.show(96_50, 9)
        await asyncio.sleep(2.5)
        assert line.held() == line.at_exchange() == {CALL: 2 * LOT}

    assert scene(script) == []
