"""What a ticket asks before it sends: of the engine what the order would meet, of the trader whether that is meant."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.parents import Parent
from optconsole.engine.queries import OrderPreview, PreviewOrder
from optconsole.screens.deck import Deck
from optconsole.screens.ticket_model import Draft
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line


def question(deck: Deck, draft: Draft, terms: OrderTerms) -> PreviewOrder:
    """What to ask of these terms; of a parent one part at work stands for all, as the engine changes each."""
    changing = draft.changing
    if not isinstance(changing, Parent):
        return PreviewOrder(terms=terms, replacing=changing.id if changing else "")
    parts = [order for order in deck.mirror.working(draft.contract) if order.parent == changing.id]
    qty = min(parts[0].terms.qty if parts else changing.largest, terms.qty)
    return PreviewOrder(terms=msgspec.structs.replace(terms, qty=qty), replacing=parts[0].id if parts else "")


def weight(deck: Deck, terms: OrderTerms, seen: OrderPreview | None) -> list[Line]:
    """What a large order means: account, mode, contract, worst case, what stays free."""
    fmt = deck.fmt
    loss = "unlimited" if seen and seen.unlimited else fmt.money(seen.max_loss if seen else None)
    return [
        ([Part(fmt.contract(terms.contract), "title")], [Part(f" {deck.mode.upper()} ", deck.mode)]),
        ([Part("account ", "dim"), Part(fmt.text(terms.account))], [Part("max loss ", "dim"), Part(loss, "warn")]),
        (
            [Part("margin ", "dim"), Part(fmt.pnl_compact(seen.margin if seen else None))],
            [Part("free after ", "dim"), Part(fmt.money(seen.free_after if seen else None))],
        ),
    ]
