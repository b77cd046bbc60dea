"""What a bought option costs against the broker's last word on money. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.orders import OrderTerms, RiskClass, Side
from optconsole.engine.queries import Check
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.verdicts import REFUSE, WARN, price_in


def money_rule(state: TradingState, terms: OrderTerms, instrument: Instrument, situation: Situation) -> Iterator[Check]:
    """A bought option costs its premium; what a short needs, and what a hedge frees, only the broker can say.

    Money that is not known refuses nothing: the broker judges margin itself before it takes an order, and a report
    that is late would otherwise stop all trading.
    """
    seen = situation.funds(terms.account)
    limit = terms.limit
    if seen is None:
        yield Check(code="FUNDS_UNKNOWN", severity=WARN, text=f"The money on {terms.account} was not read yet.")
        return
    if limit is None:
        return
    free = seen.funds.free - _spent_since(state, terms.account, seen.at)
    bought = instrument.kind is Kind.OPTION and terms.side is Side.BUY
    need = terms.qty * limit if bought else 0
    if free >= need and (bought or free > 0):
        return
    lot = max(instrument.lot, 1)
    affordable = max(free, 0) // max(limit * lot, 1)
    # with a short on the account the premium may buy margin back, so that the broker has the last word
    certain = bought and not any(
        each.qty < 0 and each.key.account == terms.account for each in state.positions.values()
    )
    would = f"; {affordable} lots would pass" if bought else ""
    yield Check(
        code="MARGIN",
        severity=REFUSE if certain else WARN,
        text=f"The order needs {price_in(need)} rupees or more, {price_in(free)} are free on {terms.account}{would}.",
    )


def _spent_since(state: TradingState, account: str, moment: datetime) -> int:
    """Paise of premium in orders that were sent after the money was read."""
    spent = 0
    for order in reversed(state.orders.values()):
        if order.intended_at <= moment:
            break
        terms = order.terms
        if terms.account == account and terms.side is Side.BUY and order.risk is RiskClass.INCREASE:
            spent += order.filled_value + order.may_trade * (terms.limit or 0)
    return spent
