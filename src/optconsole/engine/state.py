"""The trading state and ``apply``, the only code that changes it. Pure: no clock, no input, no output."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec

from optconsole.engine import automation, composites, restraints
from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import AccountBook, Drift, Flattening, Letter, Notice, TradingState
from optconsole.engine.model.orders import Order, OrderStatus, Pending, RiskClass, Role, Trade
from optconsole.engine.model.positions import Position, PositionKey, position_name
from optconsole.engine.model.protection import Guard, Protection, Repair

S = OrderStatus
NOTICES_KEPT: Final = 200


class IllegalTransition(Exception):
    """A fact that cannot follow from the state: the journal and the program disagree."""


_ALIVE: Final = (S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT, S.OPEN, S.TRIGGER_PENDING, S.PARTIAL)
TRANSITIONS: Final[dict[type[ev.OrderEvent], dict[OrderStatus, OrderStatus]]] = {
    ev.OrderSent: {S.INTENDED: S.SENT},
    ev.OrderAcknowledged: {
        S.SENT: S.OPEN,
        S.UNKNOWN: S.OPEN,
        S.PRESUMED_ABSENT: S.OPEN,
        S.OPEN: S.OPEN,
        S.TRIGGER_PENDING: S.TRIGGER_PENDING,
        S.PARTIAL: S.PARTIAL,
        S.FILLED: S.FILLED,
        S.CANCELLED: S.CANCELLED,
        S.REJECTED: S.REJECTED,
        S.EXPIRED: S.EXPIRED,
    },
    ev.OrderConfirmed: {s: s for s in S if s not in (S.DENIED, S.INTENDED)},
    ev.OrderClaimed: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderTriggered: dict.fromkeys((S.OPEN, S.TRIGGER_PENDING, S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT), S.OPEN),
    ev.OrderChangeAsked: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderChanged: {
        S.OPEN: S.OPEN,
        S.TRIGGER_PENDING: S.TRIGGER_PENDING,
        S.PARTIAL: S.PARTIAL,
        S.FILLED: S.FILLED,
        S.CANCELLED: S.CANCELLED,
        S.EXPIRED: S.EXPIRED,
    },
    ev.OrderChangeRefused: {s: s for s in S if s not in (S.DENIED, S.INTENDED)},
    ev.OrderCancelAsked: {S.OPEN: S.OPEN, S.TRIGGER_PENDING: S.TRIGGER_PENDING, S.PARTIAL: S.PARTIAL},
    ev.OrderCancelRefused: {s: s for s in S if s not in (S.DENIED, S.INTENDED)},
    ev.OrderCancelled: dict.fromkeys(_ALIVE, S.CANCELLED),
    ev.OrderRejected: dict.fromkeys(_ALIVE, S.REJECTED),
    ev.OrderExpired: dict.fromkeys((S.INTENDED, *_ALIVE), S.EXPIRED),
    ev.OrderDoubted: {S.SENT: S.UNKNOWN},
    ev.OrderPresumedAbsent: {S.UNKNOWN: S.PRESUMED_ABSENT},
    ev.OrderReleasable: {S.UNKNOWN: S.UNKNOWN},
    ev.OrderDoubtReleased: {S.UNKNOWN: S.UNKNOWN, S.PRESUMED_ABSENT: S.PRESUMED_ABSENT},
}
"""The legal changes of an order's status. A fill is judged by ``_after_fill``; it may arrive in any sent state."""


def next_status(order: Order, event: ev.OrderEvent) -> OrderStatus:
    """The status after ``event``. Raises IllegalTransition when the event cannot happen to the order."""
    kind = type(event)  # most facts are of another kind, and that costs isinstance four times as much to see
    if kind is ev.OrderFilled:
        return _after_fill(order, event)
    after = TRANSITIONS.get(kind, {}).get(order.status)
    if after is None:
        raise IllegalTransition(f"{type(event).__name__} cannot happen to {order.id}, which is {order.status}")
    if kind is ev.OrderAcknowledged and order.status in (S.SENT, S.UNKNOWN, S.PRESUMED_ABSENT):
        waits = order.terms.type.has_trigger and not order.triggered
        return S.TRIGGER_PENDING if waits else S.OPEN
    return after


def _after_fill(order: Order, event: Any) -> OrderStatus:
    if order.status in (S.DENIED, S.INTENDED):
        raise IllegalTransition(f"a fill of {order.id}, which was never sent")
    if order.filled + event.qty >= order.terms.qty:
        return S.FILLED
    return order.status if order.status.final else S.PARTIAL


def trade_key(account: str, day: date, trade_id: str) -> str:
    """Trade numbers are unique per account and day only."""
    return f"{account}/{day.isoformat()}/{trade_id}"


def apply(state: TradingState, fact: Recorded) -> TradingState:
    """Fold one fact into the state and return it. Raises IllegalTransition on a gap or an impossible fact."""
    if fact.seq != state.seq + 1:
        raise IllegalTransition(f"fact {fact.seq} cannot follow {state.seq}")
    event = fact.event
    if type(event) in _MOVING and isinstance(event, ev.OrderEvent):
        before = state.orders.get(event.order_id)
        _APPLY[type(event)](state, fact, event)
        restraints.order_moved(state, before, state.orders[event.order_id])
    else:
        _APPLY[type(event)](state, fact, event)
    state.seq = fact.seq
    return state


def digest(state: TradingState) -> str:
    """SHA-256 of the whole state in a canonical form: equal states, and only they, have equal digests."""
    return hashlib.sha256(msgspec.json.encode(state, order="deterministic")).hexdigest()


def _engine_started(state: TradingState, _fact: Recorded, event: ev.EngineStarted) -> None:
    """What an earlier run saw in the broker's book is no proof of what works now."""
    state.world, state.epoch, state.ready = event.world, event.epoch, False
    for order in list(state.orders.values()):
        if order.role is Role.STOP and order.confirmed:
            state.orders[order.id] = msgspec.structs.replace(order, confirmed=False)


def _engine_ready(state: TradingState, _fact: Recorded, _event: ev.EngineReady) -> None:
    state.ready = True


def _engine_stopped(state: TradingState, _fact: Recorded, _event: ev.EngineStopped) -> None:
    state.ready = False


def _session_opened(state: TradingState, fact: Recorded, event: ev.SessionOpened) -> None:
    """Yesterday's finished business leaves the working state; its money stays in the account's book."""
    state.day, state.session_open = event.day, True
    automation.end_day(state)
    state.orders = {key: order for key, order in state.orders.items() if not order.status.final}
    state.trades = {}
    carried: dict[str, Position] = {}
    for key, position in state.positions.items():
        book = state.accounts[position.key.account]
        state.accounts[position.key.account] = msgspec.structs.replace(
            book,
            realised_before=book.realised_before + position.realised,
            charges_before=book.charges_before + position.charges,
        )
        if position.qty:
            carried[key] = position.carried()
    state.positions = carried
    composites.end_day(state)
    state.strangers = {key: qty for key, qty in state.strangers.items() if key in carried}
    for key, guard in state.protections.items():
        # yesterday's stop at the exchange died with its day
        state.protections[key] = msgspec.structs.replace(
            guard, state=Guard.NONE, reason=Repair.NONE, since=fact.at, crossing="", crossed_at=None, blind=False
        )
    restraints.day_begins(state, fact)


def _session_closed(state: TradingState, _fact: Recorded, _event: ev.SessionClosed) -> None:
    """What the close does to orders and positions arrives as facts of its own."""
    state.session_open = False


def _account_opened(state: TradingState, _fact: Recorded, event: ev.AccountOpened) -> None:
    known = state.accounts.get(event.account.id)
    state.accounts[event.account.id] = (
        AccountBook(account=event.account) if known is None else msgspec.structs.replace(known, account=event.account)
    )


def _order_denied(state: TradingState, fact: Recorded, event: ev.OrderDenied) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag="",
        terms=event.terms,
        status=S.DENIED,
        risk=RiskClass.INCREASE,
        lot=0,
        intended_at=fact.at,
        updated_at=fact.at,
        reason_code=event.code,
        reason=event.reason,
        actor=fact.actor,
    )


def _order_intended(state: TradingState, fact: Recorded, event: ev.OrderIntended) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag=event.tag,
        terms=event.terms,
        status=S.INTENDED,
        risk=event.risk,
        lot=event.lot,
        intended_at=fact.at,
        updated_at=fact.at,
        actor=fact.actor,
        role=event.role,
        parent=event.parent,
    )
    restraints.order_counted(state, event.terms)


def _order_adopted(state: TradingState, fact: Recorded, event: ev.OrderAdopted) -> None:
    state.order_count += 1
    state.orders[event.order_id] = Order(
        id=event.order_id,
        tag=event.tag,
        terms=event.terms,
        status=S.OPEN,
        risk=event.risk,
        lot=event.lot,
        intended_at=fact.at,
        updated_at=fact.at,
        broker_id=event.broker_id,
        actor=fact.actor,
    )


def _order_changed(state: TradingState, fact: Recorded, event: ev.OrderEvent) -> None:
    order = state.orders.get(event.order_id)
    if order is None:
        raise IllegalTransition(f"{type(event).__name__} of {event.order_id}, an order nobody intended")
    changes = {"status": next_status(order, event), "updated_at": fact.at, **_CHANGES[type(event)](order, fact, event)}
    state.orders[order.id] = msgspec.structs.replace(order, **changes)


Changes = dict[str, Any]
_SETTLED: Final[Changes] = {"pending": Pending.NONE, "asked": None}
NOT_CONFIRMED: Final = "NOT_CONFIRMED"
"""Reason code of a change or cancel of which nobody knows whether it was carried out."""


def _new_terms(order: Order, _fact: Recorded, event: ev.OrderChanged) -> Changes:
    """On new terms an order is unconfirmed until the book shows them; one that lost its trigger waits no longer."""
    changes: Changes = {**_SETTLED, "terms": event.terms, "confirmed": False}
    if not order.status.final and order.filled >= event.terms.qty:
        changes["status"] = S.FILLED
    elif order.status is S.TRIGGER_PENDING and not event.terms.type.has_trigger:
        changes["status"] = S.OPEN
    return changes


def _cancel_refused(_order: Order, _fact: Recorded, event: ev.OrderCancelRefused) -> Changes:
    # one that was merely not confirmed is still wanted
    return {**_refused(_order, _fact, event), "cancel_wanted": event.code == NOT_CONFIRMED}


def _refused(_order: Order, _fact: Recorded, event: Any) -> Changes:
    return {**_SETTLED, "reason_code": event.code, "reason": event.reason}


def _ended(_order: Order, _fact: Recorded, event: Any) -> Changes:
    return {**_SETTLED, "reason": event.reason}


_CHANGES: Final[dict[type[ev.OrderEvent], Callable[[Order, Recorded, Any], Changes]]] = {
    ev.OrderSent: lambda _order, fact, _event: {"sent_at": fact.at},
    ev.OrderAcknowledged: lambda _order, _fact, event: {
        "broker_id": event.broker_id,
        "reason_code": "",
        "reason": "",
        "releasable": False,
        "released": False,
    },
    ev.OrderConfirmed: lambda _order, _fact, _event: {"confirmed": True},
    ev.OrderClaimed: lambda _order, _fact, _event: {"claimed": True},
    ev.OrderTriggered: lambda _order, _fact, _event: {"triggered": True},
    ev.OrderChangeAsked: lambda order, fact, event: {
        "pending": Pending.MODIFY,
        "asked": event.terms,
        "changed_at": fact.at,
        "changes": order.changes + 1,
    },
    ev.OrderChanged: _new_terms,
    ev.OrderChangeRefused: _refused,
    ev.OrderCancelAsked: lambda _order, fact, _event: {
        "pending": Pending.CANCEL,
        "changed_at": fact.at,
        "cancel_wanted": True,
    },
    ev.OrderCancelRefused: _cancel_refused,
    ev.OrderCancelled: _ended,
    ev.OrderRejected: _refused,
    ev.OrderExpired: _ended,
    ev.OrderDoubted: lambda _order, _fact, event: {"reason_code": "UNKNOWN", "reason": event.cause},
    ev.OrderPresumedAbsent: lambda _order, _fact, event: {
        "reason_code": "PRESUMED_ABSENT",
        "reason": f"{event.reads} readings of the broker's book do not show it.",
    },
    ev.OrderReleasable: lambda _order, _fact, event: {
        "releasable": True,
        "reason": f"Probably absent: {event.reads} readings of the broker's book do not show it.",
    },
    ev.OrderDoubtReleased: lambda _order, _fact, _event: {"released": True},
}
"""What each event writes into its order besides the status. Its keys are those of ``TRANSITIONS``."""


def _order_filled(state: TradingState, fact: Recorded, event: ev.OrderFilled) -> None:
    order = state.orders.get(event.order_id)
    if order is None:
        raise IllegalTransition(f"a fill of {event.order_id}, an order nobody intended")
    key = trade_key(event.account, event.traded_at.date(), event.trade_id)
    if key in state.trades:
        raise IllegalTransition(f"trade {key} is counted already")
    status = next_status(order, event)
    state.orders[order.id] = msgspec.structs.replace(
        order,
        status=status,
        filled=order.filled + event.qty,
        filled_value=order.filled_value + event.qty * event.price,
        charges=order.charges + event.charges,
        pending=Pending.NONE if status.final else order.pending,
        asked=None if status.final else order.asked,
        triggered=order.triggered or order.terms.type.has_trigger,
        updated_at=fact.at,
    )
    state.trades[key] = Trade(
        id=event.trade_id,
        order_id=event.order_id,
        account=event.account,
        contract=event.contract,
        product=event.product,
        side=event.side,
        qty=event.qty,
        price=event.price,
        charges=event.charges,
        at=event.traded_at,
    )
    name = position_name(event.account, event.product, event.contract)
    held = state.positions.get(name)
    if held is None:
        held = Position(key=PositionKey(event.account, event.product, event.contract), lot=order.lot)
    after = state.positions[name] = held.traded(event.side.sign * event.qty, event.price, event.charges)
    if state.killed and order.foreign and after.qty:
        state.strangers[name] = state.strangers.get(name, 0) + event.side.sign * event.qty
    if not after.qty:
        state.strangers.pop(name, None)
    restraints.fill_counted(state, order, event, name, held)


def _position_adopted(state: TradingState, _fact: Recorded, event: ev.PositionAdopted) -> None:
    key = PositionKey(event.account, event.product, event.contract)
    held = state.positions.get(str(key)) or Position(key=key, lot=event.lot)
    state.positions[str(key)] = held.traded(event.qty, event.price)
    restraints.quantity_adopted(state, event)
    state.drifts.pop(str(key), None)


def _drift_seen(state: TradingState, fact: Recorded, event: ev.DriftSeen) -> None:
    key = PositionKey(event.account, event.product, event.contract)
    known = state.drifts.get(str(key))
    since = fact.at if known is None else known.since
    state.drifts[str(key)] = Drift(key=key, ours=event.ours, theirs=event.theirs, since=since)


def _drift_ended(state: TradingState, _fact: Recorded, event: ev.DriftEnded) -> None:
    state.drifts.pop(str(PositionKey(event.account, event.product, event.contract)), None)


def _position_settled(state: TradingState, _fact: Recorded, event: ev.PositionSettled) -> None:
    key = position_name(event.account, event.product, event.contract)
    held = state.positions.get(key)
    if held is None or held.qty != event.qty:
        raise IllegalTransition(f"settlement of {event.qty} {key}, of which {held.qty if held else 0} are open")
    state.positions[key] = held.traded(-event.qty, event.price, event.charges)
    state.strangers.pop(key, None)
    restraints.position_settled(state, key, event)


def _notice_raised(state: TradingState, fact: Recorded, event: ev.NoticeRaised) -> None:
    notice = Notice(seq=fact.seq, level=event.level, code=event.code, text=event.text, subject=event.subject)
    state.notices = (*state.notices, notice)[-NOTICES_KEPT:]


def _notice_acknowledged(state: TradingState, _fact: Recorded, event: ev.NoticeAcknowledged) -> None:
    state.acknowledged = max(state.acknowledged, event.upto)


def _input_set_aside(state: TradingState, fact: Recorded, event: ev.InputSetAside) -> None:
    known = state.letters.get(event.letter_id)
    state.letters[event.letter_id] = Letter(
        id=event.letter_id,
        account=event.account,
        kind=event.kind,
        row=event.row,
        why=event.why,
        at=fact.at,
        tries=1 if known is None else known.tries + 1,
    )


def _letter_gone(state: TradingState, _fact: Recorded, event: ev.InputReplayed | ev.InputDropped) -> None:
    if state.letters.pop(event.letter_id, None) is None:
        raise IllegalTransition(f"no letter is called {event.letter_id}")


def _flatten_begun(state: TradingState, fact: Recorded, event: ev.FlattenBegun) -> None:
    state.flattening[event.flatten_id] = Flattening(
        id=event.flatten_id,
        kind=event.kind,
        name=event.name,
        percent=event.percent,
        why=event.why,
        actor=fact.actor,
        begun=fact.at,
        targets=event.targets,
        after=state.order_count,
    )


def _flatten_held(state: TradingState, _fact: Recorded, event: ev.FlattenHeld) -> None:
    wish = state.flattening.get(event.flatten_id)
    if wish is not None:
        state.flattening[wish.id] = msgspec.structs.replace(wish, held=event.text)


def _flatten_ended(state: TradingState, _fact: Recorded, event: ev.FlattenEnded) -> None:
    state.flattening.pop(event.flatten_id, None)


def _kill_engaged(state: TradingState, fact: Recorded, event: ev.KillEngaged) -> None:
    state.killed, state.kill_reason, state.killed_at = True, event.why, fact.at
    state.killed_after, state.strangers = state.order_count, {}


def _kill_released(state: TradingState, _fact: Recorded, _event: ev.KillReleased) -> None:
    state.killed, state.kill_reason, state.killed_at = False, "", None
    state.killed_after, state.strangers = 0, {}


def _protection_set(state: TradingState, fact: Recorded, event: ev.ProtectionSet) -> None:
    known = state.protections.get(str(event.key))
    if known is None or known.id != event.protection_id:
        state.protection_count += 1
    state.protections[str(event.key)] = Protection(
        id=event.protection_id,
        key=event.key,
        sign=event.sign,
        stop=event.stop,
        target=event.target,
        mode=event.mode,
        wide=event.wide,
        since=fact.at,
    )


def _protection_changed(state: TradingState, fact: Recorded, event: ev.ProtectionEvent) -> None:
    guard = state.protections.get(str(event.key))
    if guard is None:
        raise IllegalTransition(f"{type(event).__name__} of {event.key}, which nothing guards")
    changes: dict[str, Any] = {}
    match event:
        case ev.ProtectionMoved():
            changes = {"state": event.state, "reason": event.reason, "since": fact.at}
        case ev.ProtectionCrossed():
            seen = fact.at if event.crossing else None
            changes = {"crossing": event.crossing, "crossed_at": seen, "crossed_ts": event.ts}
        case ev.ProtectionSight():
            changes = {"blind": event.blind}
    state.protections[str(event.key)] = msgspec.structs.replace(guard, **changes)


def _protection_ended(state: TradingState, _fact: Recorded, event: ev.ProtectionEnded) -> None:
    state.protections.pop(str(event.key), None)


def _for_the_record(_state: TradingState, _fact: Recorded, _event: ev.CommandRefused | ev.CommandNoted) -> None:
    """Kept for the journal; it changes nothing."""


_APPLY: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.EngineStarted: _engine_started,
    ev.EngineReady: _engine_ready,
    ev.EngineStopped: _engine_stopped,
    ev.SessionOpened: _session_opened,
    ev.SessionClosed: _session_closed,
    ev.AccountOpened: _account_opened,
    ev.OrderDenied: _order_denied,
    ev.OrderIntended: _order_intended,
    ev.OrderAdopted: _order_adopted,
    ev.OrderFilled: _order_filled,
    ev.InputSetAside: _input_set_aside,
    ev.InputReplayed: _letter_gone,
    ev.InputDropped: _letter_gone,
    ev.FlattenBegun: _flatten_begun,
    ev.FlattenHeld: _flatten_held,
    ev.FlattenEnded: _flatten_ended,
    ev.ProtectionSet: _protection_set,
    ev.ProtectionMoved: _protection_changed,
    ev.ProtectionCrossed: _protection_changed,
    ev.ProtectionSight: _protection_changed,
    ev.ProtectionTriggered: _protection_changed,
    ev.ProtectionEnded: _protection_ended,
    ev.PositionAdopted: _position_adopted,
    ev.DriftSeen: _drift_seen,
    ev.DriftEnded: _drift_ended,
    ev.PositionSettled: _position_settled,
    ev.NoticeRaised: _notice_raised,
    ev.NoticeAcknowledged: _notice_acknowledged,
    ev.KillEngaged: _kill_engaged,
    ev.KillReleased: _kill_released,
    ev.CommandRefused: _for_the_record,
    ev.CommandNoted: _for_the_record,
    **restraints.APPLY,
    **dict.fromkeys(TRANSITIONS, _order_changed),
    **composites.FOLDS,
    **automation.FOLDS,
}
_MOVING: Final = frozenset(kind for kind in _APPLY if issubclass(kind, ev.OrderEvent)) - restraints.STILL
"""Facts that may change how much of an order can still trade."""
