"""The option chain of NSE's website, snapshot by snapshot: calls and puts of a strike side by side, with best prices.

Open interest and volume are lots there, the sizes at the best prices units; a price of zero is an empty side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from optconsole.brokers.replay.rows import (
    UNKNOWN,
    Flags,
    Floats,
    Ints,
    OptionRows,
    days,
    moments,
    numbers,
    paise,
    words,
)
from optconsole.brokers.replay.source import Drops, Source, whole_prices

if TYPE_CHECKING:
    import pyarrow as pa

TITLE: Final = "NSE website chain"
_SIDE: Final = ("oi", "volume", "ltp", "bid_qty", "bid_price", "ask_price", "ask_qty")
COLUMNS: Final = frozenset(
    (
        "symbol",
        "strike_price",
        "fetch_time",
        "expiry",
        *(f"{side}_{name}" for side in ("calls", "puts") for name in _SIDE),
    )
)


def read(table: pa.Table, symbol: str | None) -> list[Source]:
    """One source an underlying. ``symbol`` leaves only that one."""
    owner = words(table, "symbol")
    at, expiry, strike = moments(table, "fetch_time"), days(table, "expiry"), numbers(table, "strike_price")
    found = []
    for underlying in sorted(set(owner.tolist())):
        if symbol is not None and underlying != symbol:
            continue
        drops = Drops()
        mine = owner == underlying
        parts = [_side(table, side, mine, drops, (at, expiry, strike)) for side in ("calls", "puts")]
        found.append(Source(underlying, OptionRows.joined(parts), drops, booked=True))
    return found


def _side(table: pa.Table, side: str, mine: Flags, drops: Drops, common: tuple[Ints, Ints, Floats]) -> OptionRows:
    value = {name: numbers(table, f"{side}_{name}") for name in _SIDE}
    at, expiry, strike = common
    sound = mine & whole_prices(
        drops,
        mine,
        (strike, value["bid_price"], value["ask_price"], value["ltp"]),
        (value["bid_qty"], value["ask_qty"], value["oi"], value["volume"]),
    )
    bid, ask = paise(value["bid_price"][sound]), paise(value["ask_price"][sound])
    bid_qty, ask_qty = (value[name][sound].astype(np.int64) for name in ("bid_qty", "ask_qty"))
    # A side needs a price and a size; with either missing nobody stands there.
    bid, ask = np.where(bid_qty > 0, bid, UNKNOWN), np.where(ask_qty > 0, ask, UNKNOWN)
    count = int(sound.sum())
    return OptionRows(
        at=at[sound],
        expiry=expiry[sound],
        strike=paise(strike[sound]),
        call=np.full(count, side == "calls"),
        bid=bid,
        bid_qty=np.where(bid > 0, bid_qty, 0),
        ask=ask,
        ask_qty=np.where(ask > 0, ask_qty, 0),
        ltp=paise(value["ltp"][sound]),
        volume=value["volume"][sound],
        oi=value["oi"][sound],
        spot=np.full(count, UNKNOWN),
    )
