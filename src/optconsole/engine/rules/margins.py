"""Whether an account has the margin that one more order needs (features OE-10). Pure.

What is weighed is the whole account after the order, not the order by itself: a hedge that is held makes a short cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Kind, parse_contract
from optconsole.engine.model.limits import Level
from optconsole.engine.model.orders import OrderTerms, RiskClass, Side
from optconsole.engine.queries import Check
from optconsole.engine.rules import exposure
from optconsole.engine.rules.exposure import Change, Line
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.verdicts import price_in, refuse

AMPLE: Final = 2
"""No unit of an index contract adds more margin than one part in so many of what it is about, and its own price."""


def margin_rule(
    state: TradingState, change: Change, beside: tuple[Change, ...], instrument: Instrument, situation: Situation
) -> Iterator[Check]:
    """A sold option or a future needs margin. Nothing is refused where money or margin cannot be told.

    Where far more is free than such an order could ever need, no margin is worked out.
    """
    terms = change.terms
    seen = situation.funds(terms.account)
    if seen is None or (instrument.kind is Kind.OPTION and terms.side is Side.BUY) or change.units <= 0:
        return
    cash = seen.funds.free + _cash_since(state, terms.account, seen)
    if cash >= _most(state, terms.account, seen, (change, *beside), situation):
        return
    now = _units(exposure.lines(state, Level.ACCOUNT, terms.account, *beside, waiting=False))
    told = situation.margin(_without(now, state, terms.account, seen))
    tied, needed = situation.margin(now), _needed(state, change, beside, situation)
    if told is None or tied is None or needed is None:
        return
    free = cash - (tied - told)
    if needed - tied <= max(free, 0):
        return
    lots = _passing(state, change, beside, situation, tied + max(free, 0))
    yield refuse(
        "INSUFFICIENT_MARGIN",
        f"With all that is open and working the order needs {price_in(needed - tied)} rupees more of margin, "
        f"{price_in(free)} are free on {terms.account}; {lots or 'no'} lots would pass.",
    )


def _needed(
    state: TradingState, change: Change, beside: tuple[Change, ...], situation: Situation, units: int | None = None
) -> int | None:
    wanted = change if units is None else Change(change.terms, units, change.lot, change.without, change.parent)
    lines = exposure.lines(state, Level.ACCOUNT, change.terms.account, wanted, *beside, waiting=False)
    return situation.margin(_units(lines))


def _passing(state: TradingState, change: Change, beside: tuple[Change, ...], situation: Situation, room: int) -> int:
    """The most lots of the order for which the account's margin stays within ``room``."""
    fits, fails = 0, -(-change.units // change.lot)
    while fails - fits > 1:
        tried = (fits + fails) // 2
        needed = _needed(state, change, beside, situation, tried * change.lot)
        if needed is not None and needed <= room:
            fits = tried
        else:
            fails = tried
    return fits


def _units(lines: list[Line]) -> dict[str, int]:
    """Signed units by contract: orders count with what they would open; what is still to be bought covers nothing."""
    units: dict[str, int] = {}
    for line in lines:
        option = parse_contract(line.contract).strike is not None
        worst = line.low if option or abs(line.low) >= abs(line.high) else line.high
        units[line.contract] = units.get(line.contract, 0) + worst
    return units


def _since(state: TradingState, account: str, seen: FundsSeen) -> Iterator[tuple[OrderTerms, RiskClass, int, int, int]]:
    """Terms, class, filled units, their value and units to come of the orders the broker had not counted yet."""
    for order in reversed(state.orders.values()):
        if order.intended_at <= seen.at:
            return
        if order.terms.account == account:
            yield order.terms, order.risk, order.filled, order.filled_value, order.may_trade


def _cash_since(state: TradingState, account: str, seen: FundsSeen) -> int:
    """Paise of premium that came in, less what was spent or promised, after the money was read."""
    cash = 0
    for terms, risk, _filled, value, to_come in _since(state, account, seen):
        if parse_contract(terms.contract).strike is None:
            continue
        cash -= terms.side.sign * value
        if terms.side is Side.BUY and risk is RiskClass.INCREASE:
            cash -= to_come * (terms.limit or 0)
    return cash


def _without(units: dict[str, int], state: TradingState, account: str, seen: FundsSeen) -> dict[str, int]:
    """The units as they were when the money was read."""
    before = dict(units)
    for terms, _risk, filled, _value, to_come in _since(state, account, seen):
        counts = filled + (0 if terms.side is Side.BUY and parse_contract(terms.contract).strike else to_come)
        before[terms.contract] = before.get(terms.contract, 0) - terms.side.sign * counts
    return before


def _most(state: TradingState, account: str, seen: FundsSeen, changes: tuple[Change, ...], situation: Situation) -> int:
    """Paise that the changes, and what was sent since the money was read, could need at the very most."""
    asked = [(change.terms, change.units) for change in changes]
    sent = [(terms, filled + to_come) for terms, _risk, filled, _value, to_come in _since(state, account, seen)]
    most = 0
    for terms, units in (*asked, *sent):
        price = max(terms.limit or 0, _mark(situation, terms.contract))
        about = max(_mark(situation, parse_contract(terms.contract).underlying), price)
        most += units * (about // AMPLE + price)
    return most


def _mark(situation: Situation, name: str) -> int:
    quote = situation.quote(name)
    return 0 if quote is None else quote.mark or 0
