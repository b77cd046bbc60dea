"""``optconsole engine``: headless, until it is told to stop."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser
from optconsole.cli.output import Output
from optconsole.cli.starting import add_starting, read_options


def arguments(parser: Parser) -> None:
    parser.epilog = "Prints one line `ready {...}` once it agrees with its broker. SIGINT or SIGTERM stops it."
    add_starting(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Run the engine in this process."""
    options = read_options(args)
    from optconsole.runtime.headless import run_engine  # after the options: a slip must not wait for the engine

    return run_engine(options)
