"""``optconsole quote``: the latest of named contracts."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, split_contracts
from optconsole.cli.output import DONE, FAILED, Output, error, table
from optconsole.cli.session import Engine, visit
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis
from optconsole.engine.queries import GetQuotes, QuoteList

HEAD = ("contract", "bid", "size", "ask", "size", "ltp", "volume", "oi", "time")


def arguments(parser: Parser) -> None:
    parser.add_argument("words", nargs="+", metavar="CONTRACT", help="such as NIFTY or NIFTY 25NOV26 24500 CE")


def run(args: argparse.Namespace, out: Output) -> int:
    """Show quotes in the order asked. A listed contract that has no quote yet is unknown, and the exit code is 1."""
    names = split_contracts(args.words)

    async def work(engine: Engine) -> dict[str, Quote]:
        names[:] = dict.fromkeys([await engine.named(name) for name in names])
        found = await engine.ask(GetQuotes(names=tuple(names)), QuoteList)
        quotes = {quote.name: quote for quote in found.quotes}
        for name in names:
            if name not in quotes:
                await engine.instrument(name)
        return quotes

    quotes = visit(args.home, work)
    missing = [name for name in names if name not in quotes]
    shaped = [shapes.quote(quotes[name]) if name in quotes else {"name": name, "at": None} for name in names]
    out.document({"quotes": shaped}, *table(HEAD, [_row(name, quotes.get(name), out) for name in names]))
    if missing:
        error("NO_QUOTE", f"No quote has arrived yet for {', '.join(missing)}.", as_json=False)
        return FAILED
    return DONE


def _row(name: str, quote: Quote | None, out: Output) -> tuple[str, ...]:
    formats = out.formats
    if quote is None:
        return (name, *([formats.unknown] * (len(HEAD) - 1)))
    return (
        name,
        formats.price(quote.bid),
        formats.unknown if quote.bid is None else formats.grouped(quote.bid_qty),
        formats.price(quote.ask),
        formats.unknown if quote.ask is None else formats.grouped(quote.ask_qty),
        formats.price(quote.ltp),
        formats.count(quote.volume),
        formats.count(quote.oi),
        formats.clock(from_millis(quote.ts)),
    )
