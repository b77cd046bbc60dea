"""The one exception that carries a refusal to the person who asked."""

from __future__ import annotations


class Refusal(Exception):
    """Something the program will not do, with a stable code and one sentence a trader can act on.

    ``code`` is UPPER_SNAKE and never changes meaning; ``text`` says what is wrong and what would pass.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} [{self.code}]"
