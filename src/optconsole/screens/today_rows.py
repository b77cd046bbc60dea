"""The day in order: what has fired, what was skipped and why, and everything that will still fire. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.screens.basket_rows import SOON, until
from optconsole.screens.formats import Formats
from optconsole.screens.run_figures import asks_person, leg_exit_at
from optconsole.screens.run_words import STATUS_ROLES, STATUS_WORDS
from optconsole.screens.widgets.arrangement import GROUP
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.columns import BLANK, Column, Row
from optconsole.screens.widgets.ribbon import Line

WIDTH: Final = 9
OVER, COMING = "group/over", "group/coming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One thing that fires, or has fired. ``orders`` leave at once with it; ``over`` once it is history."""

    key: str
    at: datetime
    what: str
    run: Run | None = None
    orders: int = 0
    over: bool = False
    why: str = ""


def day_slots(runs: Iterable[Run], closes: datetime | None = None) -> list[Slot]:
    """Everything of the day by time. ``closes`` is when the market closes, where it is open."""
    found = [slot for run in runs for slot in _slots_of(run)]
    if closes is not None:
        found.append(Slot(key="close", at=closes, what="the market closes"))
    return sorted(found, key=lambda slot: (slot.at, slot.key))


def _slots_of(run: Run) -> Iterator[Slot]:
    key, status = run.id, run.status
    if status is RunStatus.SKIPPED:
        yield Slot(key=f"{key}/skip", at=run.entry_at, what="skipped", run=run, over=True, why=run.text)
        return
    if status is RunStatus.SCHEDULED:
        what = "asks you" if asks_person(run) else "enters"
        yield Slot(key=f"{key}/enter", at=run.entry_at, what=what, run=run, orders=_entering(run), why=run.text)
    else:
        began = "began" if run.first_fill is None else "entered"
        yield Slot(key=f"{key}/enter", at=run.entry_at, what=began, run=run, over=True)
    if status.over:
        yield Slot(key=f"{key}/end", at=run.since, what=STATUS_WORDS[status], run=run, over=True, why=run.text)
        return
    yield from _waiting_of(run)
    yield from _following_of(run)
    open_legs = sum(leg.stage.holds for leg in run.legs.values())
    orders = open_legs if status is not RunStatus.SCHEDULED else _entering(run)
    yield Slot(key=f"{key}/leave", at=run.exit_at, what="leaves", run=run, orders=orders)


def _entering(run: Run) -> int:
    return sum(not leg.lazy for leg in run.strategy.legs)


def _waiting_of(run: Run) -> Iterator[Slot]:
    """What an entry still waits for, and until when."""
    entry = run.strategy.entry
    if run.status not in (RunStatus.SCHEDULED, RunStatus.WAITING):
        return
    if entry.range is not None:
        end = entry.range.end
        at = run.entry_at.replace(hour=end.hour, minute=end.minute, second=end.second)
        yield Slot(key=f"{run.id}/range", at=at, what="the range is known", run=run)
    if run.status is RunStatus.WAITING:
        what = "asks you until" if asks_person(run) else "waits until"
        yield Slot(key=f"{run.id}/until", at=run.triggers_until, what=what, run=run, why=run.text)


def _following_of(run: Run) -> Iterator[Slot]:
    """Armed re-entries, the next cycle, and legs with an exit time of their own."""
    for name, armed in run.watch.armed.items():
        what = f"{name} may enter again"
        yield Slot(key=f"{run.id}/again/{name}", at=armed.due, what=what, run=run, orders=len(armed.legs) or 1)
    if run.watch.next_cycle is not None:
        at = run.watch.next_cycle.due
        yield Slot(key=f"{run.id}/cycle", at=at, what="runs again", run=run, orders=_entering(run))
    for leg in run.legs.values():
        own = leg_exit_at(run, leg)
        if own is not None and (leg.stage is LegStage.OPEN or run.status is RunStatus.SCHEDULED):
            yield Slot(key=f"{run.id}/leg/{leg.id}", at=own, what=f"{leg.id} leaves", run=run, orders=1)


def busiest(slots: Iterable[Slot], a_second: int) -> tuple[datetime, int, float] | None:
    """The second in which most orders are due, how many, and how long they take to leave; None without any."""
    due: Counter[datetime] = Counter()
    for slot in slots:
        if not slot.over and slot.orders:
            due[slot.at.replace(microsecond=0)] += slot.orders
    if not due:
        return None
    at, count = max(due.items(), key=lambda item: (item[1], -item[0].timestamp()))
    return at, count, max(count - a_second, 0) / a_second if a_second > 0 else 0.0


def head_line(slots: Sequence[Slot], a_second: int, now: datetime | None, fmt: Formats) -> Line:
    """What comes next, and whether orders would have to wait."""
    coming = [slot for slot in slots if not slot.over]
    skipped = sum(slot.what == "skipped" for slot in slots)
    left = [Part(" Today ", "title")]
    first = next((slot for slot in coming if now is None or slot.at >= now), None)
    if first is not None:
        name = "" if first.run is None else f"{fmt.text(first.run.strategy.name)} "
        left += [Part("next ", "dim"), Part(f"{first.at:%H:%M:%S} {name}{first.what}")]
        if now is not None:
            left.append(Part(f" {until((first.at - now).total_seconds(), fmt)}", "accent"))
    else:
        left.append(Part("nothing comes any more", "dim"))
    right = []
    if skipped:
        right.append(Part(f"{skipped} skipped  ", "warn", 2))
    if (peak := busiest(coming, a_second)) is not None:
        at, count, seconds = peak
        told = f"{count} order{'' if count == 1 else 's'} at {at:%H:%M:%S}"
        right.append(Part(told, "warn" if seconds else "dim", 1))
        if seconds:
            right.append(Part(f", the last waits {seconds:.1f} s at {a_second} a second", "warn", 1))
    return left, [*right, Part(" ")]


def today_columns(fmt: Formats) -> list[Column]:
    """The columns of the day's rows."""
    return [
        Column("Time", 8, str, align="left"),
        Column("in", 8, lambda told: told[0], lambda told: told[1]),
        Column(" What", 20, lambda text: f" {fmt.text(text)}", _what_role, align="left", grow=4),
        Column("Strategy", 18, fmt.text, align="left", grow=10),
        Column("State", 8, lambda told: told[0], lambda told: told[1], align="left"),
        Column("Orders", 6, str, "dim", priority=1),
        Column("Lag", 8, str, "dim", priority=2),
        Column(" Account", 9, lambda text: f" {fmt.text(text)}", "dim", align="left", priority=4, grow=4),
        Column("Why", 14, fmt.text, "dim", align="left", priority=3, grow=80),
    ]


def _what_role(text: str) -> str:
    return "warn" if text.startswith(("skipped", "asks you")) else ""


def slot_values(slot: Slot, now: datetime | None, fmt: Formats) -> list[Any]:
    """One value per column as of now."""
    row: list[Any] = [BLANK] * WIDTH
    other_day = now is not None and slot.at.date() != now.date()
    row[0] = f"{slot.at:%d}{slot.at:%b} {slot.at:%H}h" if other_day else f"{slot.at:%H:%M:%S}"
    left = None if now is None else (slot.at - now).total_seconds()
    if not slot.over and left is not None:
        row[1] = ("now", "accent") if left < 0 else (until(left, fmt), "warn" if left <= SOON else "dim")
    row[2] = slot.what
    row[5] = str(slot.orders) if slot.orders else BLANK
    if slot.run is not None:
        run = slot.run
        row[3] = run.strategy.name
        row[4] = (STATUS_WORDS[run.status], STATUS_ROLES[run.status])
        row[6] = f"{run.lag_ms} ms" if slot.what in ("entered", "began") and run.lag_ms is not None else BLANK
        row[7] = run.account
    row[8] = slot.why
    return row


def today_rows(slots: Sequence[Slot], now: datetime | None, fmt: Formats, past: bool) -> list[Row]:
    """What is over, then the line of now, then what comes."""
    over = [slot for slot in slots if slot.over]
    rows: list[Row] = []
    if over:
        rows.append(_header(OVER, f"{fmt.glyph('▾', 'v') if past else fmt.glyph('▸', '>')} over", len(over)))
        rows += [_row(slot, now, fmt) for slot in over if past]
    coming = [slot for slot in slots if not slot.over]
    rows.append(_header(COMING, fmt.clock(now), len(coming)))
    rows += [_row(slot, now, fmt) for slot in coming]
    return rows


def _header(key: str, title: str, count: int) -> Row:
    row: list[Any] = [BLANK] * WIDTH
    row[0] = title
    row[2] = f"{count} to come" if key == COMING else f"{count} done"
    return Row(key, row, GROUP, find=key)


def _row(slot: Slot, now: datetime | None, fmt: Formats) -> Row:
    run = slot.run
    find = slot.what if run is None else f"{run.basket} {run.strategy.name} {run.account} {slot.what}"
    return Row(slot.key, slot_values(slot, now, fmt), find=find)
