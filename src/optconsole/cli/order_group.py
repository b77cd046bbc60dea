"""``optconsole order group``: orders that depend on one another, each written like the words of ``order place``."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from optconsole.cli.arguments import Parser, UsageError
from optconsole.engine.model.groups import GroupKind

HELP = """one order a line, written as after `optconsole order place`, or a file (or -) with such lines:
  oco   any fill cancels the others
  ouo   a fill takes as many units from each of the others
  oto   fills of the first release the others, sized to what is filled

examples:
  optconsole order group oco "BUY NIFTY 25NOV26 24500 CE LIMIT 95 --lots 2" \\
                             "BUY NIFTY 25NOV26 24500 CE SL 120 122 --lots 2"
  optconsole order group oto strangle.txt"""
MOST_LINES = 50


def arguments(parser: Parser) -> None:
    """The words of one group."""
    parser.add_argument("kind", choices=[kind.value.lower() for kind in GroupKind])
    parser.add_argument("lines", nargs="+", metavar="ORDER|FILE", help="orders in quotes, or one file of them")


def read_lines(given: Sequence[str]) -> list[str]:
    """The order lines: as given, or those of the one file that is named. Raises UsageError."""
    if len(given) > 1 or (" " in given[0] and not Path(given[0]).is_file()):
        return list(given)
    try:
        text = sys.stdin.read() if given[0] == "-" else Path(given[0]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{given[0]!r} cannot be read as a file of orders: {error}.") from None
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not 2 <= len(found) <= MOST_LINES:
        raise UsageError(f"{given[0]!r} holds {len(found)} orders; a group ties at least two.")
    return found


def read_orders(lines: Sequence[str], describe: Callable[[Parser], None]) -> list[argparse.Namespace]:
    """Each line parsed like the words of ``order place``. Raises UsageError that names the line."""
    found = []
    for number, line in enumerate(lines, start=1):
        parser = Parser(prog="optconsole order place", add_help=False)
        describe(parser)
        try:
            found.append(parser.read(shlex.split(line)))
        except (UsageError, ValueError) as wrong:
            raise UsageError(f"Order {number} of the group: {wrong}") from None
    return found
