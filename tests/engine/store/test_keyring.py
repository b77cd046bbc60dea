"""The kernel's memory: outlives the process that wrote, ends when it is told to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from optconsole.engine.clock import fresh_id
from optconsole.engine.store.keyring import LARGEST, KernelNote
from tests.link.small_engine import SRC


@pytest.fixture
def name() -> Iterator[str]:
    name = f"optconsole-test:{fresh_id()}"
    if not KernelNote(name).write(b"probe", 60):
        pytest.skip("this system lets nobody keep anything in the kernel's keyring")
    yield name
    KernelNote(name).clear()


def test_a_note_outlives_the_process_that_wrote_it(name: str) -> None:
    code = f"from optconsole.engine.store.keyring import KernelNote; assert KernelNote({name!r}).write(b'left', 60)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": SRC}, check=True)
    assert KernelNote(name).read() == b"left"


def test_a_note_is_replaced_and_cleared(name: str) -> None:
    note = KernelNote(name)
    assert note.write(b"one", 60)
    assert note.write(b"the second", 60)
    assert note.read() == b"the second"
    note.clear()
    assert note.read() is None
    note.clear()


def test_what_is_too_large_or_dead_already_is_not_kept(name: str) -> None:
    note = KernelNote(name)
    assert not note.write(b"x" * (LARGEST + 1), 60)
    assert not note.write(b"x", 0)
    assert note.write(b"y" * LARGEST, 60)
    assert note.read() == b"y" * LARGEST


def test_names_are_apart(name: str) -> None:
    assert KernelNote(f"{name}-other").read() is None
