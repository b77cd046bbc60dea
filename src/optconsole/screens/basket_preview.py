"""The preview of a basket: what it would trade now, what that may make and lose, and what it asks of the accounts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.queries import BasketPreview, PreviewBasket, Refused
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.preview_lines import Told, preview_lines
from optconsole.screens.run_why import wrapped
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon


class PreviewDialog(Dialog[None]):
    """Asked anew with r; the prices are those of that instant."""

    BINDINGS = [
        Binding("escape,q,enter", "close", "Close", tooltip="Back.", id="preview.close"),
        Binding("r", "again", "Again", tooltip="With the prices of now.", id="preview.again"),
    ]
    DEFAULT_CSS = """
    PreviewDialog #detail {
        width: 116; max-width: 96%; height: 38; max-height: 92%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    PreviewDialog QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, query: PreviewBasket, name: str) -> None:
        super().__init__()
        self.deck = deck
        self._query = query
        self._about = name

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield QuoteGrid(
                [
                    Column(
                        "Contracts, odds, worst case, margin, orders",
                        20,
                        lambda told: told[0],
                        lambda told: told[1],
                        align="left",
                        grow=300,
                    )
                ],
                frozen=0,
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        keys = [Part("r", "key"), Part(" with the prices of now   ", "dim"), Part("Esc", "key"), Part(" back", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))
        self.query_one(QuoteGrid).focus()
        self.action_again()

    def action_again(self) -> None:
        self._head("asking the engine", "dim")
        beside(self, self._read, group="preview", exclusive=True)

    async def _read(self) -> None:
        answer = await self.deck.query(self._query)
        if self.gone:
            return
        match answer:
            case BasketPreview():
                self._head(self.deck.fmt.clock(answer.at), "dim")
                self._show(preview_lines(answer, self.deck.fmt))
            case Refused():
                self._head(answer.code, "bad")
                self._show([(self.deck.fmt.text(answer.text), "bad")])

    def _head(self, told: str, role: str) -> None:
        title = [Part(self.deck.fmt.text(self._about), "title"), Part("  if it entered now", "dim")]
        self.query_one("#detail-head", Ribbon).show((title, [Part(told, role)]))

    def _show(self, lines: list[Told]) -> None:
        grid = self.query_one(QuoteGrid)
        room = max(grid.size.width - 3, 40)
        pieces = [(piece, role) for text, role in lines for piece in (wrapped(text, room) if text else [""])]
        grid.set_rows([Row(f"line/{place}", [told]) for place, told in enumerate(pieces)])

    def action_close(self) -> None:
        self.dismiss(None)
