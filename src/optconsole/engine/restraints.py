"""How facts about limits, trading states and sources change the trading state. Pure; ``state`` is who calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model import shares
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import Exit, LimitDay, Reserved, ScopeState, Standing, Tally, limit_key, scope_key
from optconsole.engine.model.orders import Order, OrderTerms, Side
from optconsole.engine.model.positions import Base, Basis, Position, position_name


def day_begins(state: TradingState, fact: Recorded) -> None:
    """What counts by the day begins anew, states that were for the day end, open parts are carried as positions are.

    A day's profit begins where the day before ended, if that was seen.
    """
    state.limit_days, state.peaks, state.tallies, state.unseen, state.exits = {}, {}, {}, {}, {}
    held = {position.key.contract for position in state.positions.values()}
    state.bases = {name: Base(price, Basis.CLOSE) for name, price in state.closes.items() if name in held}
    state.closes = {}
    for key, scope in state.scopes.items():
        if scope.daily and scope.standing is not Standing.ACTIVE:
            state.scopes[key] = ScopeState(
                level=scope.level,
                name=scope.name,
                standing=Standing.ACTIVE,
                why="a new day",
                by=fact.actor,
                since=fact.at,
            )
    state.books = {name: kept for name, parts in state.books.items() if (kept := shares.carried(parts))}


_BUY: Final = Side.BUY
STILL: Final = frozenset(
    {
        ev.OrderDenied,
        ev.OrderSent,
        ev.OrderAcknowledged,
        ev.OrderConfirmed,
        ev.OrderClaimed,
        ev.OrderTriggered,
        ev.OrderCancelAsked,
        ev.OrderDoubted,
        ev.OrderPresumedAbsent,
        ev.OrderReleasable,
        ev.OrderDoubtReleased,
    }
)
"""Facts about an order that leave as much of it to trade as before."""


def order_moved(state: TradingState, before: Order | None, after: Order) -> None:
    """What may still trade changes with the order. Kept up fact by fact: a walk over all orders is too slow a check."""
    was, now = 0 if before is None else before.may_trade, after.may_trade
    if before is None or before.terms is after.terms:
        if now != was:
            _reserve(state, after, now - was)
        return
    _reserve(state, before, -was)
    _reserve(state, after, now)


def _reserve(state: TradingState, order: Order, units: int) -> None:
    terms = order.terms
    key = f"{position_name(terms.account, terms.product, terms.contract)}|{terms.source}"
    found = state.reserved.get(key)
    buys, sells, value = (0, 0, 0) if found is None else (found.buys, found.sells, found.value)
    if terms.side is _BUY:
        buys += units
    else:
        sells += units
    if buys or sells:
        state.reserved[key] = Reserved(
            account=terms.account,
            product=terms.product,
            contract=terms.contract,
            source=terms.source,
            lot=order.lot,
            buys=buys,
            sells=sells,
            value=value + units * (terms.limit or 0),
        )
    elif found is not None:
        del state.reserved[key]


def order_counted(state: TradingState, terms: OrderTerms) -> None:
    """One more order was sent on behalf of its source."""
    _count(state, terms, 1, 0)


def fill_counted(
    state: TradingState, order: Order, event: ev.OrderFilled, name: str, held: Position, at: datetime
) -> None:
    """A fill belongs to its source, or closes what the sources hold. Order and position are as before the fill."""
    if not order.filled:
        _count(state, order.terms, 0, 1)
    source = order.terms.source
    parts = state.books.get(name)
    qty = event.side.sign * event.qty
    if parts is None and not source:
        if held.qty * qty < 0:
            _closed(state, order, shares.begun(held), shares.begun(held.traded(qty, event.price)), at)
        return
    before = parts or shares.begun(held)
    state.books[name] = after = shares.traded(before, source, qty, event.price, event.charges)
    _closed(state, order, before, after, at)


def _closed(state: TradingState, order: Order, before: shares.Parts, after: shares.Parts, at: datetime) -> None:
    """Note what a fill closed, for whom, and what that made; the parts of one order are one exit."""
    held = {part.source: part.held for part in before}
    for part in after:
        was = held.get(part.source)
        if was is None or not was.qty or part.held.qty == was.qty or (part.held.qty - was.qty) * was.qty > 0:
            continue
        key = f"{order.parent or order.id}|{part.source}"
        known = state.exits.pop(key, None)
        state.exits[key] = Exit(
            account=order.terms.account,
            contract=order.terms.contract,
            source=part.source,
            profit=part.held.realised - was.realised + (0 if known is None else known.profit),
            at=at,
        )


def quantity_adopted(state: TradingState, event: ev.PositionAdopted) -> None:
    """What was traded elsewhere counts as traded by hand."""
    name = position_name(event.account, event.product, event.contract)
    if name in state.books:
        state.books[name] = shares.traded(state.books[name], "", event.qty, event.price, 0)


def units_moved(state: TradingState, event: ev.UnitsMoved) -> None:
    """What changed hands; a position that only the hand has traded gets its parts by this."""
    name = position_name(event.account, event.product, event.contract)
    parts = state.books.get(name) or shares.begun(state.positions[name])
    state.books[name] = shares.moved(parts, event.source, event.to, event.qty)


def position_settled(state: TradingState, name: str, event: ev.PositionSettled) -> None:
    """Every source's part ends at the settlement price."""
    if name in state.books:
        state.books[name] = shares.settled(state.books[name], event.price, event.charges)


def _count(state: TradingState, terms: OrderTerms, orders: int, trades: int) -> None:
    key = f"{terms.account}|{terms.source}"
    known = state.tallies.get(key)
    if known is not None:
        orders, trades = orders + known.orders, trades + known.trades
    state.tallies[key] = Tally(account=terms.account, source=terms.source, orders=orders, trades=trades)


def _limits_seeded(state: TradingState, _fact: Recorded, event: ev.LimitsSeeded) -> None:
    state.limits_seeded = True
    state.limits = {**{limit.key: limit for limit in event.limits}, **state.limits}


def _limit_set(state: TradingState, _fact: Recorded, event: ev.LimitSet) -> None:
    state.limits[event.limit.key] = event.limit
    state.limit_days.pop(event.limit.key, None)


def _limit_removed(state: TradingState, _fact: Recorded, event: ev.LimitRemoved) -> None:
    key = _key(event)
    state.limits.pop(key, None)
    state.limit_days.pop(key, None)


def _limit_warned(state: TradingState, _fact: Recorded, event: ev.LimitWarned) -> None:
    day = state.limit_days.get(_key(event)) or LimitDay()
    state.limit_days[_key(event)] = msgspec.structs.replace(day, warned=event.step)


def _limit_broken(state: TradingState, _fact: Recorded, event: ev.LimitBroken) -> None:
    state.limit_days[_key(event)] = LimitDay(warned=100, broken=True)


def _contracts_marked(state: TradingState, _fact: Recorded, event: ev.ContractsMarked) -> None:
    if event.basis is Basis.CLOSE:
        state.closes.update(event.prices)
    else:
        state.bases.update((name, Base(price, event.basis)) for name, price in event.prices.items())


def _profit_peaked(state: TradingState, _fact: Recorded, event: ev.ProfitPeaked) -> None:
    state.peaks[scope_key(event.level, event.name)] = event.profit


def _profit_lost(state: TradingState, _fact: Recorded, event: ev.ProfitLost) -> None:
    state.unseen[scope_key(event.level, event.name)] = event.blocks


def _profit_seen(state: TradingState, _fact: Recorded, event: ev.ProfitSeen) -> None:
    state.unseen.pop(scope_key(event.level, event.name), None)


def _trading_state_changed(state: TradingState, fact: Recorded, event: ev.TradingStateChanged) -> None:
    key = scope_key(event.level, event.name)
    state.scopes[key] = ScopeState(
        level=event.level,
        name=event.name,
        standing=event.standing,
        why=event.why,
        by=fact.actor,
        since=fact.at,
        until=event.until,
        daily=event.daily,
        sweep=event.sweep,
    )
    if event.rearms:
        for name, limit in state.limits.items():
            if limit.scope == key:
                state.limit_days.pop(name, None)


def _key(event: ev.LimitEvent) -> str:
    return limit_key(event.level, event.name, event.kind)


APPLY: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.LimitsSeeded: _limits_seeded,
    ev.LimitSet: _limit_set,
    ev.LimitRemoved: _limit_removed,
    ev.LimitWarned: _limit_warned,
    ev.LimitBroken: _limit_broken,
    ev.ContractsMarked: _contracts_marked,
    ev.ProfitPeaked: _profit_peaked,
    ev.ProfitLost: _profit_lost,
    ev.ProfitSeen: _profit_seen,
    ev.TradingStateChanged: _trading_state_changed,
}
