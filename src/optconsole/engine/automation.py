"""How facts about baskets and their runs change the state. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.baskets import BasketBook, BasketStatus
from optconsole.engine.model.book import TradingState


def _basket_saved(state: TradingState, fact: Recorded, event: ev.BasketSaved) -> None:
    known = state.baskets.get(event.name)
    state.baskets[event.name] = BasketBook(
        basket=event.basket,
        version=event.version,
        status=BasketStatus.STOPPED if known is None else known.status,
        saved_at=fact.at,
        by=fact.actor,
        source=event.source,
        pin=event.pin,
    )


def _basket_status_changed(state: TradingState, _fact: Recorded, event: ev.BasketStatusChanged) -> None:
    book = state.baskets[event.name]
    state.baskets[event.name] = msgspec.structs.replace(book, status=event.status)


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.BasketSaved: _basket_saved,
    ev.BasketStatusChanged: _basket_status_changed,
}
