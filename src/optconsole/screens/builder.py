"""The builder: a basket's form on the left, its file on the right, both changed by every key."""

from __future__ import annotations

from textual import events, on
from textual.widgets import Input

from optconsole.engine.queries import PreviewBasket
from optconsole.engine.strategies.files import spelled
from optconsole.engine.strategies.lines import Path
from optconsole.screens import drafts
from optconsole.screens.beside import beside
from optconsole.screens.builder_form import BuilderForm
from optconsole.screens.dialogs import Confirm
from optconsole.screens.draft_rows import FormRow
from optconsole.screens.faults import FaultList
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon


class BuilderScreen(BuilderForm):
    """Typing replaces the field under the cursor; what is wrong with it, or what would pass, shows as it is typed."""

    # ------------------------------------------------------------ selection and typing

    @on(QuoteGrid.CursorMoved, "#form")
    def _moved(self) -> None:
        if not self.gone:
            self._follow()

    @on(QuoteGrid.RowActivated, "#form")
    def _open(self) -> None:
        row = self.row()
        if row is None:
            return
        if row.head:
            self._folded ^= {row.path}
            self._fill()
        elif row.more:
            self._opened ^= {row.path}
            self._fill()
        else:
            self._begin(row, row.text)

    def on_key(self, event: events.Key) -> None:
        """A character typed over a field replaces it; it means nothing else here."""
        if self.has_class("-typing"):
            self._typing_key(event)
            return
        row = self.row()
        if row is None or row.field is None or row.fixed or not event.is_printable or event.character is None:
            return
        event.stop()
        event.prevent_default()
        self._begin(row, event.character)

    def _typing_key(self, event: events.Key) -> None:
        steps = {"up": -1, "down": 1, "tab": 1, "shift+tab": -1}
        if event.key in steps:
            event.stop()
            event.prevent_default()
            self._end()
            self._step(steps[event.key])

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted over a field replaces it, its first line only."""
        row = self.row()
        if not self.has_class("-typing") and row is not None and row.field is not None and not row.fixed:
            event.stop()
            self._begin(row, (event.text.splitlines() or [""])[0])

    def _begin(self, row: FormRow, text: str) -> None:
        if row.fixed or row.field is None:
            return
        self._before = self.draft
        self.add_class("-typing")
        self.query_one("#builder-label", Ribbon).show(([Part(f" {row.field.key} ", "title")], []))
        field = self.query_one("#builder-input", Input)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.focus()
        self._keys()
        self._typed(text)

    @on(Input.Changed, "#builder-input")
    def _changing(self, event: Input.Changed) -> None:
        if self.has_class("-typing"):
            self._typed(event.value)

    def _typed(self, text: str) -> None:
        row = self.row()
        if (
            row is not None
            and row.field is not None
            and drafts.table_at(self.draft, row.path[:-1]).get(row.field.key, "") != text
        ):
            self.recheck(drafts.put(self.draft, row.path, text))

    @on(Input.Submitted, "#builder-input")
    def _submitted(self) -> None:
        self._end()
        self._step(1)

    def _end(self) -> None:
        self.remove_class("-typing")
        self.query_one("#form", QuoteGrid).focus()
        self._keys()

    def _step(self, by: int) -> None:
        """The next field, over heads."""
        grid = self.query_one("#form", QuoteGrid)
        grid.action_cursor(by)
        row = self.row()
        if row is not None and row.head:
            grid.action_cursor(by)

    # ------------------------------------------------------------ keys

    def action_leave(self) -> None:
        """What is typed goes back as it was; then the builder is left, after a question where something changed."""
        if self.has_class("-typing"):
            self._end()
            self.recheck(self._before)
            return
        if not self.changed:
            self.dismiss(None)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        lines: list[Line] = [([Part("What was changed is not saved; Esc here goes back to it.")], [])]
        self.app.push_screen(Confirm("Leave without saving?", lines), answered)

    def action_save(self) -> None:
        if self.has_class("-typing"):
            self._end()
        if not self.checked.sound or self.checked.basket is None:
            first = next((row.key for row in self._rows.values() if row.fault and not row.head), "")
            self.query_one("#form", QuoteGrid).move_to(first)
            self.tell(f"Not saved: {self.checked.faults[0]}", "bad")
            return
        if not self._busy:
            self._busy = True
            beside(self, self._save, group="save")

    async def _save(self) -> None:
        try:
            await self.sheet.save(self, self.checked)
        finally:
            self._busy = False

    def action_preview(self) -> None:
        """What is written would do now; only what is sound can be asked about."""
        if self.checked.basket is None or not self.checked.sound:
            self.tell(f"No preview before it is sound: {self.checked.faults[0]}", "bad")
            return
        from optconsole.screens.basket_preview import PreviewDialog

        basket = self.checked.basket
        self.app.push_screen(PreviewDialog(self.deck, PreviewBasket(written=basket), basket.name))

    def action_faults(self) -> None:
        self.app.push_screen(FaultList(self.sheet.title, self.checked.faults, self.deck.fmt))

    def action_show_file(self) -> None:
        self.toggle_class("-file")
        grid = self.query_one("#file" if self.has_class("-file") else "#form", QuoteGrid)
        grid.can_focus = True
        grid.focus()

    def _strategy(self) -> Path | None:
        """The strategy that the cursor is in, else the last."""
        row = self.row()
        path = () if row is None else row.path
        if path[:1] == ("strategy",):
            return path[:2]
        count = len(self.draft["strategy"])
        return ("strategy", count - 1) if count else None

    def _added(self, path: Path, table: dict[str, object]) -> None:
        draft, at = drafts.add(self.draft, path, table)
        self.recheck(draft)
        self.query_one("#form", QuoteGrid).move_to(spelled(at))

    def action_add_leg(self) -> None:
        if (strategy := self._strategy()) is not None:
            legs = drafts.table_at(self.draft, strategy)["leg"]
            name = drafts.fresh_name("leg", ["leg", *(leg.get("id", "") for leg in legs)])
            self._added((*strategy, "leg"), {"id": name, "side": "sell", "right": "CE", "strike": "ATM"})

    def action_add_account(self) -> None:
        taken = {each.get("name", "") for each in self.draft["account"]}
        free = [name for name in sorted(self.deck.mirror.state.accounts) if name not in taken]
        self._added(("account",), {"name": free[0] if free else ""})

    def action_add_strategy(self) -> None:
        names = [each.get("name", "") for each in self.draft["strategy"]]
        name = drafts.fresh_name("strategy", ["strategy", *names])
        self._added(("strategy",), {"name": name, "underlying": "NIFTY", "entry": "09:20", "exit": "15:15", "leg": []})

    def _table(self) -> Path | None:
        """The leg, account or strategy that the row belongs to."""
        row = self.row()
        path = () if row is None else row.path
        while path and not isinstance(path[-1], int):
            path = path[:-1]
        return path or None

    def action_twin(self) -> None:
        if (path := self._table()) is not None:
            draft, at = drafts.clone(self.draft, path)
            self.recheck(draft)
            self.query_one("#form", QuoteGrid).move_to(spelled(at))

    def action_clear(self) -> None:
        """Empty the field; on the head of a leg, account or strategy take it away."""
        row = self.row()
        if row is None:
            return
        if row.field is not None and not row.fixed:
            self.recheck(drafts.put(self.draft, row.path, ""))
        elif row.head and isinstance(row.path[-1], int) and not self.sheet.of_run:
            self.recheck(drafts.remove(self.draft, row.path))
