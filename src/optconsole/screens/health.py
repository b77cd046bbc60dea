"""Health: what is alive, how fast it answers, what is left, and what the trader was told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult

from optconsole.engine.clock import WallClock
from optconsole.engine.commands import DropLetter
from optconsole.engine.model.book import Letter
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.broker_rows import broker_columns, broker_row
from optconsole.screens.deck import Deck
from optconsole.screens.health_figures import LINES, memory, vital_lines
from optconsole.screens.keymap import bindings
from optconsole.screens.letters import LetterDetail, drop_question, letter_columns, letter_row, replay
from optconsole.screens.mirror import Topic
from optconsole.screens.notices import broken_rule, notice_columns, notice_row
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Ribbon

TALL: Final = 30
MOST_NEEDED: Final = (1, 3, 4, 5, 8)
"""The lines of figures that stay where letters and notices need the room: engine, store, commits, lag, rate."""


class HealthScreen(ConsoleScreen):
    """Figures of the engine, the brokers by capability, and the notices."""

    NAME = "health"
    CONTEXTS: ClassVar[tuple[str, ...]] = ("letters",)
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "notices", "notices.list"})
    BINDINGS = bindings("letters")
    DEFAULT_CSS = """
    HealthScreen #vitals { margin: 0 1; }
    HealthScreen #brokers { height: auto; min-height: 2; max-height: 7; }
    HealthScreen #letters { height: auto; min-height: 2; max-height: 6; }
    HealthScreen #letters-head, HealthScreen #letters { display: none; }
    HealthScreen.-letters #letters-head, HealthScreen.-letters #letters { display: block; }
    HealthScreen #notices-head, HealthScreen #letters-head { margin-top: 1; }
    HealthScreen.-low #notices-head, HealthScreen.-low #letters-head { margin-top: 0; }
    HealthScreen.-low #letters { max-height: 3; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._wall = WallClock()
        self._clock = -1

    def body(self) -> ComposeResult:
        fmt = self.deck.fmt
        yield Ribbon(LINES, id="vitals")
        yield QuoteGrid(broker_columns(fmt), id="brokers")
        yield Ribbon(id="letters-head")
        yield QuoteGrid(letter_columns(fmt), id="letters")
        yield Ribbon(id="notices-head")
        yield QuoteGrid(notice_columns(fmt), id="notices-list")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#letters" if self.deck.mirror.state.letters else "#notices-list", QuoteGrid).focus()

    def topics(self) -> Iterable[Topic]:
        return (Topic.NOTICES,)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.set_class(event.size.height < TALL, "-low")

    def main_grid(self) -> QuoteGrid | None:
        letters = self.query_one("#letters", QuoteGrid)
        return letters if letters.has_focus else self.query_one("#notices-list", QuoteGrid)

    def reload(self) -> None:
        """Everything, notices too."""
        state, fmt, unseen = self.deck.mirror.state, self.deck.fmt, self.deck.mirror.unseen()
        told = f"{unseen} not seen, ! marks them" if unseen else "all seen" if state.notices else "none today"
        self.query_one("#notices-head", Ribbon).show(
            ([Part(" Notices ", "title"), Part(told, "warn" if unseen else "dim")], [])
        )
        newest = sorted(state.notices, key=lambda notice: (broken_rule(notice, state), notice.seq), reverse=True)
        self.query_one("#notices-list", QuoteGrid).set_rows([notice_row(notice, state, fmt) for notice in newest])
        self._show_letters()
        vitals = self.deck.mirror.vitals
        brokers = vitals.brokers if vitals else ()
        grid = self.query_one("#brokers", QuoteGrid)
        grid.set_rows([broker_row(broker) for broker in brokers])
        grid.styles.height = max(len(brokers), 1) + 1
        self._show()
        self.refill_keys()

    def _show_letters(self) -> None:
        letters = self.deck.mirror.state.letters
        grid = self.query_one("#letters", QuoteGrid)
        self.set_class(bool(letters), "-letters")
        if not letters and grid.has_focus:
            self.query_one("#notices-list", QuoteGrid).focus()
        told = f"{len(letters)} of what a broker said is not in the book; Enter reads one"
        self.query_one("#letters-head", Ribbon).show(([Part(" Dead letters ", "title"), Part(told, "warn")], []))
        grid.set_rows([letter_row(letter) for letter in letters.values()])
        grid.styles.height = len(letters) + 1

    def beat(self, changed: set[str]) -> None:
        vitals = self.deck.mirror.vitals
        second = int(vitals.now.timestamp()) if vitals else -1
        if vitals is not None and second != self._clock:
            self._clock = second
            rows = [broker_row(broker) for broker in vitals.brokers]
            self.query_one("#brokers", QuoteGrid).apply({row.key: row.values for row in rows})
            self._show()

    # ------------------------------------------------------------ letters

    def letter(self) -> Letter | None:
        """The letter under the cursor, while its table has the focus."""
        grid = self.query_one("#letters", QuoteGrid)
        return self.deck.mirror.state.letters.get(grid.cursor_key or "") if grid.has_focus else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that act on a letter are there only on one."""
        return action not in ("replay", "drop") or (self.is_mounted and self.letter() is not None)

    def on_descendant_focus(self) -> None:
        if self.fed:
            self.refill_keys()

    @on(QuoteGrid.RowActivated, "#letters")
    def _read(self, event: QuoteGrid.RowActivated) -> None:
        self.app.push_screen(LetterDetail(self.deck, event.key, self.ask))

    async def action_replay(self) -> None:
        if (letter := self.letter()) is not None:
            await self.ask(replay(self.deck, letter))

    def action_drop(self) -> None:
        letter = self.letter()
        if letter is None:
            return

        async def answered(yes: bool | None) -> None:
            if yes:
                await self.ask(DropLetter(id=self.deck.fresh_id(), actor="key:drop", letter_id=letter.id))

        self.app.push_screen(drop_question(letter, self.deck.fmt), answered)

    # ------------------------------------------------------------ figures

    def _show(self) -> None:
        vitals = self.deck.mirror.vitals
        if vitals is not None:
            ribbon = self.query_one("#vitals", Ribbon)
            lines = vital_lines(vitals, self.deck, self._wall.now(), memory())
            if self.has_class("-low") and self.has_class("-letters"):
                lines = [lines[row] for row in MOST_NEEDED]
            ribbon.styles.height = len(lines)
            ribbon.show(*lines, *[([], [])] * (LINES - len(lines)))
