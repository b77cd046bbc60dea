"""A stop and a target while they are being written: fields, typing, proposals by percent. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from optconsole.engine.commands import SetStop
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.money import paise, rupees
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import Protection, StopMode
from optconsole.engine.rules.bands import nearest_ticks
from optconsole.engine.rules.protection import beyond, check_levels, wide_trigger

PROPOSALS: Final = (25, 30, 40, 50, 75, 100, 10, 15, 20)
"""Per cent of the average that are proposed in turn."""
LONGEST: Final = 10
MODES: Final = tuple(StopMode(name) for name in ("both", "broker", "local"))


class Level(StrEnum):
    """What is written."""

    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class StopDraft:
    """Levels in paise for one open position. ``percent`` is the proposal that the field shows, 0 for a figure typed."""

    position: Position
    tick: int
    mark: int | None
    known: Protection | None = None
    stop: int | None = None
    target: int | None = None
    mode: StopMode = StopMode.BOTH
    field: Level = Level.STOP
    typed: str | None = None
    percent: int = 0

    @property
    def sign(self) -> int:
        """+1 for a long position, -1 for a short one."""
        return 1 if self.position.qty > 0 else -1

    @property
    def wide(self) -> int | None:
        """Where the stop at the exchange will stand; None where there is none or the price is unknown."""
        if self.stop is None or self.mode is StopMode.LOCAL:
            return None
        if self.mode is StopMode.BROKER:
            return self.stop
        return None if self.mark is None else wide_trigger(self.sign, self.stop, self.mark, self.tick)

    def level(self, which: Level) -> int | None:
        """Paise of one of the two."""
        return self.stop if which is Level.STOP else self.target

    def text(self, which: Level) -> str:
        """The field as it reads."""
        if which is self.field and self.typed is not None:
            return self.typed
        value = self.level(which)
        return "" if value is None else f"{rupees(value):.2f}"

    @property
    def unreadable(self) -> bool:
        """Whether what is typed is no price."""
        return bool(self.typed) and self.level(self.field) is None

    # ------------------------------------------------------------ writing

    def _with(self, value: int | None, typed: str | None = None, percent: int = 0) -> StopDraft:
        if self.field is Level.STOP:
            return replace(self, stop=value, typed=typed, percent=percent)
        return replace(self, target=value, typed=typed, percent=percent)

    def write(self, text: str) -> StopDraft:
        """The field holds this text; empty is no level."""
        try:
            value = paise(text) if text else None
        except Refusal:
            value = None
        return self._with(value if value is None or value > 0 else None, text)

    def type_in(self, character: str) -> StopDraft:
        """One more digit or point; the first one replaces what stood there."""
        text = (self.typed or "") + character
        return self if len(text) > LONGEST or text.count(".") > 1 else self.write(text)

    def erase(self) -> StopDraft:
        """One character less."""
        return self.write((self.typed if self.typed is not None else self.text(self.field))[:-1])

    def other(self) -> StopDraft:
        """Go to the other field."""
        return replace(self, field=Level.TARGET if self.field is Level.STOP else Level.STOP, typed=None, percent=0)

    def nudge(self, ticks: int) -> StopDraft:
        """Move the level by ticks; without one it begins at the market."""
        base = self.level(self.field)
        base = self.mark if base is None else base
        if base is None:
            return self
        below, above = nearest_ticks(base, self.tick)
        return self._with(max((above if ticks < 0 else below) + ticks * self.tick, self.tick))

    def next_mode(self) -> StopDraft:
        """The next way to watch."""
        return replace(self, mode=MODES[(MODES.index(self.mode) + 1) % len(MODES)])

    def propose(self) -> StopDraft:
        """The next level by percent of the average: a stop against the position, a target with it."""
        at = PROPOSALS.index(self.percent) + 1 if self.percent in PROPOSALS else 0
        percent = PROPOSALS[at % len(PROPOSALS)]
        level = self.by_percent(self.field, percent)
        return self if level is None else self._with(level, percent=percent)

    def by_percent(self, which: Level, percent: int) -> int | None:
        """A level on tick so many per cent from the average, from the market where that is passed already."""
        way = -self.sign if which is Level.STOP else self.sign
        for base in (self.position.average, self.mark):
            if base is None:
                continue
            below, above = nearest_ticks(round(base * (100 + way * percent) / 100), self.tick)
            level = max(below if way < 0 else above, self.tick)
            if self.mark is None or not beyond(self.sign, level, self.mark, which.value):
                return level
        return None

    # ------------------------------------------------------------ sending

    def problem(self, listed: Instrument | None) -> str:
        """Why the engine would refuse these levels, as far as the console knows; empty when nothing is wrong."""
        if self.unreadable:
            return f"{self.typed!r} is not a price; give rupees above zero, such as 126.60."
        if listed is None or self.mark is None:
            return ""
        try:
            check_levels(self.sign, self.stop, self.target, None, self.mode, self.mark, listed)
        except Refusal as refusal:
            return refusal.text
        return ""

    @property
    def loosens(self) -> bool:
        """Whether the position could lose more than under the guard it has."""
        if self.known is None or self.known.stop is None:
            return False
        return self.stop is None or (self.stop - self.known.stop) * self.sign < 0

    def command(self, command_id: str, actor: str) -> SetStop:
        """What is asked of the engine."""
        key = self.position.key
        return SetStop(
            id=command_id,
            actor=actor,
            account=key.account,
            product=key.product,
            contract=key.contract,
            stop=self.stop,
            target=self.target,
            mode=self.mode,
        )


def draft_of(position: Position, known: Protection | None, tick: int, mark: int | None) -> StopDraft:
    """The guard as it is, or the first proposal for a position that has none."""
    draft = StopDraft(position, tick, mark, known)
    if known is None:
        return draft.propose()
    return replace(draft, stop=known.stop, target=known.target, mode=known.mode)
