"""Dead letters: rows of a broker that the book could not take, read and acted on by a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from optconsole.engine.commands import AnyCommand, DropLetter, ReplayLetter
from optconsole.engine.model.book import Letter
from optconsole.screens.deck import Deck
from optconsole.screens.dialog_keys import key_line
from optconsole.screens.dialogs import Confirm
from optconsole.screens.formats import Formats
from optconsole.screens.keymap import bindings
from optconsole.screens.letter_words import pretty
from optconsole.screens.mirror import Topic
from optconsole.screens.presence import Dialog
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

AROUND: Final = 8
"""Columns of the dialog that are not the row's: border, padding, scrollbar."""
Ask = Callable[[AnyCommand], Awaitable[object]]


def letter_columns(fmt: Formats) -> list[Column]:
    """The columns of ``letter_row``."""
    return [
        Column("Letter", 6, fmt.text, "strong", align="left"),
        Column("Account", 8, fmt.text, "dim", align="left", priority=1),
        Column("Kind", 10, fmt.text, align="left"),
        Column("Since", 8, fmt.clock, "dim", align="left"),
        Column("Tries", 5, str),
        Column(" Why", 24, lambda why: f" {fmt.text(why)}", "warn", align="left", grow=120),
    ]


def letter_row(letter: Letter) -> Row:
    """One letter."""
    values = [letter.id, letter.account, letter.kind, letter.at, letter.tries, letter.why]
    return Row(letter.id, values, find=f"{letter.id} {letter.account} {letter.kind} {letter.why} {letter.row}")


def replay(deck: Deck, letter: Letter) -> ReplayLetter:
    """The command that has a letter heard again."""
    return ReplayLetter(id=deck.fresh_id(), actor="key:replay", letter_id=letter.id)


def drop_question(letter: Letter, fmt: Formats) -> Confirm:
    """Asked before a row is put away: it may be a fill that the book lacks."""
    lines: tuple[Line, ...] = (
        ([Part(f"{fmt.text(letter.account)} {fmt.text(letter.kind)}: {fmt.text(letter.why)}")], []),
        ([Part("If it was a fill, the book goes on without it. The journal keeps the row.", "warn")], []),
    )
    return Confirm(f"Put letter {fmt.text(letter.id)} away?", lines)


class LetterDetail(Dialog[None]):
    """The whole row, indented, and what can be done with it."""

    BINDINGS = bindings("letters", "letter")
    DEFAULT_CSS = """
    LetterDetail #detail {
        width: 100; max-width: 96%; height: 26; max-height: 90%; padding: 0 2;
        background: $background; border: round $quiet;
    }
    LetterDetail QuoteGrid { height: 1fr; margin: 1 0; }
    """

    def __init__(self, deck: Deck, letter_id: str, ask: Ask) -> None:
        super().__init__()
        self.deck = deck
        self.letter_id = letter_id
        self._ask = ask
        self._stop = deck.mirror.on(Topic.STATE, self._follow)

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Ribbon(2, id="detail-head")
            yield QuoteGrid([Column("What the broker said", 40, str, align="left", grow=200)])
            yield Ribbon(id="detail-keys")

    def on_mount(self) -> None:
        self.query_one("#detail-keys", Ribbon).show(
            key_line(self.deck.keymap, self.deck.keymap.of("letters", "letter"))
        )
        self.query_one(QuoteGrid).focus()

    def on_resize(self) -> None:
        self._follow()

    def on_unmount(self) -> None:
        self._stop()

    @property
    def letter(self) -> Letter | None:
        """The letter as it is now; None once it was taken in or put away."""
        return self.deck.mirror.state.letters.get(self.letter_id)

    def _follow(self) -> None:
        if self.gone or not self.is_mounted:
            return
        letter, fmt = self.letter, self.deck.fmt
        if letter is None:
            self.dismiss(None)
            return
        title = f"Letter {fmt.text(letter.id)}  {fmt.text(letter.account)} {fmt.text(letter.kind)}"
        tries = f"tried {letter.tries} time{'' if letter.tries == 1 else 's'}, first at {fmt.clock(letter.at)}"
        self.query_one("#detail-head", Ribbon).show(
            ([Part(title, "title")], [Part(tries, "dim")]), ([Part(fmt.text(letter.why), "warn")], [])
        )
        width = max(min(self.app.size.width * 96 // 100, 100) - AROUND, 30)
        rows = [Row(str(place), [fmt.text(text)]) for place, text in enumerate(pretty(letter.row, width))]
        self.query_one(QuoteGrid).set_rows(rows)

    async def action_replay(self) -> None:
        if (letter := self.letter) is not None:
            await self._ask(replay(self.deck, letter))

    def action_drop(self) -> None:
        letter = self.letter
        if letter is None:
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._ask(DropLetter(id=self.deck.fresh_id(), actor="key:drop", letter_id=letter.id))

        self.app.push_screen(drop_question(letter, self.deck.fmt), answered)

    def action_close(self) -> None:
        self.dismiss(None)
