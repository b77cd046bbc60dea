"""The doctor on vaults and logins, each home with its fault."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.cli.checkup import FAIL, OK, WARN
from optconsole.cli.checkup_logins import logins, vault
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from tests.engine.store.vaults import OTHER, a_vault, new_vault

ACCOUNT = '[accounts.main]\nbroker = "zerodha"\n'


def test_without_accounts_no_vault_is_needed(tmp_path: Path) -> None:
    assert (vault(tmp_path).verdict, logins(tmp_path).verdict) == (OK, OK)


def test_an_account_without_a_vault_is_told_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(ACCOUNT)
    found = vault(tmp_path)
    assert (found.verdict, found.advice) == (WARN, "Run: optconsole secrets init")
    assert logins(tmp_path).verdict == WARN


def test_a_login_counts_while_its_token_lives(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(ACCOUNT)
    kept, now = new_vault(tmp_path), WallClock().now()
    kept.put("main", {"access_token": Secret("dead")}, now - timedelta(seconds=1))
    assert "optconsole broker login main" in logins(tmp_path).advice
    kept.put("main", {"access_token": Secret("alive")}, now + timedelta(hours=1))
    assert (vault(tmp_path).verdict, logins(tmp_path).verdict) == (OK, OK)


def test_an_open_or_spoilt_vault_fails_with_what_to_do(tmp_path: Path) -> None:
    new_vault(tmp_path)
    (tmp_path / "vault").chmod(0o644)
    assert vault(tmp_path).verdict == FAIL
    assert "chmod 600" in vault(tmp_path).text
    (tmp_path / "vault").chmod(0o600)
    (tmp_path / "vault").write_bytes(b"spoilt")
    assert vault(tmp_path).verdict == FAIL


def test_wrong_passphrases_are_told(tmp_path: Path) -> None:
    new_vault(tmp_path)
    locked = a_vault(tmp_path)
    locked.lockout._clock = WallClock()
    with pytest.raises(Refusal):
        locked.unlock(OTHER)
    assert vault(tmp_path).verdict == WARN
