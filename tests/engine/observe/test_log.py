from __future__ import annotations

import json
from pathlib import Path

import pytest

from optconsole.engine.observe.log import incident, open_log


def test_a_failure_is_logged_with_its_place_and_without_its_values(tmp_path: Path) -> None:
    open_log(tmp_path / "engine.log")
    token = "secret-" + "token"
    try:
        int(token)
    except ValueError as error:
        code = incident("test", error)
    text = (tmp_path / "engine.log").read_text(encoding="utf-8")
    entry = json.loads(text)
    assert code in entry["text"]
    assert entry["error"] == "ValueError"
    assert entry["trace"][0].endswith("test_a_failure_is_logged_with_its_place_and_without_its_values")
    assert token not in text


def test_control_characters_cannot_forge_a_line(tmp_path: Path) -> None:
    open_log(tmp_path / "engine.log").warning("first\nsecond \x1b[31m")
    lines = (tmp_path / "engine.log").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert "\x1b" not in lines[0]


def test_the_log_is_private(tmp_path: Path) -> None:
    open_log(tmp_path / "engine.log")
    assert (tmp_path / "engine.log").stat().st_mode & 0o077 == 0


def test_a_full_disk_does_not_write_over_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    open_log(full).warning("nobody will read this")
    open_log(tmp_path / "next.log")
    assert capsys.readouterr().err == ""
