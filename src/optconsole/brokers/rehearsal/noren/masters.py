"""Noren's scrip masters: one CSV in a zip for each exchange, with a trailing comma on every line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Final

from optconsole.brokers.rehearsal.noren.symbols import Symbol, Symbols

EXCHANGES: Final = ("NSE", "NFO", "BSE", "BFO")
PLACEHOLDERS: Final = 18
"""Blank rows that NFO's file carries."""
_CASH: Final = ("Exchange", "Token", "LotSize", "Symbol", "TradingSymbol", "Instrument", "TickSize")
_DERIVATIVE: Final = (
    "Exchange",
    "Token",
    "LotSize",
    "Symbol",
    "TradingSymbol",
    "Expiry",
    "Instrument",
    "OptionType",
    "StrikePrice",
    "TickSize",
)
_STAMP: Final = (1980, 1, 1, 0, 0, 0)


def path_of(exch: str) -> str:
    """Where an exchange's file is served."""
    return f"/{exch}_symbols.txt.zip"


def file_at(symbols: Symbols, path: str) -> bytes | None:
    """The zip that is served at a path; None where there is none."""
    return next((zipped(symbols, exch) for exch in EXCHANGES if path_of(exch) == path), None)


def text(symbols: Symbols, exch: str, strike_column: str = "StrikePrice") -> str:
    """The CSV of one exchange. ``strike_column`` is BFO's name of its ninth column; sister brokers write ``Strike``."""
    header = _CASH if exch in ("NSE", "BSE") else _DERIVATIVE
    names = [strike_column if name == "StrikePrice" and exch == "BFO" else name for name in header]
    return "".join(_line(fields) for fields in (names, *_rows(symbols.listed(exch), exch)))


def zipped(symbols: Symbols, exch: str, strike_column: str = "StrikePrice") -> bytes:
    """The file as it is downloaded; the same bytes for the same day."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{exch}_symbols.txt", date_time=_STAMP)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text(symbols, exch, strike_column))
    return packed.getvalue()


def _rows(symbols: Iterable[Symbol], exch: str) -> Iterator[list[str]]:
    if exch == "NFO":
        yield from ([exch, *[""] * (len(_DERIVATIVE) - 1)] for _ in range(PLACEHOLDERS))
    for symbol in symbols:
        head = [exch, symbol.token, symbol.lot]
        if exch in ("NSE", "BSE"):
            yield [*head, symbol.tsym, symbol.tsym, "INDEX", "0.05"]
        else:
            yield [
                *head,
                symbol.symname,
                symbol.tsym,
                symbol.expiry,
                symbol.instname,
                symbol.option_type,
                symbol.strike if symbol.instrument.strike else "0",
                symbol.tick,
            ]


def _line(fields: Iterable[str]) -> str:
    return ",".join((*fields, "")) + "\n"
