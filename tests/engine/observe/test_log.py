from __future__ import annotations

import json
from pathlib import Path

import pytest

from optconsole.engine.observe.log import incident, masked, open_log


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


@pytest.mark.parametrize(
    "said",
    [
        "GET https://ws.kite.trade?api_key=K3Y12345&access_token=T0K3N-T0K3N failed",
        "headers {'Authorization': 'token K3Y12345:T0K3N-T0K3N'}",
        "headers {'Authorization': 'Bearer T0K3N-T0K3N'}, 'X': 'y'",
        'body {"jwtToken":"T0K3N-T0K3N","refreshToken": "T0K3N-T0K3N"}',
        "form password=T0K3N-T0K3N&totp=T0K3N",
        "sent bearer T0K3N-T0K3N",
        "jData={T0K3N-T0K3N",
    ],
)
def test_a_secret_beside_its_name_is_not_written(said: str, tmp_path: Path) -> None:
    """C05: nobody logs one; this is the second net."""
    open_log(tmp_path / "engine.log").warning("it went wrong: %s", said)
    text = (tmp_path / "engine.log").read_text(encoding="utf-8")
    assert "T0K3N" not in text
    assert "K3Y1" not in text
    assert "it went wrong" in text


@pytest.mark.parametrize(
    "said",
    [
        "the vault stays as it was: VAULT_WRONG",
        "a postback for main has a wrong checksum",
        "user 1000 asked for the engine of user 0",
        "token bucket holds 8 a second",
        "the pin of the option is at 24500",
    ],
)
def test_other_words_are_left_alone(said: str) -> None:
    assert masked(said) == said
