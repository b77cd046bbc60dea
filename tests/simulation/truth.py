"""Ground truth over all accounts: what the exchanges have, remembered over the nights in which they forget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optconsole.brokers.paper.orders import PaperOrder
from optconsole.engine.model.orders import Product
from optconsole.engine.ports import BrokerOrder, BrokerTrade
from tests.simulation.venue import Venue

Held = dict[tuple[str, str, str], int]
"""Open units by account, contract and product."""
TradeKey = tuple[str, str, str]
"""Account, day and number of a trade."""


class Truth:
    """Reads the exchanges; no row of it comes from the engine."""

    def __init__(self, venues: Mapping[str, Venue]) -> None:
        self.venues = venues
        self.trades: dict[TradeKey, BrokerTrade] = {}
        self._orders: dict[tuple[str, str], BrokerOrder] = {}

    def look(self) -> None:
        """Remember the books of today."""
        for account, venue in self.venues.items():
            for order in venue.books.orders.values():
                self._orders[account, order.broker_id] = order.row()
            for trade in venue.books.trades:
                self.trades[account, trade.at.date().isoformat(), trade.trade_id] = trade

    def find(self, account: str, broker_id: str) -> PaperOrder | None:
        """An order of any day."""
        return self.venues[account].books.find(broker_id)

    def tagged(self, account: str, tag: str) -> list[BrokerOrder]:
        """Every order that came under a tag, on any day."""
        # an account that no broker serves any more has nothing at a broker
        venue = self.venues.get(account)
        rows = () if venue is None else venue.books.orders.values()
        known = {key: row for key, row in self._orders.items() if row.tag == tag and key[0] == account}
        known.update({(account, row.broker_id): row.row() for row in rows if row.tag == tag})
        return list(known.values())

    def net(self, account: str, contract: str, product: str) -> int:
        """Signed open units."""
        return self.venues[account].books.net(contract, Product(product))

    def held(self) -> Held:
        """All that is open."""
        return {
            (account, name, product.value): qty
            for account, venue in self.venues.items()
            for (name, product), qty in venue.held().items()
        }

    def working(self) -> Iterator[tuple[str, PaperOrder]]:
        """Every order that may trade now."""
        for account, venue in self.venues.items():
            for order in venue.books.all_working():
                yield account, order
