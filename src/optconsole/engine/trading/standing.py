"""What a broker says stands, for sizing what closes it: a closing order is never larger (reliability I-11, O12).

Our own book may be behind: a stream that is silent does not tell that the broker's risk desk or the phone has closed
something. So before anything is sent for a wish the book is read once more, and what it shows bounds the size at once,
while a difference counts as drift only after two readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.health import BookSeen
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.trading.exits import Scene

LOOK: Final = timedelta(seconds=3)
"""How long a wish waits for a reading that began after it did; a broker whose book cannot be read must not keep it."""


def book_seen(state: TradingState, account: str, rows: Sequence[BrokerPosition], asked: float) -> BookSeen:
    """Positions of a reading beside ours, once its trades were heard."""
    theirs = {str(PositionKey(account, row.product, row.contract)): row.qty for row in rows}
    ours = {key: each.qty for key, each in state.positions.items() if each.key.account == account}
    apart = {key: theirs.get(key, 0) - ours.get(key, 0) for key in sorted(theirs.keys() | ours.keys())}
    return BookSeen(asked=asked, apart={key: units for key, units in apart.items() if units})


def unread(scene: Scene, wish: Flattening, position: Position) -> bool:
    """Whether the account's book still has to be read before what is sent for a wish can be sized."""
    seen, waited = scene.situation.book(position.key.account), scene.since(wish.begun)
    return seen is not None and scene.situation.tick - seen.asked > waited.total_seconds() and waited < LOOK


def standing(scene: Scene, position: Position) -> int:
    """Units of a position that stand at the broker as far as its book and our fills since then tell."""
    seen = scene.situation.book(position.key.account)
    apart = 0 if seen is None else seen.apart.get(str(position.key), 0)
    return max(abs(position.qty) + (apart if position.qty > 0 else -apart), 0)
