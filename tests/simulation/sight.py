"""I-26, sight, and I-5 within the day: what the engine cannot see it says, what it can see it knows soon."""

from __future__ import annotations

from typing import Any, Final

from optconsole.engine.ports import BrokerTrade
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.court import Court, Watcher
from tests.simulation.truth import TradeKey

FRESH: Final = 10.0
"""Seconds for which a book or a price may be old before the trader hears of it."""
LOOKS: Final = 2.0
"""Seconds between two looks at a book while something works: the first that fails comes so long after a good one."""
GRACE: Final = 5.0
"""What a slow store adds to it."""
EXPLAINED: Final = 30.0
BOOK_ALARMS: Final = ("BOOK_UNREADABLE", "LOGIN_LOST", "NOT_AGREED")
PRICE_ALARMS: Final = ("PRICE_STALE", "FEED_STALE")
DRIFT_ALARMS: Final = ("POSITION_DRIFT",)


class Sight(Watcher):
    """Accounts with working or doubtful orders, and the age of the last good look at their book."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._said: set[str] = set()
        self._staked: dict[str, float] = {}

    def tick(self) -> None:
        court = self.court
        if court.up_since is None:
            return
        at_stake = {account for account, order in court.truth.working() if order.tag in court.by_tag}
        at_stake |= {paper.account for paper in court.papers.values() if paper.in_doubt and not paper.settled}
        self._staked = {account: self._staked.get(account, court.now) for account in at_stake}
        for account in sorted(at_stake):
            looked = max(court.seen_at.get(account, 0.0), court.up_since)
            told = max(court.seen_at.get(account, 0.0), court.started_at)  # a start may tell before it is done
            since = max(looked, self._staked[account], court.still_until)
            if court.now - since <= LOOKS + FRESH + GRACE:
                self._said.discard(account)
            elif account not in self._said and not court.alarmed(BOOK_ALARMS, told, account):
                self._said.add(account)
                court.breach("I-26", f"the book of {account} was not seen for {court.now - since:.0f} s, silently")


class Drift(Watcher):
    """Each trade at the exchange is in the journal within half a minute in which the book could be read."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._open: dict[TradeKey, tuple[float, str]] = {}
        self._counted: set[TradeKey] = set()

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        if row.type == "OrderFilled":
            key = (body["account"], body["traded_at"][:10], body["trade_id"])
            self._counted.add(key)
            self._open.pop(key, None)

    def traded(self, trade: BrokerTrade) -> None:
        key = (trade.account, trade.at.date().isoformat(), trade.trade_id)
        if key not in self._counted:
            self._open[key] = (max(self.court.now, self.court.still_until), trade.contract)

    def tick(self) -> None:
        court = self.court
        for key, (at, contract) in list(self._open.items()):
            since = max(at, court.blind_at.get(key[0], 0.0)) + court.truth.venues[key[0]].dialect.lag
            if court.awake_for(since) > EXPLAINED + GRACE:
                del self._open[key]
                if not court.alarmed(DRIFT_ALARMS, at, contract):
                    court.breach("I-5", f"trade {key} is {court.now - at:.0f} s old and in no row, silently")

    def paused(self, seconds: float) -> None:
        self._open = {key: (at + seconds, contract) for key, (at, contract) in self._open.items()}
