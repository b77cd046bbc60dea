"""``optconsole chain``: one expiry, strike by strike, calls on the left."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, expiry, number
from optconsole.cli.chain_data import Chain, read_chain, whole_chain
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import visit
from optconsole.engine.market.master import ChainRow
from optconsole.engine.model.instruments import Instrument, expiry_code
from optconsole.screens.formats import Formats

SIDE = ("oi", "delta", "iv", "ltp", "bid", "ask")


def arguments(parser: Parser) -> None:
    parser.add_argument("underlying", type=str.upper, metavar="UNDERLYING", help="such as NIFTY")
    parser.add_argument("--expiry", type=expiry, metavar="D", help="25NOV26 or 2026-11-25; the nearest by default")
    parser.add_argument("--near", type=number, metavar="N", help="only N strikes on either side of the money")


def run(args: argparse.Namespace, out: Output) -> int:
    """Show the chain of one expiry."""
    chain = visit(args.home, lambda engine: read_chain(engine, args.underlying, args.expiry))
    rows, formats = _near(chain, args.near), out.formats
    head = [*SIDE, "strike", *reversed(SIDE)]
    lines = [
        (*_side(call, chain, formats), formats.strike(strike), *reversed(_side(put, chain, formats)))
        for strike, call, put in rows
    ]
    out.document(_shape(chain, rows), *_title(chain, formats), *table(head, lines, left=0))
    return DONE


def _near(chain: Chain, count: int | None) -> list[ChainRow]:
    rows, reference = chain.rows, chain.reference
    if count is None or reference is None:
        return rows
    middle = min(range(len(rows)), key=lambda place: abs(rows[place][0] - reference))
    return rows[max(middle - count, 0) : middle + count + 1]


def _title(chain: Chain, formats: Formats) -> list[str]:
    solved = chain.solved
    return [
        f"{chain.underlying} {expiry_code(chain.expiry)}  {formats.clock(chain.now)}  spot {formats.price(chain.spot)}"
        f"  forward {formats.price(solved.forward.value)}  straddle {formats.price(solved.straddle)}"
        f"  PCR {formats.fixed(solved.put_call_ratio)}"
        f"  max pain {formats.unknown if solved.max_pain is None else formats.strike(solved.max_pain)}",
        "calls left, puts right; volatility in percent",
    ]


def _side(each: Instrument | None, chain: Chain, formats: Formats) -> list[str]:
    quote = None if each is None else chain.quotes.get(each.name)
    if each is None or quote is None:
        return [formats.unknown] * len(SIDE)
    figures = chain.figures[each.name]
    iv, delta = figures["iv"], figures["delta"]
    return [
        formats.count(quote.oi),
        formats.delta(delta if isinstance(delta, float) else None),
        formats.iv(iv if isinstance(iv, float) else None),
        formats.price(quote.ltp),
        formats.price(quote.bid),
        formats.price(quote.ask),
    ]


def _shape(chain: Chain, rows: list[ChainRow]) -> shapes.Shape:
    def side(each: Instrument | None) -> object:
        if each is None:
            return None
        quote = chain.quotes.get(each.name)
        return {"name": each.name, **({} if quote is None else shapes.quote(quote)), **chain.figures[each.name]}

    strikes = [{"strike_paise": strike, "call": side(call), "put": side(put)} for strike, call, put in rows]
    return {**whole_chain(chain), "strikes": strikes}
