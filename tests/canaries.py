"""Canaries (reliability C04): six secrets that must turn up nowhere, and the search for them after every test.

Tests that need a secret take one of these. Whatever such a test prints, logs, or leaves in its folder is searched for
all of them in five encodings; what its processes were started with, where the test asks for it.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

import pytest

CANARIES: Final = {
    "passphrase": "canary passphrase ünder +five/ words",
    "api_key": "cnryk3y+A/b&c=9Zq",
    "api_secret": 'cnrys3cret"x\\y/Wv7+p',
    "access_token": "cnryt0ken.eyJh+bGci/OiJI.UzI1NiJ9",
    "pin": "cnryp1n#4711/+00",
    "totp_seed": "CNRYJBSWY3DPEHPK3PXP",
}
SEARCHED: Final = ("brokers", "cli", "contract", "engine/store", "link", "runtime")
"""Folders of tests with files, sockets or processes of their own."""
LARGEST: Final = 64 << 20


def encodings(text: str) -> Iterator[tuple[str, bytes]]:
    """The ways in which a secret may lie about: as it is, in JSON, in a URL, in base64, in hexadecimal."""
    plain = text.encode()
    yield "plain", plain
    yield "utf-16", text.encode("utf-16-le")
    yield "json", json.dumps(text)[1:-1].encode()
    yield "url", quote(text, safe="").encode()
    yield "url", quote_plus(text, safe="").encode()
    for shift in range(3):  # base64 of a longer text looks different by where the secret begins in it
        whole = base64.b64encode(bytes(shift) + plain).rstrip(b"=")
        inner = whole[(0, 2, 3)[shift] : len(whole) - 1]
        yield "base64", inner
        yield "base64", inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield "hex", plain.hex().encode()
    yield "hex", plain.hex().upper().encode()


_NEEDLES: Final[dict[bytes, str]] = {}
for _name, _text in CANARIES.items():
    for _how, _needle in encodings(_text):
        _NEEDLES.setdefault(_needle, f"{_name} ({_how})")


def seen_in(place: str, content: bytes) -> list[str]:
    """Which canaries a place shows; never the secret itself."""
    return sorted({f"{place}: {what}" for needle, what in _NEEDLES.items() if needle in content})


def seen_in_folder(folder: Path) -> list[str]:
    """Names and contents of all files below a folder."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        found += seen_in(f"the name {path.name}", os.fsencode(path.name))
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            found += seen_in(str(path), path.read_bytes())
    return found


def seen_in_process(pid: int) -> list[str]:
    """Arguments and environment that a process was started with."""
    found: list[str] = []
    for what in ("cmdline", "environ"):
        found += seen_in(f"{what} of {pid}", Path(f"/proc/{pid}/{what}").read_bytes())
    return found


def _seen_after(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    found: list[str] = []
    for title, text in report.sections:
        found += seen_in(title, text.encode(errors="surrogateescape"))
    if report.when == "call":
        found += seen_in("arguments", "\0".join(sys.argv).encode(errors="surrogateescape"))
        found += seen_in("environment", "\0".join(f"{k}={v}" for k, v in os.environ.items()).encode(errors="replace"))
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path) and folder.is_dir():
            found += seen_in_folder(folder)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that shows a secret fails, whatever else it proves."""
    report = yield
    here = str(item.path)
    if report.passed and any(f"/tests/{folder}/" in here for folder in SEARCHED):
        found = _seen_after(item, report)
        if found:
            report.outcome = "failed"
            report.longrepr = "secrets were shown:\n" + "\n".join(found)
    return report
