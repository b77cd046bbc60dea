"""What a passphrase must be before it seals anything: long enough that a stolen disk is not worth guessing at."""

from __future__ import annotations

import unicodedata
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret

CHARACTERS: Final = 14
WORDS: Final = 5
DIFFERENT: Final = 6
"""Different characters below which length says nothing."""
LONGEST: Final = 1024


def require_strong(passphrase: Secret) -> None:
    """Raises Refusal(VAULT_WEAK) with what would pass; the text tells nothing of the passphrase but its faults."""
    text = passphrase.reveal()
    words = {word.lower() for word in text.split() if len(word) > 2}
    if len(text) > LONGEST:
        raise _weak(f"is longer than {LONGEST} characters")
    if len(words) < WORDS and len(text) < CHARACTERS:
        raise _weak("is too short")
    if len(set(text)) < DIFFERENT:
        raise _weak("repeats the same few characters")


def key_material(passphrase: Secret) -> bytearray:
    """The bytes a key is made of: the same for every way a terminal may compose a letter. To be wiped after use."""
    return bytearray(unicodedata.normalize("NFKC", passphrase.reveal()).encode("utf-8", "surrogatepass"))


def wipe(secret: bytearray) -> None:
    """Overwrite what can be overwritten; copies that Python made are out of reach."""
    secret[:] = bytes(len(secret))


def _weak(fault: str) -> Refusal:
    return Refusal(
        "VAULT_WEAK", f"The passphrase {fault}; take at least {CHARACTERS} characters, or {WORDS} different words."
    )
