"""The recorded-session format: one Parquet file a session day, described in docs/recording-format.md."""

from __future__ import annotations

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
SEAL: Final = b"OPTCSEAL"
"""Stands with the SHA-256 of the footer before the footer, which Parquet itself does not protect."""

Row = tuple[int, int, int, int | None, int, int | None, int, int | None, int, int | None, int | None, int | None, bool]
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


def parquet_faults() -> tuple[type[Exception], ...]:
    """What reading a damaged Parquet file may raise: its footer has no checksum, so anything can stand in it."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, MemoryError, ValueError, TypeError, LookupError, OverflowError)


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
    return msgspec.structs.replace(header, opens=header.opens.astimezone(IST), closes=header.closes.astimezone(IST))


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
    return Refusal("RECORDING_TRUNCATED", f"{_shown(path)} is cut short or damaged; copy it again or record it anew.")


def empty(path: Path) -> Refusal:
    """There is nothing to play."""
    return Refusal("RECORDING_EMPTY", f"{_shown(path)} holds no quotes; nothing can be played from it.")


def unreadable(path: Path, error: OSError) -> Refusal:
    """The machine does not let us at the file."""
    if isinstance(error, FileNotFoundError):
        return Refusal("RECORDING_MISSING", f"{_shown(path)} does not exist; check the name.")
    return Refusal("RECORDING_UNREADABLE", f"{_shown(path)} cannot be read: {error.strerror or error}.")


def unwritable(path: Path, error: OSError) -> Refusal:
    """A recording cannot be put there."""
    return Refusal(
        "RECORDING_UNWRITABLE", f"{_shown(path)} cannot be written: {error.strerror or error}; choose another place."
    )


def _shown(path: Path) -> str:
    return display(str(path))
