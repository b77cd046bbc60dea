"""``optconsole margin FILE``: what a basket's orders tie up, before, on the way and after."""

from __future__ import annotations

import argparse

from optconsole.cli import preview
from optconsole.cli import preview_words as words
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output
from optconsole.cli.preview_shapes import shape

_HELP = """Our own reckoning after NSE Clearing's method, within a few per cent of a broker's, whose own word stands
last where it gave one. "before" is what the account holds now, "on the way" the most that is blocked at any moment
with orders leaving as they would, "after" all of it together, "apart" each order for itself. Without accounts in the
file the lots as written are weighed on an empty account.

examples:
  optconsole margin condor.toml
  optconsole margin condor.toml --json

"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP + preview.FILE_HELP
    preview.add_file(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Weigh the orders of a file. Exit code 1 where a strategy cannot be priced or an account's margin told."""
    try:
        found = preview.of_file(args, out)
    except preview.Faulty:
        return FAILED
    preview.require_strategies(found)
    lines = [*words.margins(found.margins, out.formats), *words.steps(found.margins, out.formats)]
    refused = [share for view in found.strategies for share in view.shares if share.code]
    for view in found.strategies:
        lines += [f"{view.name} on {each.account}: {each.text} [{each.code}]" for each in view.shares if each.code]
    document = {"at": found.at.isoformat(), "margins": shape(found.margins), "refused": shape(tuple(refused))}
    out.document(document, *lines)
    failed = bool(refused) or any(view.code for view in found.margins)
    return FAILED if failed else DONE
