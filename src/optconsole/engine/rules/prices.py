"""Limit and trigger of an order: on tick, on the right side of the market, inside the band (features OE-3). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderTerms, OrderType, RiskClass, Side
from optconsole.engine.model.quotes import Quote
from optconsole.engine.queries import Check
from optconsole.engine.rules.bands import nearest_ticks, on_tick, price_band
from optconsole.engine.rules.situation import Situation
from optconsole.engine.rules.verdicts import WARN, price_in, refuse

WIDE_PERCENT: Final = 25
WIDE_TICKS: Final = 20
"""A spread of more than both, per cent of its middle and ticks, is no market to open a position in (D05)."""


def price_rules(
    terms: OrderTerms, instrument: Instrument, situation: Situation, risk: RiskClass, triggered: bool
) -> Iterator[Check]:
    """A stop that was ``triggered`` is a limit order by now: its trigger has done its work."""
    if terms.type in (OrderType.LIMIT, OrderType.SL) and terms.price is None:
        yield refuse("PRICE_MISSING", f"A {terms.type.value} order needs a limit price.")
        return
    if terms.type.has_trigger and terms.trigger is None:
        yield refuse("TRIGGER_MISSING", f"A {terms.type.value} order needs a trigger price.")
        return
    if terms.trigger is not None and not terms.type.has_trigger:
        yield refuse(
            "TRIGGER_NOT_ALLOWED", f"A {terms.type.value} order takes no trigger price; SL and SL-M wait for one."
        )
        return
    for label, price in (("price", terms.limit), ("trigger", terms.trigger)):
        if price is not None and (price <= 0 or not on_tick(price, instrument.tick)):
            lower, upper = nearest_ticks(price, instrument.tick)
            yield refuse(
                "TICK_SIZE",
                f"The {label} {price_in(price)} is not a multiple of {price_in(instrument.tick)}; "
                f"{price_in(lower)} or {price_in(upper)} would pass.",
            )
            return
    if terms.limit is None:
        yield refuse("NO_PRICE", f"{instrument.name} has no price to protect a market order with; use a limit.")
        return
    if terms.type is OrderType.MARKET and risk is RiskClass.INCREASE:
        yield from _spread_rules(terms, instrument, situation.quote(terms.contract))
    waits = terms.type.has_trigger and not triggered
    if waits:
        yield from _trigger_rules(terms, situation)
    yield from _band_rules(terms, instrument, situation, risk, waits)


def _spread_rules(terms: OrderTerms, instrument: Instrument, quote: Quote | None) -> Iterator[Check]:
    """A market order to open wants somebody on the other side, near what the contract is worth (reliability D05)."""
    if quote is None or not quote.booked:
        return
    if (quote.ask if terms.side is Side.BUY else quote.bid) is None:
        verb = "sells" if terms.side is Side.BUY else "buys"
        yield refuse("NO_COUNTERPARTY", f"Nobody {verb} {instrument.name} now; a limit order would pass and wait.")
        return
    if quote.bid is None or quote.ask is None or quote.mid is None:
        return
    spread = quote.ask - quote.bid
    if spread * 100 > WIDE_PERCENT * quote.mid and spread > WIDE_TICKS * instrument.tick:
        fair = nearest_ticks(quote.mid, instrument.tick)[0]
        yield refuse(
            "WIDE_SPREAD",
            f"{instrument.name} is quoted {price_in(quote.bid)} to {price_in(quote.ask)}, more than {WIDE_PERCENT} % "
            f"apart; a market order would pay for it. A limit order near {price_in(fair)} would pass.",
        )


def _trigger_rules(terms: OrderTerms, situation: Situation) -> Iterator[Check]:
    if terms.trigger is None:
        return
    limit = terms.limit
    if limit is not None and (limit - terms.trigger) * terms.side.sign < 0:
        word = "below" if terms.side is Side.BUY else "above"
        yield refuse(
            "TRIGGER_LIMIT",
            f"The limit {price_in(limit)} of a {terms.side.value} stop may not be {word} "
            f"its trigger {price_in(terms.trigger)}.",
        )
    quote = situation.quote(terms.contract)
    market = None if quote is None else quote.mark
    if market is not None and (terms.trigger - market) * terms.side.sign <= 0:
        word = "above" if terms.side is Side.BUY else "below"
        yield refuse(
            "TRIGGER_PASSED",
            f"The trigger {price_in(terms.trigger)} of a {terms.side.value} stop must be {word} the market, "
            f"now {price_in(market)}.",
        )


def _band_rules(
    terms: OrderTerms, instrument: Instrument, situation: Situation, risk: RiskClass, waits: bool
) -> Iterator[Check]:
    """A waiting stop is judged when it triggers. The deviation guards against slips, never against getting out."""
    quote = situation.quote(terms.contract)
    reference = None if quote is None else quote.mark
    limit = terms.limit
    if reference is None or limit is None:
        yield Check(
            code="NO_QUOTE", severity=WARN, text=f"No price of {instrument.name} is known; the band is unchecked."
        )
        return
    base = situation.reference(terms.contract) or reference
    low, high = price_band(instrument, base)
    outside = limit > high if terms.side is Side.BUY else limit < low
    if outside and not waits:
        yield refuse(
            "PRICE_BAND",
            f"{price_in(limit)} is beyond the price band {price_in(low)} to {price_in(high)} around {price_in(base)}.",
        )
        return
    gap = abs(limit - reference) * 100
    passive = (limit - reference) * terms.side.sign < 0
    slip = risk is RiskClass.INCREASE and not passive and not waits
    if slip and gap > situation.limits.deviation_percent * reference:
        yield refuse(
            "PRICE_DEVIATION",
            f"{price_in(limit)} is more than {situation.limits.deviation_percent} % through the market "
            f"at {price_in(reference)}; `optconsole risk set order price-deviation … --why …` changes that.",
        )
