"""``optconsole calc``: JSON Lines in, one answer a line out, as they come."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.engine.model.errors import Refusal
from optconsole.engine.pricing.calc import answer

LONGEST_LINE: Final = 1 << 20

_HELP = """Each line is one case, such as
  {"id":1,"model":"black76","type":"C","S":24512.35,"K":24500,"r":0.065,"T_years":0.02,"vol":0.13}
with given_price instead of vol for the implied volatility. Models: bsm, black76 (S is the forward), nse_iv."""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP
    parser.add_argument("file", nargs="?", metavar="FILE", help="cases; standard input without it")


def run(args: argparse.Namespace, out: Output) -> int:
    """Answer every line. Lines that are no case are answered with their error, and the exit code is 1."""
    if args.file is None:
        cases, bad = _answer_all(sys.stdin.buffer)
    else:
        try:
            with open(args.file, "rb") as file:
                cases, bad = _answer_all(file)
        except BrokenPipeError:
            raise
        except OSError as failed:
            raise Refusal("NO_FILE", f"{args.file} cannot be read: {failed.strerror}.") from None
    if bad:
        error("BAD_CASES", f"{bad} of {cases} cases could not be read; each says why in its answer.", as_json=False)
        return FAILED
    return DONE


def _answer_all(source: BinaryIO) -> tuple[int, int]:
    """Returns how many cases there were and how many could not be read."""
    cases = bad = 0
    for line in _lines(source):
        cases += 1
        result = _answer(line)
        bad += "error" in result
        # standard output's own encoder: file names and ids may hold anything
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        sys.stdout.flush()
    return cases, bad


def _lines(source: BinaryIO) -> Iterator[bytes]:
    while line := source.readline(LONGEST_LINE + 1):
        if line.strip():
            yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            # the rest of a line that is too long already has its answer
            line = source.readline(LONGEST_LINE + 1)
            if not line:
                return


def _answer(line: bytes) -> dict[str, object]:
    if len(line) > LONGEST_LINE:
        return {"id": None, "error": "BAD_JSON", "detail": f"The line is longer than {LONGEST_LINE} bytes."}
    try:
        case: object = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as bad:
        return {"id": None, "error": "BAD_JSON", "detail": f"The line is not JSON: {bad}"}
    return answer(case)
