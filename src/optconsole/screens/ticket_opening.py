"""What a ticket begins with: a first draft, and the trader's own keys of its choices."""

from __future__ import annotations

from dataclasses import replace

from optconsole.engine.model.orders import Side
from optconsole.screens.deck import Deck
from optconsole.screens.keys import KEYS
from optconsole.screens.ticket_model import USUAL_TICK, Draft, first_price


def choice_letters(deck: Deck) -> dict[str, str]:
    """The trader's own keys of the choices, by the letters the face asks with."""
    ids = {"t": "ticket.type", "p": "ticket.product", "v": "ticket.validity", "y": "ticket.yes"}
    by_id = {key.id: key for key in KEYS}
    return {letter: deck.keymap.shown(by_id[name]) for letter, name in ids.items()}


def opening(deck: Deck, contract: str, side: Side) -> Draft:
    """A first draft: where the contract is held, its account and product, so that the other side closes it."""
    state, listed = deck.mirror.state, deck.instruments.get(contract)
    tick = listed.tick if listed else USUAL_TICK
    held = [position.key for position in state.positions.values() if position.key.contract == contract and position.qty]
    account = held[0].account if held else next(iter(state.accounts), "")
    draft = Draft(
        account=account,
        contract=contract,
        side=side,
        lot=deck.lot_of(contract),
        tick=tick,
        price=first_price(deck.mirror.quote(contract), side, tick),
    )
    return replace(draft, product=held[0].product) if held else draft
