"""A chain a minute in long form: one row a contract with the last trade and the spot, no order book.

Open interest and volume are lots in most such files and units in some; the figures themselves tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from optconsole.brokers.replay.rows import UNKNOWN, OptionRows, days, moments, numbers, paise, words
from optconsole.brokers.replay.source import Drops, Source, whole_prices

if TYPE_CHECKING:
    import pyarrow as pa

TITLE: Final = "minute chain"
COLUMNS: Final = frozenset(("ts", "expiry", "strike", "option_type", "spot", "ltp", "volume", "oi"))
_CALLS: Final = ("CE", "C", "CALL")
_PUTS: Final = ("PE", "P", "PUT")


def read(table: pa.Table, symbol: str | None) -> list[Source]:
    """One source an underlying; without a column ``underlying`` a single one, unnamed unless ``symbol`` says it."""
    named = "underlying" in table.column_names
    owner = words(table, "underlying") if named else np.full(table.num_rows, symbol or "", dtype=object)
    right = np.char.upper(words(table, "option_type").astype(str))
    at, expiry = moments(table, "ts"), days(table, "expiry")
    value = {name: numbers(table, name) for name in ("strike", "spot", "ltp", "volume", "oi")}
    found = []
    for underlying in sorted(set(owner.tolist())):
        if named and symbol is not None and underlying != symbol:
            continue
        drops = Drops()
        mine = owner == underlying
        call, put = np.isin(right, _CALLS), np.isin(right, _PUTS)
        drops.add("neither call nor put", mine & ~(call | put))
        mine &= call | put
        unknown_oi = np.isnan(value["oi"])
        value["oi"] = np.where(unknown_oi, 0.0, value["oi"])
        sound = mine & whole_prices(
            drops, mine, (value["strike"], value["ltp"], value["spot"]), (value["volume"], value["oi"])
        )
        none = np.full(int(sound.sum()), UNKNOWN)
        rows = OptionRows(
            at=at[sound],
            expiry=expiry[sound],
            strike=paise(value["strike"][sound]),
            call=call[sound],
            bid=none,
            bid_qty=np.zeros_like(none),
            ask=none,
            ask_qty=np.zeros_like(none),
            ltp=paise(value["ltp"][sound]),
            volume=value["volume"][sound],
            oi=np.where(unknown_oi[sound], float(UNKNOWN), value["oi"][sound]),
            spot=paise(value["spot"][sound]),
        )
        found.append(Source(underlying, rows, drops, booked=False))
    return found
