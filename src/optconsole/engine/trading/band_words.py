"""A broker's "circuit limit" is mostly the exchange's limit price protection (OE-3): told so, with the band."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderTerms, Side
from optconsole.engine.rules.bands import price_band
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.trading.decision import Decision

_SAYS: Final = re.compile(
    r"\bLPP\b|limit price protection|circuit (?:limit|breaker|filter)|price band|(?:lower|upper) circuit", re.IGNORECASE
)


def in_words(
    state: TradingState,
    decision: Decision,
    instrument: Callable[[str], Instrument | None],
    reference: Callable[[str], int | None],
) -> Decision:
    """The decision with refusals over a price band told with the band as we know it; all others as they are."""
    for place, fact in enumerate(decision.facts):
        if not isinstance(fact, ev.OrderRejected | ev.OrderChangeRefused) or not _SAYS.search(
            f"{fact.code} {fact.reason}"
        ):
            continue
        order = state.orders.get(fact.order_id)
        terms = None if order is None else order.asked or order.terms
        words = None if terms is None else _words(terms, instrument(terms.contract), reference(terms.contract))
        if words is not None:
            told = f"{fact.reason} {words}"
            decision.facts[place] = msgspec.structs.replace(fact, reason=told)
            decision.facts[place + 1 :] = [_retold(each, fact.reason, told) for each in decision.facts[place + 1 :]]
    return decision


def _retold(fact: AnyEvent, before: str, after: str) -> AnyEvent:
    if isinstance(fact, ev.NoticeRaised) and fact.code == "ORDER_REJECTED" and fact.text.endswith(before):
        return msgspec.structs.replace(fact, text=fact.text.removesuffix(before) + after)
    return fact


def _words(terms: OrderTerms, instrument: Instrument | None, reference: int | None) -> str | None:
    if instrument is None or reference is None or terms.limit is None or not instrument.tradable:
        return None
    low, high = price_band(instrument, reference)
    edge = f"at most {price_in(high)}" if terms.side is Side.BUY else f"at least {price_in(low)}"
    return (
        f"(That is the exchange's limit price protection, {price_in(low)} to {price_in(high)} around "
        f"{price_in(reference)} here; the limit was {price_in(terms.limit)} and {edge} passes.)"
    )
