"""The paper exchange's own records of orders, trades and settlements, and how a client sees them."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.ports import BrokerOrder, BrokerTrade, Settlement

AUTO_SQUARE_OFF = "AUTO_SQUARE_OFF"
"""Code on the orders with which the broker itself closes MIS positions."""


class PaperOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the exchange holds it. ``rank`` is its time priority: lower came first."""

    broker_id: str
    tag: str
    account: str
    contract: str
    side: Side
    qty: int
    type: OrderType
    price: int
    trigger: int | None
    product: Product
    validity: Validity
    rank: int
    day: date
    entered_at: datetime
    updated_at: datetime
    status: OrderStatus
    triggered: bool = False
    filled: int = 0
    filled_value: int = 0
    code: str = ""
    reason: str = ""

    @property
    def remaining(self) -> int:
        """Units not filled yet."""
        return self.qty - self.filled

    @property
    def waiting(self) -> bool:
        """True for a stop whose trigger has not been reached."""
        return self.status is OrderStatus.TRIGGER_PENDING

    def row(self) -> BrokerOrder:
        """The order book row a client gets."""
        return BrokerOrder(
            broker_id=self.broker_id,
            tag=self.tag,
            account=self.account,
            contract=self.contract,
            side=self.side,
            qty=self.qty,
            filled=self.filled,
            type=self.type,
            price=self.price,
            trigger=self.trigger,
            product=self.product,
            validity=self.validity,
            status=self.status,
            triggered=self.triggered,
            code=self.code,
            reason=self.reason,
            updated_at=self.updated_at,
        )


class CashEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of cash in paise; ``ref`` names the trade or settlement behind it."""

    at: datetime
    kind: str
    ref: str
    amount: int


class Batch(msgspec.Struct, kw_only=True):
    """Everything one step changes; it becomes durable as a whole or not at all.

    ``positions`` are new (quantity, cost) by contract and product.
    """

    orders: list[PaperOrder] = []
    trades: list[BrokerTrade] = []
    settlements: list[Settlement] = []
    cash: list[CashEntry] = []
    positions: dict[tuple[str, Product], tuple[int, int]] = {}
    counters: dict[str, int] = {}
    contracts: list[Instrument] = []
    minutes: dict[tuple[str, datetime], tuple[int, int]] = {}
