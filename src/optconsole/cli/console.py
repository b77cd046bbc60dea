"""``optconsole`` alone: the screens, with the engine in the same process."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.output import Output
from optconsole.cli.starting import add_starting, read_options
from optconsole.engine.model.errors import Refusal
from optconsole.paths import CONFIG_NAME

if TYPE_CHECKING:
    from optconsole.link.protocol import EngineLink


class Taste(NamedTuple):
    """What the configuration says about looks."""

    theme: str | None = None
    hz: float | None = None
    ascii: bool = False
    keys: Mapping[str, str] = {}


def arguments(parser: Parser) -> None:
    parser.add_argument("--version", action="store_true", help="print the version")
    add_starting(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Open the console. The engine is loaded behind the first frame."""
    options = read_options(args)
    if options.live:
        raise UsageError(
            "Live orders need an engine that outlives the screen: "
            "run `optconsole engine --live`, then `optconsole attach`."
        )
    require_terminal(out)
    taste = taste_of(options.home)
    from optconsole.app import ConsoleOptions, run_console

    async def opener() -> tuple[EngineLink, Callable[[], Awaitable[None]]]:
        # In a thread, so that the first frame can be read and left while half a second of imports goes by.
        await asyncio.to_thread(importlib.import_module, "optconsole.runtime")
        from optconsole.runtime.inside import start_inside

        return await start_inside(options)

    looks = ConsoleOptions(
        home=options.home,
        screen=options.screen or "positions",
        theme=taste.theme,
        ascii=options.ascii or taste.ascii or not speaks_unicode(os.environ),
        hz=taste.hz,
        keys=taste.keys,
        argv=tuple(sys.argv[1:]),
    )
    return run_console(opener, looks)


def require_terminal(out: Output) -> None:
    """Raises UsageError with ``--json``, Refusal(NO_TERMINAL) where nobody could see the screens."""
    if out.json:
        raise UsageError("The console has no JSON; name a command such as status, see `optconsole --help`.")
    # Python leaves None in the place of a stream that was closed at the start.
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
        raise Refusal("NO_TERMINAL", "The console needs a terminal; run the engine alone with `optconsole engine`.")


def speaks_unicode(environ: Mapping[str, str]) -> bool:
    """False where the locale names another character set; without any word on it a terminal of today is assumed."""
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environ.get(name))), "")
    return not named or "utf" in named.lower()


def taste_of(home: Path) -> Taste:
    """The configured looks. Raises Refusal as ``config.load``; without a file nothing is loaded to read it."""
    if not (home / CONFIG_NAME).exists():
        return Taste()
    from optconsole.config import load

    settings = load(home)
    return Taste(settings.ui.theme, settings.ui.hz, settings.ui.ascii, settings.keys)
