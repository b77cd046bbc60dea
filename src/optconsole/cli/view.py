"""The engine's state with present prices, as the listing commands read it."""

from __future__ import annotations

from collections.abc import Iterable

from optconsole.cli.session import Engine
from optconsole.engine.ports import Snapshot
from optconsole.engine.queries import GetQuotes, QuoteList
from optconsole.screens.mirror import Mirror


async def view(engine: Engine, names: Iterable[str] = ()) -> tuple[Mirror, Snapshot]:
    """A snapshot, and the quotes of what is held and of ``names``."""
    taken = await engine.snapshot()
    mirror = Mirror(engine.link)
    mirror.adopt(taken)
    wanted = tuple(sorted(mirror.held_names().union(names)))
    if wanted:
        quotes = await engine.ask(GetQuotes(names=wanted), QuoteList)
        mirror.quotes = {quote.name: quote for quote in quotes.quotes}
    return mirror, taken
