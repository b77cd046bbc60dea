"""After a restart nobody attends (reliability 5.2): guards work by the day's tokens; what opens more is not there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.engine.clock import MarketClock
from optconsole.engine.model.secrets import Secret
from optconsole.runtime.standby import Standby
from optconsole.runtime.strongroom import Strongroom
from tests.canaries import CANARIES
from tests.engine.store.vaults import NOON, PASSPHRASE, a_vault, later, still
from tests.memory_note import MemoryNote

TOKEN, KEY = Secret(CANARIES["access_token"]), Secret(CANARIES["api_key"])
EVENING = NOON + timedelta(hours=12)


@pytest.fixture(autouse=True)
def soft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optconsole.runtime.strongroom.harden", lambda: None)


def a_room(home: Path, clock: MarketClock) -> Strongroom:
    """The strongroom of an engine that has just started."""
    return Strongroom(home, vault=a_vault(home, clock), standby=Standby(home, clock))


@pytest.fixture
async def died(tmp_path: Path) -> tuple[Path, MarketClock]:
    """A home whose engine was logged in and unlocked, and was killed."""
    clock = still()
    vault = a_vault(tmp_path, clock)
    vault.create(PASSPHRASE)
    vault.put("main", {"api_key": KEY, "api_secret": Secret(CANARIES["api_secret"]), "pin": Secret(CANARIES["pin"])})
    vault.put("main", {"access_token": TOKEN}, EVENING)
    room = a_room(tmp_path, clock)
    room.credentials("main")
    assert [check.code for check in room.stops()] == ["VAULT_LOCKED"]
    assert await room.unlock(PASSPHRASE)
    assert room.stops() == ()
    return tmp_path, clock


async def test_a_restarted_engine_has_the_tokens_and_enters_nothing_until_it_is_unlocked(
    died: tuple[Path, MarketClock],
) -> None:
    room = a_room(*died)
    credentials = room.credentials("main")
    assert (credentials.get("access_token"), credentials.get("api_key")) == (TOKEN, KEY)
    assert [check.code for check in room.stops()] == ["VAULT_LOCKED"]
    assert await room.unlock(PASSPHRASE)
    assert room.stops() == ()


async def test_no_password_pin_or_secret_is_kept_outside_the_vault(died: tuple[Path, MarketClock]) -> None:
    credentials = a_room(*died).credentials("main")
    assert credentials.get("api_secret") is None
    assert credentials.get("pin") is None
    kept = b"".join(MemoryNote.notes.values())
    for name in ("api_secret", "pin", "passphrase", "totp_seed"):
        assert CANARIES[name].encode() not in kept


async def test_a_token_that_died_is_not_given(died: tuple[Path, MarketClock]) -> None:
    home, clock = died
    later(clock, hours=12)
    assert a_room(home, clock).credentials("main").get("access_token") is None


async def test_an_orderly_stop_leaves_the_tokens_and_a_vault_taken_away_does_not(
    died: tuple[Path, MarketClock],
) -> None:
    home, clock = died
    room = a_room(home, clock)
    await room.unlock(PASSPHRASE)
    await room.close()
    again = a_room(home, clock)
    assert again.credentials("main").get("access_token") == TOKEN
    await again.unlock(PASSPHRASE)
    (home / "vault").unlink()
    again.look()
    assert a_room(home, clock).credentials("main").get("access_token") is None


async def test_a_new_token_replaces_and_a_forgotten_one_ends_the_note(died: tuple[Path, MarketClock]) -> None:
    home, clock = died
    room = a_room(home, clock)
    await room.unlock(PASSPHRASE)
    room.vault.put("main", {"access_token": Secret("another")}, EVENING)
    assert a_room(home, clock).credentials("main").get("access_token") == Secret("another")
    room.vault.forget("main", "access_token")
    assert a_room(home, clock).credentials("main").get("access_token") is None
    assert a_room(home, clock).credentials("main").get("api_key") is None


async def test_two_homes_do_not_share_a_note(died: tuple[Path, MarketClock], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert a_room(other, died[1]).credentials("main").get("access_token") is None


@pytest.mark.parametrize("spoilt", [b"", b"[]", b"{", b'[["main","access_token",7,"2026"]]', b"\xff"])
async def test_a_spoilt_note_is_no_note(died: tuple[Path, MarketClock], spoilt: bytes) -> None:
    for name in MemoryNote.notes:
        MemoryNote.notes[name] = spoilt
    assert a_room(*died).credentials("main").get("access_token") is None


async def test_a_practice_engine_minds_no_vault(tmp_path: Path) -> None:
    assert a_room(tmp_path, still()).stops() == ()
