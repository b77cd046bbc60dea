"""Health: what is alive, how fast it answers, what is left, and what the trader was told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult

from optconsole.engine.clock import WallClock
from optconsole.engine.commands import DropLetter
from optconsole.engine.model.book import Letter
from optconsole.engine.model.vitals import BrokerVitals, LinkState, Vitals
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.keymap import bindings
from optconsole.screens.letters import LetterDetail, drop_question, letter_columns, letter_row, replay
from optconsole.screens.mirror import Topic
from optconsole.screens.notices import broken_rule, notice_columns, notice_row
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

LINES: Final = 9
TALL: Final = 30
MOST_NEEDED: Final = (1, 3, 4, 5, 8)
"""The lines of figures that stay where letters and notices need the room: engine, store, commits, lag, rate."""
RATE_BAR: Final = 6
OLD_BOOK: Final = 60.0
"""Seconds after which no risk is taken on a book (the rules' own figure)."""
LABEL: Final = 12
FIGURE: Final = 24
DOTS: Final = {
    LinkState.LIVE: ("●", "*", "good"),
    LinkState.STALE: ("◐", "~", "warn"),
    LinkState.DEAD: ("✕", "x", "bad"),
    LinkState.CLOSED: ("○", "o", "dim"),
}
SLOW_LOOP: Final = 50.0
SLOW_COMMIT: Final = 100.0
"""Milliseconds from which a figure is worth a look."""
LITTLE_DISK: Final = 1_000_000_000
_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = 4096


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
            lines = vital_lines(vitals, self.deck, self._wall, memory())
            if self.has_class("-low") and self.has_class("-letters"):
                lines = [lines[row] for row in MOST_NEEDED]
            ribbon.styles.height = len(lines)
            ribbon.show(*lines, *[([], [])] * (LINES - len(lines)))


def memory() -> int | None:
    """Bytes this console holds in memory; None where the system does not say."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def vital_lines(vitals: Vitals, deck: Deck, wall: WallClock, held: int | None) -> list[Line]:
    """Three figures a line: the engine left, the market and its clock in the middle, this console right."""
    fmt, mirror = deck.fmt, deck.mirror
    commits = f"{fmt.latency(vitals.commit_p50)} / {fmt.latency(vitals.commit_p99)}"
    slow = (vitals.commit_p99 or 0) > SLOW_COMMIT
    lag = "warn" if (vitals.loop_lag or 0) > SLOW_LOOP else ""
    skew = abs((wall.now() - vitals.now).total_seconds())
    disk_role = "bad" if vitals.disk_free is not None and vitals.disk_free < LITTLE_DISK else ""
    where = fmt.text(mirror.link.where)
    pace = "" if vitals.speed is None else f"{fmt.glyph('×', 'x')}{vitals.speed:g}" if vitals.speed else "max"
    playing = "held" if vitals.paused else pace
    state = mirror.state
    broken = sum(broken_rule(notice, state) for notice in state.notices)
    cells: list[list[tuple[str, list[Part]]]] = [
        [
            ("engine", [Part(fmt.text(mirror.version) or fmt.unknown)]),
            ("market", [Part(fmt.text(vitals.world)), Part(f" {playing}", "accent")]),
            ("link", [Part("lost" if mirror.lost else where, "bad" if mirror.lost else "")]),
        ],
        [
            ("uptime", [Part(fmt.age(vitals.uptime))]),
            ("phase", [Part(vitals.phase.value)]),
            ("consoles", [Part(str(vitals.consoles))]),
        ],
        [
            ("store", [_dot(vitals.store, fmt), Part(f"#{fmt.grouped(vitals.seq)}", "dim")]),
            ("feed", [_dot(vitals.feed, fmt), Part(fmt.age(vitals.feed_age))]),
            ("memory", [Part(_size(held, fmt))]),
        ],
        [
            ("commit", [Part(commits, "warn" if slow else ""), Part(" p50/p99", "dim")]),
            ("quotes", [Part(f"{fmt.grouped(round(vitals.quotes_per_second))}/s")]),
            ("beat", [Part(f"{deck.pulse.hz:g}/s"), Part(" over SSH" if deck.remote else "", "dim")]),
        ],
        [
            ("loop lag", [Part(fmt.latency(vitals.loop_lag), lag), Part(" p99", "dim")]),
            ("time", [Part(fmt.clock(vitals.now), "strong"), Part(" market", "dim")]),
            ("resyncs", [Part(str(mirror.resyncs), "warn" if mirror.resyncs else "")]),
        ],
        [
            ("inbox", [Part(fmt.grouped(vitals.inbox))]),
            ("wall", [Part(fmt.clock(wall.now()))]),
            ("differs", [Part(str(len(state.drifts)), "bad" if state.drifts else ""), Part(" positions", "dim")]),
        ],
        [
            ("disk free", [Part(_size(vitals.disk_free, fmt), disk_role)]),
            ("apart", [Part(fmt.age(skew), "dim")]),
            ("kill", [Part("ENGAGED", "bad") if mirror.state.killed else Part("ready", "good")]),
        ],
        [
            ("rate", _rate(vitals, fmt)),
            ("sentinel", [Part(f"{broken} broken", "bad") if broken else Part("rules hold", "good")]),
            ("acts", [Part(fmt.text(vitals.guard), "bad") if vitals.guard else Part("entries and guards", "")]),
        ],
    ]
    lines: list[Line] = [([], [])]
    for row in cells:
        parts: list[Part] = []
        for place, (label, figure) in enumerate(row):
            used = sum(len(part.text) for part in figure)
            drop = 2 if place == 2 else 0
            parts.append(Part(f"{label:<{LABEL}}", "dim", drop))
            parts += [Part(part.text, part.role, drop) for part in figure]
            parts.append(Part(" " * max(FIGURE - used, 2), "", drop))
        lines.append((parts, []))
    return [*lines, *[([], [])] * (LINES - len(lines))]


def _rate(vitals: Vitals, fmt: Formats) -> list[Part]:
    """Orders of the last second of the cap, and how long the next entry would wait for its turn."""
    used, cap = vitals.orders_last_second, vitals.orders_per_second_cap
    role = "bad" if used >= cap else "warn" if used * 10 >= cap * 8 else ""
    bar = fmt.bar(used / cap if cap else 0.0, RATE_BAR)
    wait = f" waits {fmt.age(vitals.entry_wait)}" if vitals.entry_wait else "/s"
    return [
        Part(bar, role or "bar"),
        Part(f" {used} of {cap}", role),
        Part(wait, "warn" if vitals.entry_wait else "dim"),
    ]


def _dot(state: LinkState, fmt: Formats) -> Part:
    full, plain, role = DOTS[state]
    return Part(f"{fmt.glyph(full, plain)} ", role)


def _size(size: int | None, fmt: Formats) -> str:
    if size is None:
        return fmt.unknown
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{size / 1e6:.0f} MB"


def broker_columns(fmt: Formats) -> list[Column]:
    """The columns of ``broker_row``: each capability by itself, since one may fail alone."""

    def state_text(state: LinkState) -> str:
        full, plain, _ = DOTS[state]
        return f"{fmt.glyph(full, plain)} {state.value.lower()}"

    def state_role(state: LinkState) -> str:
        return DOTS[state][2]

    return [
        Column("Account", 9, fmt.text, "strong", align="left"),
        Column("Broker", 8, fmt.text, "dim", align="left", priority=3),
        Column("Quotes", 8, state_text, state_role, align="left"),
        Column("Order read", 10, state_text, state_role, align="left"),
        Column("Order write", 11, state_text, state_role, align="left"),
        Column("Book", 5, fmt.age, age_of_book),
        Column(" Entries", 8, lambda told: f" {told[0]}", lambda told: told[1], align="left"),
        Column("p50", 6, fmt.latency, priority=1),
        Column("p99", 6, fmt.latency, priority=2),
        Column("  Note", 12, lambda note: f"  {fmt.text(note)}", "dim", align="left", grow=60),
    ]


def age_of_book(age: float | None) -> str:
    """A book nobody has read is no ground to trade on; an old one says so."""
    return "bad" if age is None or age > OLD_BOOK else ""


def broker_row(broker: BrokerVitals) -> Row:
    """One account: its capabilities, the age of its book, and whether entries leave."""
    if broker.lost or broker.order_read is LinkState.DEAD or broker.order_write is LinkState.DEAD:
        entries = ("stopped", "bad")
    elif broker.refusing_for > 0:
        entries = (f"in {broker.refusing_for:.0f}s", "warn")
    else:
        entries = ("open", "good")
    failed = f"{broker.failures} requests in a row failed" if broker.failures else ""
    values = [
        broker.account or broker.name,
        broker.name,
        broker.quotes,
        broker.order_read,
        broker.order_write,
        None if broker.book_age is None else float(int(broker.book_age)),
        entries,
        broker.latency_p50,
        broker.latency_p99,
        broker.lost or broker.note or failed,
    ]
    return Row(broker.account or broker.name, values)
