"""``optconsole engine``: headless, until it is told to stop."""

from __future__ import annotations

import argparse
import sys

from optconsole.cli.arguments import Parser
from optconsole.cli.asking import Asker
from optconsole.cli.output import Output
from optconsole.cli.starting import add_starting, read_options
from optconsole.engine.clock import WallClock
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.vault import Vault
from optconsole.options import RunOptions


def arguments(parser: Parser) -> None:
    parser.epilog = "Prints one line `ready {...}` once it agrees with its broker. SIGINT or SIGTERM stops it."
    add_starting(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Run the engine in this process."""
    options = read_options(args)
    passphrase = _passphrase(options) if options.live else None
    from optconsole.runtime.headless import run_engine  # after the options: a slip must not wait for the engine

    return run_engine(options, passphrase)


def _passphrase(options: RunOptions) -> Secret | None:
    """What a person at the terminal types; a service starts locked and waits for `optconsole unlock`."""
    if not sys.stdin.isatty() or not Vault(options.home, WallClock()).exists:
        return None
    return Asker(from_stdin=False).secret("Passphrase of the vault (empty starts it locked): ") or None
