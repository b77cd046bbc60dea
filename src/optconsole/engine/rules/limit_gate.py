"""Which orders the limits let pass, and in which sentence they do not. Pure.

An order that reduces a position is refused by no limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import (
    CAPS,
    PROFITS,
    SENSITIVE,
    Level,
    Limit,
    LimitAction,
    LimitKind,
    ScopeState,
    Standing,
    Unit,
    scope_key,
)
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass, Role
from optconsole.engine.queries import Check
from optconsole.engine.rules import exposure
from optconsole.engine.rules.exposure import Change, Mark
from optconsole.engine.rules.limits import FundsOf, clock, count, entries_since, of_margin, restriction, tallied, worded
from optconsole.engine.rules.sensitivity import SensitivityOf, net


@dataclass(frozen=True, slots=True)
class Asked:
    """An order before the gate, with what the gate may know.

    ``replacing`` is the order a change is for, ``beside`` what is asked for together with it.
    """

    terms: OrderTerms
    instrument: Instrument
    risk: RiskClass
    role: Role
    now: datetime
    mark: Mark
    funds: FundsOf
    replacing: Order | None = None
    parent: str = ""
    beside: tuple[Change, ...] = ()
    known: SensitivityOf = lambda _name: None

    @property
    def change(self) -> Change:
        """What it adds to what may trade."""
        filled = 0 if self.replacing is None else self.replacing.filled
        units, lot = max(self.terms.qty - filled, 0), max(self.instrument.lot, 1)
        return Change(self.terms, units, lot, self.replacing, self.parent)


def gate(state: TradingState, asked: Asked) -> Iterator[Check]:
    """Every limit and state that an order runs into. What reduces meets none, but a halted strategy's own orders."""
    terms = asked.terms
    scope = restriction(state, terms.account, terms.contract, terms.source)
    if scope is not None:
        yield from _state_rule(scope, asked)
    if asked.risk is not RiskClass.INCREASE:
        return
    for limit in state.limits.values():
        if not exposure.reach(state, limit.level, limit.name)(terms.account, terms.contract, terms.source):
            continue
        if limit.kind in PROFITS:
            if state.unseen.get(limit.scope):
                yield Check(
                    code="PNL_UNKNOWN",
                    severity="refuse",
                    text=f"The profit of {limit.scope} is unknown for want of a price, and its {limit.kind.value} "
                    "cannot be watched; new risk waits until the price is back.",
                )
            continue
        rule = _RULES.get(limit.kind)
        found = None if rule is None else rule(state, limit, asked)
        if found is not None:
            code, text = found
            yield Check(code=code, severity="warn" if limit.action is LimitAction.ALERT else "refuse", text=text)


def _state_rule(scope: ScopeState, asked: Asked) -> Iterator[Check]:
    name = scope_key(scope.level, scope.name)
    until = "" if scope.until is None else f" until {scope.until:%H:%M}"
    way = f"`optconsole risk state {name} active --why …` allows it again."
    if asked.risk is RiskClass.INCREASE:
        yield Check(
            code=scope.standing.name,
            severity="refuse",
            text=f"{name} is {scope.standing.value}{until} ({scope.why}): only what reduces a position leaves; {way}",
        )
    elif scope.standing is Standing.HALTED and asked.terms.source and asked.role in (Role.ENTRY, Role.HEDGE):
        yield Check(
            code="HALTED",
            severity="refuse",
            text=f"{name} is halted{until} ({scope.why}): strategies send nothing but stops and exits; " + way,
        )


def _order_lots(_state: TradingState, limit: Limit, asked: Asked) -> Found:
    lot = max(asked.instrument.lot, 1)
    # at the order level this is one of the size rules
    if limit.level is Level.ORDER or asked.terms.qty <= limit.value * lot:
        return None
    return "MAX_LOTS", f"{asked.terms.qty // lot} lots is above {_own(limit)}; send at most so many. {_way(limit)}"


def _order_value(_state: TradingState, limit: Limit, asked: Asked) -> Found:
    """What the order is about in money: a cap that holds even when a lot size is wrong (reliability O09)."""
    terms = asked.terms
    unit = exposure.unit_value(terms.contract, asked.mark(terms.contract), terms.limit or 0)
    if terms.qty * unit <= limit.value:
        return None
    passing = limit.value // max(unit * max(asked.instrument.lot, 1), 1)
    about = worded(Unit.PAISE, terms.qty * unit)
    return "MAX_VALUE", f"An order about {about} is above {_own(limit)}; {passing} lots would pass. {_way(limit)}"


def _orders(state: TradingState, limit: Limit, asked: Asked) -> Found:
    sent = tallied(state, limit)
    if asked.replacing is not None or sent < limit.value:
        return None
    return "ORDERS_A_DAY", f"{sent} orders were sent today, which is {_own(limit)}. {_way(limit)}"


def _rate(state: TradingState, limit: Limit, asked: Asked) -> Found:
    """Entries of a level in the last second. The parts of one order count, and are not torn apart for it."""
    if asked.replacing is not None or asked.parent:
        return None
    recent = entries_since(state, limit, asked.now - timedelta(seconds=1))
    if len(recent) < limit.value:
        return None
    wait = 1.0 - (asked.now - recent[limit.value - 1]).total_seconds()
    return "ORDER_RATE", (
        f"{len(recent)} entries were sent in the last second, and {_own(limit)}; "
        f"try again in {wait:.1f} s. {_way(limit)}"
    )


def _hours(_state: TradingState, limit: Limit, asked: Asked) -> Found:
    minute = asked.now.hour * 60 + asked.now.minute
    if limit.second is None or limit.value <= minute < limit.second:
        return None
    return "OUTSIDE_HOURS", (
        f"{scope_key(limit.level, limit.name)} takes new risk from {clock(limit.value)} to {clock(limit.second)}; "
        f"it is {asked.now:%H:%M}. {_way(limit)}"
    )


def _naked(state: TradingState, limit: Limit, asked: Asked) -> Found:
    before = exposure.naked(exposure.lines(state, limit.level, limit.name, waiting=False))
    after = exposure.naked(exposure.lines(state, limit.level, limit.name, asked.change, waiting=False))
    if sum(after.values()) <= sum(before.values()):
        return None
    bare = ", ".join(f"{units} {what}" for what, units in sorted(after.items()))
    return "NAKED_SHORT", f"It would leave {bare} sold and uncovered; buy what covers them first. {_way(limit)}"


def _margin(_state: TradingState, limit: Limit, asked: Asked) -> Found:
    usage = of_margin(limit, asked.funds)
    if usage.used is None:
        return "MARGIN_UNKNOWN", f"What {_own(limit)} is measured by, {usage.missing}, is not known; try again soon."
    if usage.used < limit.value:
        return None
    return "MARGIN_PERCENT", f"{usage.used} % of the money is margin already, and {_own(limit)}. {_way(limit)}"


def _cap_rule(state: TradingState, limit: Limit, asked: Asked) -> Found:
    """An order past a cap is refused if it makes the worst case worse."""
    after = count(limit.kind, exposure.lines(state, limit.level, limit.name, asked.change, *asked.beside), asked.mark)
    if after <= limit.value:
        return None
    before = count(limit.kind, exposure.lines(state, limit.level, limit.name, *asked.beside), asked.mark)
    if after <= before:
        return None
    room = worded(limit.unit, max(limit.value - before, 0))
    return f"LIMIT_{limit.kind.name}", (
        f"With all that is open and may still trade it could come to {worded(limit.unit, after)}, and {_own(limit)}: "
        f"{room} are left. {_way(limit)}"
    )


def _net_rule(state: TradingState, limit: Limit, asked: Asked) -> Found:
    """As a cap. What moves with the market and cannot be told is not nought."""
    after, missing = net(
        limit.kind, exposure.lines(state, limit.level, limit.name, asked.change, *asked.beside), asked.known
    )
    if after is None:
        return "GREEKS_UNKNOWN", (
            f"The {limit.kind.value} is unknown for want of a price of {missing}, and {_own(limit)}; new risk waits "
            f"until it is back. {_way(limit)}"
        )
    if after <= limit.value:
        return None
    before, _ = net(limit.kind, exposure.lines(state, limit.level, limit.name, *asked.beside), asked.known)
    if before is None or after <= before:
        return None
    room = worded(limit.unit, max(limit.value - before, 0))
    return f"LIMIT_{limit.kind.name}", (
        f"With all that is open and may still trade it could come to {worded(limit.unit, after)}, and {_own(limit)}: "
        f"{room} are left. {_way(limit)}"
    )


def _own(limit: Limit) -> str:
    return f"the {limit.kind.value} of {scope_key(limit.level, limit.name)} is {worded(limit.unit, limit.value)}"


def _way(limit: Limit) -> str:
    name = scope_key(limit.level, limit.name)
    return f"`optconsole risk set {name} {limit.kind.value} … --why …` changes it."


Found = tuple[str, str] | None
"""Code and sentence of a limit that one more order would go past; None when it would not."""

_RULES: Final[dict[LimitKind, Callable[[TradingState, Limit, Asked], Found]]] = {
    LimitKind.ORDER_LOTS: _order_lots,
    LimitKind.ORDER_VALUE: _order_value,
    LimitKind.ORDERS: _orders,
    LimitKind.RATE: _rate,
    LimitKind.HOURS: _hours,
    LimitKind.NAKED_SHORT: _naked,
    LimitKind.MARGIN_PERCENT: _margin,
    **dict.fromkeys(CAPS, _cap_rule),
    **dict.fromkeys(SENSITIVE, _net_rule),
}
