"""Whether a contract and a product may be opened at this hour, and in which sizes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.orders import Order, OrderTerms, Product
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.slicing import largest_order
from optconsole.engine.rules.verdicts import refuse

FREEZE_QUANTITY: Final = "FREEZE_QUANTITY"


def contract_rules(instrument: Instrument, situation: Situation) -> Iterator[Check]:
    if not instrument.tradable:
        yield refuse("NOT_TRADABLE", f"{instrument.name} is an index; trade its futures or options.")
        return
    if instrument.last_trade is not None and situation.now >= instrument.last_trade:
        ended = instrument.last_trade.strftime("%d %b %H:%M")
        yield refuse("EXPIRED_CONTRACT", f"{instrument.name} stopped trading on {ended}; choose a later expiry.")
    elif situation.phase is not MarketPhase.OPEN:
        yield refuse(
            "SESSION_CLOSED",
            f"The market is {situation.phase.value.lower()}; orders are taken while the session is open.",
        )


def product_rules(terms: OrderTerms, instrument: Instrument, situation: Situation) -> Iterator[Check]:
    """What may not be opened so late in the day, or in the contract's life. Closing is always allowed."""
    now, own, rules = situation.now, instrument.last_trade, situation.limits
    ends = [moment for moment in (situation.closes, own) if moment is not None]
    if terms.product is Product.MIS and ends:
        cutoff = min(ends) - timedelta(minutes=rules.mis_cutoff_minutes)
        if now >= cutoff:
            yield refuse(
                "MIS_CUTOFF",
                f"MIS is opened until {cutoff:%H:%M}, since the broker squares it off after that; NRML would pass.",
            )
    if own is not None and rules.expiry_cutoff_minutes:
        cutoff = own - timedelta(minutes=rules.expiry_cutoff_minutes)
        if now >= cutoff:
            yield refuse(
                "EXPIRY_CUTOFF",
                f"{instrument.name} expires at {own:%H:%M}; new risk in it was taken until {cutoff:%H:%M} "
                "(risk.expiry_cutoff_minutes). A later expiry would pass.",
            )


def size_rules(terms: OrderTerms, instrument: Instrument, own: OrderLimits, replacing: Order | None) -> Iterator[Check]:
    lot = max(instrument.lot, 1)
    if terms.qty <= 0:
        yield refuse("BAD_QUANTITY", f"{terms.qty} is not a quantity; one lot of {instrument.name} is {lot}.")
        return
    if terms.qty % lot:
        below, above = terms.qty // lot * lot, (terms.qty // lot + 1) * lot
        near = f"{above}" if below == 0 else f"{below} or {above}"
        yield refuse("LOT_MULTIPLE", f"{terms.qty} is not whole lots of {lot}; {near} would pass.")
    if terms.qty > own.max_lots * lot:
        yield refuse(
            "MAX_LOTS",
            f"{terms.qty // lot} lots is above your limit of {own.max_lots} an order; "
            "`optconsole risk set order lots-per-order … --why …` changes it.",
        )
    largest = largest_order(instrument)
    if not largest:
        yield refuse(
            "NO_FREEZE",
            f"The largest order of {instrument.underlying} is unknown or below one lot (freeze {instrument.freeze}); "
            "nothing can be sent until the contract file tells it.",
        )
    elif terms.qty > largest:
        yield refuse(
            FREEZE_QUANTITY,
            f"{terms.qty} is above the freeze quantity {instrument.freeze} of {instrument.underlying}; "
            f"send at most {largest // lot} lots ({largest}) an order.",
        )
    if replacing is not None and terms.qty <= replacing.filled:
        yield refuse("BELOW_FILLED", f"{replacing.filled} are filled already; the new quantity must be more.")
