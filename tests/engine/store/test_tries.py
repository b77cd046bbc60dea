"""Wrong passphrases (reliability C08, X12): a second, doubling, ten and then a quarter of an hour, over restarts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from tests.engine.store.vaults import OTHER, PASSPHRASE, a_vault, later, new_vault, still


def test_each_wrong_try_doubles_the_wait_and_the_tenth_makes_it_a_quarter_of_an_hour(tmp_path: Path) -> None:
    new_vault(tmp_path)
    clock, waits = still(), []
    for _ in range(12):
        vault = a_vault(tmp_path, clock)  # each time a process of its own
        with pytest.raises(Refusal) as caught:
            vault.unlock(OTHER)
        assert caught.value.code == "VAULT_WRONG"
        waits.append(vault.lockout.wait())
        later(clock, seconds=waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 900, 900, 900]


def test_before_its_time_not_even_the_right_passphrase_is_tried(tmp_path: Path) -> None:
    new_vault(tmp_path)
    clock = still()
    with pytest.raises(Refusal):
        a_vault(tmp_path, clock).unlock(OTHER)
    with pytest.raises(Refusal) as caught:
        a_vault(tmp_path, clock).unlock(PASSPHRASE)
    assert caught.value.code == "VAULT_LOCKOUT"
    assert "1 s" in caught.value.text
    later(clock, seconds=1)
    vault = a_vault(tmp_path, clock)
    vault.unlock(PASSPHRASE)
    assert vault.lockout.failures == 0


def test_a_hundred_tries_at_once_are_one(tmp_path: Path) -> None:
    new_vault(tmp_path)
    clock, codes = still(), []
    for _ in range(100):
        with pytest.raises(Refusal) as caught:
            a_vault(tmp_path, clock).unlock(OTHER)
        codes.append(caught.value.code)
    assert codes == ["VAULT_WRONG"] + ["VAULT_LOCKOUT"] * 99


def test_a_try_counts_before_it_is_made(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.lockout.begin()  # and the process dies here
    with pytest.raises(Refusal) as caught:
        a_vault(tmp_path).unlock(PASSPHRASE)
    assert caught.value.code == "VAULT_LOCKOUT"


def test_a_clock_set_back_locks_nobody_out_for_longer_than_the_rule(tmp_path: Path) -> None:
    vault = new_vault(tmp_path, clock := still())
    later(clock, days=30)
    vault.lockout.begin()
    assert a_vault(tmp_path, still()).lockout.wait() == timedelta(minutes=15).total_seconds()


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"\xff", b'{"failures":-3,"not_before":"2026-11-23T12:00:00+05:30"}'])
def test_spoiling_the_count_wins_no_tries(spoilt: bytes, tmp_path: Path) -> None:
    new_vault(tmp_path)
    (tmp_path / "vault.tries").write_bytes(spoilt)
    clock = still()
    vault = a_vault(tmp_path, clock)
    with pytest.raises(Refusal) as caught:
        vault.unlock(OTHER)
    assert caught.value.code == "VAULT_WRONG"
    assert vault.lockout.wait() == 900
