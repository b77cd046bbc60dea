"""``optconsole trades``: the day's executions."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.engine.ports import Snapshot

HEAD = ("time", "trade", "order", "account", "contract", "side", "qty", "price", "charges")


def arguments(parser: Parser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """List executions, oldest first."""

    async def work(engine: Engine) -> Snapshot:
        return await engine.snapshot()

    formats = out.formats
    listed = sorted(visit(args.home, work).state.trades.values(), key=lambda each: each.at)
    rows = [
        (
            formats.clock(each.at),
            each.id,
            each.order_id,
            each.account,
            each.contract,
            each.side.value,
            formats.grouped(each.qty),
            formats.price(each.price),
            formats.amount(each.charges),
        )
        for each in listed
    ]
    lines = table(HEAD, rows, left=6) if rows else ["No trades today."]
    out.document({"trades": [shapes.trade(each) for each in listed]}, *lines)
    return DONE
