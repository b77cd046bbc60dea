"""What Angel One calls a contract, and the row of its scrip master."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from optconsole.engine.model.instruments import Instrument, Kind, Right, expiry_code

STREAM_SEGMENTS: Final = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5}
"""Exchange segment -> the number that stands for it on the stream."""
_DERIVATIVES: Final = {"NSE": "NFO", "BSE": "BFO", "MCX": "MCX"}
_INDEX_SYMBOLS: Final = {
    "NIFTY": "Nifty 50",
    "BANKNIFTY": "Nifty Bank",
    "FINNIFTY": "Nifty Fin Service",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "NIFTYNXT50": "Nifty Next 50",
    "INDIAVIX": "India VIX",
}
INDEX_TOKENS: Final = {
    "NIFTY": "99926000",
    "BANKNIFTY": "99926009",
    "INDIAVIX": "99926017",
    "FINNIFTY": "99926037",
    "MIDCPNIFTY": "99926074",
    "NIFTYNXT50": "99926013",
    "SENSEX": "99919000",
    "BANKEX": "99919012",
}
"""The tokens of indices, which stay the same for years."""
_INDEX_NAMES: Final = {"INDIAVIX": "INDIA VIX"}
_WEEKLY_MONTHS: Final = "123456789OND"


class Scrip(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as Angel One knows it; (``segment``, ``token``) is unique."""

    instrument: Instrument
    segment: str
    symbol: str
    token: str

    @property
    def stream(self) -> int:
        """The segment's number on the stream."""
        return STREAM_SEGMENTS[self.segment]


def segment_of(instrument: Instrument) -> str:
    """The exchange segment a contract trades in."""
    return _DERIVATIVES[instrument.exchange] if instrument.tradable else instrument.exchange


def symbol_of(instrument: Instrument, monthly: bool) -> str:
    """``NIFTY24NOV2625000CE``; the BSE's contracts carry its own coding, which tells ``monthly`` ones apart."""
    expiry = instrument.expiry
    if expiry is None:
        return _INDEX_SYMBOLS.get(instrument.underlying, instrument.underlying)
    if instrument.exchange == "BSE":
        return f"{instrument.underlying}{_bse_day(expiry, monthly)}{_ending(instrument)}"
    return f"{instrument.underlying}{expiry_code(expiry)}{_ending(instrument)}"


def _bse_day(expiry: date, monthly: bool) -> str:
    """``26NOV`` for the last expiry of a month, ``26N19`` for a weekly one."""
    year = f"{expiry.year % 100:02d}"
    if monthly:
        return year + expiry_code(expiry)[2:5]
    return f"{year}{_WEEKLY_MONTHS[expiry.month - 1]}{expiry.day:02d}"


def _ending(instrument: Instrument) -> str:
    if instrument.strike is None or instrument.right is None:
        return "FUT"
    whole, part = divmod(instrument.strike, 100)
    return f"{whole}{f'.{part:02d}'.rstrip('0') if part else ''}{instrument.right.value}"


def long_expiry(expiry: date | None) -> str:
    """``24NOV2026``; empty for what never expires."""
    return "" if expiry is None else f"{expiry_code(expiry)[:5]}{expiry.year}"


def instrument_type(instrument: Instrument) -> str:
    """The exchange's letters for what a contract is; ``AMXIDX`` marks an index that only quotes."""
    return {Kind.INDEX: "AMXIDX", Kind.FUTURE: "FUTIDX", Kind.OPTION: "OPTIDX"}[instrument.kind]


def option_type(right: Right | None) -> str:
    """``CE``, ``PE`` or empty."""
    return "" if right is None else right.value


def scrips(instruments: Iterable[Instrument], token_of: dict[str, str]) -> list[Scrip]:
    """Every contract under its names; ``token_of`` gives each contract's token, which an index brings itself."""
    listed = list(instruments)
    last = _month_ends(listed)
    return [
        Scrip(
            instrument=item,
            segment=segment_of(item),
            symbol=symbol_of(item, (item.underlying, item.expiry) in last),
            token=INDEX_TOKENS.get(item.name) or token_of[item.name],
        )
        for item in listed
    ]


def _month_ends(instruments: list[Instrument]) -> set[tuple[str, date | None]]:
    latest: dict[tuple[str, int, int], date] = {}
    for item in instruments:
        if item.expiry is not None:
            key = (item.underlying, item.expiry.year, item.expiry.month)
            latest[key] = max(latest.get(key, item.expiry), item.expiry)
    return {(underlying, expiry) for (underlying, _year, _month), expiry in latest.items()}


def master_row(scrip: Scrip) -> dict[str, str]:
    """A row of the scrip master: all strings, strike and tick in paise with six decimals; an index has no tick."""
    item = scrip.instrument
    none = "-1.000000" if item.tradable else "0.000000"
    return {
        "token": scrip.token,
        "symbol": scrip.symbol,
        "name": _INDEX_NAMES.get(item.name, item.underlying),
        "expiry": long_expiry(item.expiry),
        "strike": none if item.strike is None else f"{item.strike}.000000",
        "lotsize": str(item.lot),
        "instrumenttype": instrument_type(item),
        "exch_seg": scrip.segment,
        "tick_size": f"{item.tick if item.tradable else 0}.000000",
    }


def master(listed: Iterable[Scrip], others: Iterable[dict[str, str]]) -> bytes:
    """The scrip master: one JSON array, with rows of what is not traded here first."""
    return msgspec.json.encode([*others, *(master_row(scrip) for scrip in listed)])
