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

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import ScopeKind
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, RiskClass, Role
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.protection import Guard, Protection, Repair, StopMode
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.rules.protection import STOP, beyond, crossing, stop_limit
from optconsole.engine.trading import exits
from optconsole.engine.trading.covering import closing_side, counts, outstanding, room
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.scopes import in_scope, scope_of

CONFIRM: Final = timedelta(seconds=1)
"""How long one quote beyond a level must stand unanswered before it counts."""
TO_WORKING: Final = timedelta(seconds=5)
TO_TRIGGERED: Final = timedelta(seconds=3)
TO_FILLED: Final = timedelta(seconds=5)


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of any guard. None when all promises are kept as far as they can be now."""
    if not state.protections:
        return None
    scene, families = Scene(state, master, situation, install), _families(state)
    for guard in state.protections.values():
        decision = Decision("engine", f"guard:{guard.id}")
        _step(scene, guard, families.get(guard.id, []), decision)
        if decision.facts:
            return decision
    return None


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
    position = state.positions.get(str(guard.key))
    if position is None or position.qty * guard.sign <= 0:
        _over(guard, family, decision)
        return
    if exiting(state, guard.key):
        return
    if state.killed:
        decision.facts.append(ev.ProtectionEnded(key=guard.key, reason="killed"))
        return
    instrument = scene.master.get(guard.key.contract)
    if instrument is None or not scene.trading(instrument):
        return
    if _look(scene, guard, decision) or _late(scene, guard, decision):
        return
    _keep(scene, guard, position, instrument, family, decision)
    _state(scene, guard, position, family, decision)


def exiting(state: TradingState, key: PositionKey) -> bool:
    """Whether a flatten is closing the whole position; its stops are then the flatten's to turn."""
    return any(
        wish.whole and in_scope(scope_of(wish), key.account, key.contract, key.product)
        for wish in state.flattening.values()
    )


def needed(state: TradingState, position: Position) -> int:
    """Units that stops should cover: the live position, less what a part exit is about to close."""
    size, sign = abs(position.qty), 1 if position.qty > 0 else -1
    for wish in state.flattening.values():
        target = wish.targets.get(str(position.key))
        if target is not None:
            size = min(size, max(target * sign, 0))
    return size


def verified(guard: Protection, order: Order) -> bool:
    """Whether the broker's book showed an order as the stop that it should be (reliability O03)."""
    return (
        order.confirmed
        and order.pending is Pending.NONE
        and exits.waits(order)
        and order.terms.side is guard.closes
        and order.terms.trigger == guard.wide
    )


# ---------------------------------------------------------------- ends


def _over(guard: Protection, family: Iterable[Order], decision: Decision) -> None:
    """Flat or turned: the promise is done. Its stops are orphans now and are cancelled as such."""
    filled = any(order.filled for order in family)
    if filled:
        decision.facts.append(ev.ProtectionMoved(key=guard.key, state=Guard.FILLED))
    decision.facts.append(ev.ProtectionEnded(key=guard.key, reason="filled" if filled else "flat"))


def fire(state: TradingState, guard: Protection, decision: Decision, why: str, price: int | None) -> None:
    """Close the position through the machinery of a flatten, in which the stop becomes the closing order."""
    decision.facts += [
        ev.ProtectionTriggered(key=guard.key, why=why, price=price),
        ev.FlattenBegun(
            flatten_id=f"{guard.id}.{state.seq + 1}",
            kind=ScopeKind.POSITION.value,
            name=str(guard.key),
            percent=100,
            why=why,
        ),
    ]


# ---------------------------------------------------------------- watching the price


def _look(scene: Scene, guard: Protection, decision: Decision) -> bool:
    """Watch the price. True when the guard acts, or has to wait for a second quote to say what the price is."""
    quote, name = scene.situation.quote(guard.key.contract), guard.key.contract
    if not scene.fresh(name):
        if not guard.blind:
            decision.facts.append(ev.ProtectionSight(key=guard.key, blind=True))
            _alarm(decision, guard, "GUARD_BLIND", _blind_words(guard))
        return False
    if guard.blind:
        decision.facts.append(ev.ProtectionSight(key=guard.key, blind=False))
        return False
    what = crossing(guard, quote)
    price = None if quote is None else quote.mark
    if what == STOP and guard.mode is StopMode.BROKER and guard.state in (Guard.WORKING, Guard.TRIGGERED):
        return _watch_broker(scene, guard, decision, quote)
    if not what:
        if guard.crossing:
            decision.facts.append(ev.ProtectionCrossed(key=guard.key, crossing="", price=price or 0, ts=0))
        return False
    if guard.crossing != what or guard.crossed_at is None:
        ts = 0 if quote is None else quote.ts
        decision.facts.append(ev.ProtectionCrossed(key=guard.key, crossing=what, price=price or 0, ts=ts))
        return True
    second = quote is not None and quote.ts != guard.crossed_ts
    if second or scene.now - guard.crossed_at >= CONFIRM:
        fire(scene.state, guard, decision, what, price)
        return True
    return False


def _watch_broker(scene: Scene, guard: Protection, decision: Decision, quote: Quote | None) -> bool:
    """The exchange has the first word; when it is silent for three seconds the engine acts (reliability O04)."""
    price = None if quote is None else quote.mark
    if guard.crossing != STOP or guard.crossed_at is None:
        ts = 0 if quote is None else quote.ts
        decision.facts.append(ev.ProtectionCrossed(key=guard.key, crossing=STOP, price=price or 0, ts=ts))
        return True
    if guard.state is Guard.WORKING and scene.now - guard.crossed_at >= TO_TRIGGERED:
        _alarm(decision, guard, "STOP_SILENT", f"The stop of {guard.key.contract} was reached and did not trigger.")
        fire(scene.state, guard, decision, STOP, price)
        return True
    return False


def _blind_words(guard: Protection) -> str:
    rest = "the stop at the exchange stands alone" if guard.state is Guard.WORKING else "nothing else guards it"
    return f"{guard.key.contract} is not quoted any more: its stop cannot be watched, {rest}."


def _late(scene: Scene, guard: Protection, decision: Decision) -> bool:
    """A stop that triggered and does not fill is carried out by the ladder (reliability O05)."""
    if guard.state is not Guard.TRIGGERED or scene.now - guard.since < TO_FILLED:
        return False
    decision.facts.append(ev.ProtectionMoved(key=guard.key, state=Guard.REPAIR, reason=Repair.UNFILLED))
    _alarm(decision, guard, "STOP_UNFILLED", f"The stop of {guard.key.contract} triggered and does not fill.")
    fire(scene.state, guard, decision, STOP, None)
    return True


# ---------------------------------------------------------------- keeping the stop at the exchange


def _keep(
    scene: Scene,
    guard: Protection,
    position: Position,
    instrument: Instrument,
    family: list[Order],
    decision: Decision,
) -> None:
    """Cancel what is no stop of this guard, shrink before growing, place what is missing. Sizes are only ever lowered:

    what an order may still close then never rises, whatever becomes of the change.
    """
    stops = [order for order in family if counts(order)]
    if guard.wide is None:
        for order in stops:
            _drop(scene, decision, order, "no stop wanted")
        return
    surplus = sum(map(outstanding, stops)) - needed(scene.state, position)
    for order in reversed(stops):
        if not exits.free(order):
            continue
        if order.triggered:
            surplus -= _shrink(scene, decision, order, surplus)
        elif not exits.waits(order) or order.terms.side is not guard.closes or _refused_change(guard, order, surplus):
            _drop(scene, decision, order, "not the stop it should be")
        elif surplus > 0:
            surplus -= _shrink(scene, decision, order, surplus)
        elif order.terms.trigger != guard.wide:
            limit = stop_limit(guard.closes, guard.wide, instrument)
            moved = msgspec.structs.replace(order.terms, trigger=guard.wide, price=limit)
            exits.change(decision, order, moved)
    _place(scene, guard, position, instrument, family, decision)


def _shrink(scene: Scene, decision: Decision, order: Order, surplus: int) -> int:
    """Take a stop back by as many units, whole if it is no larger. Returns the units."""
    if surplus <= 0:
        return 0
    rest = outstanding(order)
    if rest <= surplus:
        _drop(scene, decision, order, "the position is smaller")
        return rest
    exits.change(decision, order, msgspec.structs.replace(order.terms, qty=order.terms.qty - surplus))
    return surplus


def _refused_change(guard: Protection, order: Order, surplus: int) -> bool:
    """Whether a stop kept a size or trigger that it was asked to give up: a new one takes its place."""
    wrong = surplus > 0 or order.terms.trigger != guard.wide
    return wrong and order.changes > 0 and bool(order.reason_code)


def _drop(scene: Scene, decision: Decision, order: Order, why: str) -> None:
    rested = not order.reason_code or scene.now - order.updated_at >= timedelta(seconds=1)
    if exits.free(order) and rested:
        ask_cancel(decision, order, why)


def _place(
    scene: Scene,
    guard: Protection,
    position: Position,
    instrument: Instrument,
    family: list[Order],
    decision: Decision,
) -> None:
    trigger = guard.wide
    if trigger is None:
        return
    missing = needed(scene.state, position) - sum(outstanding(order) for order in family if counts(order))
    pieces = exits.cut(scene, instrument, min(missing, room(scene.state, position, scene.now)))
    quote = scene.situation.quote(instrument.name)
    mark = None if quote is None else quote.mark
    if not pieces or (mark is not None and beyond(guard.sign, trigger, mark, STOP)):
        return
    due = exits.retry_at(family)
    if due is not None and scene.now < due and _tried_again(family):
        return
    for piece in pieces:
        terms = OrderTerms(
            account=guard.key.account,
            contract=guard.key.contract,
            side=closing_side(position),
            qty=piece,
            type=OrderType.SL,
            price=stop_limit(guard.closes, trigger, instrument),
            trigger=trigger,
            product=guard.key.product,
            note="stop",
        )
        exits.send(scene, decision, terms, instrument, Role.STOP, guard.id, RiskClass.PROTECT)


def _tried_again(family: Iterable[Order]) -> bool:
    """A stop that worked and went is replaced at once; only one that was lost again has to wait."""
    lost = [order for order in family if exits.failed(order)]
    return len({order.intended_at for order in lost}) > 1 or not any(order.confirmed for order in lost)


# ---------------------------------------------------------------- how far the promise has come


def _state(scene: Scene, guard: Protection, position: Position, family: list[Order], decision: Decision) -> None:
    found, reason = judged(scene, guard, position, family)
    if (found, reason) == (guard.state, guard.reason):
        return
    decision.facts.append(ev.ProtectionMoved(key=guard.key, state=found, reason=reason))
    if found is Guard.REPAIR:
        words = {
            Repair.REJECTED: "was rejected",
            Repair.MISSING: "is not in the broker's book",
            Repair.STALE_QTY: "does not have the size of the position",
        }
        text = f"The stop of {guard.key.contract} {words[reason]}; the engine watches the price and places it anew."
        _alarm(decision, guard, f"STOP_{reason.value}", text)
    elif guard.state is Guard.REPAIR and found is Guard.WORKING:
        text = f"The stop of {guard.key.contract} works at the exchange again."
        decision.facts.append(ev.NoticeRaised(level="info", code="STOP_WORKS", text=text, subject=guard.key.contract))


def judged(scene: Scene, guard: Protection, position: Position, family: list[Order]) -> tuple[Guard, Repair]:
    """The state that the orders show, given the one before."""
    state, now = scene.state, scene.now
    stops = [order for order in family if counts(order)]
    if guard.wide is None:
        return Guard.NONE, Repair.NONE
    if any(order.triggered for order in stops):
        return Guard.TRIGGERED, Repair.NONE
    need, total = needed(state, position), sum(map(outstanding, stops))
    seen = sum(outstanding(order) for order in stops if verified(guard, order))
    if seen == total == need:
        return Guard.WORKING, Repair.NONE
    lost = _lost_since(guard, family)
    if lost is not None:
        return Guard.REPAIR, Repair.REJECTED if lost.status is OrderStatus.REJECTED else Repair.MISSING
    if guard.state is Guard.REPAIR:
        return guard.state, guard.reason
    if guard.state in (Guard.NONE, Guard.WORKING, Guard.TRIGGERED):
        return Guard.PLACING, Repair.NONE
    asked = max([guard.since, *(order.sent_at or order.intended_at for order in stops)])
    if now - max(asked, guard.since) < TO_WORKING:
        return guard.state, guard.reason
    return Guard.REPAIR, Repair.STALE_QTY if total > need else Repair.MISSING


def _lost_since(guard: Protection, family: Iterable[Order]) -> Order | None:
    """The newest stop that ended unasked since the guard came into its present state."""
    lost = [order for order in family if exits.failed(order) and order.updated_at >= guard.since]
    return max(lost, key=lambda order: order.updated_at, default=None)


def _alarm(decision: Decision, guard: Protection, code: str, text: str) -> None:
    decision.facts.append(ev.NoticeRaised(level="alarm", code=code, text=text, subject=guard.key.contract))
