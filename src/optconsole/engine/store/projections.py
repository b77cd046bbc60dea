"""What each fact changes in the read tables: pure, from facts and the state they build up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import LimitDay, limit_key, scope_key
from optconsole.engine.model.positions import position_name
from optconsole.engine.state import apply
from optconsole.engine.store.rows import (
    Upsert,
    account_row,
    day_row,
    fill_row,
    limit_row,
    notice_row,
    order_row,
    position_row,
    scope_row,
)
from optconsole.engine.store.run_rows import basket_row, run_row

Moving = ev.OrderFilled | ev.PositionSettled | ev.PositionAdopted
"""Facts that move a position."""
_MOVING: Final = frozenset(get_args(Moving))
_NOTHING_MADE: Final = (0, 0)


class Projection:
    """The state as the journal sees it, and the rows that follow from it."""

    def __init__(
        self,
        state: TradingState | None = None,
        fills: dict[str, int] | None = None,
        made: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        """``fills`` are the day's fills, ``made`` its profit and charges in paise, by account; all become its own."""
        self.state = state or TradingState()
        self._fills = fills or {}
        self._made = made or {}

    def sums(self) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
        """Copies of the day's fills, profit and charges by account."""
        return dict(self._fills), dict(self._made)

    @property
    def day(self) -> str:
        """The trading day as text; empty before the first session opens."""
        return self.state.day.isoformat() if self.state.day else ""

    def fold(self, fact: Recorded) -> None:
        """Apply the fact. Raises IllegalTransition, and is of no more use then."""
        event: Any = fact.event
        kind, state = type(event), self.state
        if kind not in _MOVING:
            apply(state, fact)
            if kind is ev.SessionOpened:
                self._fills, self._made = {}, {}
            return
        account, held = event.account, state.positions
        key = position_name(account, event.product, event.contract)
        before = held.get(key)
        apply(state, fact)
        after = held[key]
        # the day's sums move by what this one position did: no walk over the others
        realised, charges = self._made.get(account, _NOTHING_MADE)
        if before is not None:
            realised -= before.realised
            charges -= before.charges
        self._made[account] = realised + after.realised, charges + after.charges
        if kind is ev.OrderFilled:
            self._fills[account] = self._fills.get(account, 0) + 1

    def rows(self, fact: Recorded) -> list[Upsert]:
        """The rows that ``fact``, the last one folded, changed."""
        return list(self._rows(fact))

    def _rows(self, fact: Recorded) -> Iterator[Upsert]:
        event, state, seq = fact.event, self.state, fact.seq
        if isinstance(event, ev.OrderEvent):
            yield order_row(state.orders[event.order_id], seq)
        match event:
            case ev.OrderFilled():
                yield fill_row(event, seq)
                yield from self._traded(event, seq)
            case ev.PositionSettled() | ev.PositionAdopted():
                yield from self._traded(event, seq)
            case ev.AccountOpened():
                yield account_row(state.accounts[event.account.id], seq)
            case ev.SessionOpened():
                yield from (account_row(book, seq) for book in state.accounts.values())
                yield from (position_row(held, self.day, seq) for held in state.positions.values())
                yield from self._limits(state.limits, seq)
                yield from (scope_row(scope, seq) for scope in state.scopes.values())
            case ev.NoticeRaised():
                yield notice_row(fact, event)
            case ev.BasketEvent():
                yield basket_row(state.baskets[event.name], seq)
            case ev.RunPlanned() | ev.RunMoved() | ev.RunEdited():
                yield run_row(state, state.runs[event.run_id], seq)
            case _:
                yield from self._restrained(event, seq)

    def _restrained(self, event: ev.AnyEvent, seq: int) -> Iterator[Upsert]:
        match event:
            case ev.LimitsSeeded():
                yield from self._limits((limit.key for limit in event.limits), seq)
            case ev.LimitSet():
                yield from self._limits((event.limit.key,), seq)
            case ev.LimitRemoved():
                yield limit_row(event.before, LimitDay(), True, seq)
            case ev.LimitEvent():
                yield from self._limits((limit_key(event.level, event.name, event.kind),), seq)
            case ev.TradingStateChanged():
                yield scope_row(self.state.scopes[scope_key(event.level, event.name)], seq)
                if event.rearms:
                    yield from self._limits(self.state.limits, seq)

    def _limits(self, keys: Iterable[str], seq: int) -> Iterator[Upsert]:
        for key in keys:
            limit = self.state.limits[key]
            yield limit_row(limit, self.state.limit_days.get(key) or LimitDay(), False, seq)

    def _traded(self, event: Moving, seq: int) -> Iterator[Upsert]:
        yield position_row(self.state.positions[_position_key(event)], self.day, seq)
        realised, charges = self._made[event.account]
        yield day_row(self.day, event.account, realised, charges, self._fills.get(event.account, 0), seq)


def _position_key(event: Moving) -> str:
    return position_name(event.account, event.product, event.contract)
