"""Which price a leg's levels are compared with (features LX-10), and when it contradicts its own book (LX-12). Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine.model.leg_rules import SpikeGuard, Watch, WatchKind
from optconsole.engine.model.leg_state import Place

LATE_CLOSE: Final = timedelta(seconds=120)
"""A minute without a close is no longer just a minute that has not ended yet."""
_WHOLE_BP: Final = 10_000


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one price. None is unknown or too old to be true; ``stamp`` is the quote's own time (epoch ms).

    ``close`` is the last price of the last whole minute, which ended at ``closed_at``.
    """

    ltp: int | None = None
    bid: int | None = None
    ask: int | None = None
    stamp: int = 0
    close: int | None = None
    closed_at: datetime | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a leg's exits see at one instant: its contract and its underlying.

    ``opens`` is when the session began, where known: a leg held overnight has no close of a minute before its first.
    """

    at: datetime
    opens: datetime | None = None
    leg: Look = Look()
    index: Look = Look()

    def look(self, place: Place) -> Look:
        """What is known of that price."""
        return self.leg if place is Place.LEG else self.index


def watched_price(watch: Watch, place: Place, look: Look, since: datetime, now: datetime) -> int | None:
    """The price in paise that levels are compared with; None while there is none, or none that is new enough.

    An index has no book, so that MID of it is its last value. A minute that ended before the fill is not looked at.
    """
    if watch.kind is WatchKind.MINUTE_CLOSE:
        known = look.closed_at is not None and since < look.closed_at and now - look.closed_at <= LATE_CLOSE
        return look.close if known else None
    if watch.kind is WatchKind.MID and place is Place.LEG:
        return None if look.bid is None or look.ask is None else (look.bid + look.ask) // 2
    return look.ltp


def waits_for_close(watch: Watch, look: Look, since: datetime, seen: Seen) -> bool:
    """Whether a price is missing only because no minute has ended since the fill, or since the session began."""
    if seen.opens is not None:
        since = max(since, seen.opens)
    if watch.kind is not WatchKind.MINUTE_CLOSE or seen.at - since > LATE_CLOSE:
        return False
    return look.closed_at is None or look.closed_at <= since


def fingerprint(watch: Watch, look: Look) -> tuple[int | None, ...]:
    """Tells one quote, or with minute closes one close, from the next."""
    if watch.kind is WatchKind.MINUTE_CLOSE and look.closed_at is not None:
        return (int(look.closed_at.timestamp()),)
    return look.stamp, look.ltp, look.bid, look.ask


def contradicted(guard: SpikeGuard | None, watch: Watch, look: Look) -> bool:
    """Whether bid or ask deny the last trade by more than the guard allows; never without a guard or a book."""
    if guard is None or watch.kind is not WatchKind.LTP or look.ltp is None:
        return False
    above = look.ask is not None and look.ltp * _WHOLE_BP > look.ask * (_WHOLE_BP + guard.disagree)
    below = look.bid is not None and look.ltp * _WHOLE_BP < look.bid * (_WHOLE_BP - guard.disagree)
    return above or below
