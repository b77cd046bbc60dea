"""What a terminal would obey in a stream of bytes, and which of it a console of ours may send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_PRIVATE_MODES: Final = frozenset({"7", "25", "1000", "1003", "1004", "1006", "1015", "1049", "2004", "2026", "2048"})
"""Wrap, cursor, mouse, focus, alternate screen, bracketed paste, synchronized output, sizes in band."""
_OURS: Final = (
    re.compile(r"\x1b\[[0-9;]*m"),  # colours
    re.compile(r"\x1b\[[0-9]*(?:;[0-9]*)?H"),  # the cursor's place
    re.compile(r"\x1b\[[AJ]"),  # up, and erase below, as the splash line does
    re.compile(r"\x1b\[\?2026\$p"),
    re.compile(r"\x1b\[\?2048\$p"),
    re.compile(r"\x1b\[>[0-9]+u"),  # the keyboard protocol on
    re.compile(r"\x1b\[<u"),  # and off
    re.compile(r"\x1b\]22;[a-z-]+\x07"),  # the pointer's shape
)
_MODE: Final = re.compile(r"\x1b\[\?([0-9]+)[hl]")
_CSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_STRING: Final = re.compile(r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\x1b[ -/]*[0-~]?")
_LAYOUT: Final = "\r\n"
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""C0, DEL, C1, and what reorders or hides text."""


def unsafe(stream: bytes) -> list[str]:
    """Everything in the stream that is neither visible text nor one of the sequences a console sends by itself."""
    return [found for found in controls(stream.decode("utf-8", "surrogateescape")) if not allowed(found)]


def controls(text: str) -> Iterator[str]:
    """Every control sequence and every lone control character, in order."""
    place = 0
    while (found := _HIDDEN.search(text, place)) is not None:
        place = found.start()
        if text[place] == "\x1b":
            whole = _STRING.match(text, place) or _CSI.match(text, place) or _ESCAPE.match(text, place)
            assert whole is not None
            yield whole.group()
            place = whole.end()
        else:
            yield text[place]
            place += 1
    yield from (char for char in text if "\udc80" <= char <= "\udcff")


def allowed(control: str) -> bool:
    """Whether a console sends this by itself."""
    if control in _LAYOUT:
        return True
    mode = _MODE.fullmatch(control)
    if mode is not None:
        return mode.group(1) in _PRIVATE_MODES
    return any(own.fullmatch(control) for own in _OURS)
