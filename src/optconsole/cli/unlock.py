"""``optconsole unlock``: the passphrase for a running engine's vault, over its socket and nowhere else."""

from __future__ import annotations

import argparse
import os

from optconsole.cli.arguments import Parser
from optconsole.cli.asking import Asker
from optconsole.cli.opening import PASSPHRASE, add_stdin, vault_of
from optconsole.cli.output import DONE, Output
from optconsole.cli.vault import tell_engine
from optconsole.engine.model.errors import Refusal
from optconsole.link.address import knock, socket_path
from optconsole.paths import home_dir


def arguments(parser: Parser) -> None:
    parser.epilog = (
        "The engine answers yes or no. After a wrong passphrase the next try has to wait a second, then two, then "
        "four; after ten wrong ones a quarter of an hour."
    )
    add_stdin(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Unlock. Raises Refusal(NO_ENGINE | VAULT_NONE | VAULT_LOCKOUT | NOT_UNLOCKED)."""
    home = home_dir(args.home, os.environ)
    knock(socket_path(home))
    vault = vault_of(args)
    vault.lockout.require_due()
    if not tell_engine(home, Asker(args.stdin).secret(PASSPHRASE)):
        wait = vault.lockout.wait()
        again = f"try again in {wait:.0f} s" if wait else "try again"
        raise Refusal("NOT_UNLOCKED", f"The engine did not open its vault; {again}. Its log says why.")
    out.document({"ok": True}, "The engine has opened its vault.")
    return DONE
