"""The scrip masters: columns, blank rows, trailing commas, and names that trap a careless reader."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import msgspec
import pytest

from optconsole.brokers.rehearsal.noren.masters import text
from optconsole.brokers.rehearsal.noren.symbols import Symbols, trading_symbol
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.instruments import Instrument, Kind, Right
from tests.brokers.rehearsal.noren.stage import Noren

DAY = date(2026, 11, 18)
EXPIRY = date(2026, 11, 26)


@pytest.fixture(scope="module")
def symbols() -> Symbols:
    listed = [item for name, spot in (("NIFTY", 25_000_00), ("SENSEX", 85_000_00)) for item in listing(name, DAY, spot)]
    return Symbols(DAY, listed)


def sensex(expiry: date, strike: int | None, right: Right | None) -> Instrument:
    kind = Kind.OPTION if right else Kind.FUTURE
    return Instrument(
        name=f"SENSEX {expiry} {strike} {right}",
        underlying="SENSEX",
        exchange="BSE",
        kind=kind,
        lot=20,
        tick=5,
        freeze=1000,
        expiry=expiry,
        strike=strike,
        right=right,
    )


def test_bfo_names_a_month_s_last_expiry_by_the_month_and_others_by_the_day() -> None:
    months = {EXPIRY}
    assert trading_symbol(sensex(EXPIRY, 85_000_00, Right.CALL), months) == "SENSEX26NOV85000CE"
    assert trading_symbol(sensex(date(2026, 11, 19), 85_000_00, Right.PUT), months) == "SENSEX26N1985000PE"
    assert trading_symbol(sensex(EXPIRY, None, None), months) == "SENSEX26NOVFUT"


def test_every_line_ends_in_a_comma_and_has_its_columns(symbols: Symbols) -> None:
    for exch, columns in (("NSE", 7), ("BSE", 7), ("NFO", 10), ("BFO", 10)):
        lines = text(symbols, exch).splitlines()
        assert all(line.endswith(",") and line.count(",") == columns for line in lines)
        assert lines[0].startswith("Exchange,Token,LotSize,Symbol,TradingSymbol,")


def test_nfo_carries_blank_rows_and_names_without_ce_or_pe(symbols: Symbols) -> None:
    rows = [line.split(",") for line in text(symbols, "NFO").splitlines()[1:]]
    blank = [row for row in rows if not row[1]]
    assert len(blank) == 18
    named = {row[4]: row for row in rows if row[1]}
    row = named["NIFTY23NOV26C25000"]
    assert (row[0], row[3], row[5:10]) == ("NFO", "NIFTY", ["23-NOV-2026", "OPTIDX", "CE", "25000", "0.05"])
    assert named["NIFTY23NOV26F"][6:9] == ["FUTIDX", "XX", "0"]


def test_bfo_s_symbol_column_holds_product_codes(symbols: Symbols) -> None:
    rows = [line.split(",") for line in text(symbols, "BFO").splitlines()[1:]]
    assert {row[3] for row in rows if row[6] == "OPTIDX"} == {"BSXOPT"}
    assert text(symbols, "BFO", strike_column="Strike").splitlines()[0].split(",")[8] == "Strike"


def test_indices_have_their_real_tokens(symbols: Symbols) -> None:
    assert symbols.at("NSE", "26000").instrument.name == "NIFTY"
    assert symbols.at("BSE", "1").instrument.name == "SENSEX"


def test_every_contract_is_found_by_token_symbol_and_name(symbols: Symbols) -> None:
    for symbol in symbols.all:
        assert symbols.at(symbol.exch, symbol.token) is symbol
        assert symbols.named(symbol.exch, symbol.tsym) is symbol
        assert symbols.of(symbol.instrument.name) is symbol


def test_an_ampersand_is_found_as_it_is_and_as_clients_write_it() -> None:
    share = msgspec.structs.replace(sensex(EXPIRY, 3_000_00, Right.CALL), underlying="M&M", exchange="NSE", tick=5)
    (symbol,) = Symbols(DAY, [share]).all
    assert (symbol.tsym, symbol.instname, symbol.symname) == ("M&M26NOV26C3000", "OPTSTK", "M&M")
    for written in ("M&M26NOV26C3000", "M%26M26NOV26C3000"):
        assert Symbols(DAY, [share]).named("NFO", written) == symbol


async def test_the_files_are_zips_that_need_no_login(noren: Noren) -> None:
    answer = await noren.http.get("/NFO_symbols.txt.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["NFO_symbols.txt"]
        assert b"NIFTY23NOV26C25000" in archive.read("NFO_symbols.txt")
    assert (await noren.http.get("/NCX_symbols.txt.zip")).status_code == 404
