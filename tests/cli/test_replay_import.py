"""`replay import`: what cannot be imported is one sentence, and nothing that exists is overwritten unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optconsole.cli.main import run


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "RECORDING_MISSING"), (b"not a table", "NOT_IMPORTABLE"), (b"PAR1 cut", "RECORDING_TRUNCATED")],
)
def test_what_is_no_market_data_is_refused(
    content: bytes | None, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    if content is not None:
        source.write_bytes(content)
    assert run(["replay", "import", str(source), str(target)]) == 1
    err = capsys.readouterr().err
    assert err.endswith(f"[{code}]\n")
    assert err.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize("targets", [[], ["a", "--out", "b"]])
def test_the_recording_is_named_once(targets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "import", "in.parquet", *targets]) == 2
    assert capsys.readouterr().err.endswith("[BAD_USAGE]\n")


def test_a_recording_is_not_overwritten_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.parquet"
    target.write_bytes(b"dear")
    assert run(["replay", "import", str(tmp_path / "in.parquet"), str(target)]) == 1
    assert capsys.readouterr().err.endswith("[FILE_EXISTS]\n")
    assert target.read_bytes() == b"dear"


def test_a_real_chain_is_imported_and_reported(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = shared_data / "chains" / "nifty_chain_min_2026-08-18.parquet"
    target = tmp_path / "out.parquet"
    assert run(["replay", "import", str(chain), "--out", str(target), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["day"], told["underlyings"]) == (True, "2026-08-18", ["NIFTY"])
    assert told["quotes_written"] > 0
    assert target.exists()
