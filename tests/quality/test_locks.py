"""The locks say what the project says, name no index, and nest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
RUN, DEV = "requirements.txt", "requirements-dev.txt"


def entries(lock: str) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Name -> its pin and its hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin, *hashes = line.split("--hash=")
            requirement = Requirement(pin.strip())
            found[canonicalize_name(requirement.name)] = requirement, frozenset(h.strip() for h in hashes)
    return found


def wanted(lock: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = list(project["project"]["dependencies"])
    if lock == DEV:
        names += project["dependency-groups"]["dev"]
    return [Requirement(name) for name in names]


@pytest.mark.parametrize("lock", [RUN, DEV])
def test_a_lock_pins_all_that_the_project_needs_within_its_ranges(lock: str) -> None:
    locked = entries(lock)
    for need in wanted(lock):
        pin = next(iter(locked[canonicalize_name(need.name)][0].specifier))
        assert pin.operator == "=="
        assert pin.version in need.specifier, f"{need} is locked at {pin.version}: run scripts/lock"


@pytest.mark.parametrize("lock", [RUN, DEV])
def test_every_pin_carries_hashes(lock: str) -> None:
    for name, (_, hashes) in entries(lock).items():
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), name


@pytest.mark.parametrize("lock", [RUN, DEV])
def test_a_lock_names_no_index_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host|^-|\bfile:", text, re.MULTILINE)


def test_the_development_lock_holds_the_whole_run_lock() -> None:
    run, dev = entries(RUN), entries(DEV)
    # markers may differ: what the program needs on some Pythons only, a tool may need on all
    assert [name for name in run if name not in dev or exact(dev[name]) != exact(run[name])] == []


def exact(entry: tuple[Requirement, frozenset[str]]) -> tuple[str, frozenset[str]]:
    return str(entry[0].specifier), entry[1]
