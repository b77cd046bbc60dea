"""Facts about orders that belong together, in plain words: parents, groups, brackets, reversals."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.parents import ParentStatus
from optconsole.screens.formats import Formats

Composite = ev.ParentEvent | ev.GroupEvent | ev.BracketEvent | ev.ReversalBegun | ev.ReversalEnded
"""Facts this module has words for."""


def said(event: Composite, fmt: Formats) -> tuple[str, str]:
    """A sentence and its colour role."""
    match event:
        case ev.ParentEvent():
            return _parent(event, fmt)
        case ev.GroupEvent():
            return _group(event, fmt)
        case ev.BracketEvent():
            return _bracket(event, fmt)
        case ev.ReversalBegun():
            names = ", ".join(fmt.contract(leg.key.contract) for leg in event.legs)
            return f"Reversing {names}: first flat, then the other way", "warn"
        case ev.ReversalEnded():
            if event.text:
                return f"Not reversed: {fmt.text(event.text)}", "bad"
            return f"Flat; opens the other way as {', '.join(map(fmt.text, event.orders))}", ""


def _parent(event: ev.ParentEvent, fmt: Formats) -> tuple[str, str]:
    name = fmt.text(event.parent_id)
    match event:
        case ev.ParentOpened():
            terms = event.terms
            whole = f"{terms.side.value} {fmt.lots(terms.qty, event.lot)} {fmt.contract(terms.contract)}"
            return f"{name} {whole} leaves in {len(event.parts)} parts of at most {fmt.grouped(max(event.parts))}", ""
        case ev.ParentEnded(status=ParentStatus.DONE):
            return f"All parts of {name} are filled", "good"
        case ev.ParentEnded():
            return f"{name} sends no more parts: {fmt.text(event.why)}", "warn"
        case _:
            return f"{name} goes on with new terms", ""


def _group(event: ev.GroupEvent, fmt: Formats) -> tuple[str, str]:
    name = fmt.text(event.group_id)
    match event:
        case ev.GroupOpened():
            return f"{name} ties {len(event.orders)} orders as {event.kind.value}", ""
        case ev.GroupMemberSent():
            return f"{name} sends its order {event.member + 1} as {fmt.text(event.order_id)}", "dim"
        case ev.GroupSwitched():
            return f"{name} changes over to its order {event.member + 1}", ""
        case ev.GroupRaced():
            return fmt.text(event.text), "bad"
        case ev.GroupEnded(why=why) if why:
            return f"{name} acts no more: {fmt.text(why)}", "warn"
        case _:
            return f"{name} has done its work", ""


def _bracket(event: ev.BracketEvent, fmt: Formats) -> tuple[str, str]:
    name = fmt.text(event.entry_id)
    match event:
        case ev.BracketAttached():
            stop, target = (fmt.price(price) for price in (event.stop, event.target))
            return f"What {name} fills is guarded by a stop at {stop} and a target at {target}", ""
        case ev.BracketGuarded():
            return f"{fmt.grouped(event.qty)} filled by {name} get their guard", ""
        case ev.BracketEnded(why=why) if why:
            return f"The guard of {name} ends: {fmt.text(why)}", ""
        case _:
            return f"All that {name} filled has its guard", ""
