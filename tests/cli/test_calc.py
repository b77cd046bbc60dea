"""`calc` answers line by line; a bad line is answered too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from optconsole.cli.main import run
from tests.link.small_engine import SRC

GOOD = {"id": "d001", "model": "bsm", "type": "C", "S": 110, "K": 100, "q": 0.1, "r": 0.1, "T_years": 0.1, "vol": 0.35}


def answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *lines: bytes
) -> tuple[int, list[dict[str, object]], str]:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b"\n".join(lines))
    code = run(["calc", str(file)])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def test_a_good_case_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found, err = answers(tmp_path, capsys, json.dumps(GOOD).encode())
    assert (code, err) == (0, "")
    assert found[0]["id"] == "d001"
    assert found[0]["price"] == pytest.approx(11.1381, abs=1e-4)


def test_a_price_without_volatility_is_an_answer_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = {**{key: value for key, value in GOOD.items() if key != "vol"}, "given_price": 0.5}
    code, found, _err = answers(tmp_path, capsys, json.dumps(case).encode())
    assert code == 0
    assert found[0]["iv"] is None
    assert found[0]["reason"]


@pytest.mark.parametrize(
    "bad",
    [b"not json", b"[1,2]", b"{}", b'{"id":1,"S":NaN}', b"\xff\xfe", b"[" * 50_000, b'"' + b"x" * (2 << 20) + b'"'],
    ids=["text", "list", "empty", "nan", "bytes", "nested", "long"],
)
def test_a_bad_line_is_answered_and_the_rest_goes_on(
    bad: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(GOOD).encode()
    code, found, err = answers(tmp_path, capsys, good, bad, b"", good)
    assert code == 1
    assert ["error" in each for each in found] == [False, True, False]
    assert err == "error: 1 of 3 cases could not be read; each says why in its answer. [BAD_CASES]\n"


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calc", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.endswith("cannot be read: No such file or directory. [NO_FILE]\n")


def test_each_line_is_answered_before_the_next_is_sent() -> None:
    ran = subprocess.Popen(
        (sys.executable, "-m", "optconsole", "calc"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=SRC),
    )
    assert ran.stdin is not None
    assert ran.stdout is not None
    for number in range(3):
        ran.stdin.write(json.dumps({**GOOD, "id": number}).encode() + b"\n")
        ran.stdin.flush()
        assert json.loads(ran.stdout.readline())["id"] == number
    ran.stdin.close()
    assert ran.wait() == 0
    ran.stdout.close()
