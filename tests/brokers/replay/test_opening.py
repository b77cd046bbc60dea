from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optconsole.brokers.replay.importer import import_file
from optconsole.brokers.replay.opening import open_recording
from optconsole.engine.market.recording import EXTENT_KEY, FORMAT, HEADER_KEY, VERSION, arrow_schema, encode_header
from optconsole.engine.market.recording_file import seal
from optconsole.engine.model.errors import Refusal
from tests.brokers.replay.sessions import CALL, INDEX, OPENS, PUT, header, quote, seconds, write_recording


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    frames = [
        (OPENS + seconds(second), [quote(CALL, "09:15", bid=1000 + second), quote(PUT, "09:15")])
        for second in range(300)
    ]
    return write_recording(tmp_path / "whole.parquet", frames)


def play(path: Path) -> int:
    """Quotes of all frames, as a feed would read them."""
    recording = open_recording(path)
    try:
        recording.state(recording.extent.last)
        return sum(len(frame.quotes) for frame in recording.frames())
    finally:
        recording.close()


def refusal_of(path: Path) -> Refusal:
    with pytest.raises(Refusal) as refused:
        play(path)
    return refused.value


def one_sentence(refusal: Refusal) -> bool:
    return refusal.text.endswith(".") and "\n" not in refusal.text and "Traceback" not in refusal.text


def test_a_file_cut_at_any_byte_is_one_sentence(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    cut = tmp_path / "cut.parquet"
    for size in [*range(12), *range(12, len(content), 61)]:
        cut.write_bytes(content[:size])
        refusal = refusal_of(cut)
        assert one_sentence(refusal)
        assert refusal.code == (
            "RECORDING_EMPTY" if not size else "NOT_A_RECORDING" if size < 4 else "RECORDING_TRUNCATED"
        )


def test_a_damaged_byte_is_never_a_traceback(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    hurt = tmp_path / "hurt.parquet"
    refusals, sound = [], 0
    for place in range(4, len(content), 41):
        hurt.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            sound += play(hurt) == 600
        except Refusal as refusal:
            refusals.append(refusal)
    assert all(map(one_sentence, refusals))
    assert len(refusals) > 10 * sound  # a page's header holds a few bytes that nothing reads


def test_garbage_is_one_sentence(tmp_path: Path) -> None:
    dice = random.Random(7)
    path = tmp_path / "garbage.parquet"
    for size in (1, 11, 12, 200, 5000):
        noise = dice.randbytes(size)
        path.write_bytes(noise)
        assert refusal_of(path).code == "NOT_A_RECORDING"
        path.write_bytes(b"PAR1" + noise + size.to_bytes(4, "little") + b"PAR1")
        assert one_sentence(refusal_of(path))


@pytest.mark.parametrize("content", ["date,price\n2025-08-29,100\n", "\x1b[31mPAR", "PAR2 is not PAR1"])
def test_a_text_file_under_any_name_is_not_a_recording(tmp_path: Path, content: str) -> None:
    path = tmp_path / "session.parquet"
    path.write_text(content)
    assert refusal_of(path).code == "NOT_A_RECORDING"


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "absent.parquet").code == "RECORDING_MISSING"
    assert refusal_of(tmp_path).code == "NOT_A_RECORDING"


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal_of(tmp_path / "pipe").code == "NOT_A_RECORDING"
    with pytest.raises(Refusal, match=r"NOT_IMPORTABLE"):
        import_file(tmp_path / "pipe", tmp_path / "target.parquet")


def test_the_name_of_a_hostile_file_cannot_move_the_cursor(tmp_path: Path) -> None:
    assert "\x1b" not in refusal_of(tmp_path / "\x1b[2Jabsent").text


def test_other_parquet_points_to_the_importer(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    refusal = refusal_of(path)
    assert refusal.code == "NOT_A_RECORDING"
    assert "replay import" in refusal.text


def stored(path: Path, said: bytes, rows: pa.Table | None = None, extent: bytes | None = None) -> Path:
    table = arrow_schema().empty_table() if rows is None else rows
    meta = {HEADER_KEY: said, EXTENT_KEY: extent or b'{"rows":0,"frames":0,"first":0,"last":0}'}
    pq.write_table(table.replace_schema_metadata(meta), path)
    seal(path)
    return path


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    said = msgspec.json.encode({"format": FORMAT, "version": VERSION + 1, "all": "else is new"})
    refusal = refusal_of(stored(tmp_path / "newer.parquet", said))
    assert refusal.code == "RECORDING_NEWER"
    assert str(VERSION + 1) in refusal.text


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "RECORDING_TRUNCATED"),
        (b"\xff\xfe", "RECORDING_TRUNCATED"),
        (b'{"format":"something-else","version":1}', "NOT_A_RECORDING"),
        (b'{"format":"optconsole-recording","version":1}', "RECORDING_TRUNCATED"),
    ],
)
def test_a_broken_header_is_one_sentence(tmp_path: Path, said: bytes, code: str) -> None:
    assert refusal_of(stored(tmp_path / "broken.parquet", said)).code == code


def test_a_recording_without_rows_is_empty(tmp_path: Path) -> None:
    assert refusal_of(stored(tmp_path / "empty.parquet", encode_header(header()))).code == "RECORDING_EMPTY"


def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    twice = header(instruments=(INDEX, CALL, CALL))
    assert refusal_of(stored(tmp_path / "twice.parquet", encode_header(twice))).code == "RECORDING_TRUNCATED"
    renamed = msgspec.structs.replace(CALL, name="NIFTY 02SEP25 99999 CE")
    odd = header(instruments=(INDEX, renamed))
    assert refusal_of(stored(tmp_path / "odd.parquet", encode_header(odd))).code == "RECORDING_TRUNCATED"


def table_of(**columns: list[object]) -> pa.Table:
    at = 1_756_439_100_000
    base: dict[str, list[object]] = {
        "at": [at, at + 1],
        "ts": [at, at],
        "instrument": [1, 2],
        "bid": [None, 5],
        "bid_qty": [0, 75],
        "ask": [None, None],
        "ask_qty": [0, 0],
        "ltp": [5, 5],
        "volume": [0, 0],
        "oi": [None, None],
        "oi_open": [None, None],
        "prev_close": [None, None],
        "booked": [True, True],
    }
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema()])
    return pa.table({**base, **columns}, schema=schema)


EXTENT = b'{"rows":2,"frames":2,"first":1756439100000,"last":1756439100001}'


def test_rows_as_the_format_has_them_are_read(tmp_path: Path) -> None:
    assert play(stored(tmp_path / "good.parquet", encode_header(header()), table_of(), EXTENT)) == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"instrument": [1, 3]},
        {"instrument": [-1, 1]},
        {"at": [1_756_439_100_001, 1_756_439_100_000]},
        {"at": [0, 1_756_439_100_001]},
        {"ts": [None, 1]},
        {"ts": [-5, 1]},
        {"bid_qty": [None, 75]},
        {"booked": [True, None]},
    ],
)
def test_rows_that_cannot_be_are_refused(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    path = stored(tmp_path / "bad.parquet", encode_header(header()), table_of(**columns), EXTENT)
    assert refusal_of(path).code == "RECORDING_TRUNCATED"


@pytest.mark.parametrize("name", ["at", "bid", "booked"])
def test_a_missing_column_is_refused(tmp_path: Path, name: str) -> None:
    path = stored(tmp_path / "bad.parquet", encode_header(header()), table_of().drop_columns([name]), EXTENT)
    assert refusal_of(path).code == "RECORDING_TRUNCATED"


def test_further_columns_are_ignored(tmp_path: Path) -> None:
    more = table_of().append_column("depth", pa.array(["x", "y"]))
    assert play(stored(tmp_path / "more.parquet", encode_header(header()), more, EXTENT)) == 2
