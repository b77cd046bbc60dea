"""A fault in the console ends it in one line: terminal back, no locals, a private record, and the engine goes on.

Mitigation C06; invariant I-14.
"""

from __future__ import annotations

import stat

import pytest

from tests.e2e.control_bytes import unsafe
from tests.e2e.faulty_console import CANARY, TOLD
from tests.e2e.process import EngineProcess
from tests.e2e.terminal import Terminal
from tests.e2e.trading import look

pytestmark = pytest.mark.slow


def test_a_fault_shows_one_line_and_writes_a_record_without_secrets(running: EngineProcess) -> None:
    home = running.home
    console = Terminal("attach", "--home", str(home), program="tests.e2e.faulty_console")
    try:
        console.shows("No open positions")
        console.press("?")
        assert console.ended() == 1
    finally:
        console.close()
    written = bytes(console.bytes)
    for back in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
        assert back in written
    told = written[written.rindex(b"\x1b[?1049l") :]
    assert b"optconsole: incident " in told
    assert b"Traceback" not in written
    assert CANARY.encode() not in written
    assert b"canary" not in written
    assert unsafe(written) == []

    (record,) = (home / "incidents").iterdir()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    text = record.read_text(encoding="utf-8")
    assert "RuntimeError" in text
    assert "in fail" in text
    assert TOLD.partition("=")[2] not in text
    assert CANARY not in text
    assert unsafe(text.replace("\n", "").encode()) == []
    assert look(home).state.ready, "the engine goes on"
