"""The search for secrets (reliability C04) finds one that was planted: else its silence would mean nothing."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canaries import CANARIES, seen_in, seen_in_folder, seen_in_process

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", CANARIES)
def test_a_secret_is_found_in_every_encoding_wherever_it_begins(name: str) -> None:
    text = CANARIES[name]
    for before in ("", "x", "xy", "xyz", "token "):
        around = (before + text + "#tail").encode()
        spellings = [
            around,
            (before + text).encode("utf-16-le"),
            base64.b64encode(around),
            base64.urlsafe_b64encode(around),
            around.hex().encode(),
            f"?t={quote(text, safe='')}&x".encode(),
            f'{{"t":"{before}'.encode() + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"}',
        ]
        for spelling in spellings:
            assert any(name in found for found in seen_in("here", spelling)), (before, spelling)


def test_what_holds_no_secret_is_silent() -> None:
    assert seen_in("here", b"canary, api_key, access_token, passphrase: " + bytes(range(256)) * 40) == []


def test_a_planted_file_and_a_planted_name_are_found(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "journal.db-wal").write_bytes(b"\0" * 5000 + CANARIES["api_key"].encode() + b"\0" * 5000)
    (below / f"core.{CANARIES['totp_seed']}").touch()
    found = " ".join(seen_in_folder(tmp_path))
    assert "totp_seed (plain)" in found
    assert "api_key (plain)" in found


def test_a_secret_in_arguments_or_environment_is_found() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", CANARIES["pin"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TOKEN": CANARIES["access_token"]},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # before it runs, the system may not know its arguments yet
        found = " ".join(seen_in_process(process.pid))
        process.communicate(b"\n")
    assert "cmdline" in found
    assert "pin" in found
    assert "environ" in found
    assert "access_token" in found


def test_a_test_that_shows_a_secret_fails(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "cli"
    folder.mkdir(parents=True)
    (tmp_path / "conftest.py").write_text(
        "from tests.canaries import pytest_runtest_makereport\n__all__ = ['pytest_runtest_makereport']\n"
    )
    (folder / "test_leaks.py").write_text(
        "import logging\n"
        "from tests.canaries import CANARIES\n"
        "def test_prints(): print('key', CANARIES['api_key'])\n"
        "def test_logs(): logging.getLogger('x').warning('token %s', CANARIES['access_token'].encode().hex())\n"
        "def test_writes(tmp_path): (tmp_path / 'x.log').write_text(CANARIES['api_secret'])\n"
        "def test_silent(tmp_path): (tmp_path / 'x.log').write_text('nothing')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "secrets were shown" in done.stdout
