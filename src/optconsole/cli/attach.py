"""``optconsole attach``: the screens on an engine that runs already."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from optconsole.cli.arguments import Parser
from optconsole.cli.console import require_terminal, speaks_unicode, taste_of
from optconsole.cli.output import Output
from optconsole.cli.starting import SCREENS
from optconsole.link.address import knock, socket_path
from optconsole.paths import home_dir

if TYPE_CHECKING:
    from optconsole.link.protocol import EngineLink


def arguments(parser: Parser) -> None:
    parser.add_argument("--screen", choices=SCREENS, metavar="NAME", help=f"first screen: {', '.join(SCREENS)}")
    access = parser.add_mutually_exclusive_group()
    access.add_argument("--observe", action="store_true", help="look only: this console gives no command")
    access.add_argument("--operate", action="store_true", help="trade, and loosen neither limits nor the kill switch")
    parser.add_argument("--ascii", action="store_true", help="draw without Unicode")


def run(args: argparse.Namespace, out: Output) -> int:
    """Attach. Closing the console changes nothing in the engine."""
    home = home_dir(args.home, os.environ)
    # before the terminal is taken: a home without an engine is one sentence, not a flash of an empty screen
    knock(socket_path(home))
    require_terminal(out)
    taste = taste_of(home)
    from optconsole.app import ConsoleOptions, run_console

    async def reach() -> tuple[EngineLink, Callable[[], Awaitable[None]]]:
        from optconsole.engine.model.access import Access
        from optconsole.link.client import SocketLink

        access = Access.OBSERVER if args.observe else Access.OPERATOR if args.operate else Access.ADMIN
        link = await SocketLink.connect(socket_path(home), access)
        return link, link.close

    return run_console(
        reach,
        ConsoleOptions(
            home=home,
            screen=args.screen or "positions",
            theme=taste.theme,
            ascii=args.ascii or taste.ascii or not speaks_unicode(os.environ),
            hz=taste.hz,
            keys=taste.keys,
            argv=tuple(sys.argv[1:]),
            attached=True,
        ),
    )
