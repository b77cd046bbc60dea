"""Cells that have just changed, lit for one step and then over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STEP: Final = 0.15
"""Half the longest life of a flash, in seconds."""
MOST: Final = 8
"""Rows that may flash in one beat: where everything moves a flash says nothing and costs a second painting."""


class Flashes:
    """Two generations of lit cells by row; each ``fade`` ends the older one."""

    def __init__(self) -> None:
        self._old: dict[str, set[int]] = {}
        self._new: dict[str, set[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._old or self._new)

    def add(self, lit: Mapping[str, set[int]]) -> None:
        """Light cells."""
        for key, cells in lit.items():
            self._new.setdefault(key, set()).update(cells)

    def of(self, key: str) -> set[int]:
        """The lit cells of a row."""
        return self._old.get(key, set()) | self._new.get(key, set())

    def fade(self) -> list[str]:
        """End what was lit during the step before; returns those rows."""
        over, self._old, self._new = list(self._old), self._new, {}
        return over
