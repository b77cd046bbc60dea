"""The face of the builder: what is built, its form, its file, and what stands above and below them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from optconsole.engine.rules.faults import MarketFacts
from optconsole.engine.strategies.files import spelled
from optconsole.engine.strategies.lines import Path, line_map
from optconsole.engine.strategies.linting import Checked
from optconsole.screens import drafts
from optconsole.screens.deck import Deck
from optconsole.screens.draft_rows import FormRow, form_columns, form_row, form_rows
from optconsole.screens.drafts import Draft
from optconsole.screens.key import Key
from optconsole.screens.keymap import bindings
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

WIDE: Final = 110
"""Columns from which the file stands beside the form."""
Save = Callable[["BuilderForm", Checked], Awaitable[None]]


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


class BuilderForm(Dialog[None]):
    """Shows a draft as a form and as a file; what is wrong stands where it is."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("builder",)
    BINDINGS = bindings("builder")
    DEFAULT_CSS = """
    BuilderForm { background: $background; }
    BuilderForm #builder { width: 100%; height: 100%; padding: 0 1; }
    BuilderForm #builder-body { height: 1fr; margin-top: 1; }
    BuilderForm #form { width: 3fr; }
    BuilderForm #file { width: 2fr; display: none; border-left: solid $quiet; padding-left: 1; }
    BuilderForm.-wide #file, BuilderForm.-file #file { display: block; }
    BuilderForm.-file #form { display: none; }
    BuilderForm #builder-edit { height: 1; display: none; background: $surface; }
    BuilderForm.-typing #builder-edit { display: block; }
    BuilderForm #builder-label { width: 22; height: 1; }
    BuilderForm #builder-input { height: 1; border: none; padding: 0; width: 1fr; background: $surface; }
    BuilderForm #builder-input:focus { border: none; }
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

    def row(self) -> FormRow | None:
        """The row under the cursor."""
        return self._rows.get(self.query_one("#form", QuoteGrid).cursor_key or "")

    def tell(self, text: str, role: str = "") -> None:
        """Say something where the hints stand."""
        if not self.gone:
            self.query_one("#builder-hint", Ribbon).show(([Part(self.deck.fmt.text(text), role)], []))

    def restart(self, sheet: Sheet) -> None:
        """Go on with another draft, such as a newer version of the same basket."""
        self.sheet = sheet
        self.recheck(sheet.draft)
        self._saved = self.toml
        self._head()


def _toml_role(text: str, bad: bool) -> str:
    if bad:
        return "bad"
    return "accent" if text.startswith("[") else ""
