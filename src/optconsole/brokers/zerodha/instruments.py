"""Kite's instrument file: one CSV of everything it lists, of which we take indices and their contracts.

Symbols are looked up, never put together; the file's own columns say what a contract is. What it leaves out, the freeze
quantity and the last trading moment, the almanac knows.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from optconsole.brokers.transport.gateway import Almanac, Listed
from optconsole.brokers.zerodha import words
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.text import display

HEADER: Final = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "last_price",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
SEGMENT_CODES: Final = {"NSE": 9, "BSE": 9, "NFO": 2, "BFO": 5}
"""The low byte of a token; indices have their own, whichever exchange they are of."""
SENTINEL: Final = "NIFTY"
"""An underlying that is listed on any day: a file without it is cut or of something else."""
MOST_CHANGE: Final = 30
"""Percent by which a day's count of contracts may differ from the day before's."""
MOST_BAD: Final = 1
"""Percent of rows that may be unreadable before the whole file is."""

Report = Callable[[str, str, str], None]
_RIGHTS: Final = {"CE": Right.CALL, "PE": Right.PUT}
_OURS: Final = (",NFO-FUT,", ",NFO-OPT,", ",BFO-FUT,", ",BFO-OPT,", ",INDICES,")


class KiteMaster:
    """The contracts of one day, found by our name, by token and by Kite's symbol."""

    def __init__(self, day: date, rows: Sequence[Listed]) -> None:
        self.day = day
        self._rows = tuple(rows)
        self._of = {row.instrument.name: row for row in rows}
        self._at = {(row.segment, row.token): row for row in rows}
        self._named = {(row.segment, row.symbol): row for row in rows}

    def rows(self) -> Sequence[Listed]:
        return self._rows

    def of(self, contract: str) -> Listed | None:
        return self._of.get(contract)

    def at(self, segment: str, token: str) -> Listed | None:
        return self._at.get((segment, token))

    def named(self, segment: str, symbol: str) -> Listed | None:
        return self._named.get((segment, symbol))

    def contract_of(self, segment: str, symbol: str) -> str:
        """Our name of what Kite calls ``symbol``; ``SEGMENT:SYMBOL`` for what is none of ours."""
        found = self._named.get((segment, symbol))
        return display(f"{segment}:{symbol}", 60) if found is None else found.instrument.name


def read_master(text: str, day: date, almanac: Almanac, report: Report, yesterday: int | None = None) -> KiteMaster:
    """The master of a day from the file's text. ``yesterday`` is how many contracts the last one had.

    Raises Refusal(MASTER_BAD) with everything that is wrong with it.
    """
    lines = iter(text.splitlines())
    header = next(lines, "").split(",")
    if tuple(header) != HEADER:
        raise Refusal("MASTER_BAD", "Zerodha's instrument file has other columns than those known; nothing is loaded.")
    rows, bad, relevant = _listed(lines, day, almanac, report)
    wrong = faults(rows, day, bad, relevant, yesterday)
    if wrong:
        raise Refusal("MASTER_BAD", f"Zerodha's instrument file of {day} is not loaded: {'; '.join(wrong)}.")
    return KiteMaster(day, rows)


def _listed(lines: Iterable[str], day: date, almanac: Almanac, report: Report) -> tuple[list[Listed], int, int]:
    """(rows of ours, how many of ours could not be read, how many there were)."""
    rows: list[Listed] = []
    bad = relevant = 0
    for line, fields in _ours(lines):
        relevant += 1
        try:
            row = _row(fields, day, almanac)
        except (ValueError, InvalidOperation) as wrong:
            bad += 1
            if bad <= 3:
                report(
                    "BAD_ROW", f"A row of the instrument file cannot be read: {display(str(wrong), 100)}.", line[:200]
                )
            continue
        if row is not None:
            rows.append(row)
    return rows, bad, relevant


def _ours(lines: Iterable[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The lines of segments we trade, split; of the hundred thousand the rest is not even looked into."""
    for line in lines:
        if any(mark in line for mark in _OURS):
            fields = next(csv.reader((line,)), [])
            yield line, dict(zip(HEADER, fields, strict=False)) if len(fields) == len(HEADER) else {}


def _row(fields: Mapping[str, str], day: date, almanac: Almanac) -> Listed | None:
    """One contract or index; None for one that is not ours or has expired. Raises ValueError, InvalidOperation."""
    if not fields:
        raise ValueError(f"it has not {len(HEADER)} fields")
    segment, symbol = fields["exchange"], fields["tradingsymbol"]
    if fields["segment"] == "INDICES":
        underlying = words.INDICES.get((segment, symbol))
        if underlying is None or almanac.freeze(underlying) is None:
            return None
        return Listed(
            instrument=_index(underlying, segment, almanac),
            segment=segment,
            symbol=symbol,
            token=_token(fields, segment),
        )
    expiry = date.fromisoformat(fields["expiry"])
    underlying = fields["name"] or underlying_of(fields, expiry)
    freeze = almanac.freeze(underlying)
    if freeze is None or expiry < day:
        return None
    return Listed(
        instrument=_contract(fields, underlying, expiry, freeze, almanac),
        segment=segment,
        symbol=symbol,
        token=_token(fields, segment),
    )


def _contract(fields: Mapping[str, str], underlying: str, expiry: date, freeze: int, almanac: Almanac) -> Instrument:
    right = _RIGHTS.get(fields["instrument_type"])
    if right is None and fields["instrument_type"] != "FUT":
        raise ValueError(f"{fields['instrument_type']!r} is neither FUT, CE nor PE")
    strike = _paise(fields["strike"], "strike") if right is not None else None
    lot = int(fields["lot_size"])
    if lot <= 0:
        raise ValueError(f"its lot is {lot}")
    return Instrument(
        name=contract_name(underlying, expiry, strike, right),
        underlying=underlying,
        exchange=words.SEGMENTS[fields["exchange"]],
        kind=Kind.FUTURE if right is None else Kind.OPTION,
        lot=lot,
        tick=_paise(fields["tick_size"], "tick"),
        freeze=freeze,
        expiry=expiry,
        strike=strike,
        right=right,
        last_trade=almanac.last_trade(underlying, expiry),
    )


def _index(underlying: str, exchange: str, almanac: Almanac) -> Instrument:
    return Instrument(
        name=underlying,
        underlying=underlying,
        exchange=exchange,
        kind=Kind.INDEX,
        lot=1,
        tick=almanac.index_tick(underlying),
        freeze=0,
    )


def underlying_of(fields: Mapping[str, str], expiry: date) -> str:
    """What stands before expiry, strike and right in a symbol, which older files do not say in a column.

    The other columns say how the symbol must end, so that an underlying that ends in digits is not cut short.
    Raises ValueError.
    """
    symbol, kind = fields["tradingsymbol"], fields["instrument_type"]
    year, month = f"{expiry.year % 100:02d}", words.MONTHS[expiry.month - 1]
    if kind == "FUT":
        endings = [f"{year}{month}FUT"]
    else:
        strike = f"{Decimal(fields['strike']).normalize():f}"
        weekly = f"{year}{words.WEEKLY_MONTHS[expiry.month - 1]}{expiry.day:02d}"
        endings = [f"{year}{month}{strike}{kind}", f"{weekly}{strike}{kind}"]
    for ending in endings:
        if symbol.endswith(ending):
            return symbol.removesuffix(ending)
    raise ValueError(f"{display(symbol, 40)!r} does not end as its expiry, strike and type would have it")


def _token(fields: Mapping[str, str], segment: str) -> str:
    """The token, which is the exchange's own with the segment's code below it."""
    token, own = int(fields["instrument_token"]), int(fields["exchange_token"])
    code = 9 if fields["segment"] == "INDICES" else SEGMENT_CODES[segment]
    if not 0 < token < 2**32 or token & 0xFF != code or token >> 8 != own:
        raise ValueError(f"its token {token} does not fit the exchange's {own} in {segment}")
    return str(token)


def _paise(rupees: str, what: str) -> int:
    value = Decimal(rupees) * 100
    if not value.is_finite() or value <= 0 or value != value.to_integral_value():
        raise ValueError(f"its {what} is {display(rupees, 20)!r}")
    return int(value)


def faults(rows: Sequence[Listed], day: date, bad: int, relevant: int, yesterday: int | None) -> list[str]:
    """Why a day's instruments cannot be traded by; empty where they can. ``yesterday`` is the last file's count."""
    wrong: list[str] = []
    if bad * 100 > relevant * MOST_BAD:
        wrong.append(f"{bad} of {relevant} rows cannot be read")
    there = {row.instrument.kind for row in rows if row.instrument.underlying == SENTINEL}
    wrong += [f"it lists no {SENTINEL} {kind.value}" for kind in Kind if kind not in there]
    keys = [row.instrument.name for row in rows] + [f"token {row.segment} {row.token}" for row in rows]
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        wrong.append(f"{twice[0]} is there twice")
    if changed(len(rows), yesterday):
        wrong.append(f"it lists {len(rows)} contracts of ours where the last file had {yesterday}")
    return wrong


def changed(count: int, yesterday: int | None) -> bool:
    """Whether a day's count is so far from the day before's that one of the two files is cut or swollen."""
    return yesterday is not None and abs(count - yesterday) * 100 > yesterday * MOST_CHANGE
