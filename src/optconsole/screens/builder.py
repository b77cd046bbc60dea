"""The builder: a basket's form on the left, its file on the right, both changed by every key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from optconsole.engine.queries import PreviewBasket
from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.strategies.files import spelled
from optconsole.engine.strategies.lines import Path, line_map
from optconsole.engine.strategies.linting import Checked
from optconsole.screens import drafts
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.draft_rows import FormRow, form_columns, form_row, form_rows
from optconsole.screens.drafts import Draft
from optconsole.screens.faults import FaultList
from optconsole.screens.key import Key
from optconsole.screens.keymap import bindings
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

WIDE: Final = 110
"""Columns from which the file stands beside the form."""
Save = Callable[["BuilderScreen", Checked], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is built: a title, the draft it begins with, what of the market it is checked against, and its saving.

    ``of_run`` shows the rules of one run only. ``at`` is the table the cursor begins on.
    """

    title: str
    draft: Draft
    facts: MarketFacts
    save: Save
    of_run: bool = False
    fresh: bool = False
    at: Path = ()


class BuilderScreen(Dialog[None]):
    """Typing replaces the field under the cursor; what is wrong with it, or what would pass, shows as it is typed."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("builder",)
    BINDINGS = bindings("builder")
    DEFAULT_CSS = """
    BuilderScreen { background: $background; }
    BuilderScreen #builder { width: 100%; height: 100%; padding: 0 1; }
    BuilderScreen #builder-body { height: 1fr; margin-top: 1; }
    BuilderScreen #form { width: 3fr; }
    BuilderScreen #file { width: 2fr; display: none; border-left: solid $quiet; padding-left: 1; }
    BuilderScreen.-wide #file, BuilderScreen.-file #file { display: block; }
    BuilderScreen.-file #form { display: none; }
    BuilderScreen #builder-edit { height: 1; display: none; background: $surface; }
    BuilderScreen.-typing #builder-edit { display: block; }
    BuilderScreen #builder-label { width: 22; height: 1; }
    BuilderScreen #builder-input { height: 1; border: none; padding: 0; width: 1fr; background: $surface; }
    BuilderScreen #builder-input:focus { border: none; }
    """

    def __init__(self, deck: Deck, sheet: Sheet) -> None:
        super().__init__()
        self.deck = deck
        self.sheet = sheet
        self.draft = sheet.draft
        self.toml, self.checked = drafts.check(self.draft, sheet.facts)
        self._saved = "" if sheet.fresh else self.toml
        self._opened: set[Path] = set()
        self._folded: set[Path] = set()
        self._rows: dict[str, FormRow] = {}
        self._before = self.draft
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(id="builder"):
            yield Ribbon(id="builder-head")
            with Horizontal(id="builder-body"):
                yield QuoteGrid(form_columns(self.deck.fmt), id="form", frozen=0)
                yield QuoteGrid(
                    [
                        Column("", 3, str, "dim"),
                        Column(
                            self.sheet.title, 20, lambda told: told[0], lambda told: told[1], align="left", grow=200
                        ),
                    ],
                    id="file",
                    frozen=0,
                )
            yield Ribbon(id="builder-hint")
            with Horizontal(id="builder-edit"):
                yield Ribbon(id="builder-label", ground="")
                yield Input(id="builder-input", select_on_focus=False)
            yield Ribbon(id="builder-keys")

    def on_mount(self) -> None:
        self.query_one("#file", QuoteGrid).can_focus = False
        self.query_one("#form", QuoteGrid).focus()
        self._fill()
        if self.sheet.at:
            self.query_one("#form", QuoteGrid).move_to(spelled(self.sheet.at))
        self._keys()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")
        self._keys()

    # ------------------------------------------------------------ showing

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return self.toml != self._saved

    def recheck(self, draft: Draft) -> None:
        """Take a draft, read it as its file is read, and show both."""
        self.draft = draft
        self.toml, self.checked = drafts.check(draft, self.sheet.facts)
        self._fill()

    def _fill(self) -> None:
        fmt, faults = self.deck.fmt, self.checked.faults
        rows = form_rows(self.draft, faults, frozenset(self._opened), frozenset(self._folded), of_run=self.sheet.of_run)
        self._rows = {row.key: row for row in rows}
        self.query_one("#form", QuoteGrid).set_rows(
            [form_row(row, fmt, folded=row.path in self._folded) for row in rows]
        )
        bad = {fault.line for fault in faults}
        self.query_one("#file", QuoteGrid).set_rows(
            [
                Row(f"line/{number}", [str(number), (text, _toml_role(text, number in bad))])
                for number, text in enumerate(self.toml.splitlines(), 1)
            ]
        )
        self._head()
        self._follow()

    def _head(self) -> None:
        fmt, count = self.deck.fmt, len(self.checked.faults)
        state = [Part("changed  ", "accent", 1)] if self.changed else []
        verdict = Part("sound", "good") if not count else Part(f"{count} fault{'' if count == 1 else 's'}", "bad")
        mode = Part(f" {self.deck.mode.upper()} ", self.deck.mode)
        head = [mode, Part(f" {fmt.text(self.sheet.title)}", "title")]
        self.query_one("#builder-head", Ribbon).show((head, [*state, verdict, Part(" ")]))

    def _follow(self) -> None:
        """The file shows the line of the field under the cursor; below stands what is wrong, or what would pass."""
        row = self.row()
        if row is None:
            return
        line = self._line_of(row)
        if line:
            self.query_one("#file", QuoteGrid).centre_on(f"line/{line}")
        fmt = self.deck.fmt
        if row.fault:
            told = Part(fmt.text(row.fault), "bad")
        elif row.field is None:
            told = Part("Enter shows or hides its fields." if row.head else "Enter shows them.", "dim")
        else:
            default = f"; without it {row.default}" if row.default and not row.text else ""
            told = Part(f"{row.hint or 'type over it'}{default}", "dim")
        self.query_one("#builder-hint", Ribbon).show(([told], []))

    def _line_of(self, row: FormRow) -> int:
        found = line_map(self.toml)
        at = row.path
        while at and at not in found:
            at = at[:-1]
        return found.get(at, 0)

    def _keys(self) -> None:
        typing = self.has_class("-typing")
        parts: list[Part] = []
        if typing:
            for key, does in (("Enter", "next field"), ("Tab", "next"), ("Esc", "as it was")):
                parts += [Part(f" {key}", "key"), Part(f" {does} ", "dim")]
        else:
            keymap = self.deck.keymap
            for place, offered in enumerate(self._offered(), 1):
                drop = 0 if offered.id in ("builder.save", "builder.close") else place
                parts += [Part(f" {keymap.shown(offered)}", "key", drop), Part(f" {offered.description} ", "dim", drop)]
        self.query_one("#builder-keys", Ribbon).show((parts, []))

    def _offered(self) -> list[Key]:
        keys = self.deck.keymap.of("builder")
        return [key for key in keys if key.footer and self.check_action(key.action.split("(")[0], ())]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The shape of a run that is under way stays; what is typed is ended before anything else."""
        if action in ("add_leg", "add_account", "add_strategy", "twin", "preview"):
            return not self.sheet.of_run
        if action == "show_file":
            return not self.has_class("-wide")
        return True

    # ------------------------------------------------------------ selection and typing

    def row(self) -> FormRow | None:
        """The row under the cursor."""
        return self._rows.get(self.query_one("#form", QuoteGrid).cursor_key or "")

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
            self._tell(f"Not saved: {self.checked.faults[0]}", "bad")
            return
        if not self._busy:
            self._busy = True
            beside(self, self._save, group="save")

    async def _save(self) -> None:
        try:
            await self.sheet.save(self, self.checked)
        finally:
            self._busy = False

    def restart(self, sheet: Sheet) -> None:
        """Go on with another draft, such as a newer version of the same basket."""
        self.sheet = sheet
        self.recheck(sheet.draft)
        self._saved = self.toml
        self._head()

    def tell(self, text: str, role: str = "") -> None:
        """Say something where the hints stand."""
        self._tell(text, role)

    def _tell(self, text: str, role: str) -> None:
        if not self.gone:
            self.query_one("#builder-hint", Ribbon).show(([Part(self.deck.fmt.text(text), role)], []))

    def action_preview(self) -> None:
        """What is written would do now; only what is sound can be asked about."""
        if self.checked.basket is None or not self.checked.sound:
            self._tell(f"No preview before it is sound: {self.checked.faults[0]}", "bad")
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


def _toml_role(text: str, bad: bool) -> str:
    if bad:
        return "bad"
    return "accent" if text.startswith("[") else ""
