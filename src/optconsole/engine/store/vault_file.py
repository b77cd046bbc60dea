"""The vault's file: one document of sealed rows, private to its owner, replaced whole under a lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.files import replace_file
from optconsole.engine.store.sealing import SALT, Cost

FILE: Final = "vault"
LOCK: Final = "vault.lock"
LARGEST: Final = 4 << 20
FORMAT: Final = 1
_DIGEST: Final = 64


Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One secret. All but ``sealed`` can be read by who can read the file; ``version`` is never used twice."""

    account: str
    name: str
    version: int
    written: Moment
    expires: Moment | None
    sealed: bytes


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. ``generation`` grows with every write; ``listing`` seals which rows in which versions there are."""

    format: int
    id: bytes
    generation: int
    salt: bytes
    cost: Cost
    wrapped: bytes
    listing: bytes
    rows: tuple[Row, ...]


Stamp = tuple[int, int, int]
"""Inode, time of change and size: another whenever the file was replaced or its mode changed."""

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Document)


def stamp(path: Path) -> Stamp | None:
    """What the file looks like from outside; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns, found.st_size


def read(path: Path) -> tuple[Document, Stamp]:
    """The document with its stamp. Raises Refusal(VAULT_NONE | VAULT_UNSAFE | VAULT_TAMPERED | VAULT_UNREADABLE)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Refusal("VAULT_NONE", f"There is no vault in {path.parent}; make one: optconsole secrets init") from None
    except OSError as error:
        if path.is_symlink():
            raise Refusal("VAULT_UNSAFE", f"{path} is a symbolic link; put the vault itself there.") from None
        raise Refusal("VAULT_UNREADABLE", f"{path} cannot be read: {error.strerror}.") from None
    try:
        found = os.fstat(descriptor)
        _require_private(path, found)
        with open(descriptor, "rb", closefd=False) as file:
            body = file.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    return _decoded(path, body), (found.st_ino, found.st_ctime_ns, found.st_size)


def write(path: Path, document: Document) -> Stamp:
    """Put the document in the place of what was there, durable on return. Raises Refusal(VAULT_NOT_WRITTEN)."""
    body = _ENCODER.encode(document)
    try:
        replace_file(path, body + _digest(body))
        os.chmod(path, 0o600)
    except OSError as error:
        raise Refusal("VAULT_NOT_WRITTEN", f"{path} cannot be written: {error.strerror}.") from None
    after = stamp(path)
    if after is None:
        raise Refusal("VAULT_NOT_WRITTEN", f"{path} was taken away while it was written.")
    return after


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else changes the vault meanwhile: the engine and the command line share it. Waits for who does."""
    try:
        descriptor = os.open(path.with_name(LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal("VAULT_NOT_WRITTEN", f"{path.parent} cannot be written: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def damaged(path: Path) -> Refusal:
    """The refusal for a file that is not as it was written."""
    return Refusal(
        "VAULT_TAMPERED",
        f"{path} is not as it was written: it is damaged or somebody changed it. Nothing of it is used; restore a "
        "copy, or move it away and make a new one.",
    )


def _require_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Refusal("VAULT_UNSAFE", f"{path} is not a file; move it away.")
    if found.st_uid != os.geteuid():
        raise Refusal(
            "VAULT_UNSAFE",
            f"{path} belongs to user {found.st_uid} and you are {os.geteuid()}; run: chown {os.geteuid()} {path}",
        )
    if found.st_mode & 0o177:
        raise Refusal("VAULT_UNSAFE", f"{path} is open to other users; run: chmod 600 {path}")


def _decoded(path: Path, body: bytes) -> Document:
    content, digest = body[: -_DIGEST - 1], body[-_DIGEST - 1 :]
    if len(body) > LARGEST or digest != _digest(content):
        raise damaged(path)
    try:
        document = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise damaged(path) from None
    # one document has one spelling: base64 and JSON would allow others
    if _ENCODER.encode(document) != content or len(document.salt) != SALT or not document.cost.bearable:
        raise damaged(path)
    if document.format != FORMAT:
        raise Refusal("VAULT_FORMAT", f"{path} was written by another version of optconsole; start that one.")
    return document


def _digest(body: bytes) -> bytes:
    """Tells a damaged file from a wrong passphrase. Against an attacker stand the seals."""
    return b"\n" + hashlib.sha256(body).hexdigest().encode()
