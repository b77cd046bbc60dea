"""The kernel's note, kept by the test: the same for every process of a home, as the real one is."""

from __future__ import annotations

from typing import ClassVar


class MemoryNote:
    """Forgets at nothing but ``clear``; when a token is dead is for the reader to judge anyway."""

    notes: ClassVar[dict[str, bytes]] = {}

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, value: bytes, seconds: int) -> bool:
        if seconds > 0:
            self.notes[self._name] = value
        return seconds > 0

    def read(self) -> bytes | None:
        return self.notes.get(self._name)

    def clear(self) -> None:
        self.notes.pop(self._name, None)
