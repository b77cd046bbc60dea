"""Limits at every level: how much of each is used. Pure.

What is used is unknown, and never zero, where a price or the broker's word on money is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import (
    CAPS,
    PROFITS,
    SENSITIVE,
    Level,
    Limit,
    LimitKind,
    OrderLimits,
    ScopeState,
    Standing,
    Unit,
    limit_key,
    scope_key,
)
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import OrderStatus, RiskClass
from optconsole.engine.rules import exposure
from optconsole.engine.rules.exposure import Line, Mark
from optconsole.engine.rules.sensitivity import SensitivityOf, net

K = LimitKind
STEPS: Final = (50, 80, 95)
"""Per cent of a limit at which the trader is told, once a day each."""


@dataclass(frozen=True, slots=True)
class FundsSeen:
    """The broker's word on money, and the engine's time at which it was read."""

    funds: Funds
    at: datetime


FundsOf = Callable[[str], FundsSeen | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """``used`` in the limit's unit and ``share`` in per cent of it; None while unknown, for want of ``missing``.

    ``broken`` is reached or passed, so that the limit's action is due.
    """

    used: int | None
    share: float | None
    broken: bool = False
    missing: str = ""


def order_limits(state: TradingState, configured: OrderLimits) -> OrderLimits:
    """What one order is measured by: the limits of the order level where there are some, else as configured."""
    lots = state.limits.get(limit_key(Level.ORDER, "", K.ORDER_LOTS))
    deviation = state.limits.get(limit_key(Level.ORDER, "", K.DEVIATION))
    return OrderLimits(
        max_lots=configured.max_lots if lots is None else lots.value,
        deviation_percent=configured.deviation_percent if deviation is None else deviation.value,
        duplicate_seconds=configured.duplicate_seconds,
        mis_cutoff_minutes=configured.mis_cutoff_minutes,
        expiry_cutoff_minutes=configured.expiry_cutoff_minutes,
    )


# ------------------------------------------------------------ how much is used


def day_profit(state: TradingState, level: Level, name: str, mark: Mark) -> tuple[int | None, str]:
    """Net paise a scope has made today (features 1.13), with what is open at its mark.

    What was carried in counts from where the day before ended: its earlier loss was that day's. None with the contract
    that has no price when one is missing: an unknown loss is not no loss (reliability O24).
    """
    total = 0
    for position in exposure.held(state, level, name):
        contract = position.key.contract
        base = state.bases.get(contract)
        profit = position.day_profit(mark(contract) if position.qty else None, None if base is None else base.price)
        if profit is None:
            return None, contract
        total += profit
    return total, ""


def capital(state: TradingState, level: Level, name: str) -> int:
    """Opening cash of an account, of a group's, or of all."""
    within = exposure.reach(state, level, name)
    return sum(book.account.capital for book in state.accounts.values() if within(book.account.id, "", ""))


def measure(
    state: TradingState, limit: Limit, mark: Mark, funds: FundsOf, known: SensitivityOf = lambda _name: None
) -> Usage | None:
    """How much of a limit is used; None for one that only judges orders as they come."""
    if limit.kind in SENSITIVE:
        used, missing = net(limit.kind, exposure.lines(state, limit.level, limit.name), known)
        return Usage(None, None, missing=missing) if used is None else _usage(used, limit.value)
    if limit.kind in PROFITS:
        profit, missing = day_profit(state, limit.level, limit.name, mark)
        return Usage(None, None, missing=missing) if profit is None else _of_profit(state, limit, profit)
    match limit.kind:
        case K.MARGIN_PERCENT:
            return of_margin(limit, funds)
        case K.ORDERS | K.TRADES:
            return _usage(tallied(state, limit), limit.value, reached=limit.kind is K.TRADES)
        case K.REJECTS:
            return _usage(rejects_in_a_row(state, limit.level, limit.name), limit.value, reached=True)
        case K.COOL_OFF:
            return _usage(losses_in_a_row(state, limit.level, limit.name), limit.value, reached=True)
        case K.NAKED_SHORT:
            used = sum(exposure.naked(exposure.lines(state, limit.level, limit.name, waiting=False)).values())
            return Usage(used, 100.0 if used else 0.0, broken=used > 0)
        case _ if limit.kind in CAPS:
            return _usage(count(limit.kind, exposure.lines(state, limit.level, limit.name), mark), limit.value)
    return None


def count(kind: LimitKind, lines: list[Line], mark: Mark) -> int:
    """What a cap counts, in its unit, in the worst case."""
    match kind:
        case K.LOTS:
            return exposure.most_lots(lines)
        case K.OPEN_LOTS:
            return exposure.all_lots(lines)
        case K.OPEN_LEGS:
            return exposure.legs(lines)
        case _:
            return exposure.notional(lines, mark)


def _usage(used: int, allowed: int, reached: bool = False) -> Usage:
    """A cap is broken by more than it, what is ``reached`` by as much."""
    share = used * 100 / allowed if allowed else 100.0 * bool(used)
    return Usage(used, share, broken=used >= allowed if reached else used > allowed)


def _of_profit(state: TradingState, limit: Limit, profit: int) -> Usage:
    peak = max(state.peaks.get(limit.scope, 0), profit)
    match limit.kind:
        case K.MAX_LOSS:
            return _usage(max(-profit, 0), limit.value, reached=True)
        case K.MAX_LOSS_PERCENT:
            money = capital(state, limit.level, limit.name)
            loss, allowed = max(-profit, 0), money * limit.value // 100
            # rounded up: a loss under one per cent is not none
            return Usage(
                -(-loss * 100 // money) if money else None,
                loss * 100 / allowed if allowed else None,
                broken=bool(allowed) and loss >= allowed,
            )
        case K.PROFIT_LOCK:
            reached = peak >= limit.value
            broken = reached and (limit.second is None or profit <= limit.second)
            return Usage(max(profit, 0), max(profit, 0) * 100 / limit.value, broken=broken)
        case _:
            begins = limit.value if limit.second is None else limit.second
            return _usage(peak - profit if peak >= begins else 0, limit.value, reached=True)


def of_margin(limit: Limit, funds: FundsOf) -> Usage:
    """How much of an account's money is margin."""
    seen = funds(limit.name)
    if seen is None or seen.funds.cash <= 0:
        return Usage(None, None, missing="the broker's word on money")
    used = -(-seen.funds.margin_used * 100 // seen.funds.cash)
    return _usage(used, limit.value)


def tallied(state: TradingState, limit: Limit) -> int:
    """Orders sent today in a limit's scope, or those of them that traded."""
    within = exposure.reach(state, limit.level, limit.name)
    tallies = [each for each in state.tallies.values() if within(each.account, "", each.source)]
    return sum(each.trades if limit.kind is K.TRADES else each.orders for each in tallies)


def entries_since(state: TradingState, limit: Limit, moment: datetime) -> list[datetime]:
    """When orders that add risk were sent in a limit's scope after a moment, the newest first."""
    within, found = exposure.reach(state, limit.level, limit.name), list[datetime]()
    for order in reversed(state.orders.values()):
        if order.intended_at <= moment:
            break
        terms = order.terms
        sent = order.status is not OrderStatus.DENIED and order.risk is RiskClass.INCREASE and not order.foreign
        if sent and within(terms.account, terms.contract, terms.source):
            found.append(order.intended_at)
    return found


_UNDECIDED: Final = (OrderStatus.DENIED, OrderStatus.INTENDED, OrderStatus.SENT, OrderStatus.UNKNOWN)


def rejects_in_a_row(state: TradingState, level: Level, name: str) -> int:
    """Orders of a scope the broker refused one after another, up to now and since a person last allowed trading."""
    within = exposure.reach(state, level, name)
    scope = state.scopes.get(scope_key(level, name))
    since = scope.since if scope is not None and scope.standing is Standing.ACTIVE else None
    found = 0
    for order in reversed(state.orders.values()):
        if since is not None and order.intended_at <= since:
            break
        never_left = order.status is OrderStatus.EXPIRED and order.broker_id is None
        if order.status in _UNDECIDED or never_left:
            continue
        if not within(order.terms.account, order.terms.contract, order.terms.source):
            continue
        if order.status is not OrderStatus.REJECTED:
            break
        found += 1
    return found


def losses_in_a_row(state: TradingState, level: Level, name: str) -> int:
    """Exits of a scope that lost one after another, up to now and since trading was last allowed again."""
    within = exposure.reach(state, level, name)
    scope = state.scopes.get(scope_key(level, name))
    since = scope.since if scope is not None and scope.standing is Standing.ACTIVE else None
    found = 0
    for each in reversed(state.exits.values()):
        if not within(each.account, each.contract, each.source):
            continue
        if each.profit >= 0 or (since is not None and each.at <= since):
            break
        found += 1
    return found


# ------------------------------------------------------------ what may leave


def restriction(state: TradingState, account: str, contract: str, source: str) -> ScopeState | None:
    """The strictest state that an order there is under; None when it is free."""
    limited = (scope for scope in state.scopes.values() if scope.standing is not Standing.ACTIVE)
    over = [scope for scope in limited if exposure.reach(state, scope.level, scope.name)(account, contract, source)]
    return max(over, key=lambda scope: scope.standing.severity, default=None)


def worded(unit: Unit, amount: int) -> str:
    """An amount of a unit for sentences: ``1234.50 rupees``, ``3 lots``, ``09:20``."""
    match unit:
        case Unit.PAISE:
            return f"{rupees(amount):.2f} rupees"
        case Unit.LOTS:
            return f"{amount} lots"
        case Unit.PERCENT:
            return f"{amount} %"
        case Unit.MINUTES:
            return clock(amount)
        case _:
            return str(amount)


def clock(minute: int) -> str:
    """A minute of the day as ``09:20``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
