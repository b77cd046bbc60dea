"""What is known of a world's store outside of it: enough to see that it went back, and to know our own orders again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.ports import JournalBroken
from optconsole.engine.store.files import replace_file

FILE: Final = "store.json"


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """``installs`` are all names the world's stores ever had: orders at the broker carry them in their tags.

    ``head_seq`` and ``head_hash`` are a fact that was durable once; ``killed`` whether the kill switch was latched;
    ``restored`` that an older copy was put in place since the last start.
    """

    world: str
    installs: tuple[str, ...] = ()
    head_seq: int = 0
    head_hash: str = ""
    killed: bool = False
    restored: bool = False

    def knowing(self, *installs: str) -> Remembered:
        """With more names, each once."""
        return msgspec.structs.replace(self, installs=tuple(dict.fromkeys((*self.installs, *installs))))


def recall(folder: Path, world: str) -> Remembered | None:
    """What the file says; None where there is none, or one that cannot be read."""
    try:
        found = msgspec.json.decode((folder / FILE).read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.world == world else None


def remember(folder: Path, remembered: Remembered) -> None:
    """Write it down, durable on return. Raises OSError."""
    replace_file(folder / FILE, msgspec.json.encode(remembered))


def went_back(remembered: Remembered, head: int, hash_there: str | None) -> JournalBroken | None:
    """Why a store that ends at ``head`` is not the one that was left; ``hash_there`` is its hash at the known fact."""
    if head < remembered.head_seq:
        return JournalBroken(
            "STORE_WENT_BACK",
            f"The store ends at fact {head} and held {remembered.head_seq} before: an older copy took its place, "
            "or the server lost its tail.",
        )
    if remembered.head_seq and hash_there != remembered.head_hash:
        return JournalBroken(
            "STORE_REPLACED",
            f"Fact {remembered.head_seq} of the store is not the one it held before: it is another store's copy.",
        )
    return None
