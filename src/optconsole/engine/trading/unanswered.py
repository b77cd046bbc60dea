"""Changes and cancels of which nobody will say any more what became of them.

Their deadline is the machine's, not the market's: a replay at sixty times its pace would give up after a fifth of a
second what a broker may answer within eight.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.folds.orders import NOT_CONFIRMED
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Pending
from optconsole.engine.trading.decision import Decision

ANSWER_LOST: Final = 12.0
"""Machine seconds after which a change or cancel that the book does not show has no answer under way any more."""


class Unanswered:
    """What one account was asked and did not answer, with the machine's second since when it is known here.

    Kept in memory only: a start asks the broker's book instead.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._since: dict[tuple[str, datetime], float] = {}

    def notice(self, state: TradingState, now: float) -> None:
        """Keep the list of what waits that of the state; what is new waits since ``now``."""
        asked = [
            (order.id, order.changed_at)
            for order in state.orders.values()
            if order.pending is not Pending.NONE
            and order.status.working
            and order.changed_at is not None
            and order.terms.account == self._account
        ]
        self._since = {wait: self._since.get(wait, now) for wait in asked}

    def judge(self, state: TradingState, now: float) -> Decision:
        """What the book, just heard, does not show long after it was asked: nobody will answer."""
        self.notice(state, now)
        decision = Decision("engine", "reconcile")
        for (name, _asked), since in self._since.items():
            if now - since >= ANSWER_LOST:
                cancel = state.orders[name].pending is Pending.CANCEL
                kind = ev.OrderCancelRefused if cancel else ev.OrderChangeRefused
                reason = "The broker's book does not show it."
                decision.facts.append(kind(order_id=name, code=NOT_CONFIRMED, reason=reason))
        return decision
