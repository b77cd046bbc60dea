"""The day's contracts as Noren names them: exchange, token and trading symbol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from optconsole.brokers.rehearsal.noren.words import RIGHT_LETTER, day_text, money, short_day, strike_text
from optconsole.brokers.rehearsal.tokens import Tokens
from optconsole.engine.model.instruments import Instrument, Kind, Right

INDEX_TOKENS: Final = {
    "NIFTY": ("26000", "Nifty 50"),
    "BANKNIFTY": ("26009", "Nifty Bank"),
    "FINNIFTY": ("26037", "Nifty Financial Services"),
    "MIDCPNIFTY": ("26074", "Nifty Midcap Select"),
    "NIFTYNXT50": ("26013", "Nifty Next 50"),
    "INDIAVIX": ("26017", "India VIX"),
    "SENSEX": ("1", "SENSEX"),
    "BANKEX": ("12", "BANKEX"),
    "SENSEX50": ("47", "SENSEX50"),
}
"""Token and display name of the indices; one that is not here gets a made-up token."""
PRODUCT_CODES: Final = {"SENSEX": "BSXOPT", "BANKEX": "BKXOPT", "SENSEX50": "SX50OPT"}
"""What BFO's Symbol column calls the options of an index."""
FUTURE_CODES: Final = {"SENSEX": "BSXFUT", "BANKEX": "BKXFUT", "SENSEX50": "SX50FUT"}
_DERIVATIVES: Final = {"NSE": "NFO", "BSE": "BFO"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """One contract on the wire."""

    exch: str
    token: str
    tsym: str
    instrument: Instrument

    @property
    def key(self) -> str:
        """``NFO|35001``, as subscriptions write it."""
        return f"{self.exch}|{self.token}"

    @property
    def instname(self) -> str:
        kind = self.instrument.kind
        if kind is Kind.INDEX:
            return "UNDIND"
        of = "IDX" if self.instrument.underlying in INDEX_TOKENS else "STK"
        return f"OPT{of}" if kind is Kind.OPTION else f"FUT{of}"

    @property
    def option_type(self) -> str:
        """CE, PE, or XX for what has no right."""
        return self.instrument.right.value if self.instrument.right else "XX"

    @property
    def symname(self) -> str:
        """The Symbol column: the underlying on NFO, a product code on BFO."""
        if self.exch != "BFO":
            return self.instrument.underlying
        codes = PRODUCT_CODES if self.instrument.kind is Kind.OPTION else FUTURE_CODES
        return codes.get(self.instrument.underlying, self.instrument.underlying)

    @property
    def expiry(self) -> str:
        return day_text(self.instrument.expiry) if self.instrument.expiry else ""

    @property
    def strike(self) -> str:
        return strike_text(self.instrument.strike or 0)

    @property
    def tick(self) -> str:
        return money(self.instrument.tick)

    @property
    def lot(self) -> str:
        return str(self.instrument.lot)


class Symbols:
    """A directory of one day's contracts by token, by symbol and by our own name."""

    def __init__(self, day: date, instruments: Sequence[Instrument]) -> None:
        self.day = day
        self.all: tuple[Symbol, ...] = tuple(_named(instruments))
        self._by_token = {(symbol.exch, symbol.token): symbol for symbol in self.all}
        self._by_tsym = {(symbol.exch, symbol.tsym): symbol for symbol in self.all}
        self._by_name = {symbol.instrument.name: symbol for symbol in self.all}
        if len(self._by_tsym) != len(self.all):
            raise ValueError("two contracts of the day have one trading symbol")

    def at(self, exch: str, token: str) -> Symbol | None:
        return self._by_token.get((exch, token))

    def named(self, exch: str, tsym: str) -> Symbol | None:
        """By trading symbol; clients that write ``%26`` for ``&`` are understood."""
        return self._by_tsym.get((exch, tsym.replace("%26", "&")))

    def of(self, contract: str) -> Symbol | None:
        """By the canonical name of the market behind."""
        return self._by_name.get(contract)

    def listed(self, exch: str) -> Iterator[Symbol]:
        return (symbol for symbol in self.all if symbol.exch == exch)


def trading_symbol(instrument: Instrument, months: Iterable[date] = ()) -> str:
    """``NIFTY24NOV26C25000``, ``NIFTY24NOV26F``; on BFO ``SENSEX26NOV85000CE``, ``SENSEX26N2685000CE``.

    A BFO option of a month's last expiry, one of ``months``, is named by the month, others by their day.
    """
    expiry, name = instrument.expiry, instrument.underlying
    if expiry is None:
        return INDEX_TOKENS.get(name, ("", name))[1]
    strike = strike_text(instrument.strike or 0)
    if instrument.exchange == "BSE":
        month = short_day(expiry)[2:5]
        monthly = f"{expiry.year % 100:02d}{month}"
        if instrument.right is None:
            return f"{name}{monthly if expiry in months else _weekly(expiry)}FUT"
        return f"{name}{monthly if expiry in months else _weekly(expiry)}{strike}{instrument.right.value}"
    if instrument.right is None:
        return f"{name}{short_day(expiry)}F"
    return f"{name}{short_day(expiry)}{RIGHT_LETTER[Right(instrument.right)]}{strike}"


def _weekly(expiry: date) -> str:
    """``26N26``: year, a month's digit or letter, day."""
    month = str(expiry.month) if expiry.month < 10 else "OND"[expiry.month - 10]
    return f"{expiry.year % 100:02d}{month}{expiry.day:02d}"


def _named(instruments: Sequence[Instrument]) -> Iterator[Symbol]:
    months = _month_ends(instruments)
    fixed = {item.name: int(INDEX_TOKENS[item.name][0]) for item in instruments if item.name in INDEX_TOKENS}
    tokens = Tokens(((item, _segment(item)) for item in instruments), fixed)
    for item in instruments:
        tsym = trading_symbol(item, months.get(item.underlying, ()))
        yield Symbol(_segment(item), str(tokens.of(item.name)), tsym, item)


def _segment(instrument: Instrument) -> str:
    return instrument.exchange if instrument.kind is Kind.INDEX else _DERIVATIVES[instrument.exchange]


def _month_ends(instruments: Iterable[Instrument]) -> dict[str, set[date]]:
    """The last listed expiry of each month, by underlying."""
    last: dict[str, dict[tuple[int, int], date]] = {}
    for instrument in instruments:
        if instrument.expiry is not None:
            ends = last.setdefault(instrument.underlying, {})
            month = (instrument.expiry.year, instrument.expiry.month)
            ends[month] = max(ends.get(month, instrument.expiry), instrument.expiry)
    return {name: set(ends.values()) for name, ends in last.items()}
