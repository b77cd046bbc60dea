"""``optconsole release UNLOCK``."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output
from optconsole.cli.session import ACTOR, command_id, visit
from optconsole.engine.commands import ReleaseKill


def arguments(parser: Parser) -> None:
    parser.add_argument("typed", metavar="UNLOCK", help="the word itself, so that no slip releases it")


def run(args: argparse.Namespace, out: Output) -> int:
    """Release the latch. Nothing resumes by itself."""
    command = ReleaseKill(id=command_id(), actor=ACTOR, typed=args.typed)
    reply = visit(args.home, lambda engine: engine.submit(command))
    out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE
