"""``optconsole reverse``: close a position and, once it is flat, open as much the other way."""

from __future__ import annotations

import argparse

from optconsole.cli.arguments import Parser, UsageError, split_contract
from optconsole.cli.following import follow
from optconsole.cli.output import DONE, Output
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import Reverse, Scope, ScopeKind
from optconsole.engine.events import Recorded, ReversalEnded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal


def arguments(parser: Parser) -> None:
    parser.add_argument("words", nargs="+", metavar="CONTRACT", help="such as NIFTY 25NOV26 24500 CE")
    parser.add_waiting(30.0, "until the other way is opened")
    parser.epilog = (
        "The position is closed first, and only once it is flat and no order works there is the same quantity opened\n"
        "the other way, at the market, under all the usual checks. What cannot be closed is not reversed."
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Reverse, and wait until it is done. Raises Refusal(NOT_REVERSED) when it was given up."""
    contract, rest = split_contract(args.words)
    if rest:
        raise UsageError(f"{rest[0]!r} is one word too many; name one contract.")
    text, orders = visit(args.home, lambda engine: _reverse(engine, contract, args.wait))
    out.document({"ok": True, "text": text, "orders": orders}, text)
    return DONE


async def _reverse(engine: Engine, contract: str, wait: float) -> tuple[str, list[str]]:
    state = (await engine.snapshot()).state
    name = await engine.named(contract)
    command = Reverse(id=command_id(), actor=ACTOR, scope=Scope(ScopeKind.CONTRACT, name))
    ended: list[ReversalEnded] = []

    def seen(fact: Recorded) -> None:
        if isinstance(fact.event, ReversalEnded) and fact.event.reversal_id == command.id:
            ended.append(fact.event)

    reply = await engine.submit(command)

    def done(now: TradingState) -> bool:
        return now.seq >= reply.seq and command.id not in now.reversals

    if not await follow(engine, state, done, wait or 0.5, seen) and wait:
        raise Refusal("NOT_REVERSED", f"{name} is not flat after {wait:g} s; nothing is open the other way yet.")
    if not ended:
        return reply.text, []
    if ended[-1].text:
        raise Refusal("NOT_REVERSED", f"{name} was not reversed: {ended[-1].text}")
    return f"{name} is flat; {', '.join(ended[-1].orders)} opens the other way.", list(ended[-1].orders)
