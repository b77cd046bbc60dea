"""What can be tuned about the paper broker."""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal

_RANGES: Final = {
    "ack_latency_ms": (0, 60_000),
    "update_latency_ms": (0, 60_000),
    "latency_jitter_ms": (0, 60_000),
    "fill_share_percent": (1, 100),
    "half_spread_ticks": (0, 1_000),
    "half_spread_bps": (0, 5_000),
    "assumed_lots": (1, 10_000),
    "mis_cutoff_minutes": (0, 300),
    "mis_square_off_minutes": (1, 300),
    "reference_seconds": (1, 3_600),
    "settlement_minutes": (1, 300),
}


class PaperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Latency, liquidity and broker habits. Raises Refusal(BAD_PAPER_SETTING) for a value out of range.

    ``ack_latency_ms`` passes between an order call and its arrival at the exchange, ``update_latency_ms`` between
    what happens there and its report; either grows by up to ``latency_jitter_ms``. ``fill_share_percent`` of a
    displayed size can be ours. Where a source has no order book, the last trade is widened on either side by
    ``half_spread_ticks`` plus ``half_spread_bps`` hundredths of a percent and shows ``assumed_lots``.
    New MIS risk is refused ``mis_cutoff_minutes`` before the close, open MIS positions are closed
    ``mis_square_off_minutes`` before it.
    """

    ack_latency_ms: int = 0
    update_latency_ms: int = 0
    latency_jitter_ms: int = 0
    fill_share_percent: int = 100
    half_spread_ticks: int = 1
    half_spread_bps: int = 10
    assumed_lots: int = 10
    mis_cutoff_minutes: int = 15
    mis_square_off_minutes: int = 10
    reference_seconds: int = 30
    settlement_minutes: int = 30

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise Refusal("BAD_PAPER_SETTING", f"{name} is {value}; give {low} to {high}.")
