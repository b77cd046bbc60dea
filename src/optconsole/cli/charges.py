"""``optconsole charges FILE``: what the state, the exchange and the broker take of a basket's orders."""

from __future__ import annotations

import argparse

from optconsole.cli import preview
from optconsole.cli import preview_words as words
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output
from optconsole.cli.preview_shapes import shape

_HELP = """Of the entry at the prices of now, part by part; "in" is its sum, "out" that of an exit at the same prices.
Orders above the freeze quantity are billed as the several that they leave in.

examples:
  optconsole charges condor.toml
  optconsole charges condor.toml --json

"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP + preview.FILE_HELP
    preview.add_file(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Bill the orders of a file. Exit code 1 where a strategy has no orders to bill or no rates are known."""
    try:
        found = preview.of_file(args, out)
    except preview.Faulty:
        return FAILED
    preview.require_strategies(found)
    lines: list[str] = []
    for view in found.strategies:
        for share in view.shares:
            who = f"{view.name} on {share.account}" if share.account else view.name
            if share.code or share.charges is None:
                lines += [f"{who}: {share.text} [{share.code or 'NO_RATES'}]", ""]
                continue
            lines += [who, *words.costs(share.costs, out.formats)]
            lines += [f"in and out {out.formats.amount(share.charges)}", ""]
    shares = [
        {
            "strategy": view.name,
            "account": share.account,
            "code": share.code,
            "text": share.text,
            "charges_paise": share.charges,
            "legs": shape(share.costs),
        }
        for view in found.strategies
        for share in view.shares
    ]
    out.document({"at": found.at.isoformat(), "shares": shares}, *lines[:-1])
    return DONE if all(each["charges_paise"] is not None for each in shares) else FAILED
