"""The structures a strategy may begin with: a list that typing narrows."""

from __future__ import annotations

from typing import Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from optconsole.engine.strategies.templates import TEMPLATES
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

BLANK_SHEET: Final = "an empty strategy"


class TemplatePicker(Dialog[str]):
    """Answers with a structure's name, ``BLANK_SHEET`` for none; None when it is left."""

    BINDINGS = [
        Binding("escape", "leave", "No", tooltip="Make nothing.", id="template.no"),
        Binding("up", "step(-1)", "Up", tooltip="The structure before.", id="template.up", priority=True),
        Binding("down", "step(1)", "Down", tooltip="The next structure.", id="template.down", priority=True),
    ]
    DEFAULT_CSS = """
    TemplatePicker #detail {
        width: 100; max-width: 96%; height: 30; max-height: 92%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    TemplatePicker QuoteGrid { height: 1fr; }
    TemplatePicker Input { height: 1; border: none; margin: 1 0; background: $surface; }
    TemplatePicker Input:focus { border: none; }
    TemplatePicker #detail-keys { margin-top: 1; }
    """

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(id="detail-head")
            yield Input(id="filter", placeholder="type to narrow: condor, rising, quiet")
            yield QuoteGrid(
                [
                    Column("Structure", 26, str, "strong", align="left"),
                    Column("Earns by", 20, str, "accent", align="left", priority=1),
                    Column("Legs", 24, str, "dim", align="left", grow=80),
                ],
                frozen=0,
            )
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        told = [Part(f"{len(TEMPLATES)} structures", "dim")]
        self.query_one("#detail-head", Ribbon).show(([Part("A new basket: begin with", "title")], told))
        rows = [
            Row(each.name, [each.name, each.outlook.value, each.text], find=f"{each.name} {each.outlook.value}")
            for each in TEMPLATES.values()
        ]
        rows.append(Row(BLANK_SHEET, [BLANK_SHEET, "", "legs are added one by one"], find=BLANK_SHEET))
        self.query_one(QuoteGrid).set_rows(rows)
        keys = [Part("Enter", "key"), Part(" opens the builder on it   ", "dim"), Part("Esc", "key")]
        self.query_one("#detail-keys", Ribbon).show(([*keys, Part(" leaves", "dim")], []))
        self.query_one(Input).focus()

    @on(Input.Changed, "#filter")
    def _narrow(self, event: Input.Changed) -> None:
        self.query_one(QuoteGrid).narrow(event.value.strip())

    @on(Input.Submitted, "#filter")
    @on(QuoteGrid.RowActivated)
    def _take(self, _event: events.Event) -> None:
        if (key := self.query_one(QuoteGrid).cursor_key) is not None:
            self.dismiss(key)

    def action_step(self, step: int) -> None:
        self.query_one(QuoteGrid).action_cursor(step)

    def action_leave(self) -> None:
        self.dismiss(None)
