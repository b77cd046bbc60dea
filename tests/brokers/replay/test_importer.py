from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optconsole.brokers.replay.importer import ImportReport, import_file
from optconsole.brokers.replay.opening import open_recording
from optconsole.brokers.replay.reader import Frame
from optconsole.brokers.replay.session import open_session
from optconsole.engine.market.recorder import Recorder
from optconsole.engine.market.recording import Header
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from tests.brokers.replay.sessions import (
    CALL,
    CLOSES,
    DAY,
    EXPIRY,
    OPENS,
    header,
    minute_row,
    moment,
    nse_row,
    quote,
    write_recording,
    write_rows,
)

STRIKES = range(24_200, 24_700, 50)


def snapshot(at: str, **changes: Any) -> list[dict[str, Any]]:
    return [nse_row(at, strike, **changes) for strike in STRIKES]


def imported(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> tuple[ImportReport, Header, list[Frame]]:
    source, target = write_rows(tmp_path / "source.parquet", rows), tmp_path / "target.parquet"
    report = import_file(source, target, **options)
    recording = open_recording(target)
    try:
        return report, recording.header, list(recording.frames())
    finally:
        recording.close()


def named(frame: Frame) -> dict[str, Quote]:
    return {each.name: each for each in frame.quotes}


def refused(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        imported(tmp_path, rows, **options)
    assert not (tmp_path / "target.parquet").exists()
    return refusal.value


# ---------------------------------------------------------------- the NSE website's chain


def test_an_nse_row_becomes_a_call_and_a_put_with_their_books(tmp_path: Path) -> None:
    _, head, frames = imported(tmp_path, snapshot("10:00"))
    at = millis(moment("10:00"))
    assert [frame.at for frame in frames] == [at]
    assert named(frames[0])["NIFTY 02SEP25 24400 CE"] == Quote(
        "NIFTY 02SEP25 24400 CE", at, 8950, 75, 9050, 150, 9000, 75_000, 7_500
    )
    assert named(frames[0])["NIFTY 02SEP25 24400 PE"].ask == 6050
    assert (head.day, head.opens, head.closes, head.booked) == (DAY, OPENS, CLOSES, True)


def test_contract_terms_come_from_the_dated_tables(tmp_path: Path) -> None:
    _, head, _ = imported(tmp_path, snapshot("10:00"))
    assert head.instruments[0].name == "NIFTY"
    assert CALL in head.instruments


def test_the_lot_of_a_far_contract_is_what_the_book_proves(tmp_path: Path) -> None:
    far = date(2026, 3, 31)
    near, before = snapshot("10:00"), [nse_row("10:00", 24_400, expiry=far)]
    _, head, _ = imported(tmp_path, near + before)
    assert {each.lot for each in head.instruments if each.expiry == far} == {75}
    revised = [
        nse_row("10:00", 24_400, expiry=far, calls_bid_qty=65, calls_ask_qty=130, puts_bid_qty=65, puts_ask_qty=195)
    ]
    _, head, _ = imported(tmp_path, near + revised)
    assert {each.lot for each in head.instruments if each.expiry == far} == {65}


def test_a_price_of_zero_is_an_empty_side(tmp_path: Path) -> None:
    rows = snapshot("10:00")
    rows[0] |= {"calls_bid_price": 0.0, "calls_bid_qty": 0, "calls_ltp": 0.0, "puts_ask_qty": 0}
    _, _, frames = imported(tmp_path, rows)
    call, put = (named(frames[0])[f"NIFTY 02SEP25 24200 {right}"] for right in ("CE", "PE"))
    assert (call.bid, call.bid_qty, call.ltp, call.booked) == (None, 0, None, True)
    assert (put.ask, put.ask_qty) == (None, 0)


def test_a_last_trade_outside_the_book_is_kept_as_it_is(tmp_path: Path) -> None:
    rows = snapshot("10:00", calls_ltp=1.0)
    _, _, frames = imported(tmp_path, rows)
    call = named(frames[0])["NIFTY 02SEP25 24200 CE"]
    assert call.ltp == 100
    assert call.mark == call.bid


def test_the_index_is_implied_by_parity_around_the_money(tmp_path: Path) -> None:
    rows = snapshot("10:00")
    rows[0] |= {"calls_bid_price": 900.0, "calls_ask_price": 990.0}  # junk far from the money
    report, _, frames = imported(tmp_path, rows)
    assert named(frames[0])["NIFTY"] == Quote("NIFTY", millis(moment("10:00")), ltp=2_443_000, booked=False)
    assert "parity" in report.notes[-1]


def test_a_quote_is_told_again_only_when_something_of_it_changed(tmp_path: Path) -> None:
    later = snapshot("10:01")
    later[3]["puts_ask_qty"] = 225
    report, _, frames = imported(tmp_path, snapshot("10:00") + later + snapshot("10:02"))
    assert [len(frame.quotes) for frame in frames] == [2 * len(STRIKES) + 1, 1, 1]
    assert frames[1].quotes[0].ask_qty == 225
    assert report.quotes_written == 2 * len(STRIKES) + 3


def test_several_underlyings_of_one_file_share_the_recording(tmp_path: Path) -> None:
    bank = [nse_row("10:00", strike, symbol="BANKNIFTY", expiry=date(2025, 9, 30)) for strike in (24_400, 24_500)]
    report, head, _ = imported(tmp_path, snapshot("10:00") + bank)
    assert report.underlyings == ("BANKNIFTY", "NIFTY")
    assert [each.name for each in head.instruments if each.strike is None] == ["BANKNIFTY", "NIFTY"]
    report, _, _ = imported(tmp_path, snapshot("10:00") + bank, symbol="nifty")
    assert report.underlyings == ("NIFTY",)


# ---------------------------------------------------------------- the minute chain


def minute(at: str, **changes: Any) -> list[dict[str, Any]]:
    return [minute_row(at, strike, right, **changes) for strike in STRIKES for right in ("CE", "PE")]


def test_a_minute_chain_has_no_book_and_its_spot_is_the_index(tmp_path: Path) -> None:
    report, head, frames = imported(tmp_path, minute("10:00"))
    quotes = named(frames[0])
    at = millis(moment("10:00"))
    assert quotes["NIFTY 02SEP25 24400 PE"] == Quote(
        "NIFTY 02SEP25 24400 PE", at, ltp=6_000, volume=75_000, oi=7_575, booked=False
    )
    assert quotes["NIFTY"] == Quote("NIFTY", at, ltp=2_443_050, booked=False)
    assert not head.booked
    assert report.underlyings == ("NIFTY",)


def test_a_spot_of_zero_falls_back_to_parity(tmp_path: Path) -> None:
    rows = [
        minute_row("10:00", strike, right, spot=0.0, ltp=max(sign * (24_430 - strike), 0) + 50.0)
        for strike in STRIKES
        for right, sign in (("CE", 1), ("PE", -1))
    ]
    _, _, frames = imported(tmp_path, rows)
    assert named(frames[0])["NIFTY"].ltp == 2_443_000


def test_open_interest_that_is_all_whole_lots_was_in_units_already(tmp_path: Path) -> None:
    rows = [row | {"oi": 75.0 * place, "volume": 7.0 * place} for place, row in enumerate(minute("10:00") * 2, start=1)]
    for row in rows[20:]:
        row["ts"] += timedelta(minutes=1)
    _, _, frames = imported(tmp_path, rows)
    assert named(frames[0])["NIFTY 02SEP25 24200 CE"].oi == 75
    assert named(frames[0])["NIFTY 02SEP25 24200 CE"].volume == 7 * 75


def test_unknown_open_interest_stays_unknown(tmp_path: Path) -> None:
    _, _, frames = imported(tmp_path, minute("10:00", oi=float("nan")))
    assert named(frames[0])["NIFTY 02SEP25 24200 CE"].oi is None


def test_spoken_dates_and_named_underlyings_are_understood(tmp_path: Path) -> None:
    rows = [row | {"expiry": "02-Sep-2025", "underlying": "NIFTY"} for row in minute("10:00")]
    report, head, _ = imported(tmp_path, rows)
    assert head.instruments[1].expiry == EXPIRY
    assert not any("names no index" in note for note in report.notes)


def test_an_index_that_fits_nothing_must_be_named(tmp_path: Path) -> None:
    rows = [minute_row("10:00", strike, expiry=date(2025, 9, 5)) for strike in (24_000, 24_033)]
    assert refused(tmp_path, rows).code == "WHICH_UNDERLYING"
    report, _, _ = imported(tmp_path, rows, symbol="SENSEX")
    assert report.underlyings == ("SENSEX",)


def test_an_underlying_nobody_lists_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, minute("10:00"), symbol="WEATHER").code == "UNKNOWN_UNDERLYING"


# ---------------------------------------------------------------- what is left out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"calls_bid_price": 900.0}, "crossed book"),
        ({"calls_ltp": -1.0}, "negative"),
        ({"calls_ask_price": float("nan")}, "not a number"),
        ({"calls_bid_price": float("inf")}, "not a number"),
        ({"calls_ltp": 1e12}, "out of range"),
        ({"calls_volume": -5}, "negative"),
    ],
)
def test_half_a_row_that_cannot_be_is_dropped_and_counted(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    rows = snapshot("10:00")
    rows[0] |= changes
    report, _, frames = imported(tmp_path, rows)
    assert report.dropped == {reason: 1}
    assert "NIFTY 02SEP25 24200 CE" not in named(frames[0])
    assert "NIFTY 02SEP25 24200 PE" in named(frames[0])


def test_repeats_of_one_moment_collapse_to_the_last(tmp_path: Path) -> None:
    again = snapshot("10:00", calls_ltp=77.0)
    report, _, frames = imported(tmp_path, snapshot("10:00") + again)
    assert report.dropped == {"repeated": 2 * len(STRIKES)}
    assert named(frames[0])["NIFTY 02SEP25 24200 CE"].ltp == 7_700


def test_rows_from_outside_the_session_are_dropped(tmp_path: Path) -> None:
    rows = snapshot("09:14:59") + snapshot("10:00") + snapshot("15:30:01")
    report, _, frames = imported(tmp_path, rows)
    assert report.dropped == {"outside the session": 4 * len(STRIKES)}
    assert [frame.at for frame in frames] == [millis(moment("10:00"))]


def test_expired_and_undated_contracts_are_dropped(tmp_path: Path) -> None:
    rows = [
        *snapshot("10:00"),
        nse_row("10:00", 24_400, expiry=date(2025, 8, 28)),
        nse_row("10:00", 24_450, expiry=None),
    ]
    report, _, _ = imported(tmp_path, rows)
    assert report.dropped == {"expired contract": 2, "no time or expiry": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"expiry": date(9999, 12, 31)},
        {"fetch_time": moment("10:00").replace(year=9000, tzinfo=None)},
        {"fetch_time": moment("10:00").replace(year=1900, tzinfo=None)},
        {"fetch_time": None},
    ],
)
def test_moments_beyond_belief_are_dropped(tmp_path: Path, changes: dict[str, Any]) -> None:
    report, _, _ = imported(tmp_path, [*snapshot("10:00"), nse_row("10:00", 24_400) | changes])
    assert report.dropped == {"no time or expiry": 2}


def test_a_strike_of_nothing_is_dropped(tmp_path: Path) -> None:
    report, _, _ = imported(tmp_path, [*minute("10:00"), minute_row("10:00", 0.001)])
    assert report.dropped == {"no strike": 1}


def test_a_column_of_empty_cells_is_all_absent(tmp_path: Path) -> None:
    _, _, frames = imported(tmp_path, [row | {"puts_ltp": None} for row in snapshot("10:00")])
    assert named(frames[0])["NIFTY 02SEP25 24200 PE"].ltp is None


def test_text_that_is_no_text_is_named(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(snapshot("10:00"))
    bytes_ = pa.array([b"\xff\xfe"] * table.num_rows)
    torn = pa.Array.from_buffers(pa.string(), len(bytes_), bytes_.buffers())
    pq.write_table(table.set_column(table.schema.get_field_index("symbol"), "symbol", torn), tmp_path / "torn.parquet")
    with pytest.raises(Refusal, match=r"symbol .*NOT_IMPORTABLE"):
        import_file(tmp_path / "torn.parquet", tmp_path / "target.parquet")


def test_a_right_that_is_neither_is_dropped(tmp_path: Path) -> None:
    report, _, _ = imported(tmp_path, [*minute("10:00"), minute_row("10:00", 24_400, "XX")])
    assert report.dropped == {"neither call nor put": 1}


def test_gaps_are_kept_and_listed(tmp_path: Path) -> None:
    rows = snapshot("10:00") + snapshot("10:02:30") + snapshot("10:22", calls_ltp=5.0)
    report, _, frames = imported(tmp_path, rows)
    assert [(gap.since, gap.seconds) for gap in report.gaps] == [(moment("10:02:30"), 1170.0)]
    assert frames[-1].at == millis(moment("10:22"))


def test_a_file_of_several_days_asks_for_one(tmp_path: Path) -> None:
    rows = snapshot("10:00") + [
        row | {"fetch_time": row["fetch_time"] + timedelta(days=3)} for row in snapshot("10:00")
    ]
    refusal = refused(tmp_path, rows)
    assert refusal.code == "SEVERAL_DAYS"
    assert "2025-08-29, 2025-09-01" in refusal.text
    report, _, _ = imported(tmp_path, rows, day=date(2025, 9, 1))
    assert report.day == date(2025, 9, 1)


def test_a_holiday_holds_nothing_to_import(tmp_path: Path) -> None:
    sunday = [row | {"fetch_time": row["fetch_time"] + timedelta(days=2)} for row in snapshot("10:00")]
    assert refused(tmp_path, sunday).code == "NOTHING_TO_IMPORT"
    assert refused(tmp_path, snapshot("10:00"), day=date(2025, 9, 1)).code == "NOTHING_TO_IMPORT"


# ---------------------------------------------------------------- what is not importable at all


def test_an_unknown_shape_names_what_it_found_and_what_it_takes(tmp_path: Path) -> None:
    refusal = refused(tmp_path, [{"symbol": "NIFTY", "open": 1.0, "close\x1b[31m": 2.0}])
    assert refusal.code == "NOT_IMPORTABLE"
    assert "symbol, open, close\\x1b" in refusal.text
    assert "fetch_time" in refusal.text
    assert "option_type" in refusal.text


def test_the_shape_is_known_by_columns_in_any_order_with_others_between(tmp_path: Path) -> None:
    rows = [dict(reversed((row | {"iv": 10.0}).items())) for row in snapshot("10:00")]
    assert imported(tmp_path, rows)[0].shape == "NSE website chain"


@pytest.mark.parametrize("column", ["fetch_time", "calls_ltp", "symbol"])
def test_a_column_of_another_kind_is_named(tmp_path: Path, column: str) -> None:
    wrong = ["x", b"x"][column == "symbol"]
    refusal = refused(tmp_path, [row | {column: wrong} for row in snapshot("10:00")])
    assert refusal.code == "NOT_IMPORTABLE"
    assert column in refusal.text


def test_files_of_other_kinds_are_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "chain.csv"
    text.write_text("ts,expiry,strike\n")
    for source, code in (
        (text, "NOT_IMPORTABLE"),
        (tmp_path, "NOT_IMPORTABLE"),
        (tmp_path / "absent.parquet", "RECORDING_MISSING"),
    ):
        with pytest.raises(Refusal) as refusal:
            import_file(source, tmp_path / "target.parquet")
        assert refusal.value.code == code


def test_a_source_cut_at_any_byte_is_one_sentence(tmp_path: Path) -> None:
    content = write_rows(tmp_path / "whole.parquet", snapshot("10:00")).read_bytes()
    cut = tmp_path / "cut.parquet"
    for size in range(0, len(content), 97):
        cut.write_bytes(content[:size])
        with pytest.raises(Refusal) as refusal:
            import_file(cut, tmp_path / "target.parquet")
        assert refusal.value.code in {"RECORDING_EMPTY", "RECORDING_TRUNCATED"}
    assert not (tmp_path / "target.parquet").exists()


def test_a_recording_is_not_imported_again(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "day.parquet", [(OPENS, [quote(CALL, "09:15")])])
    with pytest.raises(Refusal, match=r"recording already"):
        import_file(path, tmp_path / "target.parquet")


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "source.parquet", snapshot("10:00"))
    with pytest.raises(Refusal, match=r"SAME_FILE"):
        import_file(source, source)


def test_an_empty_table_holds_nothing(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.parquet", snapshot("10:00"))
    bare = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(source).slice(0, 0), bare)
    with pytest.raises(Refusal, match=r"NOTHING_TO_IMPORT"):
        import_file(bare, tmp_path / "target.parquet")


def test_a_cut_off_recording_is_saved_by_importing_it(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    recorder.write(OPENS, [quote(CALL, "09:15")])
    recorder.flush()
    recorder.leave()
    report = import_file(tmp_path / "day.parquet.part", tmp_path / "saved.parquet")
    assert (report.shape, report.quotes_written) == ("unfinished recording", 1)
    open_recording(tmp_path / "saved.parquet").close()


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    imported(tmp_path, snapshot("10:00"), progress=lambda done, total: heard.append((done, total)))
    assert heard[0] == (0, len(STRIKES))
    assert heard[-1] == (len(STRIKES), len(STRIKES))
    assert heard == sorted(heard)


# ---------------------------------------------------------------- naming a raw file where a recording is due


def test_a_raw_file_is_imported_once_into_the_home(tmp_path: Path) -> None:
    source, home = write_rows(tmp_path / "raw.parquet", snapshot("10:00")), tmp_path / "home"
    heard: list[int] = []
    for _ in range(2):
        recording = open_session(source, home, lambda done, _total: heard.append(done))
        assert recording.extent.frames == 1
        recording.close()
    assert heard.count(0) == 1
    assert len(list((home / "recordings").iterdir())) == 1


def test_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    source, home = write_rows(tmp_path / "raw.parquet", snapshot("10:00")), tmp_path / "home"
    open_session(source, home).close()
    (copy,) = (home / "recordings").iterdir()
    copy.write_bytes(copy.read_bytes()[:-100])
    open_session(source, home).close()


def test_a_recording_is_opened_where_it_lies(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "day.parquet", [(OPENS, [quote(CALL, "09:15")])])
    open_session(path, tmp_path / "home").close()
    assert not (tmp_path / "home").exists()


def test_what_is_neither_is_not_a_recording(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(Refusal, match=r"NOT_A_RECORDING"):
        open_session(text, tmp_path / "home")
    shutil.copy(text, tmp_path / "notes.parquet")
    with pytest.raises(Refusal, match=r"NOT_A_RECORDING"):
        open_session(tmp_path / "notes.parquet", tmp_path / "home")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), other)
    with pytest.raises(Refusal, match=r"NOT_IMPORTABLE"):
        open_session(other, tmp_path / "home")
