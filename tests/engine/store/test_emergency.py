"""S04: the emergency journal is there before it is needed, whole or not at all, and emptied in one step."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from optconsole.engine.store import emergency
from optconsole.engine.store.chain import StoredEvent
from optconsole.engine.store.codec import encode
from optconsole.engine.store.emergency import EmergencyFull, EmergencyLog
from tests.engine.store.facts import Trader
from tests.engine.store.faults import full_disk

SIZE = 1 << 16


def rows(count: int) -> list[StoredEvent]:
    return [encode(fact, 1, "") for fact in Trader(2).take(count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / emergency.FILE


def test_it_takes_records_on_a_disk_without_room(path: Path) -> None:
    log = EmergencyLog(path, SIZE)
    assert path.stat().st_blocks * 512 >= SIZE, "blocks are given out when it is made"
    before = path.stat().st_size
    with full_disk(limit=SIZE):
        for row in rows(20):
            log.append([row])
    log.close()
    again = EmergencyLog(path)
    assert [row for record in again.records for row in record] == rows(20)
    assert path.stat().st_size == before
    again.close()


def test_each_write_is_on_the_platter_when_it_returns(path: Path) -> None:
    import fcntl
    import os

    log = EmergencyLog(path, SIZE)
    assert fcntl.fcntl(log._file, fcntl.F_GETFL) & os.O_DSYNC
    log.close()


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 60, 200])
def test_a_torn_record_never_was(path: Path, cut: int) -> None:
    log = EmergencyLog(path, SIZE)
    log.append(rows(2))
    end = log._end
    log.append(rows(3))
    torn = bytearray(path.read_bytes())
    torn[end + cut : log._end] = bytes(log._end - end - cut)
    log.close()
    path.write_bytes(torn)
    again = EmergencyLog(path)
    assert again.records == [rows(2)]
    # and what follows takes its place
    again.append(rows(1))
    again.close()
    last = EmergencyLog(path)
    assert last.records == [rows(2), rows(1)]
    last.close()


def test_a_damaged_record_ends_the_reading_there(path: Path) -> None:
    log = EmergencyLog(path, SIZE)
    log.append(rows(2))
    middle = log._end + 40
    log.append(rows(3))
    log.append(rows(1))
    log.close()
    image = bytearray(path.read_bytes())
    image[middle] ^= 1
    path.write_bytes(image)
    again = EmergencyLog(path)
    assert again.records == [rows(2)]
    again.close()


def test_emptied_it_forgets_all_records_also_older_longer_ones(path: Path) -> None:
    log = EmergencyLog(path, SIZE)
    for _ in range(5):
        log.append(rows(2))
    log.reset()
    assert log.records == []
    log.append(rows(2))
    log.close()
    again = EmergencyLog(path)
    assert again.records == [rows(2)]
    again.close()


def until_full(log: EmergencyLog, share: float) -> int:
    """How many records it takes."""
    taken = 0
    with suppress(EmergencyFull):
        for taken in range(10_000):  # noqa: B007
            log.append(rows(1), share)
    return taken


def test_notices_leave_half_of_it_to_exits(path: Path) -> None:
    log = EmergencyLog(path, SIZE)
    light = until_full(log, share=0.5)
    assert light > 10
    assert log._end <= SIZE / 2
    assert until_full(log, share=1.0) >= light - 10
    log.close()


def test_a_strange_file_is_not_taken_for_one(path: Path) -> None:
    path.write_bytes(b"something else entirely".ljust(8192, b"!"))
    with pytest.raises(OSError, match="not an emergency journal"):
        EmergencyLog(path)


def test_a_disk_without_room_for_it_leaves_no_half_one(path: Path) -> None:
    with full_disk(limit=20_000), pytest.raises(OSError, match="too large"):
        EmergencyLog(path, SIZE)
    assert list(path.parent.iterdir()) == []
