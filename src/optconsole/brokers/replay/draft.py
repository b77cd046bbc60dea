"""Puts a recording together from the cleaned rows of one day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from optconsole.brokers.replay.cleaning import changed, first_of_contract, in_order, in_units
from optconsole.brokers.replay.listing import guessed_underlying, lots_by_expiry, options
from optconsole.brokers.replay.report import ImportReport, gaps_in
from optconsole.brokers.replay.rows import UNKNOWN, Ints
from optconsole.brokers.replay.source import Drops, Source
from optconsole.brokers.replay.spot import index_path
from optconsole.engine.market import contracts
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.recording import Header, arrow_schema
from optconsole.engine.market.recording_file import RecordingFile
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.timeline import from_millis

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class _Columns:
    """Quotes of one underlying as columns of the recording."""

    values: dict[str, Ints]
    booked: npt.NDArray[np.bool_]


class Draft:
    """A recording being put together from the sources of one day."""

    def __init__(self, file: str, title: str, day: date, calendar: Calendar) -> None:
        self._file, self._title, self._day, self._calendar = file, title, day, calendar
        self._instruments: list[Instrument] = []
        self._columns: list[_Columns] = []
        self._notes: list[str] = []
        self._moments: list[Ints] = []
        self._booked = False
        self.rows_taken = 0

    def add(self, source: Source) -> None:
        """Take in the rows of one underlying."""
        underlying = source.underlying
        if not underlying:
            underlying = guessed_underlying(source.rows, self._day)
            self._notes.append(f"the file names no index; its expiries and strikes are those of {underlying}")
        self.rows_taken += len(source.rows)
        index = contracts.index_of(underlying)
        rows = in_order(source.rows, source.drops)
        self._moments.append(np.unique(rows.at))
        lots = lots_by_expiry(underlying, rows)
        numbers = np.asarray(sorted(lots), np.int64)
        of_row = np.asarray([lots[number] for number in sorted(lots)], np.int64)[np.searchsorted(numbers, rows.expiry)]
        volume, volume_in_lots = in_units(rows.volume, of_row)
        oi, oi_in_lots = in_units(rows.oi, of_row)
        first = first_of_contract(rows)
        place = len(self._instruments)
        self._instruments += [index, *options(underlying, self._day, lots, rows.pick(first), self._calendar)]
        new = changed(rows)
        quoted = {
            "at": rows.at,
            "instrument": place + np.cumsum(first),
            "bid": rows.bid,
            "bid_qty": rows.bid_qty,
            "ask": rows.ask,
            "ask_qty": rows.ask_qty,
            "ltp": rows.ltp,
            "volume": volume,
            "oi": oi,
        }
        self._columns.append(
            _Columns({name: column[new] for name, column in quoted.items()}, np.full(int(new.sum()), source.booked))
        )
        self._booked |= source.booked
        implied = self._add_index(place, *index_path(rows))
        self._notes.append(
            f"{underlying}: open interest in {_unit(oi_in_lots)}, volume in {_unit(volume_in_lots)} in the source"
            + (f"; index implied by put-call parity in {implied} snapshots" if implied else "")
        )

    def _add_index(self, place: int, moments: Ints, levels: Ints, implied: int) -> int:
        new = np.ones(len(levels), dtype=bool)
        new[1:] = np.diff(levels) != 0
        none, zero = np.full(int(new.sum()), UNKNOWN), np.zeros(int(new.sum()), np.int64)
        self._columns.append(
            _Columns(
                {
                    "at": moments[new],
                    "instrument": zero + place,
                    "bid": none,
                    "bid_qty": zero,
                    "ask": none,
                    "ask_qty": zero,
                    "ltp": levels[new],
                    "volume": zero,
                    "oi": none,
                },
                zero > 0,
            )
        )
        return implied

    def write(self, source: Path, target: Path, rows_read: int, drops: Sequence[Drops]) -> ImportReport:
        """Write the recording and say what became of the file."""
        session = self._calendar.session(self._day)
        assert session is not None  # rows outside sessions are gone
        header = Header(
            day=self._day,
            opens=session.opens,
            closes=session.closes,
            source=f"{self._title}, {self._file}",
            booked=self._booked,
            notes=tuple(self._notes),
            instruments=tuple(self._instruments),
        )
        recording = RecordingFile(target, header)
        recording.write(self._batch())
        extent = recording.close()
        dropped: Counter[str] = Counter()
        for each in drops:
            dropped.update(each.counts)
        return ImportReport(
            source=str(source),
            target=str(target),
            shape=self._title,
            day=self._day,
            underlyings=tuple(dict.fromkeys(each.underlying for each in self._instruments)),
            instruments=len(self._instruments),
            rows_read=rows_read,
            quotes_written=extent.rows,
            frames=extent.frames,
            dropped=dict(dropped),
            gaps=gaps_in(np.unique(np.concatenate(self._moments))),
            first=from_millis(extent.first),
            last=from_millis(extent.last),
            notes=header.notes,
        )

    def _batch(self) -> pa.RecordBatch:
        import pyarrow as pa

        names = self._columns[0].values
        joined = {name: np.concatenate([each.values[name] for each in self._columns]) for name in names}
        booked = np.concatenate([each.booked for each in self._columns])
        order = np.lexsort((joined["instrument"], joined["at"]))
        sorted_ = {name: column[order] for name, column in joined.items()}
        sorted_["ts"] = sorted_["at"]
        sorted_["oi_open"] = sorted_["prev_close"] = np.full(len(order), UNKNOWN)
        arrays = []
        for field in arrow_schema():
            if field.name == "booked":
                arrays.append(pa.array(booked[order]))
            else:
                column = sorted_[field.name]
                arrays.append(pa.array(column, field.type, mask=column == UNKNOWN if field.nullable else None))
        return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema())


def _unit(lots: bool) -> str:
    return "lots" if lots else "units"
