"""A secret as a value that shows itself to nobody but who asks for it by name."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

MASK: Final = "•••"


class Secret:
    """Text that no log, traceback, format or pickle may carry. ``reveal`` is for the wire and the vault alone."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself."""
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # surrogatepass: an encoding error would carry the text in it
        mine, others = (text.encode("utf-8", "surrogatepass") for text in (self.__text, other.reveal()))
        return hmac.compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be pickled or copied")
