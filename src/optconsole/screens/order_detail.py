"""One order opened: its terms and every fact of its life, read from the journal."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.events import Recorded
from optconsole.engine.model.orders import Order
from optconsole.engine.queries import JournalPage, ReadJournal
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.mirror import Topic
from optconsole.screens.order_purpose import purpose_line, purposes
from optconsole.screens.order_words import prices, side_role, state_role, state_words
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon
from optconsole.screens.words import in_words

HEAD: Final = 7


class OrderDetail(Dialog[None]):
    """The history of an order; it grows while it is open."""

    BINDINGS = [Binding("escape,q,enter", "close", "Close", tooltip="Back to the orders.", id="order.close")]
    DEFAULT_CSS = """
    OrderDetail #detail {
        width: 100; max-width: 96%; height: 24; max-height: 90%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    OrderDetail QuoteGrid { height: 1fr; margin-bottom: 1; }
    """

    def __init__(self, deck: Deck, order_id: str) -> None:
        super().__init__()
        self.deck = deck
        self.order_id = order_id
        self._facts: dict[int, Recorded] = {}
        self._stop = deck.mirror.on(Topic.ORDERS, self._follow)

    def compose(self) -> ComposeResult:
        fmt = self.deck.fmt
        with Vertical(id="detail"):
            yield Ribbon(HEAD, id="detail-head")
            yield QuoteGrid(
                [
                    Column("Time", 8, fmt.clock, "dim", align="left"),
                    Column("Who", 12, fmt.text, "dim", align="left", priority=1),
                    Column("What happened", 30, _text, _role, align="left", grow=90),
                ]
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        self.query_one("#detail-keys", Ribbon).show(([Part("Esc", "key"), Part(" back", "dim")], []))
        self.query_one(QuoteGrid).focus()
        self._show_head()
        self._read()

    def on_unmount(self) -> None:
        self._stop()

    def _follow(self) -> None:
        if self.gone:
            return
        self._show_head()
        self._read()

    def _read(self) -> None:
        beside(self, self._history, exclusive=True)

    async def _history(self) -> None:
        page = await self.deck.query(ReadJournal(stream=f"order:{self.order_id}", limit=500))
        if isinstance(page, JournalPage) and not self.gone:
            self._facts.update((fact.seq, fact) for fact in page.facts)
            self.query_one(QuoteGrid).set_rows([self._row(fact) for fact in self._facts.values()])

    def _row(self, fact: Recorded) -> Row:
        words = in_words(fact.event, self.deck.mirror.state, self.deck.fmt)
        return Row(str(fact.seq), [fact.at, fact.actor, (f"{words.mark} {words.text}", words.role)])

    def _show_head(self) -> None:
        order = self.deck.mirror.state.orders.get(self.order_id)
        if order is not None and not self.gone:
            width = max(self.query_one("#detail-head", Ribbon).size.width, 60)
            self.query_one("#detail-head", Ribbon).show(*_head(order, self.deck, width))

    def action_close(self) -> None:
        self.dismiss(None)


def _text(told: tuple[str, str]) -> str:
    return told[0]


def _role(told: tuple[str, str]) -> str:
    return told[1]


def _head(order: Order, deck: Deck, width: int) -> list[Line]:
    fmt, terms = deck.fmt, order.terms
    reason = textwrap.wrap(fmt.text(order.reason), width)[:2]
    lines: list[Line] = [
        (
            [Part(f"{terms.side.value} ", side_role(terms.side)), Part(fmt.contract(terms.contract), "title")],
            [Part(f"{fmt.text(order.id)}  {fmt.text(terms.account)}", "dim")],
        ),
        (
            [
                Part(fmt.lots(terms.qty, order.lot or deck.lot_of(terms.contract)), "strong"),
                Part(f"  {terms.type.value} "),
                Part(prices(terms, fmt), "strong"),
                Part(f"  {terms.product.value} {terms.validity.value}", "dim"),
            ],
            [Part(state_words(order), state_role(order))],
        ),
        (
            [
                Part("filled ", "dim"),
                Part(f"{fmt.grouped(order.filled)} of {fmt.grouped(terms.qty)}"),
                Part("  avg ", "dim"),
                Part(fmt.price(order.average)),
                Part("  charges ", "dim"),
                Part(fmt.amount(order.charges)),
            ],
            [Part(f"tag {fmt.text(order.tag)}  broker {fmt.text(order.broker_id or fmt.unknown)}", "dim", 1)],
        ),
        ([Part(purpose_line(purposes(deck.mirror.state)[order.id], order, fmt), "dim")], []),
        *[([Part(piece, "bad" if order.status.final else "warn")], []) for piece in reason],
    ]
    return [*lines, *[([], [])] * (HEAD - len(lines))]
