"""The scrip master: one JSON array of all exchanges, read row by row, its strikes and price steps in paise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from optconsole.brokers.angelone.words import EXCHANGES
from optconsole.brokers.transport.gateway import Almanac, Listed
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name

OPTIONS: Final = "OPTIDX"
FUTURES: Final = "FUTIDX"
INDEX: Final = "AMXIDX"
VOLATILITY: Final = "INDIAVIX"
"""An index without contracts that is kept all the same."""
MOST_BAD: Final = 0.01
"""The part of the rows of our segments that may be unreadable before the file counts as damaged."""
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WANTED: Final = (b'"NFO"', b'"BFO"', b'"AMXIDX"')


class ScripRow(msgspec.Struct, frozen=True, gc=False):
    """A row as it is written; all text."""

    token: str
    symbol: str
    name: str
    expiry: str
    strike: str
    lotsize: str
    instrumenttype: str
    exch_seg: str
    tick_size: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of a file: ``others`` are of segments, kinds and underlyings that are not kept."""

    rows: int
    kept: int
    others: int
    expired: int
    bad: int


class AngelMaster:
    """The contracts of one day by our name, by token within a segment, and by the broker's symbol."""

    def __init__(self, day: date, rows: Sequence[Listed], counts: Counts) -> None:
        self.day = day
        self.counts = counts
        self._rows = tuple(rows)
        self._by_name = {row.instrument.name: row for row in self._rows}
        self._by_token = {(row.segment, row.token): row for row in self._rows}
        self._by_symbol = {(row.segment, row.symbol): row for row in self._rows}

    def rows(self) -> Sequence[Listed]:
        return self._rows

    def of(self, contract: str) -> Listed | None:
        return self._by_name.get(contract)

    def at(self, segment: str, token: str) -> Listed | None:
        return self._by_token.get((segment, token))

    def named(self, segment: str, symbol: str) -> Listed | None:
        return self._by_symbol.get((segment, symbol))

    def find(self, segment: str, token: str, symbol: str) -> Listed | None:
        """By token where a row of a book has one, else by symbol."""
        return self.at(segment, token) if token else self.named(segment, symbol)


def read_master(body: bytes, day: date, almanac: Almanac, sentinels: Collection[str]) -> AngelMaster:
    """Read the whole file as of ``day``. Raises Refusal(MASTER_BAD) for one that cannot be a whole day's.

    Rows stay raw until one of our segments shows in them: nine tenths of the file are not read any further.
    """
    try:
        raw = msgspec.json.decode(body, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        raise _bad("it is no list of contracts in JSON; it broke off, or is a page for people") from None
    reader = _Reader(day, almanac)
    for row in raw:
        reader.take(bytes(row))
    master = reader.master(len(raw))
    _require_whole(master, sentinels)
    return master


class _Reader:
    """Collects the rows that are kept and counts the others."""

    def __init__(self, day: date, almanac: Almanac) -> None:
        self._day = day
        self._almanac = almanac
        self._decoder = msgspec.json.Decoder(ScripRow)
        self._found: dict[str, Listed] = {}
        self._tokens: set[tuple[str, str]] = set()
        self._others = self._expired = self._bad = 0

    def take(self, raw: bytes) -> None:
        if not any(mark in raw for mark in _WANTED):
            self._others += 1
            return
        try:
            row = self._decoder.decode(raw)
            if row.instrumenttype == INDEX:
                self._index(row)
            elif row.instrumenttype in (OPTIONS, FUTURES):
                self._contract(row)
            else:
                self._others += 1
        except (msgspec.DecodeError, ValueError):
            self._bad += 1

    def _index(self, row: ScripRow) -> None:
        """Most of a hundred indices have no contracts, and are not kept."""
        name = row.name.upper()
        name = VOLATILITY if name == "INDIA VIX" else name
        if name != VOLATILITY and self._almanac.freeze(name) is None:
            self._others += 1
            return
        if row.exch_seg not in ("NSE", "BSE") or not row.token:
            raise ValueError("an index of no exchange")
        instrument = Instrument(
            name=name,
            underlying=name,
            exchange=row.exch_seg,
            kind=Kind.INDEX,
            lot=1,
            tick=self._almanac.index_tick(name),
            freeze=0,
        )
        self._keep(Listed(instrument=instrument, segment=row.exch_seg, symbol=row.symbol, token=row.token))

    def _contract(self, row: ScripRow) -> None:
        """Of indices alone: what is known of no underlying's largest order cannot be traded here."""
        freeze = self._almanac.freeze(row.name)
        if freeze is None:
            self._others += 1
            return
        expiry = expiry_of(row.expiry)
        if row.exch_seg not in ("NFO", "BFO") or not row.token.isascii() or not row.token or not row.symbol:
            raise ValueError("a contract of no segment or without a token")
        if expiry < self._day:
            self._expired += 1
            return
        right = Right(row.symbol[-2:]) if row.instrumenttype == OPTIONS else None
        strike = whole(row.strike) if right else None
        lot, tick = whole(row.lotsize), whole(row.tick_size)
        if lot <= 0 or tick <= 0 or (strike is not None and strike <= 0):
            raise ValueError("a contract without lot, step or strike")
        instrument = Instrument(
            name=contract_name(row.name, expiry, strike, right),
            underlying=row.name,
            exchange=EXCHANGES[row.exch_seg],
            kind=Kind.FUTURE if right is None else Kind.OPTION,
            lot=lot,
            tick=tick,
            freeze=freeze,
            expiry=expiry,
            strike=strike,
            right=right,
            last_trade=self._almanac.last_trade(row.name, expiry),
        )
        self._keep(Listed(instrument=instrument, segment=row.exch_seg, symbol=row.symbol, token=row.token))

    def _keep(self, listed: Listed) -> None:
        name = listed.instrument.name
        if name in self._found or (listed.segment, listed.token) in self._tokens:
            raise ValueError("a contract or a token that is there twice")
        self._tokens.add((listed.segment, listed.token))
        self._found[name] = listed

    def master(self, rows: int) -> AngelMaster:
        counts = Counts(rows, len(self._found), self._others, self._expired, self._bad)
        return AngelMaster(self._day, list(self._found.values()), counts)


def _require_whole(master: AngelMaster, sentinels: Collection[str]) -> None:
    counts = master.counts
    ours = counts.kept + counts.expired + counts.bad
    if counts.bad > MOST_BAD * ours:
        raise _bad(f"{counts.bad} of {ours} contracts in it cannot be read")
    options = {row.instrument.underlying for row in master.rows() if row.instrument.kind is Kind.OPTION}
    for name in sentinels:
        index = master.of(name)
        if index is None or name not in options:
            raise _bad(f"it lists {'no options' if index else 'no index'} of {name} for {master.day:%d %b %Y}")


def _bad(why: str) -> Refusal:
    return Refusal(
        "MASTER_BAD", f"Angel One's instrument file is not taken: {why}. Yesterday's stays; download it again later."
    )


@lru_cache(maxsize=512)
def expiry_of(text: str) -> date:
    """``24NOV2026``. Raises ValueError."""
    if len(text) != 9 or text[2:5] not in MONTHS:
        raise ValueError(f"{text!r} is no expiry")
    return date(int(text[5:]), MONTHS.index(text[2:5]) + 1, int(text[:2]))


@lru_cache(maxsize=4096)
def whole(text: str) -> int:
    """``2500000.000000`` as a whole number. Raises ValueError for one that is not."""
    figure, _, rest = text.partition(".")
    if rest.strip("0"):
        raise ValueError(f"{text!r} is not whole")
    return int(figure)
