"""What the command line says: a table for people, one JSON document for programs, one line for what went wrong."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from optconsole.engine.model.text import display

if TYPE_CHECKING:
    from optconsole.screens.formats import Formats

DONE: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2


class Output:
    """Standard output in one of two languages."""

    def __init__(self, as_json: bool) -> None:
        self.json = as_json
        if isinstance(sys.stdout, io.TextIOWrapper):
            # a terminal that cannot show a character must not end the program
            sys.stdout.reconfigure(errors="backslashreplace")

    @cached_property
    def formats(self) -> Formats:
        """How numbers are written on this output."""
        from optconsole.screens.formats import Formats

        return Formats(ascii="utf" not in (getattr(sys.stdout, "encoding", None) or "").lower())

    def document(self, value: object, *lines: str) -> None:
        """The whole answer: ``value`` as one JSON document, or the lines."""
        if self.json:
            print(json.dumps(value))
        else:
            for line in lines:
                print(line)

    def item(self, value: object, line: str) -> None:
        """One item of a stream, out at once: a JSON line, or the line."""
        print(json.dumps(value) if self.json else line, flush=True)


def error(code: str, text: str, as_json: bool) -> None:
    """Say why nothing was done: one line on standard error, and with ``as_json`` one document on standard output."""
    line = display(text, 1000)
    sys.stderr.write(f"error: {line} [{code}]\n".encode(sys.stderr.encoding or "ascii", "backslashreplace").decode())
    if as_json:
        print(json.dumps({"ok": False, "code": code, "text": line}))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Aligned columns, the first ``left`` of them flush left. Text from outside is made safe to show."""
    cells = [list(head), *([display(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
