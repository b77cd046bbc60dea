"""The private key that a publisher signs with: a file for the owner alone, whose content is never shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from optconsole.engine.model.errors import Refusal


def new_key(path: Path) -> Ed25519PrivateKey:
    """Make a key in a new file of mode 0600. Raises Refusal(FILE_THERE, NO_FILE)."""
    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Refusal("FILE_THERE", f"{path} is there already; a key is never written over.") from None
    except OSError as failed:
        raise Refusal("NO_FILE", f"{path} cannot be written: {failed.strerror}.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises Refusal: NO_FILE, KEY_EXPOSED where others may read it, BAD_KEY."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise Refusal("KEY_EXPOSED", f"Others may read {path}; give it to its owner alone (chmod 600).")
            content = file.read(10_000)
    except OSError as failed:
        raise Refusal("NO_FILE", f"{path} cannot be read: {failed.strerror}.") from None
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        key = None  # what it says of the content is not for a screen
    if not isinstance(key, Ed25519PrivateKey):
        raise Refusal("BAD_KEY", f"{path} holds no Ed25519 private key; `optconsole market keygen` makes one.")
    return key
