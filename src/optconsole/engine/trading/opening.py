"""How an order that leaves in parts begins: judged as a whole, cut, and written down before its first part."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.commands import Reply
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.parents import Pace
from optconsole.engine.rules.pretrade import Situation, checks_in_parts, refusal, risk_class, with_protection
from optconsole.engine.rules.slicing import MOST_PARTS, largest_order, parts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import denied
from optconsole.engine.trading.precedence import allow_order


def opens_parent(terms: OrderTerms, instrument: Instrument, wanted: int) -> bool:
    """Whether an order leaves in parts: because so many are wanted, or because one would be too large."""
    largest = largest_order(instrument)
    return wanted > 1 or 0 < largest < terms.qty


def open_parent(
    state: TradingState,
    decision: Decision,
    terms: OrderTerms,
    instrument: Instrument,
    situation: Situation,
    wanted: int = 0,
    every: float = 0.0,
    drift: int = 0,
) -> Decision:
    """Append a parent that passed the rules as a whole, or its denial; its parts are sent later. ``drift`` is ticks."""
    try:
        allow_order(state, terms, risk_class(state, terms))
    except Refusal as works_against:
        return denied(state, decision, terms, works_against.code, works_against.text)
    quote = situation.quote(instrument.name)
    refused = refusal(
        checks_in_parts(
            state,
            with_protection(terms, instrument, quote, situation.reference(instrument.name)),
            instrument,
            situation,
            wanted,
        )
    )
    if refused is not None:
        return denied(state, decision, terms, refused.code, refused.text)
    lot, largest = max(instrument.lot, 1), largest_order(instrument)
    cut = parts(terms.qty, lot, largest, wanted)
    added = sum(isinstance(fact, ev.ParentOpened) for fact in decision.facts)
    parent_id = f"P{state.parent_count + added + 1}"
    asked = Pace.TIMED if every > 0 else Pace.FILLED
    decision.facts.append(
        ev.ParentOpened(
            parent_id=parent_id,
            terms=terms,
            risk=risk_class(state, terms),
            lot=lot,
            largest=largest,
            parts=cut,
            pace=asked if wanted > 1 else Pace.AT_ONCE,
            every=float(every),  # a whole number would come back from the journal as another one
            drift=drift * instrument.tick,
            reference=None if quote is None else quote.mark,
        )
    )
    decision.reply = Reply(ok=True, code="SENT", text=f"{parent_id} leaves in {len(cut)} parts.", ids=(parent_id,))
    return decision


def check_pace(wanted: int, every: float, drift: int) -> None:
    """Raises Refusal for a plan of parts that cannot be carried out."""
    if not 0 <= wanted <= MOST_PARTS:
        raise Refusal("BAD_PARTS", f"An order cannot leave in {wanted} parts; give 2 to {MOST_PARTS}.")
    if not 0 <= every <= 3600 or drift < 0:
        raise Refusal("BAD_PARTS", "Give 0 to 3600 seconds between parts and a drift of 0 ticks or more.")
    if wanted <= 1 and (every or drift):
        raise Refusal("BAD_PARTS", "An interval or a drift needs parts; say how many.")
