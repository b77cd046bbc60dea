"""Anchor files: the journal's head, a line a time, to be kept where who changes the store cannot reach (X14)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.queries import Anchor

LARGEST: Final = 4 << 20
"""Bytes of an anchor file: a line a day for a century is less."""


class AnchorLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: which world's journal, its newest fact then, the chain hash of that, and when."""

    world: str
    seq: int
    hash: str
    at: str


_DECODER: Final = msgspec.json.Decoder(AnchorLine)


def append(name: str, line: AnchorLine) -> None:
    """Add a line to a file, which is made where there is none. Raises Refusal(NOT_WRITABLE | BAD_ANCHOR)."""
    if Path(name).exists():
        lines(name)
    try:
        with Path(name).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
    except OSError as failed:
        raise Refusal("NOT_WRITABLE", f"{name} cannot be written: {failed.strerror}.") from None


def lines(name: str) -> list[AnchorLine]:
    """All lines of a file. Raises Refusal(NO_ANCHOR | BAD_ANCHOR)."""
    try:
        with Path(name).open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as failed:
        raise Refusal("NO_ANCHOR", f"{name} cannot be read: {failed.strerror}.") from None
    try:
        if len(body) > LARGEST:
            raise ValueError
        return _DECODER.decode_lines(body)
    except (msgspec.DecodeError, ValueError):
        raise Refusal(
            "BAD_ANCHOR", f"{name} is no anchor file; `optconsole journal anchor FILE` writes one, a line a time."
        ) from None


def of_world(name: str, world: str) -> tuple[Anchor, ...]:
    """What a file says of one world's journal. Raises Refusal(NO_ANCHOR | BAD_ANCHOR)."""
    found = tuple(Anchor(seq=line.seq, hash=line.hash) for line in lines(name) if line.world == world)
    if not found:
        raise Refusal("NO_ANCHOR", f"{name} holds no anchor of the {world} journal.")
    return found
