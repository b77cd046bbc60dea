"""Shoonya's scrip masters as our instruments: a zip with one CSV for each exchange, every line with a comma too many.

What a contract is comes from the file's columns, never from taking a trading symbol apart.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from optconsole.brokers.transport.coerce import paise, units
from optconsole.brokers.transport.gateway import Almanac, Evidence, Listed
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.text import display

CASH: Final = ("NSE", "BSE")
DERIVATIVE: Final = ("NFO", "BFO")
FILES: Final = (*CASH, *DERIVATIVE)
EXCHANGES: Final = {"NSE": "NSE", "NFO": "NSE", "BSE": "BSE", "BFO": "BSE"}
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an unpacked file beyond which it is no instrument file."""
MOST_BAD: Final = 0.01
"""Share of rows that may be unreadable in a file that is still believed."""
MOST_CHANGE: Final = 0.3
"""Share by which the number of contracts may differ from the day before."""

_INDEX_TOKENS: Final = {
    ("NSE", "26000"): "NIFTY",
    ("NSE", "26009"): "BANKNIFTY",
    ("BSE", "1"): "SENSEX",
}
_INDEX_TITLES: Final = {
    ("NSE", "NIFTY50"): "NIFTY",
    ("NSE", "NIFTYBANK"): "BANKNIFTY",
    ("NSE", "NIFTYFINANCIALSERVICES"): "FINNIFTY",
    ("NSE", "NIFTYFINSERVICE"): "FINNIFTY",
    ("NSE", "NIFTYMIDCAPSELECT"): "MIDCPNIFTY",
    ("NSE", "NIFTYMIDSELECT"): "MIDCPNIFTY",
    ("NSE", "NIFTYNEXT50"): "NIFTYNXT50",
    ("NSE", "INDIAVIX"): "INDIAVIX",
    ("BSE", "BANKEX"): "BANKEX",
    ("BSE", "SENSEX"): "SENSEX",
    ("BSE", "SENSEX50"): "SENSEX50",
    ("BSE", "SNSX50"): "SENSEX50",
}
"""Index rows by exchange and display name in capitals without spaces."""
_BFO_PRODUCTS: Final = {
    "BSX": "SENSEX",
    "BKX": "BANKEX",
    "SX50": "SENSEX50",
    "SENSEX": "SENSEX",
    "BANKEX": "BANKEX",
    "SENSEX50": "SENSEX50",
}
"""BFO's Symbol column holds product codes such as BSXOPT; these are what is left of them without OPT or FUT."""
_INDEX_KINDS: Final = frozenset({"OPTIDX", "FUTIDX"})
_STOCK_KINDS: Final = frozenset({"OPTSTK", "FUTSTK"})
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_RIGHTS: Final = {"CE": Right.CALL, "PE": Right.PUT}
_FUTURE: Final = frozenset({"XX", ""})


@dataclass(slots=True)
class ShoonyaMaster:
    """One day's contracts, found by our name and by Shoonya's. ``strange`` counts rows that were left out."""

    day: date
    listed: list[Listed]
    strange: int = 0
    _names: dict[str, Listed] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], Listed] = field(default_factory=dict)
    _symbols: dict[tuple[str, str], Listed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.listed:
            self._names[row.instrument.name] = row
            self._tokens[row.segment, row.token] = row
            self._symbols[row.segment, row.symbol] = row

    def rows(self) -> Sequence[Listed]:
        return self.listed

    def of(self, contract: str) -> Listed | None:
        return self._names.get(contract)

    def at(self, segment: str, token: str) -> Listed | None:
        return self._tokens.get((segment, token))

    def named(self, segment: str, symbol: str) -> Listed | None:
        found = self._symbols.get((segment, symbol))
        return found or self._symbols.get((segment, symbol.replace("%26", "&")))


def unpack(packed: bytes, name: str) -> str:
    """The CSV in a zip. Raises Refusal(MASTER_BAD)."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = [each for each in archive.infolist() if each.filename.lower().endswith((".txt", ".csv"))]
            if len(entries) != 1 or entries[0].file_size > LARGEST:
                raise Refusal("MASTER_BAD", f"Shoonya's {name} file is not one table; try again later.")
            return archive.read(entries[0]).decode("utf-8", "replace")
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as broken:
        raise Refusal("MASTER_BAD", f"Shoonya's {name} file is no readable zip; try again later.") from broken


def read_master(texts: Mapping[str, str], day: date, almanac: Almanac, evidence: Evidence) -> ShoonyaMaster:
    """The contracts of all files. Raises Refusal(MASTER_BAD) when one is not what it should be."""
    found: dict[str, Listed] = {}
    strange = 0
    for name in FILES:
        table = _Table(name, day, almanac, evidence)
        for listed in table.read(texts[name]):
            twin = found.setdefault(listed.instrument.name, listed)
            if twin is not listed:
                evidence("BAD_ROW", f"{listed.instrument.name} is listed twice.", f"{twin.symbol} {listed.symbol}")
        strange += table.bad
        if table.bad > table.seen * MOST_BAD:
            raise Refusal(
                "MASTER_BAD", f"{table.bad} of {table.seen} rows of Shoonya's {name} file cannot be read; try later."
            )
    return ShoonyaMaster(day, list(found.values()), strange)


def check(master: ShoonyaMaster, sentinels: Sequence[str], before: ShoonyaMaster | None) -> None:
    """Refuse a file that lacks what must be there or has changed too much. Raises Refusal(MASTER_BAD)."""
    contracts = (row.instrument for row in master.listed)
    alive = {each.underlying for each in contracts if each.right and each.expiry and each.expiry >= master.day}
    for name in sentinels:
        index = master.of(name)
        if index is None or index.instrument.tradable or name not in alive:
            raise Refusal("MASTER_BAD", f"Shoonya's files lack the index or living options of {name}; try again later.")
    if before is not None and before.day != master.day:
        was, now = len(before.listed), len(master.listed)
        if abs(now - was) > was * MOST_CHANGE:
            raise Refusal("MASTER_BAD", f"Shoonya's files list {now} contracts after {was} the day before; look at it.")


class _Table:
    """One file being read. ``seen`` rows had content, ``bad`` of them could not be read."""

    def __init__(self, name: str, day: date, almanac: Almanac, evidence: Evidence) -> None:
        self._name = name
        self._day = day
        self._almanac = almanac
        self._evidence = evidence
        self._expiries: dict[str, date] = {}
        self._lasts: dict[tuple[str, date], datetime | None] = {}
        self._freezes: dict[str, int] = {}
        self._strangers: set[str] = set()
        self.seen = self.bad = 0

    def read(self, text: str) -> Iterator[Listed]:
        """Rows that are contracts of ours; a row without a token is a placeholder and counts for nothing."""
        read = self._index if self._name in CASH else self._contract
        for row in self._rows(text):
            if not row.get("Token") or not row.get("TradingSymbol"):
                continue
            self.seen += 1
            try:
                listed = read(row)
            except (KeyError, ValueError) as error:
                self.bad += 1
                if self.bad <= 5:
                    self._evidence("BAD_ROW", f"A row of {self._name} cannot be read: {error}.", ",".join(row.values()))
                continue
            if listed is not None:
                yield listed

    def _rows(self, text: str) -> Iterator[dict[str, str]]:
        reader = csv.reader(io.StringIO(text))
        header = [each.strip() for each in next(reader, [])]
        if "Token" not in header or "TradingSymbol" not in header:
            raise Refusal("MASTER_BAD", f"Shoonya's {self._name} file has no column Token or TradingSymbol.")
        for values in reader:
            # the comma at the end of every line makes one column without a name
            yield {name: value.strip() for name, value in zip(header, values, strict=False) if name}

    def _index(self, row: Mapping[str, str]) -> Listed | None:
        """An index of the cash segment; shares are not ours."""
        key = (self._name, row["Token"])
        title = "".join(row["TradingSymbol"].upper().split())
        name = _INDEX_TOKENS.get(key)
        if name is None and row.get("Instrument", "").upper() in ("INDEX", "UNDIND"):
            name = _INDEX_TITLES.get((self._name, title))
        if name is None:
            return None
        instrument = Instrument(
            name=name,
            underlying=name,
            exchange=EXCHANGES[self._name],
            kind=Kind.INDEX,
            lot=1,
            tick=self._almanac.index_tick(name),
            freeze=0,
        )
        return Listed(instrument=instrument, segment=self._name, symbol=row["TradingSymbol"], token=row["Token"])

    def _contract(self, row: Mapping[str, str]) -> Listed | None:
        """An option or future. Raises KeyError, ValueError."""
        kind = row["Instrument"].upper()
        if kind not in _INDEX_KINDS and not (kind in _STOCK_KINDS and self._name == "NFO"):
            return None  # a share's contract on BFO would bear the name of NFO's
        underlying = self._underlying(row["Symbol"].upper())
        if not underlying:
            return None
        expiry = self._expiry(row["Expiry"])
        last_trade = self._last_trade(underlying, expiry)
        if expiry < self._day or last_trade is None:
            return None  # what is over, and what nobody knows the hours of
        option = row["OptionType"].upper()
        if kind.startswith("OPT"):
            right: Right | None = _RIGHTS[option]
            strike: int | None = paise(row.get("StrikePrice") or row["Strike"])
        elif option in _FUTURE:
            right = strike = None
        else:
            raise ValueError(f"{option} is neither an option nor a future")
        lot, tick = units(row["LotSize"]), paise(row["TickSize"])
        if lot <= 0 or tick <= 0 or (strike is not None and strike <= 0):
            raise ValueError("its lot, tick or strike is not above nought")
        instrument = Instrument(
            name=contract_name(underlying, expiry, strike, right),
            underlying=underlying,
            exchange=EXCHANGES[self._name],
            kind=Kind.OPTION if right else Kind.FUTURE,
            lot=lot,
            tick=tick,
            freeze=self._freeze(underlying),
            expiry=expiry,
            strike=strike,
            right=right,
            last_trade=last_trade,
        )
        return Listed(instrument=instrument, segment=self._name, symbol=row["TradingSymbol"], token=row["Token"])

    def _underlying(self, symbol: str) -> str:
        if self._name != "BFO":
            return symbol
        code = symbol.removesuffix("OPT").removesuffix("FUT")
        if code not in _BFO_PRODUCTS and code not in self._strangers:
            self._strangers.add(code)
            self._evidence("UNKNOWN_PRODUCT_CODE", f"{display(symbol, 40)} is a product code of BSE new to us.", symbol)
        return _BFO_PRODUCTS.get(code, "")

    def _expiry(self, text: str) -> date:
        known = self._expiries.get(text)
        if known is None:
            day, month, year = text.upper().split("-")
            known = self._expiries[text] = date(int(year), _MONTHS.index(month) + 1, int(day))
        return known

    def _last_trade(self, underlying: str, expiry: date) -> datetime | None:
        key = (underlying, expiry)
        if key not in self._lasts:
            self._lasts[key] = self._almanac.last_trade(underlying, expiry)
        return self._lasts[key]

    def _freeze(self, underlying: str) -> int:
        """Units, nought where nobody knows: the engine then refuses entries."""
        if underlying not in self._freezes:
            self._freezes[underlying] = self._almanac.freeze(underlying) or 0
        return self._freezes[underlying]
