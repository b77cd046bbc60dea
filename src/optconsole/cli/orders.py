"""``optconsole orders``: the day's orders, working ones on top."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes, together
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.cli.wording import prices, state_of
from optconsole.engine.model.orders import Order
from optconsole.engine.ports import Snapshot
from optconsole.screens.formats import Formats
from optconsole.screens.order_purpose import purposes

HEAD = ("id", "time", "account", "contract", "side", "type", "state", "for", "lots", "price", "filled", "avg")


def arguments(parser: Parser) -> None:
    parser.add_argument("--working", action="store_true", help="only orders that may still trade")


def run(args: argparse.Namespace, out: Output) -> int:
    """List orders, working first, newest first within each part."""

    async def work(engine: Engine) -> Snapshot:
        return await engine.snapshot()

    state = visit(args.home, work).state
    listed = [each for each in state.orders.values() if not (args.working and each.status.final)]
    listed.sort(key=lambda each: (not each.status.final, each.intended_at, len(each.id), each.id), reverse=True)
    meant = purposes(state)
    empty = "No order works." if args.working else "No orders today."
    lines = table(HEAD, [_row(each, meant[each.id], out.formats) for each in listed], left=8) if listed else [empty]
    shape = {
        "orders": [shapes.order(each) for each in listed],
        "parents": [shapes.parent(each, together.parts_of(state, each.id)) for each in state.parents.values()],
        "groups": [shapes.group(each) for each in state.groups.values()],
    }
    out.document(shape, *lines, *together.lines(state, out.formats, args.working))
    return DONE


def _row(each: Order, purpose: str, formats: Formats) -> tuple[str, ...]:
    terms = each.terms
    return (
        each.id,
        formats.clock(each.intended_at),
        terms.account,
        terms.contract,
        terms.side.value,
        terms.type.value,
        state_of(each),
        formats.text(purpose),
        formats.lots(terms.qty, each.lot),
        prices(terms, formats),
        formats.grouped(each.filled),
        formats.price(each.average),
    )
