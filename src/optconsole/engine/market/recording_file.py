"""Writes the recorded-session format: a file is either whole and in its place, or not there."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.engine.market.recording import (
    EXTENT_KEY,
    HEADER_KEY,
    SEAL,
    Extent,
    Header,
    arrow_schema,
    empty,
    encode_header,
    unwritable,
)

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP: Final = 65_536
"""Rows a reader must hold at once: some 6 MB."""
_TAIL: Final = 8
"""Bytes after the footer: its length and the magic."""
_DRAFT_SUFFIX: Final = ".writing"


def seal(path: Path) -> None:
    """Put the footer's checksum before the footer of a Parquet file, and sync it."""
    with path.open("rb+") as file:
        end = file.seek(-_TAIL, os.SEEK_END)
        tail = file.read()
        start = file.seek(end - int.from_bytes(tail[:4], "little"))
        footer = file.read(end - start)
        file.seek(start)
        file.write(SEAL + hashlib.sha256(footer).digest() + footer + tail)
        file.flush()
        os.fsync(file.fileno())


class RecordingFile:
    """A recording being written, in row groups of bounded size, to a neighbour of ``target``; ``close`` puts it there.

    Raises Refusal(RECORDING_UNWRITABLE) where the folder does not take it.
    """

    def __init__(self, target: Path, header: Header) -> None:
        import pyarrow.parquet as pq

        self._target, self._header = target, header
        self._draft = target.with_name(target.name + _DRAFT_SUFFIX)
        self._waiting: list[pa.RecordBatch] = []
        self._rows_waiting = 0
        self._rows = self._frames = self._first = 0
        self._last = -1
        try:
            # Prices and sizes of neighbours repeat, so dictionaries beat every other encoding here.
            self._writer = pq.ParquetWriter(
                self._draft, arrow_schema(), compression="zstd", write_page_checksum=True, store_schema=False
            )
        except OSError as error:
            raise unwritable(target, error) from None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows. Raises ValueError where their moments fall back behind what is written; Refusal."""
        import numpy as np

        if not batch.num_rows:
            return
        at = batch.column(0).to_numpy()
        if at[0] < self._last or (np.diff(at) < 0).any():
            raise ValueError("rows are not in order of time")
        if not self._rows:
            self._first = int(at[0])
        self._frames += int(np.count_nonzero(np.diff(at))) + int(at[0] != self._last)
        self._rows, self._last = self._rows + batch.num_rows, int(at[-1])
        self._waiting.append(batch)
        self._rows_waiting += batch.num_rows
        try:
            while self._rows_waiting >= ROW_GROUP:
                self._write_group(ROW_GROUP)
        except OSError as error:
            self.abandon()
            raise unwritable(self._target, error) from None

    def close(self) -> Extent:
        """Finish the file and put it in place, synced. Raises Refusal(RECORDING_EMPTY), leaving nothing."""
        if not self._rows:
            self.abandon()
            raise empty(self._target)
        extent = Extent(rows=self._rows, frames=self._frames, first=self._first, last=self._last)
        try:
            if self._rows_waiting:
                self._write_group(self._rows_waiting)
            self._writer.add_key_value_metadata(
                {HEADER_KEY: encode_header(self._header), EXTENT_KEY: msgspec.json.encode(extent)}
            )
            self._writer.close()
            seal(self._draft)
            self._draft.replace(self._target)
        except OSError as error:
            self.abandon()
            raise unwritable(self._target, error) from None
        return extent

    def abandon(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._writer.close()
        self._draft.unlink(missing_ok=True)

    def _write_group(self, rows: int) -> None:
        import pyarrow as pa

        table = pa.Table.from_batches(self._waiting)
        self._writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
        rest = table.slice(rows)
        self._waiting = rest.to_batches()
        self._rows_waiting = rest.num_rows
