"""Journal: every fact in words, searchable, with its cause; it follows the day while its end is in view."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from optconsole.engine.events import Recorded
from optconsole.engine.queries import JournalPage, JournalVerdict, ReadJournal, Refused, VerifyJournal
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.deck import Deck
from optconsole.screens.journal_window import Window
from optconsole.screens.keymap import bindings
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon
from optconsole.screens.words import in_words

EMPTY: Final = (
    ("No fact matches.", "title"),
    ("", ""),
    ("Every event is here, in words, from the first start on; nothing is ever taken out.", ""),
    ("Esc shows everything again.", "dim"),
)
SEARCH_PAUSE: Final = 0.2


class JournalScreen(ConsoleScreen):
    """Pages of the journal. ``/`` searches all of it, ``[`` and ``]`` turn pages, Enter opens a fact."""

    NAME = "journal"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("journal",)
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "why"})
    BINDINGS = bindings("journal")

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self.window = Window()
        self._rows: dict[int, Row] = {}
        self._read_once = False
        self._seen = 0

    def body(self) -> ComposeResult:
        fmt = self.deck.fmt
        yield Ribbon(id="journal-head")
        yield QuoteGrid(
            [
                Column("No", 7, fmt.grouped, "dim"),
                Column("Time", 8, fmt.clock, "dim", align="left"),
                Column("Who", 12, fmt.text, "dim", align="left", priority=2),
                Column("What happened", 56, _text, _role, align="left", grow=200),
                Column("Stream", 14, fmt.text, "dim", align="left", priority=3),
            ],
            id="journal",
        )
        yield Ribbon(len(EMPTY), id="empty")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#journal", QuoteGrid).focus()
        self.query_one("#empty", Ribbon).show(*[([Part(f"  {text}", role)], []) for text, role in EMPTY])

    def reload(self) -> None:
        """The end of the journal on first show; later what has come since."""
        if not self._read_once:
            self._read_once = True
            self._read(self.window.newest())
        else:
            self._catch_up()

    def beat(self, changed: set[str]) -> None:
        newest = self.deck.mirror.newest
        if newest is not None and newest.seq > self._seen:
            self._catch_up()

    # ------------------------------------------------------------ reading

    def _catch_up(self) -> None:
        """New facts at the end: from the mirror when it has them all, else from the journal."""
        newest = self.deck.mirror.newest
        if newest is None or not self._read_once:
            return
        self._seen = newest.seq
        window = self.window
        if not window.at_end:
            window.head = newest.seq
            self._show_head()
            return
        fresh = [fact for fact in self.deck.mirror.recent if fact.seq > window.last]
        if window.narrowed:
            beside(
                self,
                partial(self._grow, ReadJournal(after=window.last, stream=window.stream, text=window.text or None)),
            )
        elif fresh and fresh[0].seq == window.last + 1:
            window.extend(fresh, newest.seq)
            self._show()
        elif fresh:
            beside(self, partial(self._grow, ReadJournal(after=window.last)))

    async def _grow(self, query: ReadJournal) -> None:
        page = await self.deck.query(query)
        if self.fed and isinstance(page, JournalPage) and self.window.extend(page.facts, page.head):
            self._show()

    def _read(self, query: ReadJournal, go_to: int = 0) -> None:
        beside(self, partial(self._turn, query, go_to), group="journal", exclusive=True)

    async def _turn(self, query: ReadJournal, go_to: int) -> None:
        page = await self.deck.query(query)
        if isinstance(page, Refused):
            self.say(page.text, "bad")
        elif isinstance(page, JournalPage):
            self.window.start(page.facts, page.head, query)
            self._seen = max(self._seen, page.head)
            self._show()
            grid = self.query_one("#journal", QuoteGrid)
            grid.centre_on(str(go_to)) if go_to else grid.action_edge(1)

    def _show(self) -> None:
        grid = self.query_one("#journal", QuoteGrid)
        follows = not grid.keys or grid.cursor_key == grid.keys[-1]
        facts = self.window.facts
        known = self._rows
        self._rows = {fact.seq: known.get(fact.seq) or self._row(fact) for fact in facts}
        grid.set_rows(list(self._rows.values()))
        if follows and self.window.at_end:
            grid.action_edge(1)
        self.set_class(not facts, "-empty")
        self._show_head()
        self.refill_keys()

    def _row(self, fact: Recorded) -> Row:
        words = in_words(fact.event, self.deck.mirror.state, self.deck.fmt)
        told = (f"{words.mark} {words.text}", words.role)
        return Row(str(fact.seq), [fact.seq, fact.at, fact.actor, told, fact.event.stream])

    def _show_head(self) -> None:
        fmt, window = self.deck.fmt, self.window
        dash = fmt.glyph("–", "-")
        span = f"{fmt.grouped(window.first)} {dash} {fmt.grouped(window.last)}" if window.facts else "none"
        left = [Part(" facts ", "dim"), Part(span), Part(f" of {fmt.grouped(window.head)}", "dim")]
        if window.narrowed:
            by = f"  only {fmt.text(window.stream)}" if window.stream else ""
            about = f"  with {fmt.text(window.text)}" if window.text else ""
            left.append(Part(by + about, "accent"))
        follows = window.at_end and not window.narrowed
        self.query_one("#journal-head", Ribbon).show((left, [Part("follows the day " if follows else "", "dim")]))

    # ------------------------------------------------------------ paging

    @on(QuoteGrid.CursorMoved, "#journal")
    def _moved(self, event: QuoteGrid.CursorMoved) -> None:
        """At either end of the window the next page joins it, before the reader asks."""
        if event.key == str(self.window.first):
            self.action_older()
        elif event.key == str(self.window.last):
            self.action_newer()
        self.refill_keys()

    def action_older(self) -> None:
        if (query := self.window.older()) is not None:
            beside(self, partial(self._back, query), group="journal", exclusive=True)

    async def _back(self, query: ReadJournal) -> None:
        page = await self.deck.query(query)
        if self.fed and isinstance(page, JournalPage) and self.window.extend_back(page.facts, query):
            self._show()

    def action_newer(self) -> None:
        if (query := self.window.newer()) is not None:
            beside(self, partial(self._grow, query), group="journal", exclusive=True)

    def action_refresh_page(self) -> None:
        self._read(self.window.newest())

    def go_to(self, seq: int) -> None:
        """Show one fact among its neighbours, without any filter."""
        self.window.text, self.window.stream = "", None
        self._read(self.window.around(seq), seq)

    # ------------------------------------------------------------ narrowing

    @on(Input.Changed, "#find")
    def _search(self, event: Input.Changed) -> None:
        """Search the whole journal, not the page: the grid's own narrowing is left out."""
        event.prevent_default()
        wanted = event.value.strip()
        if wanted != self.window.text:
            self.window.text = wanted
            self.set_timer(SEARCH_PAUSE, lambda: self._search_if_rested(wanted))

    def _search_if_rested(self, wanted: str) -> None:
        if self.window.text == wanted:
            self._read(self.window.newest())

    def key_escape(self) -> None:
        super().key_escape()
        if self.window.narrowed:
            self.window.text, self.window.stream = "", None
            self._read(self.window.newest())

    def selected(self) -> Recorded | None:
        """The fact under the cursor."""
        key = self.query_one("#journal", QuoteGrid).cursor_key
        return next((fact for fact in self.window.facts if str(fact.seq) == key), None)

    def action_only_stream(self) -> None:
        fact = self.selected()
        if fact is not None:
            self.window.stream = None if self.window.stream else fact.event.stream
            self._read(self.window.newest())

    # ------------------------------------------------------------ one fact

    @on(QuoteGrid.RowActivated, "#journal")
    def _open(self) -> None:
        fact = self.selected()
        if fact is not None:
            from optconsole.screens.fact_detail import FactDetail

            def answered(follow: bool | None) -> None:
                if follow:
                    self.follow_cause(fact)

            self.app.push_screen(FactDetail(self.deck, fact), answered)

    def action_cause(self) -> None:
        fact = self.selected()
        if fact is not None:
            self.follow_cause(fact)

    def action_why(self) -> None:
        """Say what the selected fact follows from, and stay on it."""
        fact, fmt = self.selected(), self.deck.fmt
        if fact is None:
            return
        who = fmt.text(fact.actor)
        known = {str(each.seq): each for each in (*self.deck.mirror.recent, *self.window.facts)}
        if not fact.cause:
            self.say(f"Fact {fact.seq} names no cause: {who} told it.", "dim")
        elif (cause := known.get(fact.cause)) is not None:
            told = in_words(cause.event, self.deck.mirror.state, fmt).text
            self.say(f"Fact {fact.seq} by {who} follows from fact {cause.seq}: {told}")
        else:
            self.say(f"Fact {fact.seq} by {who} follows from {fmt.text(fact.cause)}; c shows all of that.")

    def follow_cause(self, fact: Recorded) -> None:
        """Go to the fact that this one follows from; for a command show everything it caused."""
        if not fact.cause:
            self.say(f"Fact {fact.seq} names no cause: {self.deck.fmt.text(fact.actor)} told it.", "dim")
        elif fact.cause.isascii() and fact.cause.isdigit():
            self.go_to(int(fact.cause))
        else:
            self.window.stream, self.window.text = None, fact.cause
            self._read(self.window.newest(), fact.seq)

    # ------------------------------------------------------------ proof

    def action_verify(self) -> None:
        self.say("Checking the chain from the first fact to the last.", "dim")
        beside(self, self._verify, group="verify", exclusive=True)

    async def _verify(self) -> None:
        verdict = await self.deck.query(VerifyJournal())
        if isinstance(verdict, JournalVerdict):
            mark = self.deck.fmt.glyph("✓", "+") if verdict.ok else self.deck.fmt.glyph("✗", "x")
            bad = f" First broken: {verdict.first_bad}." if verdict.first_bad is not None else ""
            self.say(f"{mark} {verdict.text}{bad} Head {verdict.head_hash[:12]}.", "good" if verdict.ok else "bad")
        elif isinstance(verdict, Refused):
            self.say(verdict.text, "bad")

    def quote_names(self) -> Iterable[str]:
        return ()


def _text(told: tuple[str, str]) -> str:
    return told[0]


def _role(told: tuple[str, str]) -> str:
    return told[1]
