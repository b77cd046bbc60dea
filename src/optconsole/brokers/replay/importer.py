"""Makes a recording of somebody else's file: the shape is known by its columns, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np

from optconsole.brokers.replay import minute_chain, nse_chain
from optconsole.brokers.replay.cleaning import in_hours, one_day
from optconsole.brokers.replay.draft import Draft
from optconsole.brokers.replay.opening import MAGIC, check_parquet, open_recording
from optconsole.brokers.replay.report import ImportReport, gaps_in
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.recorder import is_part, recover
from optconsole.engine.market.recording import HEADER_KEY, damaged, parquet_faults, unreadable
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display

if TYPE_CHECKING:
    import pyarrow as pa

SHAPES: Final[tuple[ModuleType, ...]] = (nse_chain, minute_chain)
Progress = Callable[[int, int], None]


def import_file(
    source: Path,
    target: Path,
    *,
    symbol: str | None = None,
    day: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Convert ``source`` into a recording at ``target``, replacing what is there.

    ``symbol`` names the index where the file does not, or picks one of several; ``day`` picks one of several days.
    ``progress`` hears rows done and rows in all. An unclosed recording is saved instead. Raises Refusal:
    NOT_IMPORTABLE, SEVERAL_DAYS, NOTHING_TO_IMPORT, WHICH_UNDERLYING, UNKNOWN_UNDERLYING, SAME_FILE, and as
    `open_recording` for a file that cannot be read.
    """
    if _same(source, target):
        raise Refusal("SAME_FILE", "The recording would overwrite the file it is made from; choose another name.")
    if is_part(source):
        return _recovered(source, target)
    shape, table = _recognised(source)
    tell = progress or _nobody
    tell(0, table.num_rows)
    name = symbol.strip().upper() if symbol is not None else None
    calendar = Calendar.load()
    parts = [in_hours(part, calendar) for part in shape.read(table, name)]
    sources, session = one_day(parts, day)
    draft = Draft(source.name, shape.TITLE, session, calendar)
    for part in sources:
        draft.add(part)
        tell(min(draft.rows_taken, table.num_rows), table.num_rows)
    report = draft.write(source, target, table.num_rows, [part.drops for part in parts])
    tell(table.num_rows, table.num_rows)
    return report


def _nobody(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def _recovered(source: Path, target: Path) -> ImportReport:
    recover(source, target)
    recording = open_recording(target)
    try:
        moments = np.asarray([frame.at for frame in recording.frames()], np.int64)
        header, extent = recording.header, recording.extent
        return ImportReport(
            source=str(source),
            target=str(target),
            shape="unfinished recording",
            day=header.day,
            underlyings=tuple(dict.fromkeys(each.underlying for each in header.instruments)),
            instruments=len(header.instruments),
            rows_read=extent.rows,
            quotes_written=extent.rows,
            frames=extent.frames,
            dropped={},
            gaps=gaps_in(moments),
            first=recording.begins,
            last=recording.ends,
            notes=header.notes,
        )
    finally:
        recording.close()


def _recognised(source: Path) -> tuple[ModuleType, pa.Table]:
    """The shape of a file and the columns it needs. Raises Refusal."""
    import pyarrow.parquet as pq

    _refuse_other_formats(source)
    check_parquet(source)
    try:
        with pq.ParquetFile(source) as file:
            if HEADER_KEY in (file.metadata.metadata or {}):
                raise Refusal(
                    "NOT_IMPORTABLE", f"{display(str(source))} is a recording already; play it with --replay."
                )
            columns = file.schema_arrow.names
            for shape in SHAPES:
                if shape.COLUMNS.issubset(columns):
                    return shape, file.read([name for name in columns if name in shape.COLUMNS | {"underlying"}])
    except parquet_faults():
        raise damaged(source) from None
    raise _strange(source, columns)


def _refuse_other_formats(source: Path) -> None:
    try:
        regular = source.is_file() or not source.exists()
        head = _head(source) if regular else b""
    except OSError as error:
        raise unreadable(source, error) from None
    if not regular or (head and head != MAGIC):
        raise Refusal("NOT_IMPORTABLE", f"{display(str(source))} is not a Parquet file; {_accepted()}")


def _same(source: Path, target: Path) -> bool:
    try:
        return source.samefile(target)
    except OSError:
        return False  # one of them is not there, and who needs it will say so


def _head(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(len(MAGIC))


def _strange(source: Path, columns: Sequence[str]) -> Refusal:
    return Refusal(
        "NOT_IMPORTABLE",
        f"{display(str(source))} has the columns {display(', '.join(columns), 300)}; {_accepted()}",
    )


def _accepted() -> str:
    shapes = "; or ".join(f"a {shape.TITLE} ({', '.join(sorted(shape.COLUMNS))})" for shape in SHAPES)
    return f"what can be imported is {shapes}."


__all__ = ["SHAPES", "ImportReport", "Progress", "import_file"]
