"""The engine made wrong on purpose, one way at a time: an invariant that notices nothing of it is decoration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

import msgspec

from optconsole.engine import events as ev
from optconsole.engine import requests, state
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Pending, trade_key
from optconsole.engine.model.protection import Guard
from optconsole.engine.model.run_state import Counters
from optconsole.engine.ports import (
    Broker,
    BrokerOrder,
    BrokerUnreachable,
    Doubtful,
    NotSent,
    PlaceOutcome,
    Rejected,
)
from optconsole.engine.rules import pretrade, tradable
from optconsole.engine.rules.misfires import Due, Timing
from optconsole.engine.shell import effects, worker
from optconsole.engine.trading import (
    closers,
    closing,
    covering,
    decision,
    exits,
    intake,
    keeping,
    opening,
    outcomes,
    portions,
    protection,
    resolution,
    supervision,
    unwanted,
    wishes,
)
from optconsole.engine.trading.runs import entering, starting
from tests.simulation import broker, disk
from tests.simulation.venue import Books

Mutation = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A defect, and the invariants of which at least one must catch it."""

    name: str
    what: str
    caught_by: frozenset[str]
    mutation: Mutation


@contextmanager
def _m1() -> Iterator[None]:
    original = requests._call

    async def call(way: Broker, request: requests.Request) -> PlaceOutcome:
        outcome = await original(way, request)
        if isinstance(outcome, Doubtful) and isinstance(request, decision.SendPlace):
            return await original(way, request)
        return outcome

    with patch.object(requests, "_call", call):
        yield


@contextmanager
def _m2() -> Iterator[None]:
    original = outcomes.placed

    def placed(book: TradingState, name: str, order_id: str, outcome: PlaceOutcome) -> decision.Decision:
        return original(book, name, order_id, Rejected("400", "x") if isinstance(outcome, Doubtful) else outcome)

    with patch.object(outcomes, "placed", placed):
        yield


@contextmanager
def _m3() -> Iterator[None]:
    original = worker.Worker.settle

    async def settle(self: worker.Worker, chosen: decision.Decision) -> None:
        for effect in chosen.effects:
            if isinstance(effect, decision.SendPlace):
                self._effects.requests.put(effect, effect.request.account, requests.Urgency.EXIT, math.inf)
        chosen.effects = [effect for effect in chosen.effects if not isinstance(effect, decision.SendPlace)]
        await original(self, chosen)

    with patch.object(worker.Worker, "settle", settle):
        yield


@contextmanager
def _m5() -> Iterator[None]:
    original = broker.Wire.read

    async def read(self: broker.Wire) -> Books:
        try:
            return await original(self)
        except BrokerUnreachable:
            return Books([], [], [], [])

    with patch.object(broker.Wire, "read", read):
        yield


@contextmanager
def _m6() -> Iterator[None]:
    with patch.object(broker.SimBroker, "book_is_proof", property(lambda _self: True)):
        yield


@contextmanager
def _m7() -> Iterator[None]:
    original = state._APPLY[ev.OrderFilled]

    def filled(book: TradingState, fact: Recorded, event: Any) -> None:
        book.trades.pop(trade_key(event.account, event.traded_at.date(), event.trade_id), None)
        original(book, fact, event)

    with patch.dict(state._APPLY, {ev.OrderFilled: filled}), patch.object(intake, "trade_key", lambda *_: "none"):
        yield


@contextmanager
def _m8() -> Iterator[None]:
    original = state._APPLY[ev.OrderFilled]

    def filled(book: TradingState, fact: Recorded, event: Any) -> None:
        original(book, fact, event)
        order = book.orders[event.order_id]
        book.orders[order.id] = msgspec.structs.replace(order, filled=event.qty)

    with patch.dict(state._APPLY, {ev.OrderFilled: filled}):
        yield


@contextmanager
def _m12() -> Iterator[None]:
    with patch.object(closers, "to_spare", lambda *_: 10**9):
        yield


@contextmanager
def _m13() -> Iterator[None]:
    def room(book: TradingState, position: Any, _now: Any) -> int:
        own = [order for order in covering.closing_on(book, position) if order.role.closes]
        return max(abs(position.qty) - sum(map(covering.outstanding, own)), 0)

    with (
        patch.object(closers, "room", room),
        patch.object(closers, "steered", lambda order: order.role.closes),
    ):
        yield


@contextmanager
def _m14() -> Iterator[None]:
    with (
        patch.object(supervision, "unwanted", lambda *_: []),
        patch.object(closing, "_cancel_entries", lambda *_: None),
        patch.object(wishes, "concerned", lambda *_: iter(())),
        patch.object(supervision, "concerned", lambda *_: iter(())),
    ):
        yield


@contextmanager
def _m15() -> Iterator[None]:
    original = state._APPLY[ev.EngineStarted]

    def started(book: TradingState, fact: Recorded, event: Any) -> None:
        original(book, fact, event)
        book.killed = False

    with patch.dict(state._APPLY, {ev.EngineStarted: started}):
        yield


@contextmanager
def _m16() -> Iterator[None]:
    original = pretrade.account_rules

    def rules(*given: Any) -> Iterator[Any]:
        return (check for check in original(*given) if check.code != "KILLED")

    with patch.object(pretrade, "account_rules", rules), patch.object(effects.Effects, "_barred", lambda *_: ""):
        yield


@contextmanager
def _m24() -> Iterator[None]:
    with patch.object(Order, "foreign", property(lambda _self: False)):
        yield


@contextmanager
def _m25() -> Iterator[None]:
    original = intake._final_fact

    def final(chosen: decision.Decision, order: Order, row: BrokerOrder) -> None:
        rejected = row.status is OrderStatus.UNKNOWN
        original(chosen, order, msgspec.structs.replace(row, status=OrderStatus.REJECTED) if rejected else row)

    with patch.object(intake, "_final_fact", final):
        yield


@contextmanager
def _m26() -> Iterator[None]:
    async def append(self: disk.SimJournal, facts: Any) -> None:
        await self._point("store.before")
        self._disk.write(list(self._rows(facts)))
        if len(self._disk._cache) > 20:
            self._disk.sync()

    with patch.object(disk.SimJournal, "append", append):
        yield


@contextmanager
def _m30() -> Iterator[None]:
    def room(book: TradingState, position: Any, _now: Any) -> int:
        own = [order for order in covering.closing_on(book, position) if order.pending is not Pending.CANCEL]
        return max(abs(position.qty) - sum(map(covering.outstanding, own)), 0)

    with patch.object(closers, "room", room):
        yield


@contextmanager
def _m4() -> Iterator[None]:
    with (
        patch.object(resolution, "QUIESCE", 1.0),
        patch.object(resolution, "READS_NEEDED", 1),
        patch.object(resolution, "newer", lambda *_: True),
    ):
        yield


@contextmanager
def _m9() -> Iterator[None]:
    def intended(book: TradingState, _guard: Any, position: Any) -> int:
        entries = [order for order in book.orders.values() if order.filled and not order.role.closes]
        mine = [order.terms.qty for order in entries if order.terms.contract == position.key.contract]
        return mine[0] if mine else 0

    with patch.object(keeping, "needed", intended):
        yield


@contextmanager
def _m10() -> Iterator[None]:
    keep, judged = keeping.keep, keeping.judged

    def once(scene: Any, guard: Any, *rest: Any) -> None:
        if guard.state is not Guard.WORKING:
            keep(scene, guard, *rest)

    def believed(scene: Any, guard: Any, *rest: Any) -> Any:
        return (guard.state, guard.reason) if guard.state is Guard.WORKING else judged(scene, guard, *rest)

    with patch.object(protection, "keep", once), patch.object(keeping, "judged", believed):
        yield


@contextmanager
def _m17() -> Iterator[None]:
    with patch.object(protection, "advance", lambda *_: None):
        yield


@contextmanager
def _m20() -> Iterator[None]:
    original = effects.Effects.act

    def act(self: effects.Effects, effect: Any, decided: float) -> None:
        if isinstance(effect, decision.SendPlace) and self._watches[effect.request.account].health().refusing_for:
            self.answered(effect, NotSent("the breaker is open"))
            return
        original(self, effect, decided)

    with patch.object(effects.Effects, "act", act):
        yield


@contextmanager
def _m21() -> Iterator[None]:
    with patch.dict(requests.A_SECOND, dict.fromkeys(requests.Urgency, 10)):
        yield


@contextmanager
def _m22() -> Iterator[None]:
    with patch.object(requests, "ENTRY_LIFE", math.inf), patch.object(worker, "COMMAND_LIFE", math.inf):
        yield


@contextmanager
def _m29() -> Iterator[None]:
    def published(instrument: Any) -> int:
        return int(instrument.freeze)

    with (
        patch.object(opening, "largest_order", published),
        patch.object(exits, "largest_order", published),
        patch.object(pretrade, "largest_order", published),
        patch.object(tradable, "largest_order", published),
    ):
        yield


@contextmanager
def _no_deadline() -> Iterator[None]:
    with patch.object(requests, "CALL_DEADLINE", 600.0):
        yield


@contextmanager
def _no_cap() -> Iterator[None]:
    original = pretrade.size_rules

    def rules(*given: Any) -> Iterator[Any]:
        return (check for check in original(*given) if check.code != "MAX_LOTS")

    with patch.object(pretrade, "size_rules", rules):
        yield


@contextmanager
def _any_hour() -> Iterator[None]:
    original = pretrade.contract_rules

    def rules(*given: Any) -> Iterator[Any]:
        return (check for check in original(*given) if check.code != "SESSION_CLOSED")

    with patch.object(pretrade, "contract_rules", rules):
        yield


@contextmanager
def _leak() -> Iterator[None]:
    original = requests.Requests._send

    async def send(self: requests.Requests, request: requests.Request, way: Broker) -> None:
        for place in range(8):
            self._spawn(self._clock.sleep(1e6), f"leak-{place}")
        await original(self, request, way)

    with patch.object(requests.Requests, "_send", send):
        yield


@contextmanager
def _m11() -> Iterator[None]:
    with patch.object(entering, "_may_leave", lambda *_: True):
        yield


@contextmanager
def _m28() -> Iterator[None]:
    original = starting.due

    def due(*given: Any) -> Due:
        found = original(*given)
        missed = found.timing is Timing.MISSED
        return msgspec.structs.replace(found, timing=Timing.LATE) if missed else found

    with patch.object(starting, "due", due):
        yield


@contextmanager
def _forgets() -> Iterator[None]:
    original = state._APPLY[ev.EngineStarted]

    def started(book: TradingState, fact: Recorded, event: Any) -> None:
        original(book, fact, event)
        for name, run in book.runs.items():
            watch = msgspec.structs.replace(run.watch, counters=Counters())
            book.runs[name] = msgspec.structs.replace(run, watch=watch)

    with patch.dict(state._APPLY, {ev.EngineStarted: started}):
        yield


@contextmanager
def _by_the_plan() -> Iterator[None]:
    def meant(book: TradingState, path: str) -> int:
        runs = [run for run in book.runs.values() if path.startswith(run.path)]
        return sum(leg.lots * leg.lot for run in runs for leg in run.legs.values())

    def closable(book: TradingState, path: str, position: Any) -> int:
        return min(meant(book, path), abs(position.qty)) if portions.parts_of(book, path, position) else 0

    def shared_out(book: TradingState, path: str, position: Any, qty: int, _since: Any) -> list[tuple[str, int]]:
        return [(source, qty) for source, _ in portions.parts_of(book, path, position)[:1]]

    with (
        patch.object(wishes, "closable", closable),
        patch.object(unwanted, "closable", closable),
        patch.object(closers, "shared_out", shared_out),
    ):
        yield


def _mutant(name: str, what: str, caught_by: str, mutation: Mutation) -> Mutant:
    return Mutant(name, what, frozenset(caught_by.split()), mutation)


MUTANTS: Final[Mapping[str, Mutant]] = {
    mutant.name: mutant
    for mutant in (
        _mutant("M1", "a place is posted again after doubt", "I-2 I-3", _m1),
        _mutant("M2", "any error answer counts as rejected", "I-4 I-6", _m2),
        _mutant("M3", "the send is stored after it left", "I-1", _m3),
        _mutant("M4", "absence is presumed at once", "I-4", _m4),
        _mutant("M5", "a failed read answers empty", "I-4 I-5 I-9", _m5),
        _mutant("M6", "absence from any book counts as proof", "I-4", _m6),
        _mutant("M7", "fills are not told apart by trade number", "I-7", _m7),
        _mutant("M8", "a fill overwrites what was filled", "I-6", _m8),
        _mutant("M9", "a stop is sized from the order, not from the position", "I-10 I-11", _m9),
        _mutant("M10", "a stop that worked once is never looked at again", "I-10", _m10),
        _mutant("M12", "hedges are sold before the shorts they cover are bought back", "O14", _m12),
        _mutant("M13", "an exit ignores orders that close already", "I-11 I-13", _m13),
        _mutant("M14", "kill leaves resting orders", "I-11 I-13", _m14),
        _mutant("M15", "the kill latch does not survive a restart", "I-13", _m15),
        _mutant("M16", "kill does not stop entries", "I-13", _m16),
        _mutant("M17", "the duty that guards positions dies silently", "I-10", _m17),
        _mutant("M20", "the breaker before new risk holds back exits too", "I-13", _m20),
        _mutant("M21", "entries may use up the whole rate budget", "I-15", _m21),
        _mutant("M22", "an entry that waited is sent whenever its turn comes", "I-25", _m22),
        _mutant("M24", "foreign orders are cancelled with ours", "I-24", _m24),
        _mutant("M25", "a status we do not know counts as rejected", "I-4", _m25),
        _mutant("M26", "a commit returns before the sync", "I-1 I-8", _m26),
        _mutant("M29", "orders are cut at the published freeze, not below it", "O08", _m29),
        _mutant("D1", "a silent call is never doubted", "I-17 I-18", _no_deadline),
        _mutant("D2", "the cap on an order's lots is not looked at", "I-16", _no_cap),
        _mutant("D3", "orders leave at any hour", "I-25", _any_hour),
        _mutant("D4", "each send leaves tasks behind that never end", "I-19", _leak),
        _mutant("M11", "a leg is sold before what hedges it is filled", "I-12", _m11),
        _mutant("M28", "an entry that was missed is made late", "R6", _m28),
        _mutant("D5", "a restart forgets how often a leg was entered again", "R1", _forgets),
        _mutant("D6", "an exit closes what the strategy says, not what it holds", "R1 I-18", _by_the_plan),
        _mutant("M30", "closing does not wait for cancels to be final", "I-11 I-13", _m30),
    )
}
"""Those that today's engine can express; M numbers are those of the reliability specification."""
