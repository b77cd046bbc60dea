"""Facts that move a position, and how it differs from the broker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine import restraints
from optconsole.engine.events import Recorded
from optconsole.engine.folds.transitions import IllegalTransition, next_status
from optconsole.engine.model.book import Drift, TradingState
from optconsole.engine.model.orders import Pending, Trade, trade_key
from optconsole.engine.model.positions import Position, PositionKey, position_name

_replace: Final = msgspec.structs.replace
_NOTHING: Final = Pending.NONE


def _order_filled(state: TradingState, fact: Recorded, event: ev.OrderFilled) -> None:
    order = state.orders.get(event.order_id)
    if order is None:
        raise IllegalTransition(f"a fill of {event.order_id}, an order nobody intended")
    key = trade_key(event.account, event.traded_at.date(), event.trade_id)
    if key in state.trades:
        raise IllegalTransition(f"trade {key} is counted already")
    status, price, qty, sign = next_status(order, event), event.price, event.qty, event.side.sign
    ended = status.final
    state.orders[order.id] = _replace(
        order,
        status=status,
        filled=order.filled + qty,
        filled_value=order.filled_value + qty * price,
        charges=order.charges + event.charges,
        pending=_NOTHING if ended else order.pending,
        asked=None if ended else order.asked,
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
        qty=qty,
        price=price,
        charges=event.charges,
        at=event.traded_at,
    )
    name = position_name(event.account, event.product, event.contract)
    held = state.positions.get(name)
    if held is None:
        held = Position(key=PositionKey(event.account, event.product, event.contract), lot=order.lot)
    after = state.positions[name] = held.traded(sign * qty, price, event.charges)
    if state.killed and order.foreign and after.qty:
        state.strangers[name] = state.strangers.get(name, 0) + sign * qty
    if not after.qty:
        state.strangers.pop(name, None)
    restraints.fill_counted(state, order, event, name, held, fact.at)


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


def _units_moved(state: TradingState, _fact: Recorded, event: ev.UnitsMoved) -> None:
    try:
        restraints.units_moved(state, event)
    except (KeyError, ValueError) as fault:
        raise IllegalTransition(f"{event.qty} units of {event.contract} cannot change hands: {fault}") from None


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.OrderFilled: _order_filled,
    ev.PositionAdopted: _position_adopted,
    ev.PositionSettled: _position_settled,
    ev.UnitsMoved: _units_moved,
    ev.DriftSeen: _drift_seen,
    ev.DriftEnded: _drift_ended,
}
