"""``optconsole cancel-all``."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser
from optconsole.cli.following import follow
from optconsole.cli.output import DONE, Output
from optconsole.cli.scope import scope, working_in
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import CancelAll, Reply, Scope
from optconsole.engine.model.errors import Refusal


def arguments(parser: Parser) -> None:
    parser.add_argument("--scope", type=scope, default=Scope(), metavar="S", help="all (default), account:A, …")
    parser.add_waiting(10.0, "until nothing works")


def run(args: argparse.Namespace, out: Output) -> int:
    """Cancel, and wait until nothing of the scope works. Raises Refusal(STILL_WORKING)."""

    async def work(engine: Engine) -> tuple[Reply, int]:
        state = (await engine.snapshot()).state
        reply = await engine.submit(CancelAll(id=command_id(), actor=ACTOR, scope=args.scope))
        await follow(
            engine, state, lambda now: now.seq >= reply.seq and not working_in(now, args.scope), args.wait or 0.5
        )
        return reply, working_in(state, args.scope)

    reply, left = visit(args.home, work)
    if left and args.wait:
        raise Refusal("STILL_WORKING", f"{left} orders still work after {args.wait:g} s; see `optconsole orders`.")
    out.document({"ok": True, "text": reply.text, "ids": list(reply.ids), "working": left}, reply.text)
    return DONE
