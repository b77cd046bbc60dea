"""The engine's log file: one JSON object a line, control characters escaped, no secrets, no locals."""

from __future__ import annotations

import json
import logging
import re
import traceback
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from optconsole.engine.clock import fresh_id
from optconsole.engine.model.secrets import MASK

NAME: Final = "optconsole"
_BYTES, _KEPT = 5_000_000, 4


class _LogFile(RotatingFileHandler):
    """A log that cannot be written is no reason to write over the screen: the store's own alarm tells of the disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        self.dropped = getattr(self, "dropped", 0) + 1


_SAID: Final = re.compile(
    r"(?i)((?:[a-z]+_?token|api_?key|api_?secret|pass(?:word|phrase)|totp|pin|checksum|authorization|jdata)"
    r"[\"']?\s*[:=]\s*[\"']?(?:bearer |token )?|\bbearer )[^\s\"'&,;}]{4,}"
)
"""A secret beside its name, as a URL, a header, a form or JSON would have it."""


def masked(text: str) -> str:
    """The second net: nobody logs a secret, and one that is logged all the same is not written."""
    return _SAID.sub(rf"\1{MASK}", text)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "room": record.name,
            "text": masked(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            # Frames without locals: a token in a local variable must not reach the disk.
            entry["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])
            ]
            entry["error"] = type(record.exc_info[1]).__name__
        return json.dumps(entry, ensure_ascii=True)


def open_log(path: Path) -> logging.Logger:
    """Send the program's log to ``path`` (rotated, private to the user) and nowhere else."""
    logger = logging.getLogger(NAME)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        # what a full disk did not take is lost already; the next log must open all the same
        with suppress(OSError):
            handler.close()
    path.touch(mode=0o600, exist_ok=True)
    target = _LogFile(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
    target.setFormatter(_JsonLines())
    logger.addHandler(target)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def incident(room: str, error: BaseException) -> str:
    """Log an unexpected failure and return the code under which it stands in the log."""
    code = fresh_id()[:8].upper()
    logging.getLogger(f"{NAME}.{room}").error("incident %s", code, exc_info=error)
    return code
