"""A published basket saved in the engine as the trader's: the rules are the publisher's, everything else one's own."""

from __future__ import annotations

import msgspec

from optconsole.cli.session import ACTOR, Engine, command_id
from optconsole.engine.commands import Reply, SaveBasket
from optconsole.engine.model.baskets import Allocation, Basket, BasketBook
from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.bundles import Bundle
from optconsole.engine.strategies.differences import differences


async def save(
    engine: Engine, bundle: Bundle, name: str, allocations: tuple[Allocation, ...] = ()
) -> tuple[tuple[str, ...], Reply]:
    """Save a bundle's basket under a name, over what came from it before; says what that changes. Raises Refusal."""
    book = (await engine.snapshot()).state.baskets.get(name)
    basket = adopted(bundle, book, name, allocations)
    reply = await engine.submit(
        SaveBasket(
            id=command_id(),
            actor=ACTOR,
            basket=basket,
            over=None if book is None else book.version,
            source=bundle.source,
            pin=bundle.manifest.version,
        )
    )
    return () if book is None else differences(book.basket, basket), reply


def adopted(bundle: Bundle, book: BasketBook | None, name: str, allocations: tuple[Allocation, ...] = ()) -> Basket:
    """The published basket with everything that is the trader's own. Raises Refusal(NAME_TAKEN)."""
    if book is None:
        return msgspec.structs.replace(bundle.basket, name=name, allocations=allocations)
    if book.source != bundle.source:
        raise Refusal(
            "NAME_TAKEN",
            f"A basket called {name!r} is there and came from elsewhere; name another with --as.",
        )
    own = book.basket
    return msgspec.structs.replace(
        bundle.basket,
        name=name,
        allocations=allocations or own.allocations,
        capital=own.capital,
        max_loss=own.max_loss,
        pace=own.pace,
        stagger_ms=own.stagger_ms,
    )
