"""``optconsole instruments search``: find what is listed."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, count, expiry
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.queries import FindInstruments, InstrumentList

HEAD = ("contract", "exchange", "kind", "lot", "tick", "freeze")


def arguments(parser: Parser) -> None:
    search = parser.verbs().add_parser("search", help="contracts whose name holds every word")
    search.add_argument("words", nargs="*", metavar="WORD", help="such as NIFTY 24500 CE")
    search.add_argument("--expiry", type=expiry, metavar="D", help="only this expiry")
    search.add_argument("--limit", type=count, default=50, metavar="N", help="at most N (50)")


def run(args: argparse.Namespace, out: Output) -> int:
    """List matches, nearest expiry first."""

    async def work(engine: Engine) -> list[Instrument]:
        text = " ".join(args.words)
        found = (await engine.ask(FindInstruments(text=text or None, expiry=args.expiry), InstrumentList)).instruments
        return InstrumentMaster(found).search(text, args.limit) if text else list(found[: args.limit])

    found, formats = visit(args.home, work), out.formats
    rows = [
        (
            each.name,
            each.exchange,
            each.kind.value,
            formats.grouped(each.lot),
            formats.price(each.tick),
            formats.grouped(each.freeze),
        )
        for each in found
    ]
    lines = table(HEAD, rows, left=3) if rows else ["Nothing listed matches."]
    out.document({"instruments": [shapes.instrument(each) for each in found]}, *lines)
    return DONE
