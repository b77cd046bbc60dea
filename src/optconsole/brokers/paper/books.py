"""The paper broker's books in memory: exactly what the ledger holds, kept by committing first."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final

from optconsole.brokers.paper.ledger import Ledger, LedgerBroken
from optconsole.brokers.paper.orders import Batch, CashEntry, PaperOrder
from optconsole.engine.model.accounts import Account
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product
from optconsole.engine.ports import BrokerTrade, Settlement

SETTLEMENT_DAYS: Final = 10
CAPITAL: Final = "CAPITAL"


class Books:
    """Orders, trades, holdings and cash of one account, as of one day.

    ``orders`` are today's and all that work, by broker id; ``working`` the live ones by contract.
    """

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self._ledger = ledger
        self.account = account
        self.day = date.min
        self.orders: dict[str, PaperOrder] = {}
        self.working: dict[str, dict[str, PaperOrder]] = {}
        self.trades: list[BrokerTrade] = []
        self.settlements: list[Settlement] = []
        self.holdings: dict[tuple[str, Product], tuple[int, int]] = {}
        self.contracts: dict[str, Instrument] = {}
        self.counters: dict[str, int] = {}
        self.cash = 0

    def turn(self, day: date) -> None:
        """Read the books of ``day`` from the ledger; what cannot be read whole changes nothing. Raises LedgerBroken."""
        ledger = self._ledger
        orders, trades, counters, cash = ledger.orders_of(day), ledger.trades_of(day), ledger.counters(), ledger.cash()
        settlements, holdings = ledger.settlements_since(day - timedelta(days=SETTLEMENT_DAYS)), ledger.positions()
        working = {order.contract for order in orders if not order.status.final}
        self.contracts = ledger.contracts({name for name, _product in holdings} | working)
        self.day, self.trades, self.settlements = day, trades, settlements
        self.holdings, self.counters, self.cash = holdings, counters, cash
        self.orders, self.working = {}, {}
        for order in orders:
            self._put(order)

    def fund(self, entry: CashEntry) -> None:
        """Bring the paid-in capital to ``entry.amount``. Raises LedgerBroken."""
        missing = entry.amount - self._ledger.cash(CAPITAL)
        if missing:
            self.keep(Batch(cash=[CashEntry(at=entry.at, kind=CAPITAL, ref=entry.ref, amount=missing)]))

    def number(self, batch: Batch, kind: str) -> int:
        """The next number of a kind, never given twice; it counts once ``batch`` is kept."""
        batch.counters[kind] = batch.counters.get(kind, self.counters.get(kind, 0)) + 1
        return batch.counters[kind]

    def held(self, batch: Batch, key: tuple[str, Product]) -> tuple[int, int]:
        """(units, cost) with what ``batch`` already changes."""
        return batch.positions.get(key) or self.holdings.get(key, (0, 0))

    def keep(self, batch: Batch) -> None:
        """Commit a step, then believe it. Raises LedgerBroken, with the books as the ledger has them."""
        try:
            self._ledger.commit(batch)
        except LedgerBroken:
            with suppress(LedgerBroken):  # unreadable too: the books stand as they were last known
                self.turn(self.day)
            raise
        for order in batch.orders:
            self._put(order)
        self.trades.extend(batch.trades)
        self.settlements.extend(batch.settlements)
        self.cash += sum(entry.amount for entry in batch.cash)
        self.counters.update(batch.counters)
        self.contracts.update({contract.name: contract for contract in batch.contracts})
        for key, holding in batch.positions.items():
            if holding[0]:
                self.holdings[key] = holding
            else:
                self.holdings.pop(key, None)

    def _put(self, order: PaperOrder) -> None:
        self.orders[order.broker_id] = order
        if not order.status.final:
            self.working.setdefault(order.contract, {})[order.broker_id] = order
            return
        rest = self.working.get(order.contract)
        if rest is not None and rest.pop(order.broker_id, None) is not None and not rest:
            del self.working[order.contract]

    def net(self, name: str, product: Product) -> int:
        """Signed open units."""
        return self.holdings.get((name, product), (0, 0))[0]

    def resting(self, name: str) -> tuple[PaperOrder, ...]:
        """Working orders of a contract."""
        return tuple(self.working.get(name, {}).values())

    def all_working(self) -> list[PaperOrder]:
        """Every working order, in order of entry."""
        return [order for rest in self.working.values() for order in rest.values()]

    def knows_tag(self, tag: str) -> bool:
        """Whether an order of any day came under this tag."""
        return self._ledger.knows_tag(tag)

    def minutes(self, name: str, day: date) -> list[tuple[datetime, int, int]]:
        """Stored minutes of an index: (start, sum of paise, number of values)."""
        return self._ledger.minutes(name, day)

    def find(self, broker_id: str) -> PaperOrder | None:
        """An order of any day."""
        return self.orders.get(broker_id) or self._ledger.order(broker_id)
