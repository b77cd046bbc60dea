"""The stop at the exchange: placed, kept in size and place, and judged by what the broker's book shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Pending, RiskClass, Role
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import Guard, Protection, Repair
from optconsole.engine.rules import ladder
from optconsole.engine.rules.protection import STOP, beyond, stop_limit
from optconsole.engine.trading import exits
from optconsole.engine.trading.covering import closing_side, counts, outstanding, room
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel
from optconsole.engine.trading.exits import Scene
from optconsole.engine.trading.portions import parts_of
from optconsole.engine.trading.wishes import to_close

TO_WORKING: Final = timedelta(seconds=5)
"""How long a stop may take until the broker's book shows it as it should be."""

MOST_MOVES: Final = ladder.MOST_CHANGES - 5
"""Changes of one stop before a new one takes its place; the rest is kept for carrying it out."""


def needed(state: TradingState, guard: Protection, position: Position) -> int:
    """Units that a guard's stops should cover, as far as the broker shows them too."""
    return _shown(state, guard, _covered(state, guard, position))


def _covered(state: TradingState, guard: Protection, position: Position) -> int:
    """Units that a guard's stops should cover: the live position, less what a part exit or a strategy's is closing.

    What other guards cover for legs of runs is theirs; the part of a leg is never more than what is open in all.
    """
    net = state.positions.get(str(guard.key))
    if guard.source:
        if net is None or net.qty * guard.sign <= 0:
            return 0
        parted = [wish for wish in state.flattening.values() if wish.parted and wish.source == guard.source]
        left = abs(position.qty) - sum(to_close(state, wish, net) for wish in parted)
        return max(min(left, abs(net.qty)), 0)
    size, sign, going = abs(position.qty), 1 if position.qty > 0 else -1, 0
    for other in state.protections.values():
        if other.source and other.key == guard.key and other.sign == guard.sign:
            going += sum(abs(units) for _, units in parts_of(state, other.source, position) if units * sign > 0)
    for wish in state.flattening.values():
        if wish.source:
            going += to_close(state, wish, position)
        target = wish.targets.get(str(position.key))
        if target is not None:
            size = min(size, max(target * sign, 0))
    return max(size - going, 0)


def _shown(state: TradingState, guard: Protection, part: int) -> int:
    """Of a part what the broker shows too; where it shows too few for all, guards are served in their names' order.

    A stop for units that are not there would open a position when it is triggered.
    """
    drift = state.drifts.get(str(guard.key))
    if drift is None or not guard.source:
        return part
    left = max(drift.theirs * guard.sign, 0)
    for other in state.protections.values():
        if other.key == guard.key and other.sign == guard.sign and other.source and other.source < guard.source:
            held = (each.held.qty for each in state.books.get(str(guard.key), ()) if each.source == other.source)
            left -= abs(sum(held))
    return max(min(part, left), 0)


def verified(guard: Protection, order: Order) -> bool:
    """Whether the broker's book showed an order as the stop that it should be (reliability O03)."""
    return (
        order.confirmed
        and order.pending is Pending.NONE
        and exits.waits(order)
        and order.terms.side is guard.closes
        and order.terms.trigger == guard.wide
    )


def keep(
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
    surplus = sum(outstanding(order) - _going(order) for order in stops) - needed(scene.state, guard, position)
    for order in reversed(stops):
        if not exits.free(order):
            continue
        if order.triggered:
            surplus -= _shrink(scene, decision, order, surplus)
        elif not exits.waits(order) or order.terms.side is not guard.closes or _refused_change(guard, order, surplus):
            _drop(scene, decision, order, "not the stop it should be")
        elif surplus > 0:
            surplus -= _shrink(scene, decision, order, surplus)
        elif order.terms.trigger != guard.wide and order.changes >= MOST_MOVES:
            _drop(scene, decision, order, "moved too often")
        elif order.terms.trigger != guard.wide:
            limit = stop_limit(guard.closes, guard.wide, instrument)
            moved = msgspec.structs.replace(order.terms, trigger=guard.wide, price=limit)
            exits.change(decision, order, moved)
    _place(scene, guard, position, instrument, family, decision)


def _going(order: Order) -> int:
    """Units that a stop is asked to give up already: they are not asked of another one too."""
    if order.pending is Pending.CANCEL:
        return outstanding(order)
    return order.terms.qty - order.asked.qty if order.asked is not None else 0


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
    rested = not order.reason_code or scene.since(order.updated_at) >= timedelta(seconds=1)
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
    missing = needed(scene.state, guard, position) - sum(outstanding(order) for order in family if counts(order))
    pieces = exits.cut(scene, instrument, min(missing, _room(scene, guard, position)))
    quote = scene.situation.quote(instrument.name)
    mark = None if quote is None else quote.mark
    if not pieces or (mark is not None and beyond(guard.sign, trigger, mark, STOP)):
        return
    if exits.resting(family, scene.since) and _tried_again(family):
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
            source=guard.source,
        )
        exits.send(scene, decision, terms, instrument, Role.STOP, guard.id, RiskClass.PROTECT)


def _room(scene: Scene, guard: Protection, position: Position) -> int:
    """Units that nothing closes yet, of the whole position."""
    net = scene.state.positions.get(str(guard.key))
    return room(scene.state, position if net is None else net, scene.since)


def _tried_again(family: Iterable[Order]) -> bool:
    """A stop that worked and went is replaced at once; only one that was lost again has to wait."""
    lost = [order for order in family if exits.failed(order)]
    return len({order.intended_at for order in lost}) > 1 or not any(order.confirmed for order in lost)


# ---------------------------------------------------------------- how far the promise has come


def tell_state(scene: Scene, guard: Protection, position: Position, family: list[Order], decision: Decision) -> None:
    found, reason = judged(scene, guard, position, family)
    if (found, reason) == (guard.state, guard.reason):
        return
    decision.facts.append(ev.ProtectionMoved(key=guard.key, source=guard.source, state=found, reason=reason))
    if found is Guard.REPAIR:
        words = {
            Repair.REJECTED: "was rejected",
            Repair.MISSING: "is not in the broker's book",
            Repair.STALE_QTY: "does not have the size of the position",
        }
        text = f"The stop of {guard.key.contract} {words[reason]}; the engine watches the price and places it anew."
        alarm(decision, guard, f"STOP_{reason.value}", text)
    elif guard.state is Guard.REPAIR and found is Guard.WORKING:
        text = f"The stop of {guard.key.contract} works at the exchange again."
        decision.facts.append(ev.NoticeRaised(level="info", code="STOP_WORKS", text=text, subject=guard.key.contract))


def judged(scene: Scene, guard: Protection, position: Position, family: list[Order]) -> tuple[Guard, Repair]:
    """The state that the orders show, given the one before."""
    state = scene.state
    stops = [order for order in family if counts(order)]
    if guard.wide is None:
        return Guard.NONE, Repair.NONE
    if any(order.triggered for order in stops):
        return Guard.TRIGGERED, Repair.NONE
    need, total = needed(state, guard, position), sum(map(outstanding, stops))
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
    if scene.since(max(asked, guard.since)) < TO_WORKING:
        return guard.state, guard.reason
    return Guard.REPAIR, Repair.STALE_QTY if total > need else Repair.MISSING


def _lost_since(guard: Protection, family: Iterable[Order]) -> Order | None:
    """The newest stop that ended unasked since the guard came into its present state."""
    lost = [order for order in family if exits.failed(order) and order.updated_at >= guard.since]
    return max(lost, key=lambda order: order.updated_at, default=None)


def alarm(decision: Decision, guard: Protection, code: str, text: str) -> None:
    """An alarm about a guard, under its contract."""
    decision.facts.append(ev.NoticeRaised(level="alarm", code=code, text=text, subject=guard.key.contract))
