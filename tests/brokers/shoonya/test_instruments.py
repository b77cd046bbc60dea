from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import msgspec
import pytest

from optconsole.brokers.shoonya.instruments import ShoonyaMaster, check, read_master, unpack
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, Right, parse_contract
from tests.brokers.shoonya.stage import (
    BFO_ROWS,
    CALL,
    DAY,
    FILES_TEXT,
    HEAD,
    NFO_ROWS,
    SENSEX_CALL,
    Almanac,
    Desk,
    master,
)


def test_contracts_are_found_by_every_name() -> None:
    found = master()
    call = found.of(CALL)
    assert call is not None
    assert found.at("NFO", "58662") is call
    assert found.named("NFO", "NIFTY24NOV26C25000") is call
    assert found.at("BFO", "58662") is None
    future = found.of("NIFTY 24NOV26 FUT")
    assert future is not None
    assert (future.instrument.kind, future.instrument.strike, future.instrument.tick) == (Kind.FUTURE, None, 10)


def test_indices_come_from_the_cash_files() -> None:
    found = master()
    for name, segment, token in (("NIFTY", "NSE", "26000"), ("BANKNIFTY", "NSE", "26009"), ("SENSEX", "BSE", "1")):
        row = found.of(name)
        assert row is not None
        assert (row.segment, row.token, row.instrument.tradable) == (segment, token, False)
    assert found.at("NSE", "22") is None


def test_every_name_is_canonical_and_every_contract_whole() -> None:
    for row in master().rows():
        assert str(parse_contract(row.instrument.name)) == row.instrument.name
        if row.instrument.tradable:
            assert row.instrument.last_trade is not None
            assert row.instrument.last_trade.utcoffset() is not None


def test_a_name_with_an_ampersand_is_found_in_both_spellings() -> None:
    found = master()
    row = found.named("NFO", "M&M24NOV26C3000")
    assert row is not None
    assert found.named("NFO", "M%26M24NOV26C3000") is row
    assert row.instrument.name == "M&M 24NOV26 3000 CE"


def test_product_codes_of_bse_are_indices_and_sensex_50_is_not_sensex() -> None:
    rows = (
        BFO_ROWS
        + "BFO,837932,25,SX50OPT,SENSEX5026NOV27600PE,26-NOV-2026,OPTIDX,PE,27600,0.05,\n"
        + "BFO,837933,30,BKXOPT,BANKEX26NOV65000CE,26-NOV-2026,OPTIDX,CE,65000,0.05,\n"
        + "BFO,837934,20,BSXFUT,SENSEX26NOVFUT,26-NOV-2026,FUTIDX,XX,0,0.05,\n"
    )
    found = master(BFO=HEAD + rows)
    assert found.at("BFO", "837932").instrument.name == "SENSEX50 26NOV26 27600 PE"
    assert found.at("BFO", "837933").instrument.underlying == "BANKEX"
    assert found.at("BFO", "837934").instrument.name == "SENSEX 26NOV26 FUT"


def test_a_product_code_that_is_new_is_told_once_and_left_out() -> None:
    desk = Desk()
    rows = "".join(
        f"BFO,9000{number},10,ZZXOPT,ZZX26NOV{number}CE,26-NOV-2026,OPTIDX,CE,{number}00,0.05,\n" for number in (1, 2)
    )
    found = master(desk, BFO=HEAD + BFO_ROWS + rows)
    assert found.at("BFO", "90001") is None
    assert desk.kinds() == ["UNKNOWN_PRODUCT_CODE"]


def test_the_ninth_column_may_be_called_strike() -> None:
    found = master(BFO=HEAD.replace("StrikePrice", "Strike") + BFO_ROWS)
    assert found.of(SENSEX_CALL) is not None


def test_placeholders_count_for_nothing_and_a_broken_row_is_left_out() -> None:
    desk = Desk()
    many = "".join(
        f"NFO,{80000 + n},65,NIFTY,NIFTY01DEC26C{20000 + 50 * n},01-DEC-2026,OPTIDX,CE,{20000 + 50 * n},0.05,\n"
        for n in range(200)
    )
    found = master(desk, NFO=HEAD + NFO_ROWS + many + "NFO,99999,,NIFTY,BROKEN,24-NOV-2026,OPTIDX,CE,1,0.05,\n")
    assert found.strange == 1
    assert desk.kinds() == ["BAD_ROW"]
    assert found.at("NFO", "99999") is None


@pytest.mark.parametrize(
    "text",
    ["", "<html>502</html>", FILES_TEXT["NFO"].replace("24-NOV-2026", "soon"), NFO_ROWS],
)
def test_a_file_that_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        master(NFO=text)
    assert refused.value.code == "MASTER_BAD"


def test_what_must_be_there_is_missed() -> None:
    check(master(), ("NIFTY", "SENSEX"), None)
    with pytest.raises(Refusal, match="FINNIFTY"):
        check(master(), ("FINNIFTY",), None)
    with pytest.raises(Refusal, match="NIFTY"):
        check(master(NFO=HEAD), ("NIFTY",), None)
    dead = master()
    dead.day = DAY + timedelta(days=30)
    with pytest.raises(Refusal, match="NIFTY"):
        check(dead, ("NIFTY",), None)


def test_a_list_that_shrank_by_more_than_three_tenths_is_refused() -> None:
    before = master()
    less = ShoonyaMaster(DAY + timedelta(days=1), before.listed[: len(before.listed) // 2])
    with pytest.raises(Refusal, match="the day before"):
        check(less, (), before)
    check(ShoonyaMaster(DAY + timedelta(days=1), before.listed), (), before)


def test_what_is_over_and_what_nobody_knows_the_hours_of_is_left_out() -> None:
    over = NFO_ROWS.splitlines(keepends=True)[0].replace("58662", "50000").replace("24-NOV-2026", "23-NOV-2026")
    assert master(NFO=HEAD + NFO_ROWS + over).at("NFO", "50000") is None
    known = Almanac()
    known.last_trade = lambda underlying, expiry: None  # type: ignore[method-assign]
    assert [row.instrument.kind for row in read_master(FILES_TEXT, DAY, known, Desk()).rows()] == [Kind.INDEX] * 3


def test_a_contract_listed_twice_keeps_its_first_row_and_is_told() -> None:
    desk = Desk()
    found = master(desk, NFO=HEAD + NFO_ROWS + NFO_ROWS.splitlines(keepends=True)[0].replace("58662", "58999"))
    assert found.of(CALL) is not None
    assert found.of(CALL).token == "58662"
    assert desk.kinds() == ["BAD_ROW"]


def packed(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.txt", text)
    return out.getvalue()


def test_a_file_comes_in_a_zip() -> None:
    assert unpack(packed(NFO_symbols="a,b,\n"), "NFO") == "a,b,\n"


@pytest.mark.parametrize("content", [b"", b"<html>", packed(a="1", b="2"), packed(), packed(a="1")[:-10]])
def test_what_is_no_zip_with_one_file_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        unpack(content, "NFO")
    assert refused.value.code == "MASTER_BAD"


def test_puts_and_calls_are_not_mixed_up() -> None:
    put = master().named("NFO", "NIFTY24NOV26P25000")
    assert put is not None
    assert put.instrument.right is Right.PUT
    assert msgspec.json.decode(msgspec.json.encode(put))["token"] == "58663"
