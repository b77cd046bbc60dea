"""The figures of Health: the engine, the market and its clock, this console. Pure but for this process's memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Final

from optconsole.engine.model.vitals import Vitals
from optconsole.screens.broker_rows import dot
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.notices import broken_rule
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line

LINES: Final = 9
RATE_BAR: Final = 6
LABEL: Final = 12
FIGURE: Final = 24
SLOW_LOOP: Final = 50.0
SLOW_COMMIT: Final = 100.0
"""Milliseconds from which a figure is worth a look."""
LITTLE_DISK: Final = 1_000_000_000
_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = 4096
Figure = tuple[str, list[Part]]
"""A label, and what it says."""


def memory() -> int | None:
    """Bytes this console holds in memory; None where the system does not say."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def vital_lines(vitals: Vitals, deck: Deck, wall: datetime, held: int | None) -> list[Line]:
    """Three figures a line: the engine left, the market and its clock in the middle, this console right.

    ``wall`` is the time of this machine's clock, ``held`` the bytes this console holds.
    """
    columns = (_engine(vitals, deck), _market(vitals, wall, deck), _console(vitals, held, deck))
    lines: list[Line] = [([], []), *(_line(row) for row in zip_longest(*columns))]
    return [*lines, *[([], [])] * (LINES - len(lines))]


def _line(row: Sequence[Figure | None]) -> Line:
    """Figures side by side; the third leaves where there is no room."""
    parts: list[Part] = []
    for place, found in enumerate(row):
        label, figure = found if found is not None else ("", [])
        used = sum(len(part.text) for part in figure)
        drop = 2 if place == 2 else 0
        parts.append(Part(f"{label:<{LABEL}}", "dim", drop))
        parts += [Part(part.text, part.role, drop) for part in figure]
        parts.append(Part(" " * max(FIGURE - used, 2), "", drop))
    return parts, []


def _engine(vitals: Vitals, deck: Deck) -> list[Figure]:
    fmt = deck.fmt
    commits = f"{fmt.latency(vitals.commit_p50)} / {fmt.latency(vitals.commit_p99)}"
    slow = (vitals.commit_p99 or 0) > SLOW_COMMIT
    lag = "warn" if (vitals.loop_lag or 0) > SLOW_LOOP else ""
    little = vitals.disk_free is not None and vitals.disk_free < LITTLE_DISK
    return [
        ("engine", [Part(fmt.text(deck.mirror.version) or fmt.unknown)]),
        ("uptime", [Part(fmt.age(vitals.uptime))]),
        ("store", [dot(vitals.store, fmt), Part(f"#{fmt.grouped(vitals.seq)}", "dim")]),
        ("commit", [Part(commits, "warn" if slow else ""), Part(" p50/p99", "dim")]),
        ("loop lag", [Part(fmt.latency(vitals.loop_lag), lag), Part(" p99", "dim")]),
        ("inbox", [Part(fmt.grouped(vitals.inbox))]),
        ("disk free", [Part(_size(vitals.disk_free, fmt), "bad" if little else "")]),
        ("rate", _rate(vitals, fmt)),
    ]


def _market(vitals: Vitals, wall: datetime, deck: Deck) -> list[Figure]:
    fmt, state = deck.fmt, deck.mirror.state
    pace = "" if vitals.speed is None else f"{fmt.glyph('×', 'x')}{vitals.speed:g}" if vitals.speed else "max"
    broken = sum(broken_rule(notice, state) for notice in state.notices)
    return [
        ("market", [Part(fmt.text(vitals.world)), Part(f" {'held' if vitals.paused else pace}", "accent")]),
        ("phase", [Part(vitals.phase.value)]),
        ("feed", [dot(vitals.feed, fmt), Part(fmt.age(vitals.feed_age))]),
        ("quotes", [Part(f"{fmt.grouped(round(vitals.quotes_per_second))}/s")]),
        ("time", [Part(fmt.clock(vitals.now), "strong"), Part(" market", "dim")]),
        ("wall", [Part(fmt.clock(wall))]),
        ("apart", [Part(fmt.age(abs((wall - vitals.now).total_seconds())), "dim")]),
        ("sentinel", [Part(f"{broken} broken", "bad") if broken else Part("rules hold", "good")]),
    ]


def _console(vitals: Vitals, held: int | None, deck: Deck) -> list[Figure]:
    fmt, mirror = deck.fmt, deck.mirror
    differs = len(mirror.state.drifts)
    return [
        ("link", [Part("lost", "bad") if mirror.lost else Part(fmt.text(mirror.link.where))]),
        ("consoles", [Part(str(vitals.consoles))]),
        ("memory", [Part(_size(held, fmt))]),
        ("beat", [Part(f"{deck.pulse.hz:g}/s"), Part(" over SSH" if deck.remote else "", "dim")]),
        ("resyncs", [Part(str(mirror.resyncs), "warn" if mirror.resyncs else "")]),
        ("differs", [Part(str(differs), "bad" if differs else ""), Part(" positions", "dim")]),
        ("kill", [Part("ENGAGED", "bad") if mirror.state.killed else Part("ready", "good")]),
        ("acts", [Part(fmt.text(vitals.guard), "bad") if vitals.guard else Part("entries and guards", "")]),
    ]


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


def _size(size: int | None, fmt: Formats) -> str:
    if size is None:
        return fmt.unknown
    return f"{size / 1e9:.1f} GB" if size >= 1_000_000_000 else f"{size / 1e6:.0f} MB"
