"""``optconsole positions``: what is held, what it is worth now, and where the broker holds another quantity."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.cli.view import view
from optconsole.engine.commands import AdoptPosition
from optconsole.engine.model.book import Drift
from optconsole.engine.model.positions import Position
from optconsole.engine.model.text import display
from optconsole.screens.formats import Formats
from optconsole.screens.mirror import Mirror

HEAD = ("contract", "account", "product", "lots", "avg", "mark", "unrealised", "realised", "charges")


def arguments(parser: Parser) -> None:
    parser.add_argument("--open", action="store_true", help="only what is open now")
    parser.add_argument("verb", nargs="?", choices=("adopt",), help="take the broker's quantity for ours")
    parser.add_argument("words", nargs="*", metavar="KEY", help="account/product/contract of the difference")


def run(args: argparse.Namespace, out: Output) -> int:
    """List the day's positions and their sum, or take one over from the broker."""
    if args.verb == "adopt":
        return _adopt(args, out)

    async def work(engine: Engine) -> Mirror:
        mirror, _taken = await view(engine)
        return mirror

    mirror = visit(args.home, work)
    listed = [each for each in mirror.state.positions.values() if each.qty or not args.open]
    listed.sort(key=lambda each: each.key)
    figures, formats = mirror.figures(listed), out.formats
    document = {
        "positions": [shapes.position(each, mirror.quote(each.key.contract)) for each in listed],
        "gross_paise": figures.gross,
        "net_paise": figures.net,
        "charges_paise": figures.charges,
        "unpriced_positions": figures.unpriced,
        "differences": [shapes.fields(each) for each in mirror.state.drifts.values()],
    }
    differing = [_difference(each) for each in mirror.state.drifts.values()]
    if not listed:
        out.document(document, "No positions today.", *differing)
        return DONE
    rows = [_row(each, mirror, formats) for each in listed]
    total = (
        "total",
        "",
        "",
        "",
        "",
        "",
        formats.pnl(figures.unrealised) + ("*" if figures.unpriced else ""),
        formats.pnl(figures.realised),
        formats.amount(figures.charges),
    )
    note = [f"* {figures.unpriced} without a price left out"] if figures.unpriced else []
    out.document(document, *table(HEAD, [*rows, total], left=3), *note, *differing)
    return DONE


def _adopt(args: argparse.Namespace, out: Output) -> int:
    key = " ".join(args.words)
    if not key:
        raise UsageError("Name the difference to adopt, such as paper/NRML/NIFTY 25NOV26 24500 CE.")
    command = AdoptPosition(id=command_id(), actor=ACTOR, key=key)
    reply = visit(args.home, lambda engine: engine.submit(command))
    out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE


def _difference(drift: Drift) -> str:
    return display(f"differs: {drift.key}: our book {drift.ours}, the broker {drift.theirs}")


def _row(each: Position, mirror: Mirror, formats: Formats) -> tuple[str, ...]:
    return (
        each.key.contract,
        each.key.account,
        each.key.product.value,
        formats.lots(each.qty, each.lot),
        formats.price(each.average),
        formats.price(mirror.mark(each.key.contract)),
        formats.pnl(mirror.unrealised(each)),
        formats.pnl(each.realised),
        formats.amount(each.charges),
    )
