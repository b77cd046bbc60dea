"""``optconsole kill``: never slowed by a question."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser
from optconsole.cli.flatten import close, tell
from optconsole.cli.output import Output
from optconsole.cli.session import ACTOR, command_id, visit
from optconsole.engine.commands import EngageKill, Scope


def arguments(parser: Parser) -> None:
    parser.add_argument("--why", default="", metavar="TEXT", help="kept in the journal")
    parser.add_waiting(10.0, "until all is closed")


def run(args: argparse.Namespace, out: Output) -> int:
    """Latch the switch and wait until everything is closed."""
    command = EngageKill(id=command_id(), actor=ACTOR, why=args.why)
    reply, left = visit(args.home, lambda engine: close(engine, command, Scope(), args.wait))
    return tell(reply, left, args.wait, out)
