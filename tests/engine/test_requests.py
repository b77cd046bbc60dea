from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.orders import OrderStatus, RiskClass, Role
from optconsole.engine.ports import Accepted, Doubtful, ModifyRequest, NotSent, PlaceOutcome, PlaceRequest
from optconsole.engine.requests import A_SECOND, ENTRY_LIFE, Request, Requests, Urgency, urgency
from optconsole.engine.trading.decision import SendCancel, SendModify, SendPlace
from tests.engine.facts import Story, option, terms
from tests.engine.virtual import play
from tests.simulation.kernel import SimClock


class Wire:
    """A broker that notes when each request left and answers at once."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.left: list[tuple[float, str]] = []
        self.answer: PlaceOutcome | Exception | None = Accepted("B1")

    async def cancel(self, broker_id: str) -> PlaceOutcome:
        self.left.append((self.clock.monotonic(), broker_id))
        if self.answer is None:
            await asyncio.get_running_loop().create_future()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


class Desk:
    """The queue before one wire, with every outcome it delivered."""

    def __init__(self, clock: SimClock) -> None:
        self.wire = Wire(clock)
        self.outcomes: list[tuple[str, PlaceOutcome]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.queue = Requests(clock, {"paper": self.wire}, self._deliver, self._spawn)  # type: ignore[dict-item]

    def _deliver(self, request: Request, outcome: PlaceOutcome) -> None:
        self.outcomes.append((request.order_id, outcome))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def put(self, name: str, kind: Urgency, decided: float | None = None) -> None:
        now = self.wire.clock.monotonic() if decided is None else decided
        self.queue.put(SendCancel(name, "paper", name), "paper", kind, now)

    @property
    def order(self) -> list[str]:
        return [name for _, name in self.wire.left]


def test_no_second_sees_more_than_ten_requests_and_entries_leave_room_for_exits() -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        for number in range(30):
            desk.put(f"E{number}", Urgency.ENTRY)
        await clock.sleep(0.5)
        for number in range(10):
            desk.put(f"X{number}", Urgency.EXIT)
        await clock.sleep(4.0)
        return desk

    desk = play(scene)
    moments = [moment for moment, _ in desk.wire.left]
    for moment in moments:
        assert sum(moment <= other < moment + 1.0 for other in moments) <= 10
    assert desk.order[:6] == [f"E{number}" for number in range(6)]
    # four places were kept for them in the very second that entries had filled
    assert [moment for moment, name in desk.wire.left if name in ("X0", "X1", "X2", "X3")] == [0.5] * 4
    exits_end = max(moment for moment, name in desk.wire.left if name.startswith("X"))
    assert exits_end < 1.7


def test_the_urgent_overtake_and_equals_keep_their_order() -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        for number in range(10):
            desk.put(f"X{number}", Urgency.EXIT)
        for name, kind in (
            ("E", Urgency.ENTRY),
            ("C", Urgency.CANCEL),
            ("S1", Urgency.PROTECT),
            ("S2", Urgency.PROTECT),
        ):
            desk.put(name, kind)
        await clock.sleep(3.0)
        return desk

    assert play(scene).order[10:] == ["S1", "S2", "C", "E"]


def test_an_entry_that_waited_too_long_never_leaves_and_an_exit_always_does() -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        await clock.sleep(100.0)
        desk.put("E", Urgency.ENTRY, decided=clock.monotonic() - ENTRY_LIFE - 1)
        desk.put("X", Urgency.EXIT, decided=clock.monotonic() - 600)
        await clock.sleep(1.0)
        return desk

    desk = play(scene)
    assert desk.order == ["X"]
    late = dict(desk.outcomes)["E"]
    assert isinstance(late, NotSent)
    assert "6 s passed" in late.cause
    assert late.held


FAILURES = [
    OSError("unreachable"),
    ConnectionResetError("reset by peer"),
    ssl.SSLError("handshake"),
    TimeoutError("read"),
    asyncio.IncompleteReadError(b"", 10),
    asyncio.CancelledError("a task of the adapter was cancelled"),
    json.JSONDecodeError("html, not json", "<html>", 0),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text"),
    KeyError("order_id"),
    TypeError("None is no reply"),
    AssertionError(),
    StopAsyncIteration(),
    ExceptionGroup("several", [ValueError(), OSError()]),
    RecursionError(),
    MemoryError(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("verb", ["place", "modify", "cancel"])
def test_whatever_an_adapter_raises_is_doubt_and_never_a_rejection(verb: str, failure: BaseException) -> None:
    """B12, B20: every class of exception, at every call; a cancelled call of the adapter's own is one of them."""
    story = Story()
    story.order(terms())
    wanted = story.state.orders["O1"].terms
    place = PlaceRequest(
        tag="T",
        account="paper",
        instrument=option(),
        side=wanted.side,
        qty=wanted.qty,
        type=wanted.type,
        price=wanted.price or 0,
        trigger=None,
        product=wanted.product,
        validity=wanted.validity,
    )
    requests: dict[str, Request] = {
        "place": SendPlace("O1", place),
        "modify": SendModify("O1", "paper", ModifyRequest(broker_id="B", qty=65, price=1, trigger=None)),
        "cancel": SendCancel("O1", "paper", "B"),
    }

    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)

        async def fail(_wanted: object) -> PlaceOutcome:
            await clock.sleep(0.1)
            raise failure

        setattr(desk.wire, verb, fail)
        desk.queue.put(requests[verb], "paper", Urgency.EXIT, clock.monotonic())
        await clock.sleep(1.0)
        return desk

    ((name, outcome),) = play(scene).outcomes
    assert name == "O1"
    assert isinstance(outcome, Doubtful)


def test_an_engine_that_stops_hears_no_answer_of_a_call_it_gave_up() -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        desk.wire.answer = None
        desk.put("X", Urgency.EXIT)
        await clock.sleep(1.0)
        for task in list(desk.tasks):
            task.cancel()
        await asyncio.gather(*desk.tasks, return_exceptions=True)
        return desk

    assert play(scene).outcomes == []


@pytest.mark.parametrize("answer", [None, RuntimeError("the adapter broke")])
def test_silence_and_a_broken_adapter_are_doubt(answer: Exception | None) -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        desk.wire.answer = answer
        desk.put("X", Urgency.EXIT)
        await clock.sleep(9.0)
        return desk

    ((name, outcome),) = play(scene).outcomes
    assert name == "X"
    assert isinstance(outcome, Doubtful)


def test_what_is_urgent_does_not_wait_as_long_as_what_came_before_it() -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        for number in range(4):
            desk.put(f"X{number}", Urgency.EXIT)
        await clock.sleep(0.5)
        for number in range(4, 10):
            desk.put(f"X{number}", Urgency.EXIT)
        desk.put("E", Urgency.ENTRY)
        desk.put("S", Urgency.PROTECT)
        await clock.sleep(3.0)
        return desk

    moments = {name: moment for moment, name in play(scene).wire.left}
    assert moments["S"] < 1.2
    assert moments["E"] > 1.5


@given(st.lists(st.tuples(st.sampled_from(list(Urgency)), st.floats(0, 0.4)), max_size=60))
def test_whatever_comes_the_budget_holds_and_everything_is_answered_once(arrivals: list[tuple[Urgency, float]]) -> None:
    async def scene(clock: SimClock) -> Desk:
        desk = Desk(clock)
        for number, (kind, pause) in enumerate(arrivals):
            desk.put(f"{kind.name}{number}", kind)
            if pause:
                await clock.sleep(pause)
        await clock.sleep(20.0)
        return desk

    desk = play(scene)
    assert sorted(name for name, _ in desk.outcomes) == sorted(
        f"{kind.name}{n}" for n, (kind, _) in enumerate(arrivals)
    )
    for moment, name in desk.wire.left:
        kind = next(kind for kind in Urgency if name.startswith(kind.name))
        window = [other for other, _ in desk.wire.left if moment - 1.0 < other <= moment]
        assert len(window) <= 10
        before = [other for other, _ in desk.wire.left[: desk.wire.left.index((moment, name))] if moment - 1.0 < other]
        assert len(before) < A_SECOND[kind]


def test_the_wait_of_one_more_entry_is_known_before_it_is_queued() -> None:
    async def scene(clock: SimClock) -> tuple[float, float]:
        desk = Desk(clock)
        free = desk.queue.delay(Urgency.ENTRY)
        for number in range(24):
            desk.put(f"E{number}", Urgency.ENTRY)
        return free, desk.queue.delay(Urgency.ENTRY)

    free, full = play(scene)
    assert free == 0.0
    assert full > 3.0


@pytest.mark.parametrize(
    ("role", "risk", "kind"),
    [
        (Role.ENTRY, RiskClass.INCREASE, Urgency.ENTRY),
        (Role.ENTRY, RiskClass.REDUCE, Urgency.EXIT),
        (Role.EXIT, RiskClass.INCREASE, Urgency.EXIT),
        (Role.KILL, RiskClass.REDUCE, Urgency.EXIT),
        (Role.STOP, RiskClass.PROTECT, Urgency.PROTECT),
    ],
)
def test_an_order_is_as_urgent_as_the_risk_it_takes_away(role: Role, risk: RiskClass, kind: Urgency) -> None:
    story = Story()
    story.order(terms())
    order = msgspec.structs.replace(story.state.orders["O1"], role=role, risk=risk)
    change = SendModify(order.id, "paper", ModifyRequest(broker_id="B", qty=65, price=1, trigger=None))
    assert order.status is OrderStatus.OPEN
    assert urgency(change, order) is kind
    assert urgency(SendCancel(order.id, "paper", "B"), order) is Urgency.CANCEL
