"""The kill switch outside the journal: for the moment in which nothing else can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from optconsole.engine.store.files import replace_file, sync_folder

FILE: Final = "kill.latch"


class KillLatch:
    """A file in the first of several folders that takes it. The next start engages the kill switch and removes it."""

    def __init__(self, *folders: Path) -> None:
        self._files = [folder / FILE for folder in folders]

    def set(self, why: str) -> bool:
        """Latch, durable on return. False when no folder took it."""
        for file in self._files:
            try:
                replace_file(file, why.encode(errors="replace"))
            except OSError:
                continue
            return True
        return False

    @property
    def why(self) -> str | None:
        """Why it was latched; None when it is not."""
        for file in self._files:
            try:
                return file.read_text(errors="replace") or "latched"
            except OSError:
                continue
        return None

    def clear(self) -> None:
        """Remove it: the journal says it now. Raises OSError."""
        for file in self._files:
            if file.exists():
                file.unlink()
                sync_folder(file.parent)
