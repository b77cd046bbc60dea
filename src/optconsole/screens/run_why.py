"""Why a run or one of its legs did what it did: the decisions in words, with the strikes that were looked at."""

from __future__ import annotations

import textwrap
from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.events import Recorded
from optconsole.engine.queries import JournalPage, ReadJournal
from optconsole.screens import why_words
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

PAGE: Final = 500
INDENT: Final = " " * 6


class RunWhy(Dialog[None]):
    """The story of a run, or of one leg of it, oldest first."""

    BINDINGS = [Binding("escape,q,w,enter", "close", "Close", tooltip="Back.", id="why.close")]
    DEFAULT_CSS = """
    RunWhy #detail {
        width: 130; max-width: 96%; height: 34; max-height: 92%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    RunWhy QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, run_id: str, leg: str = "") -> None:
        super().__init__()
        self.deck = deck
        self._run_id = run_id
        self._leg = leg

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield QuoteGrid([Column("What was decided, and on what", 20, str, _role, align="left", grow=300)], frozen=0)
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        fmt, run = self.deck.fmt, self.deck.mirror.state.runs.get(self._run_id)
        name = fmt.text(self._run_id if run is None else f"{run.basket} / {run.strategy.name}")
        leg = f", leg {fmt.text(self._leg)}" if self._leg else ""
        account = "" if run is None else f"{fmt.text(run.account)}  {self._run_id}"
        self.query_one("#detail-head", Ribbon).show(([Part(f"{name}{leg}", "title")], [Part(account, "dim")]))
        keys = [Part("Esc", "key"), Part(" back", "dim")]
        self.query_one("#detail-keys", Ribbon).show((keys, []))
        self.query_one(QuoteGrid).focus()
        beside(self, self._read, exclusive=True)

    async def _read(self) -> None:
        facts: list[Recorded] = []
        after = 0
        while True:
            page = await self.deck.query(ReadJournal(stream=f"run:{self._run_id}", after=after, limit=PAGE))
            if not isinstance(page, JournalPage) or not page.facts:
                break
            facts += page.facts
            after = page.facts[-1].seq
            if len(page.facts) < PAGE:
                break
        if not self.gone:
            self._show(facts)

    def _show(self, facts: list[Recorded]) -> None:
        grid = self.query_one(QuoteGrid)
        room = max(grid.size.width - 3, 40)
        told = why_words.lines(facts, self._leg) or ["Nothing was decided about it yet."]
        pieces = [piece for text in told for piece in wrapped(spelled(text, self.deck.fmt), room)]
        grid.set_rows([Row(f"line/{place}", [piece]) for place, piece in enumerate(pieces)])

    def action_close(self) -> None:
        self.dismiss(None)


def spelled(text: str, fmt: Formats) -> str:
    """Made safe, with the signs that this terminal knows."""
    for full, plain in (("→", "->"), ("–", "-"), ("×", "x")):
        text = text.replace(full, fmt.glyph(full, plain))
    return fmt.text(text)


def wrapped(text: str, room: int) -> list[str]:
    """A line in as many as it takes, what follows set in further."""
    start = text[: len(text) - len(text.lstrip())]
    rest = start + (INDENT if not start else "  ")
    return textwrap.wrap(text.lstrip(), room, initial_indent=start, subsequent_indent=rest) or [""]


def _role(text: str) -> str:
    return "accent" if text.lstrip().startswith(("→", "->")) else "dim" if text.startswith(INDENT) else ""
