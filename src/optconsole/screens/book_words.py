"""Facts about doubt, adoption, drift and dead letters in plain words."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.screens.formats import Formats


def doubt_text(
    event: ev.OrderDoubted | ev.OrderPresumedAbsent | ev.OrderReleasable | ev.OrderDoubtReleased,
    named: str,
    fmt: Formats,
) -> str:
    """What became of the doubt about an order, ``named`` with its terms."""
    match event:
        case ev.OrderDoubted():
            return f"UNKNOWN {named}: {fmt.text(event.cause)}; asking the broker"
        case ev.OrderPresumedAbsent():
            return f"Presumed absent after {event.reads} readings, still watched: {named}"
        case ev.OrderReleasable():
            return f"Probably absent after {event.reads} readings, may be released: {named}"
        case ev.OrderDoubtReleased():
            return f"Released, entries go on, still watched: {named}: {fmt.text(event.why)}"


def book_text(event: ev.Event, state: TradingState, fmt: Formats) -> tuple[str, str]:
    """A sentence and its colour role; empty for facts that are not about the book."""
    match event:
        case ev.DriftSeen():
            lot = contract_lot(state, event.contract)
            ours, theirs = fmt.lots(event.ours, lot), fmt.lots(event.theirs, lot)
            return f"Differs, {fmt.contract(event.contract)}: our book {ours}, the broker {theirs}", "bad"
        case ev.DriftEnded():
            return f"Our book and the broker's agree again on {fmt.contract(event.contract)}", "good"
        case ev.PositionAdopted():
            lot = contract_lot(state, event.contract) or event.lot
            qty = fmt.lots(event.qty, lot)
            return f"Took over {qty} {fmt.contract(event.contract)} from the broker @ {fmt.price(event.price)}", "warn"
        case ev.UnitsMoved():
            qty = fmt.lots(event.qty, contract_lot(state, event.contract))
            source, to = (fmt.text(name or "the hand") for name in (event.source, event.to))
            return f"{qty} {fmt.contract(event.contract)} went from {source} to {to} at their cost", ""
        case ev.InputSetAside():
            what = f"a row of {fmt.text(event.account)} ({fmt.text(event.kind)})"
            return f"Set aside, {what}: {fmt.text(event.why)}", "bad"
        case ev.InputReplayed():
            return f"Heard again and taken in: letter {fmt.text(event.letter_id)}", "good"
        case ev.InputDropped():
            return f"Put away: letter {fmt.text(event.letter_id)}", ""
        case _:
            return "", "dim"


def contract_lot(state: TradingState, contract: str) -> int:
    """Units in a lot as positions and other orders of the contract have it, which an order denied here has not.

    0 when none of them tells.
    """
    held = (position.lot for position in state.positions.values() if position.key.contract == contract)
    asked = (order.lot for order in state.orders.values() if order.terms.contract == contract)
    return next((lot for lot in (*held, *asked) if lot), 0)
