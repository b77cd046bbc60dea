"""The faults in force: which of them act on a call or a message, counted and drawn from a seeded tape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from optconsole.brokers.rehearsal.faults import Fault
from optconsole.engine.clock import seeded

F = TypeVar("F")
_NOTHING: Mapping[str, str] = {}


@dataclass(slots=True)
class _Armed:
    """One fault with how often it matched and acted."""

    number: int
    fault: Fault
    matched: int = 0
    acted: int = 0


class FaultPlan:
    """Faults by number, in the order in which they were given. ``now`` is the market's time."""

    def __init__(self, now: Callable[[], datetime], faults: Iterable[Fault] = (), seed: int = 1) -> None:
        self._now, self._tape = now, seeded(seed)
        self._armed: list[_Armed] = []
        self._given = 0
        self.add(faults)

    def add(self, faults: Iterable[Fault]) -> list[int]:
        """Arm more; their numbers."""
        numbers = []
        for fault in faults:
            self._given += 1
            self._armed.append(_Armed(self._given, fault))
            numbers.append(self._given)
        return numbers

    def clear(self, number: int | None = None) -> int:
        """Disarm one, or all. How many."""
        before = len(self._armed)
        self._armed = [armed for armed in self._armed if number is not None and armed.number != number]
        return before - len(self._armed)

    def acted(self) -> dict[int, int]:
        """How often each armed fault has acted."""
        return {armed.number: armed.acted for armed in self._armed}

    def struck(
        self, kinds: type[F] | tuple[type[F], ...], op: str, fields: Mapping[str, str] = _NOTHING
    ) -> Sequence[F]:
        """The faults of some kinds that act on this call or message, and count it. Each kind must be asked for only
        once a call, since asking counts."""
        return [fault for armed in self._armed if (fault := self._strikes(armed, kinds, op, fields)) is not None]

    def _strikes(
        self, armed: _Armed, kinds: type[F] | tuple[type[F], ...], op: str, fields: Mapping[str, str]
    ) -> F | None:
        fault = armed.fault
        if not isinstance(fault, kinds) or not fault.concerns(op, fields, self._now()):
            return None
        armed.matched += 1
        if fault.nth is not None and armed.matched != fault.nth:
            return None
        if fault.times is not None and armed.acted >= fault.times:
            return None
        if fault.p is not None and self._tape.random() >= fault.p:
            return None
        armed.acted += 1
        return fault
