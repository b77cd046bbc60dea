"""Order frames as updates: a fill is told before the end it brings, and what a frame leaves out is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from optconsole.brokers.shoonya.refusals import order_number
from optconsole.brokers.shoonya.rows import BadRow, Reader
from optconsole.engine.model.orders import OrderStatus
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUpdate

_FILL_FIELDS: Final = ("flid", "flqty", "flprc")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a frame says for itself, and the order whose books are to be read because it does not say all."""

    updates: tuple[BrokerUpdate, ...] = ()
    read: str = ""


class Ears:
    """Listens to the order frames of one account, and remembers of each order what it was told of its fills."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._fills: dict[str, dict[str, int]] = {}

    def hear(self, frame: Mapping[str, Any]) -> Heard:
        """Updates of one ``om`` frame. What cannot be read is evidence already; the books know better."""
        number = order_number(frame.get("norenordno") or frame.get("norenoordno")) or ""
        try:
            order = self._reader.order(frame)
            trade = self._fill(frame)
        except BadRow:
            return Heard(read=number)
        if trade is not None:
            self.note(trade)
        if order.status is OrderStatus.UNKNOWN or self._short_of_fills(order):
            # the books are read, and their trades told, before what this frame says of the order
            return Heard((trade,) if trade else (), number)
        return Heard((trade, order) if trade else (order,))

    def note(self, trade: BrokerTrade) -> None:
        """A fill that was told, by whatever way it came."""
        self._fills.setdefault(trade.broker_id, {})[trade.trade_id] = trade.qty

    def forget(self) -> None:
        """A new day: its trades and orders are others."""
        self._fills.clear()

    def _fill(self, frame: Mapping[str, Any]) -> BrokerTrade | None:
        if str(frame.get("reporttype") or "").lower() != "fill":
            return None
        stamped = frame.get("fltm") or frame.get("filltm")
        whole = stamped and all(frame.get(name) for name in _FILL_FIELDS)
        return self._reader.trade(frame) if whole else None

    def _short_of_fills(self, order: BrokerOrder) -> bool:
        """Whether the order has filled more than we were told of."""
        return order.filled > sum(self._fills.get(order.broker_id, {}).values())
