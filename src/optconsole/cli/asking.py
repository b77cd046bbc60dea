"""Asking a person for what no argument, environment or history may hold."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret

TERMINAL: Final = "/dev/tty"
LONGEST: Final = 16_384


class Asker:
    """Answers typed on the controlling terminal, or the lines of standard input where ``from_stdin`` was said."""

    def __init__(self, from_stdin: bool) -> None:
        self._from_stdin = from_stdin
        if not from_stdin and not sys.stdin.isatty():
            raise Refusal(
                "NOT_TYPED",
                "Standard input is no terminal; type the answers on one, or say --stdin to have them read from it.",
            )

    def secret(self, question: str) -> Secret:
        """An answer that is not shown. Raises Refusal(NOT_TYPED | NO_ANSWER | ABANDONED)."""
        return Secret(self._line() if self._from_stdin else _typed(question, hidden=True))

    def plain(self, question: str) -> str:
        """An answer that may be seen. Raises as ``secret``."""
        return self._line() if self._from_stdin else _typed(question, hidden=False)

    def fresh(self, question: str) -> Secret:
        """A new passphrase, typed twice. Raises Refusal(NOT_THE_SAME) too."""
        first = self.secret(question)
        if not self._from_stdin and self.secret("Once more: ") != first:
            raise Refusal("NOT_THE_SAME", "The two are not the same; nothing was changed.")
        return first

    def ask(self, question: str, is_secret: bool) -> str:
        """As the logins of brokers ask."""
        question = question if question[-1:].isspace() else f"{question}: "
        return self.secret(question).reveal() if is_secret else self.plain(question)

    def _line(self) -> str:
        line = sys.stdin.readline(LONGEST + 1)
        if not line:
            raise Refusal("NO_ANSWER", "Standard input ended before every question was answered.")
        return _usable(line)


def _typed(question: str, *, hidden: bool) -> str:
    try:
        if hidden:
            _require_terminal()
            return _usable(getpass.getpass(question))
        with open(os.open(_require_terminal(), os.O_RDWR | os.O_NOCTTY), "rb+", buffering=0) as terminal:
            terminal.write(question.encode(errors="replace"))
            return _usable(terminal.read(LONGEST + 1).decode(errors="replace"))
    except KeyboardInterrupt:
        raise Refusal("ABANDONED", "Nothing was changed.") from None
    except EOFError:
        raise Refusal("NO_ANSWER", "No answer was given; nothing was changed.") from None


def _require_terminal() -> str:
    """getpass would fall back to echoing what is typed."""
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise Refusal(
            "NOT_TYPED", "There is no terminal to type on; say --stdin to have the answers read from standard input."
        ) from None
    return TERMINAL


def _usable(line: str) -> str:
    if len(line) > LONGEST:
        raise Refusal("NO_ANSWER", f"An answer is longer than {LONGEST} characters.")
    return line.rstrip("\r\n")
