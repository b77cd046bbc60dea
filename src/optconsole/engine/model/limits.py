"""Limits a trader sets on single orders."""

from __future__ import annotations

import msgspec


class OrderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """``max_lots`` an order; ``deviation_percent`` of a limit price from the market before it is refused as a slip."""

    max_lots: int = 200
    deviation_percent: int = 60
