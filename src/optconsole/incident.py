"""The record of a fault nobody foresaw: written to a file, told in one line."""

from __future__ import annotations

import hashlib
import platform
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from optconsole import __version__


def incident_code(error: BaseException) -> str:
    """Eight hex digits that are the same whenever the same fault strikes at the same place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = "|".join(f"{Path(frame.filename).name}:{frame.name}:{frame.line}" for frame in frames)
    return hashlib.sha256(f"{type(error).__qualname__}|{place}".encode()).hexdigest()[:8]


def describe(error: BaseException, argv: Sequence[str]) -> str:
    """The whole record: program, platform, command and traceback."""
    about = f"optconsole {__version__}, Python {platform.python_version()}, {platform.platform()}"
    trace = "".join(traceback.format_exception(error))
    return f"{about}\ncommand: {' '.join(argv)}\n\n{trace}"


def report(error: BaseException, argv: Sequence[str], home: Path) -> str:
    """Write the record under ``home`` (else the temporary folder) and return the one line to show."""
    code = incident_code(error)
    record = describe(error, argv)
    for folder in (home / "incidents", Path(tempfile.gettempdir())):
        log = folder / f"optconsole-incident-{code}.log"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            log.write_text(record, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return f"optconsole: incident {code}: an unexpected fault ended the program; its log is {log}"
    return (
        f"optconsole: incident {code}: an unexpected fault ended the program and no log could be written; "
        "start again with OPTCONSOLE_DEBUG=1 to see it"
    )
