"""``optconsole payoff FILE``: what strategies make and lose, at expiry and now."""

from __future__ import annotations

import argparse

from optconsole.cli import preview
from optconsole.cli import preview_words as words
from optconsole.cli.arguments import Parser
from optconsole.cli.output import FAILED, Output
from optconsole.cli.preview_shapes import shape

_HELP = """Money is of the lots as written. Break-evens, odds and the curve hold when the first leg expires; legs that
expire later are valued by their volatility on that day.

examples:
  optconsole payoff condor.toml
  optconsole payoff condor.toml --json

"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP + preview.FILE_HELP
    preview.add_file(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Draw each strategy. Exit code 1 where one cannot be priced."""
    try:
        found = preview.of_file(args, out)
    except preview.Faulty:
        return FAILED
    preview.require_strategies(found)
    lines: list[str] = []
    for view in found.strategies:
        lines += [words.title(view), *words.legs(view, out.formats)]
        if view.picture is not None:
            lines += words.picture(view.picture, out.formats)
        lines.append("")
    shapes = [
        {
            "name": view.name,
            "underlying": view.underlying,
            "legs": shape(view.legs),
            "payoff": shape(view.picture),
        }
        for view in found.strategies
    ]
    out.document({"at": found.at.isoformat(), "strategies": shapes}, *lines[:-1])
    return preview.priced(found.strategies)
