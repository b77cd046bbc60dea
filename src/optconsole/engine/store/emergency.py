"""The emergency journal: a file made beforehand, so that exits can be written down when the store takes nothing.

One record is one append, whole or not at all: a header of generation, length and checksum, then the rows of the journal
as JSON. The file keeps its size and its blocks, so that a full disk does not matter to it; each write is on the
platter when it returns (O_DSYNC). Emptying it is one write: records of an older generation do not count.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.files import sync_folder

FILE: Final = "emergency.log"
SIZE: Final = 4 << 20
"""Bytes: about a thousand orders from intent to end."""
_HEAD: Final = struct.Struct("<8sQ")
_RECORD: Final = struct.Struct("<QII")
_MAGIC: Final = b"OPTCEMG1"
_FIRST: Final = 4096
"""Records begin on a page of their own: a torn write of one never touches the head."""
_ROWS: Final = msgspec.json.Decoder(list[StoredEvent])


class EmergencyFull(OSError):
    """No room is left for a record of that weight."""


class EmergencyLog:
    """An open emergency journal. Not safe for two users; raises OSError where the disk does."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.path = path
        self._size = size
        if not path.exists() or path.stat().st_size < _FIRST:
            self._make()
        self._size = path.stat().st_size
        self._file = os.open(path, os.O_RDWR | os.O_DSYNC | os.O_CLOEXEC)
        magic, self._generation = _HEAD.unpack(os.pread(self._file, _HEAD.size, 0))
        if magic != _MAGIC:
            os.close(self._file)
            raise OSError(f"{path} is not an emergency journal")
        self._end = _FIRST
        self.records: list[list[StoredEvent]] = self._read()

    def _make(self) -> None:
        draft = self.path.with_name(self.path.name + ".part")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            # zeros and not a hole, nor blocks that are only promised: the disk may be full when they are needed
            os.write(descriptor, _HEAD.pack(_MAGIC, 1).ljust(_FIRST, b"\0"))
            left = self._size - _FIRST
            while left > 0:
                left -= os.write(descriptor, bytes(min(left, 1 << 20)))
            os.fsync(descriptor)
        except OSError:
            os.unlink(draft)
            raise
        finally:
            os.close(descriptor)
        os.replace(draft, self.path)
        sync_folder(self.path.parent)

    def _read(self) -> list[list[StoredEvent]]:
        """Records of this generation up to the first that is not whole: that one was never acknowledged."""
        found: list[list[StoredEvent]] = []
        while self._end + _RECORD.size <= self._size:
            head = os.pread(self._file, _RECORD.size, self._end)
            generation, length, checksum = _RECORD.unpack(head)
            if generation != self._generation or self._end + _RECORD.size + length > self._size:
                break
            body = os.pread(self._file, length, self._end + _RECORD.size)
            if not length or _checksum(generation, body) != checksum:
                break
            found.append(_ROWS.decode(body))
            self._end += _RECORD.size + length
        return found

    def append(self, rows: list[StoredEvent], share: float = 1.0) -> None:
        """Write one record, durable on return. Raises EmergencyFull beyond ``share`` of the file, or OSError."""
        body = msgspec.json.encode(rows)
        record = _RECORD.pack(self._generation, len(body), _checksum(self._generation, body)) + body
        if self._end + len(record) > self._size * share:
            raise EmergencyFull(f"{self.path} is full")
        written = os.pwrite(self._file, record, self._end)
        if written != len(record):
            raise EmergencyFull(f"{self.path} took {written} of {len(record)} bytes")
        self._end += len(record)
        self.records.append(rows)

    def reset(self) -> None:
        """Forget all records, durable on return: what they said is in the journal."""
        os.pwrite(self._file, _HEAD.pack(_MAGIC, self._generation + 1), 0)
        self._generation += 1
        self._end = _FIRST
        self.records = []

    def close(self) -> None:
        """Let the file go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _checksum(generation: int, body: bytes) -> int:
    # the generation too: zeros of a torn write must not pass for an empty record
    return zlib.crc32(body, zlib.crc32(generation.to_bytes(8, "little")))
