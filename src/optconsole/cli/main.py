"""The door of the command line: finds the noun, loads its module alone, turns every failure into one sentence."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from optconsole import __version__
from optconsole.cli.arguments import Parser, UsageError, nearest
from optconsole.cli.nouns import CONSOLE, NOUNS
from optconsole.cli.output import BAD_USAGE, DONE, FAILED, Output, error
from optconsole.engine.model.errors import Refusal

TAKES_VALUE: Final = frozenset(("--home", "--replay", "--speed", "--from", "--until", "--seed", "--rate", "--screen"))
"""Options that may stand before a noun with a value of their own."""

FLAGS: Final = frozenset(("--json", "--ascii", "--hold", "--help", "-h", "--version"))


def run(argv: Sequence[str]) -> int:
    """Carry out one command line. Returns 0 done, 1 refused or failed, 2 bad usage."""
    as_json = "--json" in argv
    try:
        code = _run(list(argv))
        sys.stdout.flush()
        return code
    except UsageError as usage:
        error("BAD_USAGE", usage.text, as_json)
        return BAD_USAGE
    except Refusal as refusal:
        error(refusal.code, refusal.text, as_json)
        return FAILED
    except BrokenPipeError:
        _leave_pipe()
        return FAILED


def _run(argv: list[str]) -> int:
    place = noun_at(argv)
    if place is None and "--version" in argv:
        print(f"optconsole {__version__}")
        return DONE
    if place is None or (argv[place] not in NOUNS and _misspelt(argv[:place])):
        parser = Parser(prog="optconsole", usage="optconsole [OPTIONS] [COMMAND ...]", epilog=_commands())
        module_name = CONSOLE[0]
    else:
        noun = argv.pop(place)
        if noun not in NOUNS:
            near = nearest(noun, NOUNS)
            hint = f"did you mean {near}?" if near else "`optconsole --help` lists them."
            raise UsageError(f"{noun!r} is not a command; {hint}")
        module_name, summary = NOUNS[noun]
        parser = Parser(prog=f"optconsole {noun}", description=f"{noun}: {summary}.")
    module = importlib.import_module(f"optconsole.cli.{module_name}")
    module.arguments(parser)
    try:
        args = parser.read(argv)
    except SystemExit:  # argparse ends the program once --help is printed
        return DONE
    code: int = module.run(args, Output(args.json))
    return code


def noun_at(argv: Sequence[str]) -> int | None:
    """The place of the first word that is neither an option nor an option's value."""
    skip = False
    for place, word in enumerate(argv):
        if skip:
            skip = False
        elif word in TAKES_VALUE:
            skip = True
        elif not word.startswith("-"):
            return place
    return None


def _misspelt(options: Sequence[str]) -> bool:
    """Whether an unknown option stands here: the word after it is then more likely its value than a noun."""
    names = {word.partition("=")[0] for word in options if word.startswith("-")}
    return not names <= TAKES_VALUE | FLAGS


def _commands() -> str:
    width = max(map(len, NOUNS))
    lines = [f"  {noun.ljust(width)}  {summary}" for noun, (_module, summary) in NOUNS.items()]
    return "\n".join(["commands:", *lines, "", "Each has its own --help. Without a command the console opens."])


def _leave_pipe() -> None:
    """Point standard output away from the reader that left, or the interpreter complains at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
