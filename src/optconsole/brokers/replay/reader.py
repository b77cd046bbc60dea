"""An open recording, read frame by frame, never the whole of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from optconsole.engine.market.recording import COLUMNS, Extent, Header, damaged, parquet_faults
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS: Final = 4_096
"""Rows made into quotes at a time: a few milliseconds of work."""
_NAMES: Final = [name for name, _kind, _nullable in COLUMNS]
_LATEST_MS: Final = 1 << 43


class Frame(NamedTuple):
    """All that became known at one moment (epoch milliseconds)."""

    at: int
    quotes: list[Quote]


class Recording:
    """An open recording. Reading raises Refusal(RECORDING_TRUNCATED) where the file turns out damaged."""

    def __init__(self, path: Path, file: pq.ParquetFile, header: Header, extent: Extent) -> None:
        self.path, self.header, self.extent = path, header, extent
        self._file = file
        self._names = [instrument.name for instrument in header.instruments]

    @property
    def begins(self) -> datetime:
        """The first moment."""
        return from_millis(self.extent.first)

    @property
    def ends(self) -> datetime:
        """The last moment."""
        return from_millis(self.extent.last)

    @property
    def cadence(self) -> float:
        """Mean seconds between two frames: how old a healthy quote may look."""
        return (self.extent.last - self.extent.first) / 1000 / max(self.extent.frames - 1, 1)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def state(self, until: int) -> list[Quote]:
        """The last quote of each contract at or before a moment, in the order of the instruments."""
        held: list[pa.RecordBatch] = []
        rows: dict[int, tuple[int, int]] = {}
        for batch in self._batches(None):
            at = batch.column(0).to_numpy()
            count = int(np.searchsorted(at, until, side="right"))
            places = batch.column(2).to_numpy()[:count]
            latest, back = np.unique(places[::-1], return_index=True)
            if len(latest):
                held.append(batch)
                rows.update(
                    (place, (len(held) - 1, count - 1 - row))
                    for place, row in zip(latest.tolist(), back.tolist(), strict=True)
                )
            if len(held) > _HELD:
                held, rows = _compacted(held, rows)
            if count < len(at):
                break
        held, rows = _compacted(held, rows)
        return [] if not held else self._quotes(held[0])

    def frames(self, after: int | None = None) -> Iterator[Frame]:
        """Frames in order of time, those later than ``after`` only."""
        waiting: list[Quote] = []
        moment = 0
        for batch in self._batches(after):
            at = batch.column(0).to_numpy()
            if after is not None:
                skipped = int(np.searchsorted(at, after, side="right"))
                batch, at = batch.slice(skipped), at[skipped:]
            if not len(at):
                continue
            quotes = self._quotes(batch)
            starts = [0, *(np.flatnonzero(np.diff(at)) + 1).tolist(), len(at)]
            for start, end in pairwise(starts):
                if waiting and int(at[start]) != moment:
                    yield Frame(moment, waiting)
                    waiting = []
                moment = int(at[start])
                waiting += quotes[start:end]
        if waiting:
            yield Frame(moment, waiting)

    def _quotes(self, batch: pa.RecordBatch) -> list[Quote]:
        names = self._names
        columns = [batch.column(place).to_pylist() for place in range(1, len(_NAMES))]
        return [Quote(names[place], ts, *rest) for ts, place, *rest in zip(*columns, strict=True)]

    def _batches(self, after: int | None) -> Iterator[pa.RecordBatch]:
        """Batches that may hold rows later than ``after``, proven to be in order and within the header's terms."""
        last, faults = self.extent.first, parquet_faults()
        try:
            groups = [place for place in range(self._file.num_row_groups) if not self._over(place, after)]
            for batch in self._file.iter_batches(BATCH_ROWS, row_groups=groups, columns=_NAMES, use_threads=False):
                ordered = batch.select(_NAMES)
                last = self._proven(ordered, last)
                yield ordered
        except faults:
            raise damaged(self.path) from None

    def _over(self, group: int, after: int | None) -> bool:
        statistics = self._file.metadata.row_group(group).column(0).statistics
        return after is not None and statistics is not None and statistics.has_min_max and statistics.max <= after

    def _proven(self, batch: pa.RecordBatch, last: int) -> int:
        sure = [column for column, (_n, _k, nullable) in zip(batch.columns, COLUMNS, strict=True) if not nullable]
        if any(column.null_count for column in sure):
            raise damaged(self.path)
        at: npt.NDArray[np.int64] = batch.column(0).to_numpy()
        ts: npt.NDArray[np.int64] = batch.column(1).to_numpy()
        places: npt.NDArray[np.int32] = batch.column(2).to_numpy()
        if not len(at):
            return last
        sound = (
            int(at[0]) >= last
            and int(at[-1]) <= self.extent.last
            and bool((np.diff(at) >= 0).all())
            and int(ts.min()) >= 0
            and int(ts.max()) < _LATEST_MS
            and int(places.min()) >= 0
            and int(places.max()) < len(self._names)
        )
        if not sound:
            raise damaged(self.path)
        return int(at[-1])


_HELD: Final = 64
"""Batches kept at most while the last quotes are looked for."""


def _compacted(
    held: list[pa.RecordBatch], rows: dict[int, tuple[int, int]]
) -> tuple[list[pa.RecordBatch], dict[int, tuple[int, int]]]:
    """The same rows in a single batch, in the order of the instruments."""
    import pyarrow as pa

    if not held:
        return held, rows
    offsets = np.cumsum([0, *(batch.num_rows for batch in held)])
    places = sorted(rows)
    wanted = [int(offsets[rows[place][0]]) + rows[place][1] for place in places]
    batch = pa.Table.from_batches(held).take(wanted).combine_chunks().to_batches()[0]
    return [batch], {place: (0, row) for row, place in enumerate(places)}
