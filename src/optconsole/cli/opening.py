"""The vault of a home in a short-lived command: opened by the passphrase, its memory kept from others."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optconsole.cli.arguments import Parser
from optconsole.cli.asking import Asker
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.hardening import harden
from optconsole.engine.store.home import prepare_home
from optconsole.engine.store.vault import Vault
from optconsole.paths import home_dir
from optconsole.runtime.standby import Standby

PASSPHRASE = "Passphrase of the vault: "  # noqa: S105 - the question


def add_stdin(parser: Parser) -> None:
    """``--stdin``: no secret is ever an argument."""
    parser.add_argument("--stdin", action="store_true", help="read the answers from standard input, a line each")


def vault_of(args: argparse.Namespace) -> Vault:
    """The vault, locked, in a home that is private. Raises Refusal(VAULT_NONE | HOME_UNSAFE …)."""
    home = home_dir(args.home, os.environ)
    if not Vault(home, WallClock()).exists:  # looked at first: a home that is misspelt is not to be made
        raise Refusal("VAULT_NONE", f"There is no vault in {home}; make one: optconsole secrets init")
    return vault_at(home)


def vault_at(home: Path) -> Vault:
    """Raises Refusal(HOME_UNSAFE | HOME_NOT_WRITABLE | HOME_ON_NETWORK)."""
    harden()
    prepare_home(home)
    return Vault(home, WallClock())


@contextmanager
def opened(vault: Vault, asker: Asker) -> Iterator[Secret]:
    """The vault is open until the block ends; gives the passphrase, for the engine may need it too.

    Raises Refusal(VAULT_WRONG | VAULT_LOCKOUT | VAULT_TAMPERED …).
    """
    vault.lockout.require_due()  # before a passphrase is typed for nothing
    passphrase = asker.secret(PASSPHRASE)
    vault.unlock(passphrase)
    changed: list[frozenset[str]] = []
    vault.subscribe(changed.append)
    try:
        yield passphrase
    finally:
        if changed:  # an engine started next must not go by tokens that are replaced or revoked
            Standby(vault.path.parent, WallClock()).keep(vault)
        vault.lock()
