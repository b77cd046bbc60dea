"""Opens recordings, and other files by way of the importer; whatever is wrong with one is a sentence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.brokers.replay.reader import Recording
from optconsole.engine.market.recorder import is_part
from optconsole.engine.market.recording import (
    EXTENT_KEY,
    HEADER_KEY,
    SEAL,
    Extent,
    Header,
    arrow_schema,
    damaged,
    decode_header,
    empty,
    foreign,
    parquet_faults,
    unreadable,
)
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import millis

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAGIC: Final = b"PAR1"
_SMALLEST: Final = 12
_TAIL: Final = 8
_SEALED: Final = len(SEAL) + 32
_DAY_MS: Final = 86_400_000


def open_recording(path: Path) -> Recording:
    """Open a recording; it stays open until ``close``.

    Raises Refusal: RECORDING_MISSING, RECORDING_UNREADABLE, NOT_A_RECORDING, RECORDING_NEWER, RECORDING_TRUNCATED,
    RECORDING_EMPTY.
    """
    check_parquet(path)
    _check_seal(path)
    import pyarrow.parquet as pq

    faults = parquet_faults()
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except faults:
        raise damaged(path) from None
    try:
        return _opened(path, file)
    except BaseException as error:
        file.close()
        if isinstance(error, faults):
            raise damaged(path) from None
        raise


def _opened(path: Path, file: pq.ParquetFile) -> Recording:
    stored = file.metadata.metadata or {}
    header = decode_header(stored.get(HEADER_KEY, b""), path)
    extent = _extent(stored.get(EXTENT_KEY, b""), path)
    _check(file, header, extent, path)
    return Recording(path, file, header, extent)


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def check_parquet(path: Path) -> None:
    """See from its ends that a file is whole Parquet. Raises as ``open_recording``."""
    try:
        if path.exists() and not path.is_file():
            raise foreign(path)
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, 2)
            file.seek(max(size - 4, 0))
            tail = file.read(4)
    except OSError as error:
        raise unreadable(path, error) from None
    if not size:
        raise empty(path)
    if head != MAGIC:
        if is_part(path):
            shown = display(str(path))
            raise Refusal(
                "RECORDING_UNFINISHED",
                f"{shown} is a recording that was cut off; save it with `optconsole replay import {shown} --out FILE`.",
            )
        raise foreign(path)
    if tail != MAGIC or size < _SMALLEST:
        raise damaged(path)


def _check_seal(path: Path) -> None:
    """See that the footer is one of ours and whole: a damaged one can end the process inside the Parquet library."""
    try:
        with path.open("rb") as file:
            end = file.seek(-_TAIL, os.SEEK_END)
            length = int.from_bytes(file.read(4), "little")
            if length > end:
                raise damaged(path)
            file.seek(max(end - length - _SEALED, 0))
            sealed = file.read(end - file.tell())
    except OSError as error:
        raise unreadable(path, error) from None
    mark, footer = sealed[:-length] if length else sealed, sealed[len(sealed) - length :]
    if HEADER_KEY not in footer and not mark.startswith(SEAL):
        raise _importable(path)
    if mark != SEAL + hashlib.sha256(footer).digest():
        raise damaged(path)


def _importable(path: Path) -> Refusal:
    return Refusal(
        "NOT_A_RECORDING",
        f"{display(str(path))} is Parquet but no recorded session; try `optconsole replay import` on it.",
    )


def _extent(stored: bytes, path: Path) -> Extent:
    try:
        return msgspec.json.decode(stored, type=Extent)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged(path) from None


def _check(file: pq.ParquetFile, header: Header, extent: Extent, path: Path) -> None:
    rows = file.metadata.num_rows
    if rows == 0:
        raise empty(path)
    midnight = millis(header.opens.replace(hour=0, minute=0, second=0, microsecond=0))
    schema = file.schema_arrow
    typed = all(
        schema.get_field_index(field.name) >= 0 and schema.field(field.name).type == field.type
        for field in arrow_schema()
    )
    if not typed or extent.rows != rows or not midnight <= extent.first <= extent.last < midnight + _DAY_MS:
        raise damaged(path)
