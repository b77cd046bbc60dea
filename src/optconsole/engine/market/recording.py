"""The recorded-session format: one Parquet file a session day, described in docs/recording-format.md."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, parse_contract
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT: Final = "optconsole-recording"
VERSION: Final = 1
HEADER_KEY: Final = b"optconsole.recording"
EXTENT_KEY: Final = b"optconsole.extent"
ROW_GROUP: Final = 65_536
"""Rows a reader must hold at once: some 6 MB."""
_SYNC_SUFFIX: Final = ".writing"

Row = tuple[
    int, int, int, int | None, int, int | None, int, int | None, int, int | None, int | None, int | None, bool
]
"""One row in the order of ``COLUMNS``."""

COLUMNS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("at", "int64", False),
    ("ts", "int64", False),
    ("instrument", "int32", False),
    ("bid", "int64", True),
    ("bid_qty", "int64", False),
    ("ask", "int64", True),
    ("ask_qty", "int64", False),
    ("ltp", "int64", True),
    ("volume", "int64", False),
    ("oi", "int64", True),
    ("oi_open", "int64", True),
    ("prev_close", "int64", True),
    ("booked", "bool", False),
)
"""(name, type, whether it may be unknown), in the order of the file."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording says of itself, stored as JSON beside the rows.

    ``opens``/``closes`` are the exchange's hours of the day, ``booked`` whether any quote carries an order book.
    A row's ``instrument`` is its place in ``instruments``.
    """

    format: str = FORMAT
    version: int = VERSION
    day: date
    opens: datetime
    closes: datetime
    source: str
    booked: bool
    notes: tuple[str, ...] = ()
    instruments: tuple[Instrument, ...]


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What only a finished file knows: its rows, its moments, and its first and last one in epoch milliseconds."""

    rows: int
    frames: int
    first: int
    last: int


class _Stamp(msgspec.Struct, frozen=True):
    format: str
    version: int


def row_of(at: int, place: int, quote: Quote) -> Row:
    """A quote as a row: what was known at moment ``at`` of the instrument at ``place``."""
    return (
        at,
        quote.ts,
        place,
        quote.bid,
        quote.bid_qty,
        quote.ask,
        quote.ask_qty,
        quote.ltp,
        quote.volume,
        quote.oi,
        quote.oi_open,
        quote.prev_close,
        quote.booked,
    )


def arrow_schema() -> pa.Schema:
    """The columns as Arrow fields."""
    import pyarrow as pa

    kinds = {"int64": pa.int64(), "int32": pa.int32(), "bool": pa.bool_()}
    return pa.schema([pa.field(name, kinds[kind], nullable) for name, kind, nullable in COLUMNS])


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows as one Arrow batch."""
    import pyarrow as pa

    schema = arrow_schema()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def encode_header(header: Header) -> bytes:
    """The header as it is stored."""
    return msgspec.json.encode(header)


def decode_header(stored: bytes, path: Path) -> Header:
    """Read a stored header. Raises Refusal(NOT_A_RECORDING | RECORDING_NEWER | RECORDING_TRUNCATED)."""
    try:
        stamp = msgspec.json.decode(stored, type=_Stamp)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise damaged(path) from None
    if stamp.format != FORMAT:
        raise foreign(path)
    if stamp.version > VERSION:
        raise Refusal(
            "RECORDING_NEWER",
            f"{_shown(path)} is a recording of format {stamp.version}; this program reads up to {VERSION}: update it.",
        )
    try:
        header = msgspec.json.decode(stored, type=Header)
        _check(header)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, Refusal):
        raise damaged(path) from None
    return msgspec.structs.replace(
        header, opens=header.opens.astimezone(IST), closes=header.closes.astimezone(IST)
    )


def _check(header: Header) -> None:
    """Raises ValueError or Refusal where the parts contradict one another."""
    if not header.opens < header.closes or header.opens.astimezone(IST).date() != header.day:
        raise ValueError("hours outside the day")
    names = set()
    for instrument in header.instruments:
        known = parse_contract(instrument.name)
        said = (instrument.underlying, instrument.expiry, instrument.strike, instrument.right)
        if (known.underlying, known.expiry, known.strike, known.right) != said or str(known) != instrument.name:
            raise ValueError("a name that contradicts its contract")
        names.add(instrument.name)
    if len(names) != len(header.instruments):
        raise ValueError("a contract listed twice")


def foreign(path: Path) -> Refusal:
    """The file is something else altogether."""
    return Refusal(
        "NOT_A_RECORDING",
        f"{_shown(path)} is not a recorded session; give a file that `optconsole record` or "
        "`optconsole replay import` wrote.",
    )


def damaged(path: Path) -> Refusal:
    """The file began as a recording and is not whole."""
    return Refusal(
        "RECORDING_TRUNCATED", f"{_shown(path)} is cut short or damaged; copy it again or record it anew."
    )


def empty(path: Path) -> Refusal:
    """There is nothing to play."""
    return Refusal("RECORDING_EMPTY", f"{_shown(path)} holds no quotes; nothing can be played from it.")


def unreadable(path: Path, error: OSError) -> Refusal:
    """The machine does not let us at the file."""
    if isinstance(error, FileNotFoundError):
        return Refusal("RECORDING_MISSING", f"{_shown(path)} does not exist; check the name.")
    return Refusal("RECORDING_UNREADABLE", f"{_shown(path)} cannot be read: {error.strerror or error}.")


def _shown(path: Path) -> str:
    return display(str(path))


class RecordingFile:
    """A recording being written, in row groups of bounded size, to a neighbour of ``target``; ``close`` puts it there.

    Raises Refusal(RECORDING_UNWRITABLE) where the folder does not take it.
    """

    def __init__(self, target: Path, header: Header) -> None:
        import pyarrow.parquet as pq

        self._target, self._header = target, header
        self._draft = target.with_name(target.name + _SYNC_SUFFIX)
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
        """Add rows. Raises ValueError where their moments fall back behind what is written."""
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
        while self._rows_waiting >= ROW_GROUP:
            self._write_group(ROW_GROUP)

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
            with self._draft.open("rb+") as file:
                os.fsync(file.fileno())
            self._draft.replace(self._target)
        except OSError as error:
            self.abandon()
            raise unwritable(self._target, error) from None
        return extent

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._draft.unlink(missing_ok=True)

    def _write_group(self, rows: int) -> None:
        import pyarrow as pa

        table = pa.Table.from_batches(self._waiting)
        self._writer.write_table(table.slice(0, rows), row_group_size=ROW_GROUP)
        rest = table.slice(rows)
        self._waiting = rest.to_batches()
        self._rows_waiting = rest.num_rows


def unwritable(path: Path, error: OSError) -> Refusal:
    """A recording cannot be put there."""
    return Refusal(
        "RECORDING_UNWRITABLE", f"{_shown(path)} cannot be written: {error.strerror or error}; choose another place."
    )
