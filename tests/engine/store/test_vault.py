"""The vault (reliability C01, C02, C08): what is sealed stays sealed, and whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store import vault_file
from optconsole.engine.store.credentials import VaultCredentials
from optconsole.engine.store.sealing import FLOOR, calibrated
from optconsole.engine.store.vault import Vault
from optconsole.engine.store.vault_file import Document
from tests.engine.store.vaults import NOON, OTHER, PASSPHRASE, a_vault, later, new_vault, still

API_KEY, TOKEN = Secret("kite-api-key-canary"), Secret("access-token-canary")


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value.code


def test_what_is_put_is_got_by_another_process_that_knows_the_passphrase(tmp_path: Path) -> None:
    new_vault(tmp_path).put("main", {"api_key": API_KEY, "access_token": TOKEN})
    other = a_vault(tmp_path)
    assert refused(lambda: other.get("main", "api_key")) == "VAULT_LOCKED"
    other.unlock(PASSPHRASE)
    assert other.get("main", "api_key") == API_KEY
    assert other.get("main", "nothing") is None
    assert other.get("second", "api_key") is None


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    new_vault(tmp_path)
    vault = a_vault(tmp_path)
    assert refused(lambda: vault.unlock(OTHER)) == "VAULT_WRONG"
    assert not vault.unlocked


def test_locking_forgets_the_keys(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"api_key": API_KEY})
    opened = vault._opened
    vault.lock()
    assert opened is not None
    assert not any(opened.key)
    assert refused(lambda: vault.get("main", "api_key")) == "VAULT_LOCKED"


def test_there_is_one_vault_a_home(tmp_path: Path) -> None:
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_NONE"
    new_vault(tmp_path)
    assert refused(lambda: a_vault(tmp_path).create(OTHER)) == "VAULT_EXISTS"


@pytest.mark.parametrize("weak", ["", "hunter2", "aaaaaaaaaaaaaaaaaaa", "xy" * 513, "a b c d e", "one two six"])
def test_a_weak_passphrase_is_refused_without_being_told(weak: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        a_vault(tmp_path).create(Secret(weak))
    assert caught.value.code == "VAULT_WEAK"
    assert not weak or weak not in caught.value.text
    assert not (tmp_path / "vault").exists()


def test_five_short_words_pass(tmp_path: Path) -> None:
    a_vault(tmp_path).create(Secret("one two six ten red"))


def test_the_same_letters_composed_another_way_are_the_same_passphrase(tmp_path: Path) -> None:
    a_vault(tmp_path).create(Secret("Äpfel und Möhren in Öl"))
    a_vault(tmp_path).unlock(Secret("A\u0308pfel und Mo\u0308hren in O\u0308l"))


def test_guessing_costs_at_least_the_floor() -> None:
    cost = calibrated()
    assert (cost.memory, cost.lanes) == (64 << 10, 2)
    assert cost.passes >= FLOOR.passes == 3
    assert cost.bearable


def test_an_expired_secret_is_hidden_from_everybody(tmp_path: Path) -> None:
    clock = still()
    vault = new_vault(tmp_path, clock)
    vault.put("main", {"access_token": TOKEN}, expires=NOON + timedelta(hours=1))
    view = VaultCredentials(vault, "main")
    assert view.get("access_token") == TOKEN
    later(clock, hours=1)
    assert view.get("access_token") is None
    assert vault.get("main", "access_token") is None
    assert [(entry.name, entry.expires) for entry in vault.names()] == [("access_token", NOON + timedelta(hours=1))]


def test_names_are_told_while_locked_and_never_values(tmp_path: Path) -> None:
    new_vault(tmp_path).put("main", {"api_key": API_KEY, "access_token": TOKEN})
    told = a_vault(tmp_path).names()
    assert [(entry.account, entry.name) for entry in told] == [("main", "access_token"), ("main", "api_key")]
    assert API_KEY.reveal() not in repr(told)


def test_forgetting_takes_named_secrets_or_all(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"api_key": API_KEY, "access_token": TOKEN})
    vault.put("second", {"api_key": API_KEY})
    assert vault.forget("main", "access_token", "never_there") == ("access_token",)
    assert vault.forget("main") == ("api_key",)
    assert vault.forget("main") == ()
    assert vault.get("second", "api_key") == API_KEY


@pytest.mark.parametrize(
    ("account", "name", "value", "code"),
    [
        ("a b", "api_key", "x", "VAULT_NAME"),
        ("", "api_key", "x", "VAULT_NAME"),
        ("main", "Api-Key", "x", "VAULT_NAME"),
        ("main", "api_key", "", "VAULT_VALUE"),
        ("main", "api_key", "x" * 8193, "VAULT_VALUE"),
        ("main", "api_key", "a\0b", "VAULT_VALUE"),
        ("main", "api_key", "\ud800", "VAULT_VALUE"),
    ],
)
def test_what_cannot_be_stored_is_refused_whole(account: str, name: str, value: str, code: str, tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    assert refused(lambda: vault.put(account, {"good": API_KEY, name: Secret(value)})) == code
    assert vault.names() == ()


# ---------------------------------------------------------------- swapped without a restart


def test_an_engine_that_holds_the_vault_sees_what_the_command_line_writes(tmp_path: Path) -> None:
    engine = new_vault(tmp_path)
    view, heard = VaultCredentials(engine, "main"), []
    view.subscribe(lambda: heard.append("main"))
    VaultCredentials(engine, "second").subscribe(lambda: heard.append("second"))
    cli = a_vault(tmp_path)
    cli.unlock(PASSPHRASE)
    cli.put("main", {"access_token": TOKEN})
    assert view.get("access_token") == TOKEN
    cli.put("main", {"access_token": Secret("tomorrow's")})
    engine.refresh()
    assert heard == ["main", "main"]
    assert view.get("access_token") == Secret("tomorrow's")
    cli.forget("main")
    assert view.get("access_token") is None


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    one, two = new_vault(tmp_path), a_vault(tmp_path)
    two.unlock(PASSPHRASE)
    for number in range(4):
        one.put("main", {f"one_{number}": API_KEY})
        two.put("main", {f"two_{number}": API_KEY})
    assert len(one.names()) == len(two.names()) == 8


def test_one_who_ended_his_subscription_hears_nothing(tmp_path: Path) -> None:
    vault, heard = new_vault(tmp_path), []
    end = vault.subscribe(heard.append)
    end()
    vault.put("main", {"api_key": API_KEY})
    assert heard == []


def test_a_vault_that_is_taken_away_is_locked(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"api_key": API_KEY})
    view, heard = VaultCredentials(vault, "main"), []
    view.subscribe(lambda: heard.append("gone"))
    (tmp_path / "vault").unlink()
    assert view.get("api_key") is None
    assert heard == ["gone"]
    assert vault.trouble is not None


# ---------------------------------------------------------------- rotation


def test_after_a_rotation_only_the_new_passphrase_opens(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"api_key": API_KEY}, expires=NOON + timedelta(hours=1))
    before = (tmp_path / "vault").read_bytes()
    vault.rotate(OTHER)
    assert vault.get("main", "api_key") == API_KEY
    assert vault.names()[0].expires == NOON + timedelta(hours=1)
    clock = still()
    other = a_vault(tmp_path, clock)
    assert refused(lambda: other.unlock(PASSPHRASE)) == "VAULT_WRONG"
    later(clock, seconds=1)
    other.unlock(OTHER)
    assert other.get("main", "api_key") == API_KEY
    # who kept the old file and its passphrase has its key; nothing of the new file opens with that
    old, new = _document(before), vault_file.read(tmp_path / "vault")[0]
    assert not {row.sealed for row in old.rows} & {row.sealed for row in new.rows}
    assert old.salt != new.salt


def test_an_engine_keeps_what_it_had_until_it_is_told_the_new_passphrase(tmp_path: Path) -> None:
    engine = new_vault(tmp_path)
    engine.put("main", {"access_token": TOKEN})
    cli = a_vault(tmp_path)
    cli.unlock(PASSPHRASE)
    cli.rotate(OTHER)
    cli.put("main", {"access_token": Secret("next")})
    assert engine.get("main", "access_token") == TOKEN
    assert engine.trouble is not None
    assert engine.trouble.code == "VAULT_LOCKED"
    assert refused(lambda: engine.put("main", {"x": TOKEN})) == "VAULT_LOCKED"
    engine.unlock(OTHER)
    assert engine.get("main", "access_token") == Secret("next")
    assert engine.trouble is None


# ---------------------------------------------------------------- tampering


def _document(body: bytes) -> Document:
    return msgspec.json.decode(body[:-65], type=Document)


def _forged(home: Path, change: Callable[[Document], Document]) -> None:
    """A file that someone wrote who knows the format and not the key."""
    document, _ = vault_file.read(home / "vault")
    vault_file.write(home / "vault", change(document))


def _rows(*places: int) -> Callable[[Document], Document]:
    """The sealed bytes of rows in another order."""

    def change(document: Document) -> Document:
        rows = tuple(
            msgspec.structs.replace(row, sealed=document.rows[place].sealed)
            for row, place in zip(document.rows, places, strict=True)
        )
        return msgspec.structs.replace(document, rows=rows)

    return change


def _with(**fields: object) -> Callable[[Document], Document]:
    return lambda document: msgspec.structs.replace(document, **fields)


def _renamed(document: Document) -> Document:
    first, *rest = document.rows
    return msgspec.structs.replace(document, rows=(msgspec.structs.replace(first, account="other"), *rest))


def _immortal(document: Document) -> Document:
    first, *rest = document.rows
    return msgspec.structs.replace(document, rows=(msgspec.structs.replace(first, expires=None), *rest))


def _shorter(document: Document) -> Document:
    return msgspec.structs.replace(document, rows=document.rows[1:])


def _twice(document: Document) -> Document:
    return msgspec.structs.replace(document, rows=(*document.rows, document.rows[0]))


@pytest.mark.parametrize(
    "change", [_rows(1, 0), _renamed, _immortal, _shorter, _twice, _with(generation=99), _with(rows=())]
)
def test_forged_rows_are_refused(change: Callable[[Document], Document], tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"access_token": TOKEN, "api_key": API_KEY}, expires=NOON + timedelta(hours=1))
    _forged(tmp_path, change)
    other = a_vault(tmp_path)
    assert refused(lambda: other.unlock(PASSPHRASE)) == "VAULT_TAMPERED"
    assert not other.unlocked
    # who holds it open goes on with what was true, and writes nothing over the evidence
    assert vault.get("main", "access_token") == TOKEN
    assert vault.trouble is not None
    assert vault.trouble.code == "VAULT_TAMPERED"
    assert refused(lambda: vault.put("main", {"x": TOKEN})) == "VAULT_TAMPERED"


def test_a_row_rolled_back_to_an_earlier_value_is_refused(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"access_token": Secret("yesterday's")})
    old = vault_file.read(tmp_path / "vault")[0].rows
    vault.put("main", {"access_token": TOKEN})
    _forged(tmp_path, _with(rows=old))
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_TAMPERED"


def test_a_row_that_was_forgotten_does_not_come_back_with_the_next_of_its_name(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"access_token": Secret("yesterday's")})
    old = vault_file.read(tmp_path / "vault")[0].rows[0].sealed
    vault.forget("main")
    vault.put("main", {"access_token": TOKEN})
    _forged(tmp_path, lambda new: _with(rows=(msgspec.structs.replace(new.rows[0], sealed=old),))(new))
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_TAMPERED"


def test_a_whole_file_rolled_back_is_refused_by_who_saw_the_newer(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    old = (tmp_path / "vault").read_bytes()
    vault.put("main", {"access_token": TOKEN})
    (tmp_path / "vault").write_bytes(old)
    assert vault.get("main", "access_token") == TOKEN
    assert vault.trouble is not None
    assert vault.trouble.code == "VAULT_TAMPERED"
    assert refused(lambda: vault.unlock(PASSPHRASE)) == "VAULT_TAMPERED"


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"access_token": TOKEN})
    path, body = tmp_path / "vault", (tmp_path / "vault").read_bytes()
    for place in range(len(body)):
        path.write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
        assert refused(lambda: vault_file.read(path)) == "VAULT_TAMPERED", place


def test_every_flipped_byte_is_noticed_even_with_its_sum_made_right(tmp_path: Path) -> None:
    new_vault(tmp_path).put("main", {"access_token": TOKEN})
    path = tmp_path / "vault"
    content = path.read_bytes()[:-65]
    clock = still()
    for place in range(len(content)):
        forged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        path.write_bytes(forged + vault_file._digest(forged))
        other = a_vault(tmp_path, clock)
        assert refused(lambda vault=other: vault.unlock(PASSPHRASE)) in (
            "VAULT_TAMPERED",
            "VAULT_WRONG",
            "VAULT_FORMAT",
        ), place
        assert not other.unlocked
        later(clock, hours=1)


@pytest.mark.parametrize("cut", [0, 1, 64, 65, 200])
def test_a_file_cut_short_is_refused(cut: int, tmp_path: Path) -> None:
    new_vault(tmp_path)
    body = (tmp_path / "vault").read_bytes()
    (tmp_path / "vault").write_bytes(body[:cut])
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_TAMPERED"


def test_nothing_in_the_home_holds_a_secret_in_clear(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"access_token": TOKEN})
    vault.rotate(OTHER)
    clear = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (TOKEN, PASSPHRASE, OTHER):
        assert secret.reveal().encode() not in clear


# ---------------------------------------------------------------- file modes (C01)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o622, 0o644, 0o700])
def test_a_vault_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.put("main", {"api_key": API_KEY})
    os.chmod(tmp_path / "vault", mode)
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_UNSAFE"
    assert refused(lambda: vault.put("main", {"x": TOKEN})) == "VAULT_UNSAFE"
    os.chmod(tmp_path / "vault", 0o600)
    vault.put("main", {"x": TOKEN})
    assert vault.trouble is None


def test_a_symbolic_link_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    new_vault(tmp_path)
    (tmp_path / "vault").rename(tmp_path / "elsewhere")
    (tmp_path / "vault").symlink_to(tmp_path / "elsewhere")
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_UNSAFE"
    (tmp_path / "vault").unlink()
    (tmp_path / "vault").mkdir()
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_UNSAFE"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_vault_of_another_user_is_refused(tmp_path: Path) -> None:
    new_vault(tmp_path)
    os.chown(tmp_path / "vault", 12345, 12345)
    assert refused(lambda: a_vault(tmp_path).unlock(PASSPHRASE)) == "VAULT_UNSAFE"


def test_all_its_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        new_vault(tmp_path).put("main", {"api_key": API_KEY})
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"vault": 0o600, "vault.lock": 0o600, "vault.tries": 0o600}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    assert refused(lambda: Vault(tmp_path / "nowhere", still()).create(PASSPHRASE)) == "VAULT_NOT_WRITTEN"
