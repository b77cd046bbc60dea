"""The record of a fault nobody foresaw: written to a file, told in one line."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from optconsole import __version__
from optconsole.engine.model.text import display

_SECRET: Final = re.compile(
    r"(?i)((?:password|passwd|secret|token|api_?key|authorization|totp|pin)[\"']?\s*[=:]\s*(?:bearer |basic )?)"
    r"[^\s,;&)}\]]+|(://[^:/@\s]*:)[^@\s]*@"
)


def _masked(found: re.Match[str]) -> str:
    return f"{found.group(1)}***" if found.group(1) else f"{found.group(2)}***@"


def incident_code(error: BaseException) -> str:
    """Eight hex digits that are the same whenever the same fault strikes at the same place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = "|".join(f"{Path(frame.filename).name}:{frame.name}:{frame.line}" for frame in frames)
    return hashlib.sha256(f"{type(error).__qualname__}|{place}".encode()).hexdigest()[:8]


def describe(error: BaseException, argv: Sequence[str]) -> str:
    """The whole record: program, platform, command and traceback; no locals, no secret that is named as one."""
    about = f"optconsole {__version__}, Python {platform.python_version()}, {platform.platform()}"
    trace = "".join(traceback.format_exception(error))
    lines = f"{about}\ncommand: {' '.join(argv)}\n\n{trace}".splitlines()
    return "".join(f"{_SECRET.sub(_masked, display(line, 1_000))}\n" for line in lines)


def _write(log: Path, record: str) -> None:
    """For this user only, and through no link that another has put there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(log, flags, 0o600), "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(record)


def report(error: BaseException, argv: Sequence[str], home: Path) -> str:
    """Write the record under ``home`` (else the temporary folder) and return the one line to show."""
    code = incident_code(error)
    record = describe(error, argv)
    for folder in (home / "incidents", Path(tempfile.gettempdir())):
        log = folder / f"optconsole-incident-{code}.log"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(log, record)
        except OSError:
            continue
        return f"optconsole: incident {code}: an unexpected fault ended the program; its log is {log}"
    return (
        f"optconsole: incident {code}: an unexpected fault ended the program and no log could be written; "
        "start again with OPTCONSOLE_DEBUG=1 to see it"
    )
