"""Faults of our own process, of the store and of the trader (reliability 2.4 to 2.7), on virtual time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator

import msgspec
import pytest

from optconsole.engine import events as ev
from optconsole.engine.commands import EngageKill, Flatten, SetStop
from optconsole.engine.events import Recorded
from optconsole.engine.model.orders import OrderStatus, Product, Side
from optconsole.engine.ports import BrokerUnreachable, JournalBroken, NotSent
from optconsole.engine.shell import vigil
from optconsole.engine.store.codec import decode
from optconsole.engine.trading import letters, protection
from tests.faults.line import Line, answered, scene
from tests.simulation.kernel import seeded_tapes
from tests.simulation.market import LOT, OPTIONS
from tests.simulation.script import CALL, Scene
from tests.simulation.world import simulate


def fail(*_given: object) -> None:
    raise RuntimeError("a defect")


def test_a_guard_that_raises_is_told_once_and_keeps_no_other_from_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """H05, H06."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 2)
        monkeypatch.setattr(protection, "advance", fail)
        await stage.ask(Flatten(id="f", actor="key:t"))
        await line.wait(10)
        assert line.held() == line.at_exchange() == {}
        assert line.codes() == ["DUTY_FAILED"]

    assert {breach.invariant for breach in scene(script)} <= {"I-18"}, "the judge hears of the defect too"


def test_a_defect_while_a_defect_is_set_aside_does_not_end_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """H06: the one task that owns the book outlives what happens to one input."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        monkeypatch.setattr(line.engine._worker.hearing.intake, "hear", fail)
        with monkeypatch.context() as worse:
            worse.setattr(letters, "set_aside", fail)
            await stage.place(Side.BUY, 1)
        monkeypatch.undo()
        async with asyncio.timeout(5):
            assert (await stage.ask(Flatten(id="f", actor="key:t"))).code != ""
        await line.wait(35)
        assert line.held() == line.at_exchange() == {}

    scene(script)


def test_a_defect_in_the_watch_over_time_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """H06: what waits for time alone is looked at again a quarter of a second later."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        with monkeypatch.context() as broken:
            broken.setattr(vigil, "on_duty", fail)
            await asyncio.sleep(1)
        monkeypatch.undo()
        looks: list[float] = []
        put = line.engine._inbox.put
        monkeypatch.setattr(line.engine._inbox, "put", lambda item: (looks.append(1.0), put(item)))
        await stage.place(Side.BUY, 1)
        looks.clear()
        await asyncio.sleep(1)
        assert len(looks) >= 3
        assert "DUTY_FAILED" in line.codes()

    scene(script)


def test_an_alarm_that_could_not_be_stored_is_shown_to_nobody() -> None:
    """P10: what the trader is told happened is in the journal."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        life = stage.simulation.life
        assert life is not None
        append = life.journal.append
        told: list[str] = []

        def hear(fact: Recorded) -> None:
            if isinstance(fact.event, ev.NoticeRaised):
                told.append(fact.event.code)

        async def follow() -> None:
            async for fact in line.engine.facts(line.engine.state.seq):
                hear(fact)

        following = asyncio.get_running_loop().create_task(follow())
        await asyncio.sleep(0)

        async def full(facts: list[Recorded]) -> None:
            if any(isinstance(fact.event, ev.NoticeRaised) for fact in facts):
                raise JournalBroken("STORE_DOWN", "The disk is full.", passing=True)
            await append(facts)

        life.journal.append = full  # type: ignore[assignment, method-assign]
        line.engine._inbox.warn("TEST", "never stored")
        await asyncio.sleep(1)
        assert line.codes() == told == []
        life.journal.append = append  # type: ignore[method-assign]
        line.engine._inbox.warn("TEST", "stored")
        await asyncio.sleep(1)
        following.cancel()
        stored = [decode(r.seq, r.at_ist, r.actor, r.cause, r.payload).event for r in stage.simulation.disk.synced]
        assert line.codes() == told == [e.code for e in stored if isinstance(e, ev.NoticeRaised)] == ["TEST"]

    scene(script)


def test_a_book_that_stays_unreadable_is_one_alarm_and_one_word_when_it_is_back() -> None:
    """P09, B07: a minute of failures, one line for the trader."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 1)
        line.unreadable = BrokerUnreachable("no route to host")
        await line.wait(90)
        assert line.codes() == ["BOOK_UNREADABLE"]
        assert line.readings < 90 / 5 * 3 + 10
        line.unreadable = None
        await line.wait(20)
        assert line.codes() == ["BOOK_UNREADABLE", "BOOK_BACK"]

    assert scene(script) == []


@pytest.mark.parametrize("guarded", [True, False])
def test_one_dead_contract_with_an_open_short_is_told_while_all_others_tick(guarded: bool) -> None:
    """W01, I-26: the feed is as young as its newest quote, and the one contract that matters is not."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 2)
        if guarded:
            await stage.ask(
                SetStop(id="s", actor="key:t", account="SIM1", product=Product.NRML, contract=CALL, stop=130_00)
            )
        await line.wait(20)
        assert line.codes() == []
        await line.wait(8, quoted=OPTIONS[1])
        assert line.codes() == []
        await line.wait(30, quoted=OPTIONS[1])
        assert line.codes() == ["GUARD_BLIND"]
        age = line.engine.feed_age()
        assert age is not None
        assert age <= 1.0
        entry = await stage.place(Side.SELL, 1)
        assert entry.code == "STALE_PRICE"
        await line.wait(3)
        assert line.codes() == (["GUARD_BLIND"] if guarded else ["GUARD_BLIND", "PRICE_BACK"])

    scene(script)


def test_a_kill_pressed_again_and_again_while_the_broker_is_away_ends_flat_once() -> None:
    """P04: latched, the same over a crash, and nothing is closed twice."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 2)
        await stage.place(Side.BUY, 1, price=95_00)
        away = answered(NotSent("no route to host"))
        line.will("place", *[away] * 4)
        line.will("cancel", *[away] * 4)
        for press in range(5):
            assert (await stage.ask(EngageKill(id=f"k{press}", actor="key:t"))).ok
        await stage.crash()
        again = Line(stage)
        assert again.engine.state.killed
        assert (await stage.ask(EngageKill(id="k9", actor="key:t"))).ok
        for _ in range(20):
            await stage.show(100_00, 9)
            await again.wait(1)
        assert again.held() == again.at_exchange() == {}
        assert again.order("O2").status is OrderStatus.CANCELLED

    assert scene(script) == []


def test_two_operators_who_flatten_at_once_close_once_and_both_are_on_record() -> None:
    """P07: one task takes one command at a time; the journal says whose it was."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.SELL, 2)
        await asyncio.gather(
            *(line.engine.submit(Flatten(id=f"f-{who}", actor=f"key:{who}")) for who in ("asha", "ravi"))
        )
        await line.wait(5)
        assert line.held() == line.at_exchange() == {}
        assert line.count("place") == 2
        facts = [decode(r.seq, r.at_ist, r.actor, r.cause, r.payload) for r in stage.simulation.disk.synced]
        assert {fact.actor for fact in facts if fact.cause.startswith("f-")} >= {"key:asha", "key:ravi"}

    scene(script)


def test_an_exit_made_at_the_broker_is_seen_within_five_seconds_though_no_update_tells_of_it() -> None:
    """P05, O11, O13."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2)
        read = line.readings
        while line.readings == read:  # the worst moment is right after a reading
            await line.wait(1)
        line.mute()
        stage.venue.foreign(CALL, Side.SELL, 2 * LOT, 98_00)
        stage.simulation.checker.foreign("SIM1", CALL)
        await asyncio.sleep(5.5)
        assert line.held() == line.at_exchange() == {}
        assert "FOREIGN_ORDER" in line.codes()

    assert scene(script) == []


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's own time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_a_day_is_the_same_wherever_the_machine_says_it_is(zone: str) -> None:
    """T04, T05: two days with crashes and faults, to the last fact."""
    result = simulate(seeded_tapes(7), 2)
    assert result.breaches == []
    assert result.digest == _in_india(), zone


_DIGESTS: list[str] = []


def _in_india() -> str:
    if not _DIGESTS:
        os.environ["TZ"] = "Asia/Kolkata"
        time.tzset()
        _DIGESTS.append(simulate(seeded_tapes(7), 2).digest)
    return _DIGESTS[0]


def test_rows_of_any_time_order_never_take_a_final_order_back() -> None:
    """T10, W05: what a broker stamps does not decide what is newer; final states absorb, fills only grow."""

    async def script(stage: Scene) -> None:
        line = Line(stage)
        await stage.show(100_00, 9)
        await stage.place(Side.BUY, 2, price=97_00)
        (open_row,) = stage.venue.picture().orders
        await stage.show(96_50, 9)
        await line.wait(2)
        hear = line.engine.hearer(line.broker.account.id)
        for minutes in (-400, 0, 400):
            stamp = open_row.updated_at.replace(hour=(9 + minutes // 60) % 24)
            hear(msgspec.structs.replace(open_row, updated_at=stamp))
        await line.wait(2)
        assert line.order("O1").status is OrderStatus.FILLED
        assert line.order("O1").filled == 2 * LOT

    assert scene(script) == []
