"""Differences between our book and a broker's: shown when seen twice, told when half a minute old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import OrderStatus, Product
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.shares import whose
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.trading.decision import Decision

DRIFT_READS: Final = 2
"""Readings that show the same difference before it counts as one: orders, trades and positions are read in turn."""
DRIFT_GRACE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of net quantities, how often it was read in a row, since when, and whether it was told."""

    ours: int
    theirs: int
    since: float
    reads: int = 1
    told: bool = False


class Drifts:
    """The differences of one account. Kept in memory only: after a restart they are seen anew."""

    def __init__(self, account: str, broker: str) -> None:
        self._account = account
        self._broker = broker
        self._differences: dict[str, Difference] = {}

    def compare(self, state: TradingState, theirs: Sequence[BrokerPosition], now: float) -> Decision:
        """Facts about contracts of which our book and the broker's hold different quantities."""
        decision = Decision(f"broker:{self._broker}", "reconcile")
        broker_qty, our_qty = their_quantities(theirs), our_quantities(state, self._account)
        seen: dict[str, Difference] = {}
        for contract, product in sorted(broker_qty.keys() | our_qty.keys()):
            pair = our_qty.get((contract, product), 0), broker_qty.get((contract, product), 0)
            if pair[0] != pair[1]:
                key = PositionKey(self._account, product, contract)
                seen[str(key)] = self._differ(state, decision, key, pair, now)
        for name, drift in state.drifts.items():
            if drift.key.account == self._account and name not in seen:
                decision.facts.append(
                    ev.DriftEnded(account=self._account, product=drift.key.product, contract=drift.key.contract)
                )
        self._differences = seen
        return decision

    def _differ(
        self, state: TradingState, decision: Decision, key: PositionKey, pair: tuple[int, int], now: float
    ) -> Difference:
        known = self._differences.get(str(key))
        if known is None or (known.ours, known.theirs) != pair:
            return Difference(*pair, since=now if known is None else known.since, told=False)
        known = replace(known, reads=known.reads + 1)
        drift = state.drifts.get(str(key))
        if known.reads >= DRIFT_READS and (drift is None or (drift.ours, drift.theirs) != pair):
            decision.facts.append(
                ev.DriftSeen(
                    account=key.account, product=key.product, contract=key.contract, ours=pair[0], theirs=pair[1]
                )
            )
        if now - known.since >= DRIFT_GRACE and not known.told:
            decision.facts.append(_drift_notice(state, key, *pair))
            known = replace(known, told=True)
        return known


def our_quantities(state: TradingState, account: str) -> dict[tuple[str, Product], int]:
    """Open units of an account in our book, by contract and product."""
    return {
        (position.key.contract, position.key.product): position.qty
        for position in state.positions.values()
        if position.qty and position.key.account == account
    }


def their_quantities(positions: Sequence[BrokerPosition]) -> dict[tuple[str, Product], int]:
    """The same, in the broker's book."""
    return {(row.contract, row.product): row.qty for row in positions if row.qty}


def agree(state: TradingState, account: str, contract: str, theirs: Sequence[BrokerPosition]) -> bool:
    """Whether our book and the broker's hold the same net quantity of a contract, all products together."""
    ours, there = our_quantities(state, account), their_quantities(theirs)
    return _net(ours, contract) == _net(there, contract)


def _net(held: Mapping[tuple[str, Product], int], contract: str) -> int:
    return sum(qty for (name, _), qty in held.items() if name == contract)


def _drift_notice(state: TradingState, key: PositionKey, ours: int, theirs: int) -> ev.NoticeRaised:
    suspects = [
        order.id
        for order in state.orders.values()
        if order.terms.account == key.account
        and order.terms.contract == key.contract
        and order.status in (OrderStatus.SENT, OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT)
    ]
    why = f" {', '.join(suspects)} in doubt may explain it." if suspects else ""
    parts = whose(state.books.get(str(key), ()), ours - theirs)
    why += f" It is one of these parts: {parts}." if parts else ""
    return ev.NoticeRaised(
        level="alarm",
        code="POSITION_DRIFT",
        text=f"{key.contract} {key.product.value}: our book holds {ours}, the broker {theirs}.{why}",
        subject=key.contract,
    )
