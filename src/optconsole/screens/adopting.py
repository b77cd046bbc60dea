"""Taking over what others did at the broker: an order nobody here sent, a quantity our book does not know."""

from __future__ import annotations

from optconsole.engine.commands import AdoptOrder, AdoptPosition
from optconsole.engine.model.book import Drift
from optconsole.engine.model.orders import Order
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.dialogs import Confirm
from optconsole.screens.drift_words import both
from optconsole.screens.order_words import side_role, state_words
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line
from optconsole.screens.words import order_line


def adopt_order(screen: ConsoleScreen, order: Order) -> None:
    """Ask, then treat an order of others as ours."""
    deck, fmt = screen.deck, screen.deck.fmt
    lines: list[Line] = [
        ([Part(order_line(order, fmt), side_role(order.terms.side))], []),
        ([Part(state_words(order), "dim")], [Part(fmt.text(order.terms.account), "dim")]),
        ([], []),
        ([Part("From then on it is changed and cancelled like ours: by your keys, by")], []),
        ([Part("cancel all, by a flatten and by the kill switch.")], []),
    ]

    async def answered(yes: bool | None) -> None:
        if yes:
            await screen.ask(AdoptOrder(id=deck.fresh_id(), actor="key:adopt", order_id=order.id))

    screen.app.push_screen(Confirm(f"Adopt {fmt.text(order.id)}, which was not sent from here?", lines), answered)


def adopt_position(screen: ConsoleScreen, drift: Drift, lot: int) -> None:
    """Ask, then take the broker's quantity for ours."""
    deck, fmt = screen.deck, screen.deck.fmt
    mark = deck.mirror.mark(drift.key.contract)
    lines: list[Line] = [
        ([Part(fmt.contract(drift.key.contract), "title")], [Part(fmt.text(drift.key.account), "dim")]),
        ([Part(both(drift, lot, fmt), "warn")], []),
        ([], []),
        ([Part(f"The difference enters our book at the present price, {fmt.price(mark)}.")], []),
        ([Part("No order is sent. Look first whether a trade of yours explains it.", "dim")], []),
    ]

    async def answered(yes: bool | None) -> None:
        if yes:
            await screen.ask(AdoptPosition(id=deck.fresh_id(), actor="key:adopt", key=str(drift.key)))

    screen.app.push_screen(Confirm("Take the broker's quantity for ours?", lines), answered)
