"""The one way to open what a trader names: a recording, or a raw file made into one on the fly."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from optconsole.brokers.replay.importer import Progress, import_file
from optconsole.brokers.replay.opening import is_parquet, open_recording
from optconsole.brokers.replay.reader import Recording
from optconsole.engine.market.recording import VERSION, unreadable, unwritable
from optconsole.engine.model.errors import Refusal

CACHE_NAME: Final = "recordings"
IMPORT_VERSION: Final = 1
"""Grows when the importer would make something else of the same file, so that older copies are left alone."""


def open_session(path: Path, home: Path, progress: Progress | None = None) -> Recording:
    """Open a recording, or import a raw file into ``home``/recordings first, once for each content.

    Raises Refusal as `open_recording` and `import_file` do. An unclosed recording is left for the trader to save.
    """
    try:
        return open_recording(path)
    except Refusal as refusal:
        if refusal.code != "NOT_A_RECORDING" or not is_parquet(path):
            raise
    cached = home / CACHE_NAME / f"{path.stem}-{_digest(path)}.parquet"
    try:
        return open_recording(cached)
    except Refusal:
        # Absent, of an older format or damaged: it is only a copy, so it is made again.
        _make(cached.parent)
    import_file(path, cached, progress=progress)
    return open_recording(cached)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None


def _digest(path: Path) -> str:
    content = hashlib.sha256(f"{VERSION}.{IMPORT_VERSION}".encode())
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                content.update(block)
    except OSError as error:
        raise unreadable(path, error) from None
    return content.hexdigest()[:16]
