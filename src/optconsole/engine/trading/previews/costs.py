"""What the state, the exchange and the broker take of an entry, leg by leg, and of an exit at the same prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from optconsole.engine.market.tariffs import rates_on
from optconsole.engine.model.orders import Side
from optconsole.engine.model.previews import Charges, LegCost
from optconsole.engine.pricing.charges import Bill, bill
from optconsole.engine.trading.previews.margins import Wanted

_PARTS: Final = ("brokerage", "stt", "exchange", "sebi", "stamp", "gst")


def leg_cost(day: date, wanted: Wanted, sizes: Sequence[int]) -> LegCost:
    """The charges of one leg, billed order by order as it leaves. Raises Refusal(NO_RATES)."""
    return LegCost(
        leg=wanted.leg,
        contract=wanted.instrument.name,
        side=wanted.side,
        units=wanted.qty,
        price=wanted.price,
        orders=len(sizes),
        entry=_charged(_bills(day, wanted, wanted.side, sizes)),
        exit=_charged(_bills(day, wanted, wanted.side.opposite, sizes)),
    )


def _bills(day: date, wanted: Wanted, side: Side, sizes: Sequence[int]) -> list[Bill]:
    contract = wanted.instrument
    rates = rates_on(day, contract.exchange, contract.kind, contract.underlying)
    return [bill(rates, side, units * wanted.price) for units in sizes]


def _charged(bills: Sequence[Bill]) -> Charges:
    parts = {part: _paise(sum((getattr(each, part) for each in bills), Decimal(0))) for part in _PARTS}
    return Charges(**parts, total=sum(each.paise for each in bills))


def _paise(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value(ROUND_HALF_EVEN))
