"""Real sessions, where there are any: every figure is compared with the source, read independently."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
import pytest

from optconsole.brokers.replay.importer import ImportReport, import_file
from optconsole.brokers.replay.opening import open_recording
from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.instruments import Right, contract_name
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.brokers.replay.played import playing

BOOKED = "chains/nse_nifty_chain_2025-08-29.parquet"
MINUTE = "chains/nifty_chain_min_2026-08-18.parquet"
AMPLE_SECONDS = 30.0


@pytest.fixture(scope="module")
def booked(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, Path]:
    return imported(shared_data / BOOKED, tmp_path_factory)


@pytest.fixture(scope="module")
def minute(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ImportReport, Path]:
    return imported(shared_data / MINUTE, tmp_path_factory)


def imported(source: Path, folder: pytest.TempPathFactory) -> tuple[ImportReport, Path]:
    if not source.is_file():
        pytest.skip(f"no {source.name} here")
    target = folder.mktemp("recordings") / source.name
    began = time.process_time()
    report = import_file(source, target)
    assert time.process_time() - began < AMPLE_SECONDS
    return report, target


def states(path: Path) -> list[tuple[int, dict[str, Quote]]]:
    """What is known after each frame."""
    recording, known = open_recording(path), {}
    found = []
    for frame in recording.frames():
        known = known | {quote.name: quote for quote in frame.quotes}
        found.append((frame.at, known))
    recording.close()
    return found


def paise(rupees: float) -> int | None:
    return round(rupees * 100) or None


def stamp(naive: datetime) -> int:
    return millis(naive.replace(tzinfo=IST))


def test_the_booked_day_is_read_whole(booked: tuple[ImportReport, Path]) -> None:
    report, _ = booked
    assert (report.shape, report.day, report.underlyings) == ("NSE website chain", date(2025, 8, 29), ("NIFTY",))
    assert (report.rows_read, report.frames, report.dropped) == (223_066, 292, {})
    assert [(f"{gap.since:%H:%M}", gap.seconds) for gap in report.gaps] == [
        ("10:06", 211.0),
        ("10:15", 1110.0),
        ("10:36", 181.0),
        ("13:07", 151.0),
    ]
    assert (f"{report.first:%H:%M:%S}", f"{report.last:%H:%M:%S}") == ("09:22:45", "15:27:27")


def test_every_ninth_snapshot_equals_the_source_row_by_row(
    booked: tuple[ImportReport, Path], shared_data: Path
) -> None:
    _, path = booked
    by_time: dict[int, list[dict[str, Any]]] = {}
    for row in pq.read_table(shared_data / BOOKED).to_pylist():
        by_time.setdefault(stamp(row["fetch_time"]), []).append(row)
    compared = 0
    for at, known in states(path)[::9]:
        for row in by_time[at]:
            for side, right in (("calls", Right.CALL), ("puts", Right.PUT)):
                quote = known[contract_name("NIFTY", row["expiry"], row["strike_price"] * 100, right)]
                assert quote.bid == paise(row[f"{side}_bid_price"])
                assert quote.ask == paise(row[f"{side}_ask_price"])
                assert quote.ltp == paise(row[f"{side}_ltp"])
                assert (quote.bid_qty, quote.ask_qty) == (row[f"{side}_bid_qty"], row[f"{side}_ask_qty"])
                assert quote.oi == round(row[f"{side}_oi"] * 75)
                assert quote.volume == row[f"{side}_volume"] * 75
                compared += 1
    assert compared > 45_000


def test_the_board_takes_every_quote_of_the_day(booked: tuple[ImportReport, Path]) -> None:
    board, recording = QuoteBoard(), open_recording(booked[1])
    for frame in recording.frames():
        board.update(frame.quotes)
    recording.close()
    assert (board.rejected, board.quotes_seen) == (0, booked[0].quotes_written)


def test_the_implied_index_agrees_with_its_strikes_and_with_the_real_one(
    booked: tuple[ImportReport, Path], shared_data: Path
) -> None:
    bars = {
        stamp(bar["datetime"]): (bar["low"], bar["high"])
        for bar in pq.read_table(shared_data / "index/nifty_3min_2025-07_2026-04.parquet").to_pylist()
        if bar["datetime"].date() == date(2025, 8, 29)
    }
    carries, misses = [], []
    for at, known in states(booked[1]):
        spot = known["NIFTY"].ltp
        assert spot is not None
        told = []
        for strike in range(round(spot / 5000) * 5000 - 15_000, round(spot / 5000) * 5000 + 15_001, 5000):
            pair = [known.get(contract_name("NIFTY", date(2025, 9, 2), strike, right)) for right in Right]
            call, put = (None if quote is None else quote.mid for quote in pair)
            if call is not None and put is not None:
                told.append(strike + call - put)
        misses.append(abs(median(told) - spot))
        low, high = bars[max(bar for bar in bars if bar <= at)]
        carries.append(spot / 100 - (low + high) / 2)
    assert median(misses) <= 50
    assert max(misses) <= 400
    # Four days of carry, and up to three minutes between the bar and the snapshot.
    assert 0 < median(carries) < 45
    assert all(-20 < carry < 80 for carry in carries)


def test_contracts_of_the_booked_day_are_those_of_the_exchange(booked: tuple[ImportReport, Path]) -> None:
    recording = open_recording(booked[1])
    master = InstrumentMaster(recording.header.instruments)
    recording.close()
    expiries = master.expiries("NIFTY")
    assert (len(expiries), expiries[0], expiries[-1]) == (18, date(2025, 9, 2), date(2030, 6, 25))
    assert {each.lot for each in master.instruments() if each.strike} == {75}
    assert master.resolve("nifty 02sep25 24400 ce").freeze == 1800


def test_the_minute_day_equals_its_source(minute: tuple[ImportReport, Path], shared_data: Path) -> None:
    report, path = minute
    assert (report.shape, report.rows_read, report.frames, report.dropped) == ("minute chain", 153_990, 288, {})
    known_at = dict(states(path))
    rows = pq.read_table(shared_data / MINUTE).to_pylist()
    for row in rows[::11]:
        known = known_at[stamp(row["ts"])]
        name = contract_name("NIFTY", row["expiry"], round(row["strike"] * 100), Right(row["option_type"]))
        quote = known[name]
        assert (quote.bid, quote.ask, quote.booked) == (None, None, False)
        assert (quote.ltp, quote.volume, quote.oi) == (
            paise(row["ltp"]),
            round(row["volume"] * 65),
            round(row["oi"] * 65),
        )
        assert known["NIFTY"].ltp == paise(row["spot"])


@pytest.mark.parametrize("name", ["nifty_chain_min_2026-07-27", "nifty_chain_min_2026-08-03"])
def test_the_shorter_minute_days_import_too(shared_data: Path, tmp_path: Path, name: str) -> None:
    source = shared_data / "chains" / f"{name}.parquet"
    if not source.is_file():
        pytest.skip(f"no {source.name} here")
    report = import_file(source, tmp_path / "target.parquet")
    assert report.underlyings == ("NIFTY",)
    assert report.day.isoformat() == name[-10:]


def test_stale_repeats_from_outside_the_hours_are_left_out_of_the_other_files(
    shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "chains/nifty_chain_snap_2026-07-03_to_10.parquet"
    if not source.is_file():
        pytest.skip(f"no {source.name} here")
    report = import_file(source, tmp_path / "target.parquet", day=date(2026, 7, 9))
    assert report.dropped["outside the session"] > 0
    recording = open_recording(tmp_path / "target.parquet")
    # Open interest is in units in this file, as its figures show.
    assert max(quote.oi or 0 for quote in recording.state(recording.extent.last)) < 20_000_000
    recording.close()


async def test_a_whole_day_at_full_speed_is_the_same_each_time(booked: tuple[ImportReport, Path]) -> None:
    days = []
    for _ in range(2):
        async with playing(booked[1], datetime(2025, 8, 29, 9, 15, tzinfo=IST)) as stage:
            await stage.ended()
            days.append(stage.told)
    assert days[0] == days[1]
    assert len(days[0]) == 293  # and the close


async def test_a_start_at_half_past_nine_knows_the_chain_of_that_moment(booked: tuple[ImportReport, Path]) -> None:
    start = datetime(2025, 8, 29, 9, 30, tzinfo=IST)
    async with playing(booked[1], start) as stage:
        stage.feed.pause()
        at, quotes = stage.frames[0]
        assert at == start
        assert Counter(quote.name for quote in quotes).most_common(1)[0][1] == 1
        assert len(quotes) > 1_500
        assert max(quote.ts for quote in quotes) <= millis(start)
        assert max(quote.ts for quote in quotes) > millis(start - timedelta(seconds=91))
