"""A day's prices of one contract in four numbers, in paise."""

from __future__ import annotations

from datetime import date

import msgspec


class DayBar(msgspec.Struct, frozen=True, kw_only=True):
    """The first, highest, lowest and last price seen on a day. ``whole`` when it was watched from the open on."""

    day: date
    open: int
    high: int
    low: int
    close: int
    whole: bool = True

    def after(self, price: int) -> DayBar:
        """The bar with one more price."""
        if self.low <= price <= self.high and price == self.close:
            return self
        return msgspec.structs.replace(self, high=max(self.high, price), low=min(self.low, price), close=price)
