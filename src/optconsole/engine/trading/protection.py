"""Stops as promises with deadlines: placed, seen in the broker's book, kept in size, repaired, and carried out.

Everything is derived from the position and from the orders whose parent the guard is. A stop covers only as far as the
book showed it, at the right trigger. Where the promise at the exchange is broken, the engine's own watch of the price
goes on, an alarm is raised, and the stop is placed anew with growing pauses.

A level counts as reached when two different quotes in a row lie beyond it, or when one does and none takes it back for
a second: a single bad tick closes nothing (reliability O16, O17). The stop at the exchange, wider, waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import ScopeKind
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import BY_SOURCE, TradingState
from optconsole.engine.model.orders import Order
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.protection import Guard, Protection, Repair, StopMode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.rules.protection import STOP, crossing
from optconsole.engine.trading import unguarded
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import Scene, silent
from optconsole.engine.trading.keeping import alarm, keep, tell_state
from optconsole.engine.trading.portions import belongs
from optconsole.engine.trading.scopes import in_scope, scope_of

CONFIRM: Final = timedelta(seconds=1)
"""How long one quote beyond a level must stand unanswered before it counts."""
TO_TRIGGERED: Final = timedelta(seconds=3)
TO_FILLED: Final = timedelta(seconds=5)


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of any guard. None when all promises are kept as far as they can be now."""
    scene = Scene(state, master, situation, install)
    families = _families(state) if state.protections else {}
    for guard in state.protections.values():
        decision = Decision("engine", f"guard:{guard.id}")
        _step(scene, guard, families.get(guard.id, []), decision)
        if decision.facts:
            return decision
    return unguarded.tell(scene)


def _families(state: TradingState) -> dict[str, list[Order]]:
    """The day's orders by what they are a part of, in one walk for all guards."""
    found: dict[str, list[Order]] = {}
    for order in state.orders.values():
        if order.parent:
            found.setdefault(order.parent, []).append(order)
    return found


def _step(scene: Scene, guard: Protection, family: list[Order], decision: Decision) -> None:
    """``family`` are the guard's orders of today, whatever became of them."""
    state = scene.state
    position = guarded(state, guard)
    if position is None or position.qty * guard.sign <= 0:
        _over(guard, family, decision)
        return
    if exiting(state, guard.key, guard.source):
        return
    if state.killed:
        decision.facts.append(ev.ProtectionEnded(key=guard.key, source=guard.source, reason="killed"))
        return
    instrument = scene.master.get(guard.key.contract)
    if instrument is None or not scene.trading(instrument):
        return
    if _look(scene, guard, decision) or _late(scene, guard, decision):
        return
    keep(scene, guard, position, instrument, family, decision)
    tell_state(scene, guard, position, family, decision)


def guarded(state: TradingState, guard: Protection) -> Position | None:
    """What the guard is for: the position, or the part of it that a leg of a run holds."""
    if not guard.source:
        return state.positions.get(str(guard.key))
    parts = state.books.get(str(guard.key), ())
    return next((part.held for part in parts if part.source == guard.source), None)


def exiting(state: TradingState, key: PositionKey, source: str = "") -> bool:
    """Whether a flatten is closing the whole position, or all of the part; its stops are then the flatten's to turn."""
    return any(
        (wish.whole and in_scope(scope_of(wish), key.account, key.contract, key.product))
        or (source and wish.source and not wish.parted and belongs(wish.source, source))
        for wish in state.flattening.values()
    )


# ---------------------------------------------------------------- ends


def _over(guard: Protection, family: Iterable[Order], decision: Decision) -> None:
    """Flat or turned: the promise is done. Its stops are orphans now and are cancelled as such."""
    filled = any(order.filled for order in family)
    if filled:
        decision.facts.append(ev.ProtectionMoved(key=guard.key, source=guard.source, state=Guard.FILLED))
    decision.facts.append(ev.ProtectionEnded(key=guard.key, source=guard.source, reason="filled" if filled else "flat"))


def fire(state: TradingState, guard: Protection, decision: Decision, why: str, price: int | None) -> None:
    """Close the position through the machinery of a flatten, in which the stop becomes the closing order."""
    decision.facts += [
        ev.ProtectionTriggered(key=guard.key, source=guard.source, why=why, price=price),
        ev.FlattenBegun(
            flatten_id=f"{guard.id}.{state.seq + 1}",
            kind=BY_SOURCE if guard.source else ScopeKind.POSITION.value,
            name=guard.source or str(guard.key),
            percent=100,
            why=why,
            apart=bool(guard.source),
        ),
    ]


# ---------------------------------------------------------------- watching the price


def _look(scene: Scene, guard: Protection, decision: Decision) -> bool:
    """Watch the price. True when the guard acts, or has to wait for a second quote to say what the price is."""
    quote, name = scene.situation.quote(guard.key.contract), guard.key.contract
    if not scene.fresh(name):
        if not guard.blind and silent(scene.situation, name):
            decision.facts.append(ev.ProtectionSight(key=guard.key, source=guard.source, blind=True))
            alarm(decision, guard, "GUARD_BLIND", _blind_words(guard))
        return False
    if guard.blind:
        decision.facts.append(ev.ProtectionSight(key=guard.key, source=guard.source, blind=False))
        return False
    what = crossing(guard, quote)
    price = None if quote is None else quote.mark
    if what == STOP and guard.mode is StopMode.BROKER and guard.state in (Guard.WORKING, Guard.TRIGGERED):
        return _watch_broker(scene, guard, decision, quote)
    if not what:
        if guard.crossing:
            decision.facts.append(
                ev.ProtectionCrossed(key=guard.key, source=guard.source, crossing="", price=price or 0, ts=0)
            )
        return False
    if guard.crossing != what or guard.crossed_at is None:
        ts = 0 if quote is None else quote.ts
        decision.facts.append(
            ev.ProtectionCrossed(key=guard.key, source=guard.source, crossing=what, price=price or 0, ts=ts)
        )
        return True
    second = quote is not None and quote.ts != guard.crossed_ts
    if second or scene.since(guard.crossed_at) >= CONFIRM:
        fire(scene.state, guard, decision, what, price)
        return True
    return False


def _watch_broker(scene: Scene, guard: Protection, decision: Decision, quote: Quote | None) -> bool:
    """The exchange has the first word; when it is silent for three seconds the engine acts (reliability O04)."""
    price = None if quote is None else quote.mark
    if guard.crossing != STOP or guard.crossed_at is None:
        ts = 0 if quote is None else quote.ts
        decision.facts.append(
            ev.ProtectionCrossed(key=guard.key, source=guard.source, crossing=STOP, price=price or 0, ts=ts)
        )
        return True
    if guard.state is Guard.WORKING and scene.since(guard.crossed_at) >= TO_TRIGGERED:
        alarm(decision, guard, "STOP_SILENT", f"The stop of {guard.key.contract} was reached and did not trigger.")
        fire(scene.state, guard, decision, STOP, price)
        return True
    return False


def _blind_words(guard: Protection) -> str:
    rest = "the stop at the exchange stands alone" if guard.state is Guard.WORKING else "nothing else guards it"
    return f"{guard.key.contract} is not quoted any more: its stop cannot be watched, {rest}."


def _late(scene: Scene, guard: Protection, decision: Decision) -> bool:
    """A stop that triggered and does not fill is carried out by the ladder (reliability O05)."""
    if guard.state is not Guard.TRIGGERED or scene.since(guard.since) < TO_FILLED:
        return False
    decision.facts.append(
        ev.ProtectionMoved(key=guard.key, source=guard.source, state=Guard.REPAIR, reason=Repair.UNFILLED)
    )
    alarm(decision, guard, "STOP_UNFILLED", f"The stop of {guard.key.contract} triggered and does not fill.")
    fire(scene.state, guard, decision, STOP, None)
    return True
