"""Option quotes of any source as numpy columns in our units, before they become a recording."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import parse_expiry

if TYPE_CHECKING:
    import pyarrow as pa

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNKNOWN: Final = -1
"""Stands for an absent price, size or open interest; nothing real is negative."""
_IST_MS: Final = 19_800_000
_EPOCH: Final = date(1970, 1, 1)
_SPOKEN: Final = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class OptionRows:
    """Aligned columns. ``at`` epoch milliseconds, ``expiry`` days since 1970, prices paise.

    Sizes of the book are units; ``volume`` and ``oi`` are as the source has them until `scaled`. ``spot`` is the
    index in paise. UNKNOWN marks what is absent.
    """

    at: Ints
    expiry: Ints
    strike: Ints
    call: Flags
    bid: Ints
    bid_qty: Ints
    ask: Ints
    ask_qty: Ints
    ltp: Ints
    volume: Floats
    oi: Floats
    spot: Ints

    def __len__(self) -> int:
        return len(self.at)

    def pick(self, chosen: Flags | Ints) -> OptionRows:
        """The rows of a mask, or of places in their order."""
        return replace(self, **{each.name: getattr(self, each.name)[chosen] for each in fields(self)})

    @staticmethod
    def joined(parts: list[OptionRows]) -> OptionRows:
        """One after the other."""
        return OptionRows(
            **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(OptionRows)}
        )


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> date:
    """The day of a count since 1970."""
    return _EPOCH + timedelta(days=number)


def moments(table: pa.Table, name: str) -> Ints:
    """A column of times as epoch milliseconds; a time without a zone is IST. UNKNOWN where there is none."""
    import pyarrow as pa

    column = table[name]
    if not pa.types.is_timestamp(column.type):
        raise bad_column(name, "times", column.type)
    shift = 0 if column.type.tz else _IST_MS
    stamps: Ints = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).fill_null(_NO_TIME).to_numpy()
    return np.where(stamps == _NO_TIME, UNKNOWN, stamps - shift)


_NO_TIME: Final = -(2**62)


def numbers(table: pa.Table, name: str) -> Floats:
    """A column of numbers; an empty cell is 0, which in these sources means the same."""
    import pyarrow as pa

    column = table[name]
    kind = column.type
    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if not any(is_known(kind) for is_known in known):
        raise bad_column(name, "numbers", kind)
    values: Floats = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy()
    return values


def words(table: pa.Table, name: str) -> npt.NDArray[np.object_]:
    """A column of text; an empty cell is an empty word."""
    import pyarrow as pa

    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise bad_column(name, "text", column.type)
    try:
        return np.asarray(column.fill_null("").to_pylist(), dtype=object)
    except UnicodeDecodeError:
        raise bad_column(name, "text", "bytes that are none") from None


def days(table: pa.Table, name: str) -> Ints:
    """A column of dates, or of text such as 2026-08-25 or 25-Aug-2026, as days since 1970; UNKNOWN where unreadable."""
    import pyarrow as pa

    column = table[name]
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        whole: Ints = (
            column.cast(pa.date32(), safe=False).cast(pa.int32()).cast(pa.int64()).fill_null(UNKNOWN).to_numpy()
        )
        return whole
    texts = words(table, name)
    known = {text: _day(str(text)) for text in set(texts.tolist())}
    return np.fromiter((known[text] for text in texts), np.int64, len(texts))


def paise(rupees: Floats) -> Ints:
    """Rupees as paise, UNKNOWN for zero. Not for negative or endless numbers: drop those first."""
    whole = np.rint(rupees * 100.0).astype(np.int64)
    return np.where(whole == 0, UNKNOWN, whole)


def bad_column(name: str, expected: str, found: object) -> Refusal:
    """A column has the right name and the wrong content."""
    return Refusal("NOT_IMPORTABLE", f"The column {name} holds {found} where {expected} are due; nothing was imported.")


def _day(text: str) -> int:
    cleaned = _SPOKEN.sub(r"\1\2\4", text.strip()) if _SPOKEN.fullmatch(text.strip()) else text.strip()[:10]
    try:
        return day_number(parse_expiry(cleaned.rjust(7, "0")))
    except Refusal:
        return UNKNOWN
