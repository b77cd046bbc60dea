"""``optconsole positions``: what is held and what it is worth now."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.cli.view import view
from optconsole.engine.model.positions import Position
from optconsole.screens.formats import Formats
from optconsole.screens.mirror import Mirror

HEAD = ("contract", "account", "product", "lots", "avg", "mark", "unrealised", "realised", "charges")


def arguments(parser: Parser) -> None:
    parser.add_argument("--open", action="store_true", help="only what is open now")


def run(args: argparse.Namespace, out: Output) -> int:
    """List the day's positions and their sum."""

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
    }
    if not listed:
        out.document(document, "No positions today.")
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
    out.document(document, *table(HEAD, [*rows, total], left=3), *note)
    return DONE


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
