"""Parent orders (features OE-4, OE-5): what leaves in parts, each an ordinary order with its own intent and tag.

What the parts have filled or may still fill never exceeds the parent (reliability B22). An entry of which one part
ended unfilled or is in doubt sends no more: a person looks first. An exit goes on from the live position.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, Pending, RiskClass, Validity
from optconsole.engine.model.parents import Pace, Parent, ParentStatus
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.timeline import Since
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.contingency import committed, doubtful, filled, uncovered
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.rules.slicing import MOST_PARTS
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ENTRY, add_order, ask_cancel, cancellable
from optconsole.engine.trading.scopes import covers

LATE: Final = timedelta(seconds=5)
"""How late a part of an entry may leave after a restart; a later one meets another market."""
SLEPT: Final = timedelta(minutes=2)
"""How late without a restart: a machine that slept. Time that is played jumps by a minute and more of market time."""
REJECTIONS: Final = 4
"""Parts of an exit that may be rejected before it stops; each makes the next half as large (reliability O08)."""
RETRY: Final = timedelta(seconds=1)
SESSION_OVER: Final = "the session ended"
ASK_AGAIN: Final = timedelta(seconds=5)


def advance(state: TradingState, master: InstrumentMaster, situation: Situation, install: str) -> Decision | None:
    """The next step of any parent: send a part, stop, cancel what works of one that is cancelled, or end it."""
    families = {
        parent.id: list[Order]()
        for parent in state.parents.values()
        if parent.status is ParentStatus.WORKING or parent.cancelling
    }
    if not families:
        return None
    for order in state.orders.values():
        if order.parent in families:
            families[order.parent].append(order)
    for name, kids in families.items():
        step = _step(state, state.parents[name], kids, master, situation, install)
        if step is not None:
            return step
    return None


def _step(
    state: TradingState,
    parent: Parent,
    kids: list[Order],
    master: InstrumentMaster,
    situation: Situation,
    install: str,
) -> Decision | None:
    if parent.status is not ParentStatus.WORKING:
        return cancel_late(parent.actor, parent.id, kids, situation.since)
    if committed(kids) >= parent.terms.qty:
        if any(not kid.status.final for kid in kids):
            return None
        return _end(parent, ParentStatus.DONE)
    if situation.phase is not MarketPhase.OPEN:
        alive = any(not kid.status.final for kid in kids)
        return None if alive else _end(parent, ParentStatus.STOPPED, SESSION_OVER)
    why = standing_order(state, parent.terms, parent.risk) or _obstacle(state, parent, kids, situation.now)
    if why:
        return _stop(parent, kids, why)
    drifted = _drift(parent, situation)
    if drifted:
        return _stop(parent, kids, drifted, cancel=True)
    if not _due(parent, kids, situation):
        return None
    instrument = master.get(parent.terms.contract)
    if instrument is None:
        return _stop(parent, kids, f"{parent.terms.contract} is not listed today")
    return _send(state, parent, kids, instrument, situation, install)


def standing_order(state: TradingState, terms: OrderTerms, risk: RiskClass) -> str:
    """Why nothing may leave for these terms just now: the kill switch, or a flatten that covers them. Empty if not."""
    if state.killed and risk is RiskClass.INCREASE:
        return "the kill switch is on"
    for wish in state.flattening.values():
        # a part exit, too, is against what adds to the position
        if (wish.whole or risk is RiskClass.INCREASE) and covers(wish, terms):
            return "it is being closed"
    return ""


def _obstacle(state: TradingState, parent: Parent, kids: list[Order], now: datetime) -> str:
    """What became of a part that keeps the next from leaving; empty when nothing does."""
    for kid in kids:
        if kid.cancel_wanted:
            return f"{kid.id} was cancelled"
    ended = [kid for kid in kids if kid.status.final and kid.remaining > 0]
    if parent.risk is not RiskClass.INCREASE:
        spent = [kid for kid in ended if kid.status is OrderStatus.EXPIRED or kid.terms.validity is Validity.IOC]
        rejected = [kid for kid in ended if kid.status is OrderStatus.REJECTED]
        return _fate(next(iter(spent), None)) or (_fate(rejected[-1]) if len(rejected) >= REJECTIONS else "")
    unclear = next((kid for kid in kids if doubtful(kid)), None)
    if unclear is not None:
        return f"what became of {unclear.id} is unknown"
    return _fate(next(iter(ended), None)) or _staleness(state, parent, kids, now)


def _fate(kid: Order | None) -> str:
    if kid is None:
        return ""
    reason = f" ({kid.reason})" if kid.reason else ""
    return f"{kid.id} was {kid.status.value.lower()}{reason}"


def _staleness(state: TradingState, parent: Parent, kids: list[Order], now: datetime) -> str:
    """An entry that the engine was not there for is not taken up again later."""
    if parent.epoch == state.epoch:
        late = now - _next_at(parent, kids) > max(SLEPT, timedelta(seconds=parent.every))
        return "its time passed while the machine stood still" if parent.pace is Pace.TIMED and late else ""
    if parent.pace is Pace.TIMED and now - _next_at(parent, kids) <= max(LATE, timedelta(seconds=parent.every)):
        return ""
    return "" if parent.pace is Pace.FILLED else "the engine was restarted before the rest had left"


def _next_at(parent: Parent, kids: list[Order]) -> datetime:
    sent = [kid.sent_at for kid in kids if kid.sent_at is not None]
    return max(sent) + timedelta(seconds=parent.every) if sent else parent.opened_at


def _drift(parent: Parent, situation: Situation) -> str:
    quote = situation.quote(parent.terms.contract)
    mark = None if quote is None else quote.mark
    if not parent.drift or parent.reference is None or mark is None:
        return ""
    return "the price moved too far" if abs(mark - parent.reference) > parent.drift else ""


def _due(parent: Parent, kids: list[Order], situation: Situation) -> bool:
    if parent.risk is RiskClass.INCREASE and situation.queued > 0:
        return False  # what waits in the queue could not be taken back; a kill must find it here
    refused = [kid.updated_at for kid in kids if kid.status is OrderStatus.REJECTED]
    if refused and situation.now - max(refused) < RETRY:
        return False
    match parent.pace:
        case Pace.AT_ONCE:
            return True
        case Pace.FILLED:
            return all(kid.status.final for kid in kids)
        case Pace.TIMED:
            return situation.now >= _next_at(parent, kids)


def _send(
    state: TradingState,
    parent: Parent,
    kids: list[Order],
    instrument: Instrument,
    situation: Situation,
    install: str,
) -> Decision | None:
    place, room = len(kids), parent.terms.qty - committed(kids)
    size = min(parent.parts[place] if place < len(parent.parts) else parent.largest, room)
    if parent.risk is not RiskClass.INCREASE:
        size = min(size, _taken(parent, kids), _open(state, parent)) // parent.lot * parent.lot
        if size <= 0:
            alive = any(not kid.status.final for kid in kids)
            return None if alive else _stop(parent, kids, "nothing of the position is left to close")
    decision = Decision(parent.actor, parent.id)
    terms = msgspec.structs.replace(parent.terms, qty=size)
    add_order(state, decision, terms, instrument, situation, install, ENTRY, parent.id, place % MOST_PARTS)
    refused, decision.reply = decision.reply, None
    if refused is not None and not refused.ok:
        _stopped(decision, parent, kids, refused.text.rstrip("."))
    return decision


def _taken(parent: Parent, kids: list[Order]) -> int:
    """The largest part an exit may try: half of the smallest that was rejected, at least a lot."""
    rejected = [kid.terms.qty for kid in kids if kid.status is OrderStatus.REJECTED]
    if not rejected:
        return parent.largest
    return max(min(rejected) // parent.lot // 2, 1) * parent.lot


def _open(state: TradingState, parent: Parent) -> int:
    """Units of the live position that the parent's side would close and nothing closes yet."""
    terms = parent.terms
    held = state.positions.get(str(PositionKey(terms.account, terms.product, terms.contract)))
    if held is None or held.qty * terms.side.sign >= 0:
        return 0
    return uncovered(state, held)


def cancel_late(actor: str, cause: str, orders: Iterable[Order], since: Since) -> Decision | None:
    """Cancellations that could not leave with the others: of orders acknowledged late, or that refused a while ago."""
    decision = Decision(actor, cause)
    for order in orders:
        rested = not order.reason_code or since(order.updated_at) >= ASK_AGAIN
        if cancellable(order) and order.pending is Pending.NONE and not order.cancel_wanted and rested:
            ask_cancel(decision, order, f"{cause} is cancelled")
    return decision if decision.facts else None


# ---------------------------------------------------------------- ends


def _end(parent: Parent, status: ParentStatus, why: str = "") -> Decision:
    decision = Decision(parent.actor, parent.id)
    decision.facts.append(ev.ParentEnded(parent_id=parent.id, status=status, why=why))
    return decision


def _stop(parent: Parent, kids: list[Order], why: str, cancel: bool = False) -> Decision:
    decision = Decision(parent.actor, parent.id)
    _stopped(decision, parent, kids, why, cancel)
    return decision


def _stopped(decision: Decision, parent: Parent, kids: list[Order], why: str, cancel: bool = False) -> None:
    works = sum(not kid.status.final for kid in kids)
    text = (
        f"{parent.id} {parent.terms.side.value} {parent.terms.qty} {parent.terms.contract} sends no more parts: {why}. "
        f"{filled(kids)} filled, {works} parts still work."
    )
    decision.facts += [
        ev.ParentEnded(parent_id=parent.id, status=ParentStatus.STOPPED, why=why, cancel=cancel),
        ev.NoticeRaised(
            level="warning" if parent.risk is RiskClass.INCREASE else "alarm",
            code="PARENT_STOPPED",
            text=text,
            subject=parent.id,
        ),
    ]


def kids_of(state: TradingState, parent_id: str) -> list[Order]:
    """The parts sent so far, oldest first."""
    return [order for order in state.orders.values() if order.parent == parent_id]
