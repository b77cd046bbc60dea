"""Small recordings and source files, built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from optconsole.engine.market.recording import Header, batch_of, row_of
from optconsole.engine.market.recording_file import RecordingFile
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis

DAY = date(2025, 8, 29)
OPENS = datetime(2025, 8, 29, 9, 15, tzinfo=IST)
CLOSES = datetime(2025, 8, 29, 15, 30, tzinfo=IST)
EXPIRY = date(2025, 9, 2)

INDEX = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)


def option(strike: int, right: Right = Right.CALL) -> Instrument:
    """A NIFTY option; ``strike`` in rupees."""
    return Instrument(
        name=contract_name("NIFTY", EXPIRY, strike * 100, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.OPTION,
        lot=75,
        tick=5,
        freeze=1800,
        expiry=EXPIRY,
        strike=strike * 100,
        right=right,
        last_trade=datetime(2025, 9, 2, 15, 30, tzinfo=IST),
    )


CALL, PUT = option(24500), option(24500, Right.PUT)


def header(**changes: Any) -> Header:
    """Terms of a recording of three instruments."""
    terms: dict[str, Any] = {
        "day": DAY,
        "opens": OPENS,
        "closes": CLOSES,
        "source": "test",
        "booked": True,
        "instruments": (INDEX, CALL, PUT),
    }
    return Header(**{**terms, **changes})


def moment(text: str) -> datetime:
    """``HH:MM[:SS]`` on the day."""
    return datetime.combine(DAY, time.fromisoformat(text), IST)


def quote(instrument: Instrument, at: str, bid: int | None = 10_000, ask: int | None = 10_010) -> Quote:
    """A quote that changed at a time of the day."""
    return Quote(
        instrument.name, millis(moment(at)), bid=bid, bid_qty=75 if bid else 0, ask=ask, ask_qty=150 if ask else 0
    )


def write_recording(path: Path, frames: Sequence[tuple[datetime, Sequence[Quote]]], **changes: Any) -> Path:
    """A recording of these frames."""
    terms = header(**changes)
    places = {instrument.name: place for place, instrument in enumerate(terms.instruments)}
    file = RecordingFile(path, terms)
    file.write(batch_of([row_of(millis(at), places[each.name], each) for at, quotes in frames for each in quotes]))
    file.close()
    return path


def nse_row(at: str, strike: int, **changes: Any) -> dict[str, Any]:
    """A row of the NSE website's chain: calls and puts around 24,430."""
    row: dict[str, Any] = {"symbol": "NIFTY", "strike_price": strike, "expiry": EXPIRY}
    for side, value in (("calls", 24_430 - strike), ("puts", strike - 24_430)):
        price = max(value, 0) + 60.0
        row |= {
            f"{side}_oi": 100.0,
            f"{side}_volume": 1000,
            f"{side}_ltp": price,
            f"{side}_bid_qty": 75,
            f"{side}_bid_price": price - 0.5,
            f"{side}_ask_price": price + 0.5,
            f"{side}_ask_qty": 150,
        }
    return {**row, "fetch_time": moment(at).replace(tzinfo=None), **changes}


def minute_row(at: str, strike: float, right: str = "CE", **changes: Any) -> dict[str, Any]:
    """A row of a minute chain."""
    return {
        "ts": moment(at).replace(tzinfo=None),
        "expiry": EXPIRY,
        "strike": float(strike),
        "option_type": right,
        "spot": 24_430.5,
        "ltp": 60.0,
        "volume": 1000.0,
        "oi": 101.0,
        **changes,
    }


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Rows as a Parquet file."""
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
