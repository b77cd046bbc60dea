from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optconsole.brokers.replay.opening import open_recording
from optconsole.brokers.replay.reader import Frame
from optconsole.engine.market.recorder import FLUSH_MS, Recorder, is_part, recover
from optconsole.engine.market.recording import batch_of, row_of
from optconsole.engine.market.recording_file import RecordingFile
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import millis
from tests.brokers.replay.sessions import CALL, INDEX, OPENS, PUT, header, moment, option, quote

price = st.none() | st.integers(1, 10**9)
size = st.integers(0, 2**62)
known_quote = st.builds(
    Quote,
    name=st.sampled_from([INDEX.name, CALL.name, PUT.name]),
    ts=st.integers(0, 2**42),
    bid=price,
    bid_qty=size,
    ask=price,
    ask_qty=size,
    ltp=price,
    volume=size,
    oi=st.none() | size,
    oi_open=st.none() | size,
    prev_close=price,
    booked=st.booleans(),
)
steps = st.lists(
    st.tuples(st.integers(1, 30_000), st.lists(known_quote, min_size=1, max_size=5)), min_size=1, max_size=30
)


def read(path: Path) -> list[Frame]:
    recording = open_recording(path)
    try:
        return list(recording.frames())
    finally:
        recording.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_what_is_recorded_is_read_back_field_by_field(tmp_path: Path, steps: list[tuple[int, list[Quote]]]) -> None:
    target = tmp_path / "day.parquet"
    target.unlink(missing_ok=True)
    recorder, at, expected = Recorder(target, header()), OPENS, []
    for gap, quotes in steps:
        at += timedelta(milliseconds=gap)
        assert recorder.write(at, quotes)
        expected.append(Frame(millis(at), quotes))
    extent = recorder.close()
    assert read(target) == expected
    assert (extent.rows, extent.frames) == (sum(len(quotes) for _, quotes in steps), len(steps))


def test_the_header_is_read_back(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header(notes=("a note",)))
    recorder.write(OPENS, [quote(CALL, "09:15")])
    recorder.close()
    recording = open_recording(tmp_path / "day.parquet")
    assert recording.header == header(notes=("a note",))
    recording.close()


def test_a_killed_recording_keeps_all_but_the_last_seconds(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    for second in range(60):
        recorder.write(OPENS + timedelta(seconds=second), [quote(CALL, "09:15", bid=1000 + second)])
    left = tmp_path / "left.part"
    shutil.copy(tmp_path / "day.parquet.part", left)  # what a dead process leaves behind
    recorder.leave()

    frames = read(recover(left, tmp_path / "saved.parquet"))
    assert not left.exists()
    assert [frame.quotes[0].bid for frame in frames] == [1000 + second for second in range(len(frames))]
    assert frames[-1].at >= millis(OPENS) + 59_000 - FLUSH_MS


def test_a_recording_cut_at_any_byte_gives_its_whole_batches_or_one_sentence(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    for second in range(0, 120, 6):
        recorder.write(OPENS + timedelta(seconds=second), [quote(CALL, "09:15", bid=1000 + second)])
    whole = (tmp_path / "day.parquet.part").read_bytes()
    recorder.leave()
    saved: list[int] = []
    codes: set[str] = set()
    for size in range(0, len(whole), 97):
        left = tmp_path / "left.part"
        left.write_bytes(whole[:size])
        frames = []
        try:
            frames = read(recover(left, tmp_path / f"{size}.parquet"))
        except Refusal as refusal:
            codes.add(refusal.code)
        saved.append(len(frames))
        assert [frame.quotes[0].bid for frame in frames] == [1000 + 6 * place for place in range(len(frames))]
    assert codes == {"NOT_A_RECORDING", "RECORDING_EMPTY"}
    assert saved == sorted(saved)
    assert saved[-1] >= 18


def test_a_leftover_is_recognised_by_its_content(tmp_path: Path) -> None:
    Recorder(tmp_path / "day.parquet", header()).leave()
    (tmp_path / "other.part").write_text("not a recording")
    assert is_part(tmp_path / "day.parquet.part")
    assert not is_part(tmp_path / "other.part")
    assert not is_part(tmp_path / "absent")
    with pytest.raises(Refusal, match=r"NOT_A_RECORDING"):
        recover(tmp_path / "other.part")


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "day.parquet").write_text("precious")
    with pytest.raises(Refusal, match=r"RECORDING_EXISTS"):
        Recorder(tmp_path / "day.parquet", header())


def test_a_leftover_stops_a_second_recording_of_the_same_name(tmp_path: Path) -> None:
    Recorder(tmp_path / "day.parquet", header()).leave()
    with pytest.raises(Refusal, match=r"RECORDING_UNFINISHED"):
        Recorder(tmp_path / "day.parquet", header())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"RECORDING_UNWRITABLE"):
        Recorder(tmp_path / "absent" / "day.parquet", header())


def test_nothing_quoted_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    recorder.write(OPENS, [])
    with pytest.raises(Refusal, match=r"RECORDING_EMPTY"):
        recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_contract_that_is_not_listed_is_counted_and_left_out(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    recorder.write(OPENS, [quote(option(99999), "09:15"), quote(CALL, "09:15")])
    recorder.close()
    assert recorder.skipped == 1
    assert [each.name for each in read(tmp_path / "day.parquet")[0].quotes] == [CALL.name]


def test_the_next_day_is_not_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    assert recorder.write(moment("15:29"), [quote(CALL, "15:29")])
    assert not recorder.write(moment("09:15") + timedelta(days=1), [quote(CALL, "15:29")])
    assert recorder.close().rows == 1


def test_rows_out_of_order_are_a_fault_of_the_writer(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "day.parquet", header())
    file.write(batch_of([row_of(2000, 0, quote(INDEX, "09:15"))]))
    with pytest.raises(ValueError, match="order"):
        file.write(batch_of([row_of(1000, 0, quote(INDEX, "09:15"))]))
    file.abandon()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as if the disk were full."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_ends_the_recording_and_keeps_what_was_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())

    def record() -> None:
        for second in range(10_000):
            at = OPENS + timedelta(seconds=second)
            recorder.write(at, [quote(CALL, "09:15", bid=1000 + second)])

    with small_disk(12_000):
        with pytest.raises(Refusal, match=r"RECORDING_UNWRITABLE"):
            record()
        with pytest.raises(Refusal, match=r"RECORDING_UNWRITABLE"):
            recorder.close()
    saved = read(recover(tmp_path / "day.parquet.part", tmp_path / "saved.parquet"))
    assert [frame.quotes[0].bid for frame in saved] == list(range(1000, 1000 + len(saved)))
    assert len(saved) >= recorder.rows > 10


def test_a_disk_too_full_for_the_recording_leaves_its_rows_where_they_are(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.parquet", header())
    recorder.write(OPENS, [quote(CALL, "09:15")] * 100)
    recorder.flush()
    with small_disk(600), pytest.raises(Refusal, match=r"RECORDING_UNWRITABLE"):
        recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["day.parquet.part"]
    assert len(read(recover(tmp_path / "day.parquet.part"))[0].quotes) == 100
