"""Secrets on the command line: typed or read from standard input when that is said, never arguments, never shown."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.vault import Vault
from tests.canaries import CANARIES, seen_in_folder, seen_in_process
from tests.cli import engine_process
from tests.cli.inside import Ran, optconsole
from tests.e2e.terminal import Terminal
from tests.engine.store.vaults import CHEAP, a_vault

PASSPHRASE, KEY, TOKEN = CANARIES["passphrase"], CANARIES["api_key"], CANARIES["access_token"]
OTHER = "quite another long passphrase"
Say = Callable[..., Ran]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """A command line with answers on standard input; guesses cost a millisecond, the test's process stays soft."""
    monkeypatch.setattr("optconsole.cli.opening.harden", lambda: None)
    monkeypatch.setattr("optconsole.cli.opening.Vault", lambda home, clock: Vault(home, clock, lambda: CHEAP))
    home = tmp_path / "home"

    def say(*argv: str, given: tuple[str, ...] = ()) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in given)))
        return optconsole(home, *argv, *(("--stdin",) if given else ()))

    return say


@pytest.fixture
def vault(say: Say, tmp_path: Path) -> Path:
    assert say("secrets", "init", given=(PASSPHRASE,)).code == 0
    return tmp_path / "home" / "vault"


def stored(home: Path, account: str, name: str, passphrase: str = PASSPHRASE) -> Secret | None:
    vault = a_vault(home)
    vault.unlock(Secret(passphrase))
    return vault.get(account, name)


def test_a_secret_is_set_listed_and_forgotten(say: Say, vault: Path) -> None:
    ran = say("secrets", "set", "main", "api_key", "--json", given=(PASSPHRASE, KEY))
    assert ran.document == {"ok": True, "account": "main", "name": "api_key", "configured": False}
    assert stored(vault.parent, "main", "api_key") == Secret(KEY)
    listed: list[dict[str, Any]] = say("secrets", "list", "--json").document["secrets"]
    assert [(each["account"], each["name"], each["expires"]) for each in listed] == [("main", "api_key", None)]
    assert "api_key" in say("secrets", "list").out
    assert say("secrets", "forget", "main", "api_key", given=(PASSPHRASE,)).code == 0
    assert say("secrets", "list").out == "No secrets.\n"
    assert say("secrets", "forget", "main", "--all", given=(PASSPHRASE,)).err.endswith("[NO_SECRET]\n")


def test_an_authenticators_seed_is_stored_with_a_word_of_warning(say: Say, vault: Path) -> None:
    ran = say("secrets", "set", "main", "totp_seed", given=(PASSPHRASE, CANARIES["totp_seed"]))
    assert ran.code == 0
    assert "both factors" in ran.out
    assert "both factors" not in say("secrets", "set", "main", "pin", given=(PASSPHRASE, CANARIES["pin"])).out


def test_a_secret_with_an_end_is_counted_down(say: Say, vault: Path) -> None:
    given = (PASSPHRASE, TOKEN)
    assert say("secrets", "set", "main", "token", "--expires", "2199-01-01T06:00", given=given).code == 0
    entry = say("secrets", "list", "--json").document["secrets"][0]
    assert entry["expires"] == "2199-01-01T06:00:00+05:30"
    assert entry["seconds_left"] > 0
    assert "until 2199-01-01 06:00" in say("secrets", "list").out
    late = say("secrets", "set", "main", "token", "--expires", "2001-01-01", given=given)
    assert (late.code, late.err[-10:]) == (1, "[EXPIRED]\n")
    assert say("secrets", "set", "main", "token", "--expires", "soon", given=given).code == 2


def test_everything_under_another_passphrase(say: Say, vault: Path) -> None:
    say("secrets", "set", "main", "api_key", given=(PASSPHRASE, KEY))
    ran = say("secrets", "rotate", "--json", given=(PASSPHRASE, OTHER))
    assert ran.document == {"ok": True, "engine_unlocked": None}
    assert stored(vault.parent, "main", "api_key", OTHER) == Secret(KEY)
    weak = say("secrets", "rotate", given=(OTHER, "weak"))
    assert (weak.code, weak.err[-13:]) == (1, "[VAULT_WEAK]\n")


@pytest.mark.parametrize(
    ("argv", "given", "code", "said"),
    [
        (("secrets", "init"), (PASSPHRASE,), 1, "[VAULT_EXISTS]"),
        (("secrets", "set", "main", "api_key"), ("not it, not it at all", "x"), 1, "[VAULT_WRONG]"),
        (("secrets", "set", "main", "api_key"), (PASSPHRASE,), 1, "[NO_ANSWER]"),
        (("secrets", "set", "main", "api_key"), (PASSPHRASE, ""), 1, "[VAULT_VALUE]"),
        (("secrets", "set", "main", "api_key"), (), 1, "[NOT_TYPED]"),
        (("secrets", "set", "main", "API KEY"), (PASSPHRASE, "x"), 1, "[VAULT_NAME]"),
        (("secrets", "set", "main"), (PASSPHRASE, "x"), 2, "[BAD_USAGE]"),
        (("secrets", "forget", "main"), (PASSPHRASE,), 1, "[WHICH]"),
        (("secrets", "forget", "main", "a", "--all"), (PASSPHRASE,), 1, "[WHICH]"),
        (("secrets", "show", "main"), (), 2, "[BAD_USAGE]"),
        (("unlock",), (PASSPHRASE,), 1, "[NO_ENGINE]"),
    ],
)
def test_what_is_refused_is_one_line(
    say: Say, vault: Path, argv: tuple[str, ...], given: tuple[str, ...], code: int, said: str
) -> None:
    ran = say(*argv, given=given)
    assert ran.code == code
    assert ran.err.count("\n") == 1
    assert ran.err.endswith(f"{said}\n")
    assert ran.out == ""


def test_a_secret_given_as_an_argument_is_refused_and_not_said_again(say: Say, vault: Path) -> None:
    ran = say("secrets", "set", "main", "api_key", KEY, given=(PASSPHRASE, KEY))
    assert ran.code == 2
    assert KEY not in ran.err + ran.out


def test_after_a_wrong_passphrase_the_next_waits_before_it_is_typed(say: Say, vault: Path) -> None:
    assert say("secrets", "set", "main", "x", given=(OTHER, "x")).err.endswith("[VAULT_WRONG]\n")
    assert say("secrets", "set", "main", "x", given=(PASSPHRASE, "x")).err.endswith("[VAULT_LOCKOUT]\n")


def test_where_there_is_no_vault_none_is_made(say: Say, tmp_path: Path) -> None:
    for argv in (("secrets", "list"), ("secrets", "rotate"), ("secrets", "set", "a", "b")):
        assert say(*argv, given=() if argv[1] == "list" else (PASSPHRASE,)).err.endswith("[VAULT_NONE]\n")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_home_others_can_write_keeps_no_secrets(say: Say, vault: Path, mode: int) -> None:
    vault.parent.chmod(mode)
    assert say("secrets", "set", "main", "api_key", given=(PASSPHRASE, KEY)).err.endswith("[HOME_UNSAFE]\n")
    vault.parent.chmod(0o700)


def test_an_open_vault_file_is_refused_with_the_command_that_mends_it(say: Say, vault: Path) -> None:
    vault.chmod(0o644)
    ran = say("secrets", "list")
    assert f"chmod 600 {vault}" in ran.err
    assert ran.err.endswith("[VAULT_UNSAFE]\n")


# ---------------------------------------------------------------- real terminals, real processes


def test_a_passphrase_typed_on_a_terminal_is_never_shown(tmp_path: Path) -> None:
    home = tmp_path / "home"
    terminal = Terminal("secrets", "init", "--home", str(home))
    try:
        terminal.shows("New passphrase")
        terminal.press(PASSPHRASE + "\r")
        terminal.shows("Once more")
        terminal.press(PASSPHRASE + "\r")
        terminal.shows("is made")
        assert terminal.ended() == 0
        assert PASSPHRASE.encode() not in bytes(terminal.bytes)
    finally:
        terminal.close()
    assert stat.S_IMODE((home / "vault").stat().st_mode) == 0o600
    assert stored(home, "main", "api_key") is None


def test_a_mistyped_repetition_makes_nothing(tmp_path: Path) -> None:
    terminal = Terminal("secrets", "init", "--home", str(tmp_path / "home"))
    try:
        terminal.shows("New passphrase")
        terminal.press(PASSPHRASE + "\r")
        terminal.shows("Once more")
        terminal.press("something else\r")
        terminal.shows("NOT_THE_SAME")
        assert terminal.ended() == 1
    finally:
        terminal.close()
    assert not (tmp_path / "home" / "vault").exists()


def test_leaving_at_the_question_changes_nothing(tmp_path: Path) -> None:
    terminal = Terminal("secrets", "init", "--home", str(tmp_path / "home"))
    try:
        terminal.shows("New passphrase")
        terminal.press(b"\x03")
        terminal.shows("ABANDONED")
        assert terminal.ended() == 1
    finally:
        terminal.close()


def test_a_running_engine_is_unlocked_follows_the_vault_and_leaks_nothing_nor_does_a_backup(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    a_vault(home).create(Secret(PASSPHRASE))
    (home / "config.toml").write_text('[accounts.paper]\nbroker = "paper"\n')
    (home / "config.toml").chmod(0o600)
    with engine_process.running_engine(home) as ready:
        log = home / "optconsole.log"
        wrong = engine_process.optconsole(home, "unlock", "--stdin", given=f"{OTHER}\n")
        assert (wrong.code, wrong.err[-15:]) == (1, "[NOT_UNLOCKED]\n")
        assert json.loads(log.read_text().splitlines()[-1])["text"].endswith("VAULT_WRONG")
        again = engine_process.optconsole(home, "unlock", "--stdin", given=f"{OTHER}\n")
        assert again.err.endswith(("[VAULT_LOCKOUT]\n", "[NOT_UNLOCKED]\n"))
        (home / "vault.tries").unlink()  # instead of waiting
        right = engine_process.optconsole(home, "unlock", "--stdin", "--json", given=f"{PASSPHRASE}\n")
        assert right.document == {"ok": True}
        cores = [line for line in Path(f"/proc/{ready['pid']}/limits").read_text().splitlines() if "core" in line]
        assert cores[0].split()[4:6] == ["0", "0"]
        given = f"{PASSPHRASE}\n{TOKEN}\n"
        assert engine_process.optconsole(home, "secrets", "set", "main", "token", "--stdin", given=given).code == 0
        given = f"{PASSPHRASE}\n{OTHER}\n"
        rotated = engine_process.optconsole(home, "secrets", "rotate", "--stdin", "--json", given=given)
        assert rotated.document == {"ok": True, "engine_unlocked": True}
        assert engine_process.optconsole(home, "db", "backup").code == 0
        assert seen_in_process(ready["pid"]) == []
        status = engine_process.optconsole(home, "broker", "status", "--json").document
        assert status["engine"]
        assert [(row["account"], row["order_write"], row["login"]) for row in status["accounts"]] == [
            ("paper", "live", "needs none")
        ]
    assert "the vault was unlocked" in log.read_text()
    assert seen_in_folder(home) == []
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o077 for path in home.rglob("*"))
    assert os.access(home / "vault", os.R_OK)
