"""What is wrong with a basket's file: each fault with its line, its field and what would pass."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from optconsole.engine.strategies.files import FileFault
from optconsole.screens.formats import Formats
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import BLANK, Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon


class FaultList(Dialog[None]):
    """Faults to read; nothing is changed here."""

    BINDINGS = [Binding("escape,q,enter", "close", "Close", tooltip="Back.", id="faults.close")]
    DEFAULT_CSS = """
    FaultList #detail {
        width: 110; max-width: 96%; height: 24; max-height: 90%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    FaultList QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, title: str, faults: Sequence[FileFault], fmt: Formats) -> None:
        super().__init__()
        self._title = title
        self._faults = faults
        self._fmt = fmt

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield QuoteGrid(
                [
                    Column("Line", 4, str, "dim"),
                    Column("Field", 22, str, "accent", align="left", grow=12),
                    Column("What is wrong, and what would pass", 30, str, align="left", grow=200),
                ],
                frozen=0,
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        count = len(self._faults)
        counted = [Part(f"{count} fault{'' if count == 1 else 's'}", "bad")]
        self.query_one("#detail-head", Ribbon).show(([Part(self._title, "title")], counted))
        self.query_one("#detail-keys", Ribbon).show(([Part("Esc", "key"), Part(" back", "dim")], []))
        self.query_one(QuoteGrid).focus()
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        grid = self.query_one(QuoteGrid)
        room = max(grid.size.width - 44, 30)
        rows = []
        for place, fault in enumerate(self._faults):
            pieces = textwrap.wrap(self._fmt.text(fault.text), room) or [""]
            first = [str(fault.line or ""), self._fmt.text(fault.where), pieces[0]]
            rows.append(Row(f"fault/{place}", first))
            rows += [Row(f"fault/{place}/{n}", [BLANK, BLANK, more]) for n, more in enumerate(pieces[1:])]
        grid.set_rows(rows)

    def action_close(self) -> None:
        self.dismiss(None)
