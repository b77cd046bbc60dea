"""The vault inside a running engine: opened by its door, followed while the command line changes it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from optconsole.engine.model.secrets import Secret
from optconsole.engine.observe.log import NAME
from optconsole.runtime.strongroom import Strongroom
from tests.canaries import CANARIES
from tests.engine.store.vaults import a_vault, later, still
from tests.link.small_engine import SRC

PASSPHRASE = Secret(CANARIES["passphrase"])
TOKEN = Secret(CANARIES["access_token"])


@pytest.fixture(autouse=True)
def soft(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own process stays as it is; a process of its own shows the hardening."""
    monkeypatch.setattr("optconsole.runtime.strongroom.harden", lambda: None)


async def test_the_door_says_yes_or_no_and_stays_shut_meanwhile(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    a_vault(tmp_path).create(PASSPHRASE)
    clock = still()
    room = Strongroom(tmp_path, vault=a_vault(tmp_path, clock))
    assert not await room.unlock(Secret("not this one, not at all"))
    assert not await room.unlock(PASSPHRASE)  # too early
    later(clock, seconds=1)
    assert await room.unlock(PASSPHRASE)
    assert "VAULT_WRONG" in caplog.text
    assert "VAULT_LOCKOUT" in caplog.text


async def test_a_wrong_passphrase_does_not_lock_an_open_vault(tmp_path: Path) -> None:
    a_vault(tmp_path).create(PASSPHRASE)
    room = Strongroom(tmp_path, vault=a_vault(tmp_path))
    assert await room.unlock(PASSPHRASE)
    room.vault.put("main", {"access_token": TOKEN})
    assert not await room.unlock(Secret("not this one, not at all"))
    assert room.credentials("main").get("access_token") == TOKEN
    await room.close()
    assert room.credentials("main").get("access_token") is None


async def test_guesses_sent_at_once_are_made_one_after_another(tmp_path: Path) -> None:
    a_vault(tmp_path).create(PASSPHRASE)
    room = Strongroom(tmp_path, vault=a_vault(tmp_path))
    answers = await asyncio.gather(*(room.unlock(Secret(f"guess number {number}")) for number in range(20)))
    assert not any(answers)
    assert room.vault.lockout.failures == 1


async def test_who_subscribed_hears_of_a_token_that_the_command_line_wrote(tmp_path: Path) -> None:
    a_vault(tmp_path).create(PASSPHRASE)
    room, heard = Strongroom(tmp_path, vault=a_vault(tmp_path)), []
    await room.unlock(PASSPHRASE)
    room.credentials("main").subscribe(lambda: heard.append(room.credentials("main").get("access_token")))
    cli = a_vault(tmp_path)
    cli.unlock(PASSPHRASE)
    cli.put("main", {"access_token": TOKEN})
    room.look()
    assert heard == [TOKEN]


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house that was open before has kept its log to itself."""
    monkeypatch.setattr(logging.getLogger(NAME), "propagate", True)


async def test_a_spoilt_vault_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a_vault(tmp_path).create(PASSPHRASE)
    room = Strongroom(tmp_path, vault=a_vault(tmp_path))
    await room.unlock(PASSPHRASE)
    (tmp_path / "vault").write_bytes(b"spoilt")
    for _ in range(3):
        room.look()
    assert caplog.text.count("is not as it was written") == 1


HARDENED = """
import asyncio, sys
from pathlib import Path
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.hardening import hardened
from optconsole.engine.observe.log import NAME
from optconsole.runtime.strongroom import Strongroom
before = hardened()
asyncio.run(Strongroom(Path(sys.argv[1])).unlock(Secret("whatever it may be")))
print(before, hardened())
"""


def test_a_process_that_was_sent_a_passphrase_can_be_neither_dumped_nor_looked_into(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HARDENED, str(tmp_path)],
        env={"PYTHONPATH": SRC},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[1] == "True"
