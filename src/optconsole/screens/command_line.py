"""The ``:`` line: typed over any screen, with completion, history and a preview of what Enter will do."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import choose_expiry
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.command_actions import known_to, perform, preview
from optconsole.screens.commands import complete, parse, usage
from optconsole.screens.deck import Deck
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Ribbon
from optconsole.screens.wishes import Known, Wish

OFFERED: Final = 12


class CommandLine(Dialog[None]):
    """One line. Tab completes, up and down recall, Enter does what the line beneath says, Esc leaves."""

    BINDINGS = [
        Binding("escape", "close", "Close", tooltip="Do nothing.", id="line.close"),
        Binding("tab", "complete", "Complete", tooltip="Take the first completion.", id="line.complete", priority=True),
        Binding("up", "recall(-1)", "Before", tooltip="The command before.", id="line.before", priority=True),
        Binding("down", "recall(1)", "After", tooltip="The command after.", id="line.after", priority=True),
    ]
    DEFAULT_CSS = """
    CommandLine #line-box { width: 100%; height: 5; background: $background; border-top: solid $quiet; padding: 0 1; }
    CommandLine #line-row { height: 1; layout: horizontal; }
    CommandLine #line-mark { width: 2; }
    CommandLine Input { height: 1; border: none; padding: 0; background: $background; width: 1fr; }
    CommandLine Input:focus { border: none; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__()
        self.deck = deck
        self._place = len(deck.history)
        self._read: set[tuple[str, str]] = set()

    def compose(self) -> ComposeResult:
        with Vertical(id="line-box"):
            with Vertical(id="line-row"):
                yield Ribbon(id="line-mark")
                yield Input(id="line")
            yield Ribbon(id="line-preview")
            yield Ribbon(id="line-words")
            yield Ribbon(id="line-keys")

    def on_mount(self) -> None:
        self.styles.align = ("left", "bottom")
        self.query_one("#line-mark", Ribbon).show(([Part(":", "key")], []))
        keys = [("Enter", "do"), ("Tab", "complete"), ("Up", "before"), ("Esc", "leave")]
        parts = [part for key, does in keys for part in (Part(key, "key"), Part(f" {does}  ", "dim"))]
        self.query_one("#line-keys", Ribbon).show((parts, []))
        self.query_one(Input).focus()
        self._show("")

    def _known(self) -> Known:
        return known_to(self.deck, tuple(sorted(self.app.available_themes)))

    # ------------------------------------------------------------ typing

    @on(Input.Changed, "#line")
    def _changed(self, event: Input.Changed) -> None:
        self._show(event.value)
        beside(self, partial(self._learn, event.value), group="learn", exclusive=True)

    def _show(self, line: str) -> None:
        known = self._known()
        self.query_one("#line-preview", Ribbon).show(([self._told(line, known)], []))
        words = complete(line, known)
        more = f"  and {len(words) - OFFERED} more" if len(words) > OFFERED else ""
        offered = [Part(f"{word}  ", "accent" if place == 0 else "dim") for place, word in enumerate(words[:OFFERED])]
        self.query_one("#line-words", Ribbon).show(([*offered, Part(more, "dim")], []))

    def _told(self, line: str, known: Known) -> Part:
        if not line.strip():
            return Part("Say what to do; what it will do shows here before Enter.", "dim")
        try:
            return Part(preview(parse(line, known), self.deck), "strong")
        except Refusal as refusal:
            hint = usage(line)
            return Part(f"{refusal.text}   {hint}" if hint else refusal.text, "warn")

    async def _learn(self, line: str) -> None:
        """Contracts of the expiry that the line speaks of, so that strikes can be completed and checked."""
        words = line.upper().split()
        underlying = next((each for each in self.deck.underlyings if each.name in words), None)
        if underlying is None or not underlying.expiries:
            return
        named = []
        for word in words[words.index(underlying.name) + 1 :][:1]:
            try:
                named.append(choose_expiry(word, underlying.expiries))
            except Refusal:
                continue
        expiry = named[0] if named and named[0] in underlying.expiries else underlying.expiries[0]
        if (underlying.name, str(expiry)) not in self._read:
            self._read.add((underlying.name, str(expiry)))
            await self.deck.contracts(underlying.name, expiry)
            if self.is_mounted and not self.gone:
                self._show(self.query_one(Input).value)

    def action_complete(self) -> None:
        field = self.query_one(Input)
        words = complete(field.value, self._known())
        if words:
            before, _, _ = field.value.rpartition(" ")
            field.value = f"{before} {words[0]} " if before else f"{words[0]} "
            field.cursor_position = len(field.value)

    def action_recall(self, step: int) -> None:
        history = self.deck.history
        self._place = min(max(self._place + step, 0), len(history))
        field = self.query_one(Input)
        field.value = history[self._place] if self._place < len(history) else ""
        field.cursor_position = len(field.value)

    # ------------------------------------------------------------ doing

    @on(Input.Submitted, "#line")
    def _submit(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            self.dismiss(None)
            return
        beside(self, partial(self._do, event.value), group="do", exclusive=True)

    async def _do(self, line: str) -> None:
        """Read the line once more with everything known, then act on the screen beneath."""
        await self._learn(line)
        try:
            wish = parse(line, self._known())
        except Refusal:
            self._show(line)
            return
        if not self.is_active:
            # a second Enter came while the first was carried out
            return
        if not self.deck.history or self.deck.history[-1] != line:
            self.deck.history.append(line)
        beneath = self._beneath()
        self.dismiss(None)
        if beneath is not None:
            self.app.call_later(_perform, wish, beneath)

    def _beneath(self) -> ConsoleScreen | None:
        stack = self.app.screen_stack
        return next((screen for screen in reversed(stack) if isinstance(screen, ConsoleScreen)), None)

    def action_close(self) -> None:
        self.dismiss(None)


async def _perform(wish: Wish, screen: ConsoleScreen) -> None:
    await perform(wish, screen)
