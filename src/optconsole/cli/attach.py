"""``optconsole attach``: the screens on an engine that runs already."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from optconsole.cli.arguments import Parser
from optconsole.cli.console import require_terminal, taste_of
from optconsole.cli.output import Output
from optconsole.cli.starting import SCREENS
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.paths import home_dir


def arguments(parser: Parser) -> None:
    parser.add_argument("--screen", choices=SCREENS, metavar="NAME", help=f"first screen: {', '.join(SCREENS)}")
    parser.add_argument("--ascii", action="store_true", help="draw without Unicode")


def run(args: argparse.Namespace, out: Output) -> int:
    """Attach. Closing the console changes nothing in the engine."""
    home = home_dir(args.home, os.environ)

    async def knock() -> None:
        link = await SocketLink.connect(socket_path(home))
        await link.close()

    # before the terminal is taken: a home without an engine is one sentence, not a flash of an empty screen
    asyncio.run(knock())
    require_terminal(out)
    taste = taste_of(home)
    from optconsole.app import ConsoleOptions, run_attached

    return run_attached(
        ConsoleOptions(
            home=home,
            screen=args.screen or "positions",
            theme=taste.theme,
            ascii=args.ascii or taste.ascii,
            hz=taste.hz,
            keys=taste.keys,
            argv=tuple(sys.argv[1:]),
            attached=True,
        )
    )
