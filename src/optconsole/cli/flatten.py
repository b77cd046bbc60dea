"""``optconsole flatten``."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser, count
from optconsole.cli.following import follow
from optconsole.cli.output import DONE, Output
from optconsole.cli.scope import open_in, scope, working_in
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import AbandonFlatten, EngageKill, Flatten, Reply, Scope
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal


def arguments(parser: Parser) -> None:
    parser.add_argument("--scope", type=scope, default=Scope(), metavar="S", help="all (default), account:A, …")
    parser.add_argument("--percent", type=count, default=100, metavar="N", help="of each position (100)")
    parser.add_argument("--give-up", metavar="ID", help="end a flatten that is under way; what is open stays open")
    parser.add_waiting(10.0, "until all is closed")


def run(args: argparse.Namespace, out: Output) -> int:
    """Close, and wait until it is done; or give up a flatten."""
    if args.give_up:
        reply = visit(args.home, lambda engine: _give_up(engine, args.give_up))
        out.document({"ok": True, "code": reply.code, "text": reply.text, "orders": list(reply.ids)}, reply.text)
        return DONE
    command = Flatten(id=command_id(), actor=ACTOR, scope=args.scope, percent=args.percent)
    reply, left = visit(args.home, lambda engine: close(engine, command, args.scope, args.wait))
    return tell(reply, left, args.wait if args.percent == 100 else 0.0, out)


async def _give_up(engine: Engine, flatten_id: str) -> Reply:
    return await engine.submit(AbandonFlatten(id=command_id(), actor=ACTOR, flatten_id=flatten_id))


async def close(
    engine: Engine, command: Flatten | EngageKill, chosen: Scope, wait: float
) -> tuple[Reply, tuple[int, int]]:
    """Submit, and follow until the scope is quiet. Returns the reply, open positions and working orders."""
    state = (await engine.snapshot()).state
    reply = await engine.submit(command)

    def done(now: TradingState) -> bool:
        return now.seq >= reply.seq and command.id not in now.flattening and not working_in(now, chosen)

    await follow(engine, state, done, wait or 0.5)
    return reply, (open_in(state, chosen), working_in(state, chosen))


def tell(reply: Reply, left: tuple[int, int], wait: float, out: Output) -> int:
    """Print the end of it. Raises Refusal(NOT_FLAT) when something is left that should not be."""
    positions, orders = left
    if wait and (positions or orders):
        raise Refusal(
            "NOT_FLAT",
            f"{positions} positions are open and {orders} orders work after {wait:g} s; "
            "see `optconsole positions` and `optconsole orders`.",
        )
    end = f"{positions} positions open, {orders} orders working."
    out.document(
        {"ok": True, "code": reply.code, "text": reply.text, "open_positions": positions, "working_orders": orders},
        f"{reply.text} {end}",
    )
    return DONE
