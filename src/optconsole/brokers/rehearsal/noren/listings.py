"""Answers about contracts: quotes, static facts, search, chains. Values are strings; what is not known is absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from optconsole.brokers.rehearsal.noren.frames import LEVELS
from optconsole.brokers.rehearsal.noren.frames import depth as depth_fields
from optconsole.brokers.rehearsal.noren.replies import Row
from optconsole.brokers.rehearsal.noren.rows import display_name
from optconsole.brokers.rehearsal.noren.sight import Sight
from optconsole.brokers.rehearsal.noren.symbols import Symbol, Symbols
from optconsole.brokers.rehearsal.noren.words import clock_of, day_text, money
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.timeline import from_millis

SEARCHED: Final = 50
"""Most rows of one search."""
_RENAMED: Final = {"52h": "wk52_h", "52l": "wk52_l", "ft": "lut"}
_STREAM_ONLY: Final = frozenset({"ts", "pc"})


def quote_row(sight: Sight, underlying: Symbol | None, spot: int | None) -> Row:
    """The fields of GetQuotes beside ``stat``; ``spot`` is the underlying's last price in paise."""
    symbol = sight.symbol
    fields = depth_fields(sight)
    row: Row = {
        **_static(symbol),
        **{_RENAMED.get(name, name): fields[name] for name in fields if name not in _STREAM_ONLY},
    }
    if sight.booked:
        row["ltd"] = f"{from_millis(sight.stamp):%d-%m-%Y}"
        # one published sample writes the last number of orders with a capital
        row["So5"] = row.pop(f"so{LEVELS}")
    else:
        row["ltt"] = clock_of(sight.stamp)
    if underlying is not None and underlying is not symbol:
        row |= {"und_exch": underlying.exch, "und_tk": underlying.token}
        if spot is not None:
            row["sptprc"] = money(spot)
    return row


def security_row(sight: Sight, underlying: Symbol | None) -> Row:
    """The fields of GetSecurityInfo beside ``stat``."""
    symbol = sight.symbol
    fields = depth_fields(sight)
    row: Row = {
        **_static(symbol),
        "frzqty": str(symbol.instrument.freeze),
        "prcftr_d": "(1 / 1 ) * (1 / 1)",
        "prcunt": "1",
        "trdunt": symbol.lot,
        "delunt": symbol.lot,
        "nontrd": "0" if symbol.instrument.tradable else "1",
    }
    row |= {name: fields[name] for name in ("uc", "lc") if name in fields}
    if underlying is not None and underlying is not symbol:
        row |= {"und_exch": underlying.exch, "und_tk": underlying.token}
    return row


def search(symbols: Symbols, exch: str, wanted: str) -> list[Row]:
    """Contracts whose symbol or name holds every word of ``wanted``."""
    words = wanted.upper().replace("+", " ").split()
    found: list[Row] = []
    for symbol in symbols.all:
        if exch and symbol.exch != exch:
            continue
        text = f"{symbol.tsym} {symbol.instrument.name}".upper()
        if all(word in text for word in words):
            found.append({**_brief(symbol), **_named(symbol)})
            if len(found) >= SEARCHED:
                break
    return found


def chain(symbols: Symbols, anchor: Symbol, strike: int, count: int) -> list[Row]:
    """``count`` strikes on each side of ``strike`` paise in the anchor's underlying and expiry, calls and puts."""
    wanted = anchor.instrument
    options = [
        symbol
        for symbol in symbols.listed(anchor.exch)
        if symbol.instrument.kind is Kind.OPTION
        and (symbol.instrument.underlying, symbol.instrument.expiry) == (wanted.underlying, wanted.expiry)
    ]
    strikes = sorted({symbol.instrument.strike or 0 for symbol in options})
    below = [each for each in strikes if each <= strike][-count:] if count else []
    above = [each for each in strikes if each > strike][:count]
    chosen = {*below, *above}
    return [
        {**_brief(symbol), "optt": symbol.option_type, "strprc": money(symbol.instrument.strike or 0)}
        for symbol in options
        if symbol.instrument.strike in chosen
    ]


def linked(symbols: Symbols, underlying: str) -> list[Row]:
    """Futures of an underlying."""
    futures: Iterable[Symbol] = (symbol for symbol in symbols.all if symbol.instrument.kind is Kind.FUTURE)
    return [
        {**_brief(symbol), "exd": symbol.expiry} for symbol in futures if symbol.instrument.underlying == underlying
    ]


def _brief(symbol: Symbol) -> Row:
    return {
        "exch": symbol.exch,
        "token": symbol.token,
        "tsym": symbol.tsym,
        "pp": "2",
        "ti": symbol.tick,
        "ls": symbol.lot,
    }


def _named(symbol: Symbol) -> Row:
    row: Row = {
        "instname": symbol.instname,
        "symname": symbol.symname,
        "seg": "EQT" if symbol.instrument.kind is Kind.INDEX else "DER",
        "cname": symbol.instrument.name,
        "nontrd": "0" if symbol.instrument.tradable else "1",
    }
    if symbol.instrument.kind is not Kind.INDEX:
        row |= {"exd": symbol.expiry, "dname": display_name(symbol), "optt": symbol.option_type}
        row["weekly"] = "W" if symbol.instrument.kind is Kind.OPTION else ""
    return row


def _static(symbol: Symbol) -> Row:
    row: Row = {
        **_brief(symbol),
        "cname": symbol.instrument.name,
        "symname": symbol.symname,
        "seg": "EQT" if symbol.instrument.kind is Kind.INDEX else "DER",
        "instname": symbol.instname,
        "mult": "1",
        "prcftr_d": "(1 / 1 ) * (1 / 1)",
    }
    if symbol.instrument.expiry is not None:
        row |= {"exd": day_text(symbol.instrument.expiry), "optt": symbol.option_type}
    if symbol.instrument.strike is not None:
        row["strprc"] = money(symbol.instrument.strike)
    return row
