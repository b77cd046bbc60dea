"""Facts about the engine itself, its days and its accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import automation, composites, restraints
from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import AccountBook, TradingState
from optconsole.engine.model.orders import Role
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import Guard, Repair


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


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.EngineStarted: _engine_started,
    ev.EngineReady: _engine_ready,
    ev.EngineStopped: _engine_stopped,
    ev.SessionOpened: _session_opened,
    ev.SessionClosed: _session_closed,
    ev.AccountOpened: _account_opened,
}
