"""Pre-trade checks: every rule an order must pass before its intent is written. Pure; each verdict is a sentence."""

from __future__ import annotations

from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Order, OrderTerms, RiskClass, Role
from optconsole.engine.queries import Check
from optconsole.engine.rules.ability import BOOK_OLD, account_rules
from optconsole.engine.rules.duplicates import cross_rule, pressed_twice
from optconsole.engine.rules.exposure import Change
from optconsole.engine.rules.limit_gate import Asked, gate
from optconsole.engine.rules.margins import margin_rule
from optconsole.engine.rules.money import money_rule
from optconsole.engine.rules.prices import price_rules
from optconsole.engine.rules.protected import reference_price, with_protection
from optconsole.engine.rules.risk_class import risk_class
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.slicing import largest_order, parts
from optconsole.engine.rules.tradable import FREEZE_QUANTITY, contract_rules, product_rules, size_rules
from optconsole.engine.rules.verdicts import OK, REFUSE, WARN, price_in, refusal, refuse

LARGEST: Final = 10**12
"""Units, and paise, beyond which a number is no order but a mistake."""


def checks(
    state: TradingState,
    terms: OrderTerms,
    instrument: Instrument,
    situation: Situation,
    replacing: Order | None = None,
    role: Role = Role.ENTRY,
    parent: str = "",
    beside: tuple[Change, ...] = (),
) -> tuple[Check, ...]:
    """All rules on one order. ``terms`` carry their protection; ``replacing`` is the order a change is for.

    ``parent`` is the id of what the order is a part of, ``beside`` what is asked for together with it.
    """
    found: list[Check] = []
    risk = risk_class(state, terms, replacing)
    found.extend(account_rules(state, terms, risk, situation))
    found.extend(contract_rules(instrument, situation))
    # a stop beside a target is more than the position, and still no order to open one
    opens = risk is RiskClass.INCREASE and not role.guards
    if opens:
        found.extend(product_rules(terms, instrument, situation))
    if not instrument.tradable:
        return tuple(found)
    found.extend(size_rules(terms, instrument, situation.limits, replacing))
    triggered = replacing is not None and replacing.triggered
    found.extend(price_rules(terms, instrument, situation, risk, triggered))
    if not role.closes and role is not Role.STOP and not (terms.type.has_trigger and not triggered):
        found.extend(cross_rule(state, terms, replacing, risk))
    if terms.qty > 0:
        order = Asked(
            terms=terms,
            instrument=instrument,
            risk=risk if opens or risk is not RiskClass.INCREASE else RiskClass.PROTECT,
            role=role,
            now=situation.now,
            mark=situation.price,
            funds=situation.funds,
            replacing=replacing,
            parent=parent,
            beside=beside,
            known=situation.known,
        )
        found.extend(gate(state, order))
        if opens and replacing is None:
            found.extend(money_rule(state, terms, instrument, situation))
        if opens:
            found.extend(margin_rule(state, order.change, beside, instrument, situation))
    return tuple(found)


def checks_in_parts(
    state: TradingState, terms: OrderTerms, instrument: Instrument, situation: Situation, wanted: int = 0
) -> tuple[Check, ...]:
    """All rules on an order as a whole, which may leave in parts: being too large for one order does not refuse it."""
    found = [check for check in checks(state, terms, instrument, situation) if check.code != FREEZE_QUANTITY]
    if refusal(found) is not None:
        return tuple(found)
    try:
        cut = parts(terms.qty, max(instrument.lot, 1), largest_order(instrument), wanted)
    except Refusal as refused:
        return (*found, refuse(refused.code, refused.text))
    if len(cut) > 1:
        text = f"{terms.qty} leave in {len(cut)} parts of at most {max(cut)}; together they never fill more."
        found.append(Check(code="IN_PARTS", severity=OK, text=text))
    return tuple(found)


def require_sane(*numbers: object) -> None:
    """Raises Refusal(BAD_NUMBER) for what is no whole number, or too large to be one of an order (reliability O21).

    Such a number is not even written into the journal as what was asked.
    """
    for number in numbers:
        if number is not None and (type(number) is not int or abs(number) > LARGEST):
            raise Refusal("BAD_NUMBER", f"{str(number)[:40]} is not a quantity or price; give a whole number of units.")


__all__ = [
    "BOOK_OLD",
    "FREEZE_QUANTITY",
    "OK",
    "REFUSE",
    "WARN",
    "Situation",
    "checks",
    "checks_in_parts",
    "pressed_twice",
    "price_in",
    "reference_price",
    "refusal",
    "require_sane",
    "risk_class",
    "with_protection",
]
