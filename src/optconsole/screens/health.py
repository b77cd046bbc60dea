"""Health: what is alive, how fast it answers, what is left, and what the trader was told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult

from optconsole.engine.clock import WallClock
from optconsole.engine.model.vitals import BrokerVitals, LinkState, Vitals
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.notices import notice_columns, notice_row
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import Column, Row
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

LINES: Final = 9
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
    CONTEXTS: ClassVar[tuple[str, ...]] = ("health",)
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find", "notices", "notices.list"})
    BINDINGS = bindings("health")
    DEFAULT_CSS = """
    HealthScreen #vitals { margin: 0 1; }
    HealthScreen #brokers { height: auto; min-height: 2; max-height: 7; }
    HealthScreen #notices-head { margin-top: 1; }
    """

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._wall = WallClock()
        self._clock = -1

    def body(self) -> ComposeResult:
        fmt = self.deck.fmt
        yield Ribbon(LINES, id="vitals")
        yield QuoteGrid(broker_columns(fmt), id="brokers")
        yield Ribbon(id="notices-head")
        yield QuoteGrid(notice_columns(fmt), id="notices-list")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#notices-list", QuoteGrid).focus()

    def topics(self) -> Iterable[Topic]:
        return (Topic.NOTICES,)

    def main_grid(self) -> QuoteGrid | None:
        return self.query_one("#notices-list", QuoteGrid)

    def reload(self) -> None:
        """Everything, notices too."""
        state, fmt, unseen = self.deck.mirror.state, self.deck.fmt, self.deck.mirror.unseen()
        told = f"{unseen} not seen, ! marks them" if unseen else "all seen" if state.notices else "none today"
        self.query_one("#notices-head", Ribbon).show(
            ([Part(" Notices ", "title"), Part(told, "warn" if unseen else "dim")], [])
        )
        self.query_one("#notices-list", QuoteGrid).set_rows(
            [notice_row(notice, state, fmt) for notice in reversed(state.notices)]
        )
        vitals = self.deck.mirror.vitals
        brokers = vitals.brokers if vitals else ()
        grid = self.query_one("#brokers", QuoteGrid)
        grid.set_rows([broker_row(broker, fmt) for broker in brokers])
        grid.styles.height = max(len(brokers), 1) + 1
        self._show()

    def beat(self, changed: set[str]) -> None:
        vitals = self.deck.mirror.vitals
        second = int(vitals.now.timestamp()) if vitals else -1
        if vitals is not None and second != self._clock:
            self._clock = second
            fmt = self.deck.fmt
            rows = [broker_row(broker, fmt) for broker in vitals.brokers]
            self.query_one("#brokers", QuoteGrid).apply({row.key: row.values for row in rows})
            self._show()

    def _show(self) -> None:
        vitals = self.deck.mirror.vitals
        if vitals is not None:
            self.query_one("#vitals", Ribbon).show(*vital_lines(vitals, self.deck, self._wall, memory()))


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
            ("orders/s", [Part(f"{vitals.orders_last_second} of {vitals.orders_per_second_cap}")]),
        ],
        [
            ("disk free", [Part(_size(vitals.disk_free, fmt), disk_role)]),
            ("apart", [Part(fmt.age(skew), "dim")]),
            ("kill", [Part("ENGAGED", "bad") if mirror.state.killed else Part("ready", "good")]),
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
        Column("Broker", 12, fmt.text, "strong", align="left"),
        Column("Quotes", 9, state_text, state_role, align="left"),
        Column("Order read", 10, state_text, state_role, align="left"),
        Column("Order write", 11, state_text, state_role, align="left"),
        Column("p50", 8, fmt.latency),
        Column("p99", 8, fmt.latency),
        Column("  Note", 12, lambda note: f"  {fmt.text(note)}", "dim", align="left", grow=60),
    ]


def broker_row(broker: BrokerVitals, fmt: Formats) -> Row:
    """One broker."""
    values = [
        broker.name,
        broker.quotes,
        broker.order_read,
        broker.order_write,
        broker.latency_p50,
        broker.latency_p99,
        broker.note,
    ]
    return Row(broker.name, values)
