"""``optconsole order release|adopt``: what is left to a person when books and orders do not agree."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from optconsole.cli.session import ACTOR, Engine, command_id
from optconsole.engine.commands import AdoptOrder, ReleaseDoubt, Reply

if TYPE_CHECKING:
    from optconsole.cli.arguments import Parser

_RELEASE_HELP = """An order in doubt holds back entries on its account until the broker shows it or it is released.
Look for its tag in the broker's own order book first. A released order stays watched and counted in risk.

examples:
  optconsole order show O12
  optconsole order release O12 --why "its tag is not in the broker's book\""""


def arguments(verbs: argparse._SubParsersAction[Parser]) -> None:
    """The two verbs."""
    release = verbs.add_parser("release", help="let entries go on in spite of an order in doubt", epilog=_RELEASE_HELP)
    release.add_argument("id", metavar="ID")
    release.add_argument(
        "--why", required=True, metavar="TEXT", help="why it is not at the broker; kept in the journal"
    )
    adopt = verbs.add_parser("adopt", help="take over an order at the broker that was not sent from here")
    adopt.add_argument("id", metavar="ID")


async def carry_out(engine: Engine, args: argparse.Namespace) -> Reply:
    """Send the command of the verb. Raises Refusal."""
    if args.verb == "release":
        return await engine.submit(
            ReleaseDoubt(id=command_id(), actor=ACTOR, order_id=args.id.upper(), why=args.why.strip())
        )
    return await engine.submit(AdoptOrder(id=command_id(), actor=ACTOR, order_id=args.id.upper()))
