"""Writes quotes to a recording as they come; whatever ends the program, what was written is not lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from optconsole.engine.market.recording import (
    HEADER_KEY,
    Extent,
    Header,
    Row,
    arrow_schema,
    batch_of,
    damaged,
    decode_header,
    empty,
    encode_header,
    foreign,
    row_of,
    unreadable,
    unwritable,
)
from optconsole.engine.market.recording_file import RecordingFile
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.text import display
from optconsole.engine.model.timeline import IST, millis

if TYPE_CHECKING:
    import pyarrow as pa

PART_SUFFIX: Final = ".part"
BATCH_ROWS: Final = 8_192
FLUSH_MS: Final = 5_000
"""Market time after which even a few rows go to the disk: what a crash may cost."""


class Recorder:
    """Records one session day to ``target``.

    Rows go to ``target`` + ``.part``, an Arrow stream that is readable up to its last whole batch whatever happens;
    ``close`` turns it into the recording. Raises Refusal(RECORDING_EXISTS | RECORDING_UNFINISHED |
    RECORDING_UNWRITABLE).
    """

    def __init__(self, target: Path, header: Header) -> None:
        if target.exists():
            raise Refusal("RECORDING_EXISTS", f"{display(str(target))} exists already; choose another name.")
        self._target, self._header = target, header
        self._part = target.with_name(target.name + PART_SUFFIX)
        self._places = {instrument.name: place for place, instrument in enumerate(header.instruments)}
        self._rows: list[Row] = []
        self._last = self._flushed = 0
        self._broken: Refusal | None = None
        self.rows = 0
        self.skipped = 0
        self._open()

    def _open(self) -> None:
        import pyarrow as pa

        try:
            self._file: BinaryIO = self._part.open("xb")
        except FileExistsError:
            shown = display(str(self._part))
            raise Refusal(
                "RECORDING_UNFINISHED",
                f"{shown} is left of a recording that was cut off; "
                f"save it with `optconsole replay import {shown} --out FILE` or delete it.",
            ) from None
        except OSError as error:
            raise unwritable(self._target, error) from None
        self._stream = pa.ipc.new_stream(
            self._file,
            arrow_schema().with_metadata({HEADER_KEY: encode_header(self._header)}),
            options=pa.ipc.IpcWriteOptions(compression="zstd"),
        )
        # Arrow writes its schema, and our header with it, before the first batch only.
        self._stream.write_batch(batch_of([]))
        self._file.flush()

    def write(self, at: datetime, quotes: Sequence[Quote]) -> bool:
        """Record what was known at a moment; False once the day is over, and then nothing is recorded.

        A quote of a contract that is not in the header is counted in ``skipped``. A moment before the last one counts
        as the last one.
        """
        if at.astimezone(IST).date() != self._header.day:
            return False
        moment = self._last = max(millis(at), self._last)
        for quote in quotes:
            place = self._places.get(quote.name)
            if place is None:
                self.skipped += 1
            else:
                self._rows.append(row_of(moment, place, quote))
        if len(self._rows) >= BATCH_ROWS or moment - self._flushed >= FLUSH_MS:
            self.flush()
        return True

    def flush(self) -> None:
        """Give the rows so far to the operating system.

        Raises Refusal(RECORDING_UNWRITABLE), as when the disk is full, and again at every later try: what was written
        before stays in the ``.part`` for `recover`.
        """
        if self._broken is not None:
            raise self._broken
        self._flushed = self._last
        if not self._rows:
            return
        try:
            self._stream.write_batch(batch_of(self._rows))
            self._file.flush()
        except OSError as error:
            self._broken = unwritable(self._part, error)
            self.leave()
            raise self._broken from None
        self.rows += len(self._rows)
        self._rows = []

    def close(self) -> Extent:
        """Finish the recording.

        Raises Refusal: RECORDING_EMPTY where nothing was quoted, leaving no file; RECORDING_UNWRITABLE, leaving the
        ``.part``.
        """
        self.flush()
        self.leave()
        if not self.rows:
            self._part.unlink()
            raise empty(self._target)
        return _finish(self._part, self._target)

    def leave(self) -> None:
        """Let go of the file without finishing it; `recover` can make use of it."""
        with suppress(OSError):
            # The mark of the end that this writes is for other readers; ours does without.
            self._stream.close()
        with suppress(OSError):
            self._file.close()


def recover(part: Path, target: Path | None = None) -> Path:
    """Make a recording of what a cut-off one left behind, and remove the leftover. Returns the recording's path.

    Raises Refusal(NOT_A_RECORDING | RECORDING_EMPTY | RECORDING_EXISTS | RECORDING_MISSING | RECORDING_UNWRITABLE).
    """
    final = target or part.with_name(part.name.removesuffix(PART_SUFFIX))
    if final.exists():
        raise Refusal("RECORDING_EXISTS", f"{display(str(final))} exists already; choose another name.")
    _finish(part, final)
    return final


def is_part(path: Path) -> bool:
    """Whether a file is a recording that was never closed."""
    # A pipe would make us wait for a writer.
    with suppress(OSError, Refusal):
        if path.is_file():
            with path.open("rb") as file:
                _read_header(file, path)
                return True
    return False


def _finish(part: Path, target: Path) -> Extent:
    try:
        with part.open("rb") as file:
            header = _read_header(file, part)
            file.seek(0)
            recording = RecordingFile(target, header)
            try:
                for batch in _whole_batches(file):
                    recording.write(batch)
            except ValueError:
                recording.abandon()
                raise damaged(part) from None
            extent = recording.close()
    except OSError as error:
        raise unreadable(part, error) from None
    part.unlink()
    return extent


def _read_header(file: BinaryIO, path: Path) -> Header:
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(file) as stream:
            stored = (stream.schema.metadata or {}).get(HEADER_KEY)
    except (pa.ArrowException, OSError, EOFError):
        raise foreign(path) from None
    if stored is None:
        raise foreign(path)
    return decode_header(stored, path)


def _whole_batches(file: BinaryIO) -> Iterator[pa.RecordBatch]:
    """Batches up to the first that is not whole: that one was being written when the program ended."""
    import pyarrow as pa

    schema = arrow_schema()
    with suppress(pa.ArrowException, OSError, EOFError), pa.ipc.open_stream(file) as stream:
        for batch in stream:
            batch.validate(full=True)
            yield batch.select(schema.names).cast(schema)
