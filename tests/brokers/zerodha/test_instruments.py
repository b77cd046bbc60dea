"""The instrument file: what is taken of it, the traps of its symbols, and the files that are refused whole."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.zerodha.instruments import HEADER, KiteMaster, changed, read_master, underlying_of
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, Right
from optconsole.engine.model.timeline import IST
from tests.brokers.zerodha.samples import CALL, DAY, INDEX, Notes

FREEZES = {"NIFTY": 1800, "SENSEX": 1000, "SENSEX50": 500, "NIFTYNXT50": 600}


class Facts:
    """An almanac of a few indices."""

    def freeze(self, underlying: str) -> int | None:
        return FREEZES.get(underlying)

    def last_trade(self, _underlying: str, expiry: date) -> datetime | None:
        return datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST)

    def index_tick(self, _underlying: str) -> int:
        return 1


def line(
    own: int,
    symbol: str,
    name: str = "NIFTY",
    expiry: str = "2026-12-01",
    strike: str = "25000",
    kind: str = "CE",
    segment: str = "NFO-OPT",
    tick: str = "0.05",
    lot: str = "65",
    code: int = 2,
) -> str:
    exchange = segment.split("-")[0]
    return f"{own * 256 + code},{own},{symbol},{name},0.0,{expiry},{strike},{tick},{lot},{kind},{segment},{exchange}"


NIFTY = f"{1001 * 256 + 9},1001,NIFTY 50,NIFTY 50,0.0,,0.0,0.0,0,EQ,INDICES,NSE"
SENSEX = "265,1,SENSEX,SENSEX,0.0,,0.0,0.0,0,EQ,INDICES,BSE"
CALL_LINE = line(58662, "NIFTY26D0125000CE")
PUT_LINE = line(58663, "NIFTY26D0125000PE", kind="PE")
FUTURE = line(58664, "NIFTY26NOVFUT", expiry="2026-11-24", strike="0", kind="FUT", segment="NFO-FUT", tick="0.1")
SHARE = "738561,2885,RELIANCE,RELIANCE INDUSTRIES,0.0,,0.0,0.05,1,EQ,NSE,NSE"
SHARE_OPTION = line(70001, "RELIANCE26NOV1400CE", name="RELIANCE", strike="1400", lot="500")
BSE_OPTION = line(900, "SENSEX26D0380000PE", "SENSEX", "2026-12-03", "80000", "PE", "BFO-OPT", lot="20", code=5)
USUAL = [SHARE, NIFTY, SENSEX, CALL_LINE, PUT_LINE, FUTURE, SHARE_OPTION, BSE_OPTION]


def file_of(*lines: str) -> str:
    return "\n".join([",".join(HEADER), *lines]) + "\n"


def read(*lines: str, yesterday: int | None = None) -> tuple[KiteMaster, Notes]:
    notes = Notes()
    return read_master(file_of(*lines), DAY, Facts(), notes, yesterday), notes


def test_indices_and_their_contracts_are_taken_under_our_names() -> None:
    master, notes = read(*USUAL)
    assert [row.instrument.name for row in master.rows()] == [
        "NIFTY",
        "SENSEX",
        "NIFTY 01DEC26 25000 CE",
        "NIFTY 01DEC26 25000 PE",
        "NIFTY 24NOV26 FUT",
        "SENSEX 03DEC26 80000 PE",
    ]
    assert notes.rows == []


def test_a_contract_is_whole_and_found_by_name_token_and_symbol() -> None:
    master, _ = read(*USUAL)
    row = master.of(CALL.name)
    assert row is not None
    assert row.instrument == CALL
    assert (row.segment, row.symbol, row.token) == ("NFO", "NIFTY26D0125000CE", "15017474")
    assert master.at("NFO", "15017474") is row
    assert master.at("BFO", "15017474") is None
    assert master.named("NFO", "NIFTY26D0125000CE") is row
    assert master.contract_of("NFO", "NIFTY26D0125000CE") == CALL.name
    assert master.contract_of("NSE", "RELIANCE") == "NSE:RELIANCE"
    index = master.at("NSE", "256265")
    assert index is not None
    assert index.instrument == INDEX
    future = master.of("NIFTY 24NOV26 FUT")
    assert future is not None
    assert (future.instrument.kind, future.instrument.tick, future.instrument.strike) == (Kind.FUTURE, 10, None)
    bse = master.of("SENSEX 03DEC26 80000 PE")
    assert bse is not None
    assert (bse.instrument.exchange, bse.instrument.right, bse.instrument.lot) == ("BSE", Right.PUT, 20)


@pytest.mark.parametrize(
    ("symbol", "expiry", "strike", "kind", "underlying"),
    [
        ("NIFTY26NOV25000CE", "2026-11-24", "25000.0", "CE", "NIFTY"),
        ("NIFTY26D0125000CE", "2026-12-01", "25000", "CE", "NIFTY"),
        ("SENSEX26O0177700CE", "2026-10-01", "77700", "CE", "SENSEX"),
        ("SENSEX5026MAY27600PE", "2026-05-28", "27600", "PE", "SENSEX50"),
        ("NIFTYNXT5026NOV70000CE", "2026-11-24", "70000", "CE", "NIFTYNXT50"),
        ("NIFTY26NOVFUT", "2026-11-24", "0", "FUT", "NIFTY"),
        ("M&M26NOV3112.5CE", "2026-11-24", "3112.50", "CE", "M&M"),
        ("BAJAJ-AUTO26NOV9000PE", "2026-11-24", "9000", "PE", "BAJAJ-AUTO"),
    ],
)
def test_an_underlying_the_file_does_not_name_is_what_the_other_columns_leave_of_the_symbol(
    symbol: str, expiry: str, strike: str, kind: str, underlying: str
) -> None:
    fields = {"tradingsymbol": symbol, "strike": strike, "instrument_type": kind}
    assert underlying_of(fields, date.fromisoformat(expiry)) == underlying


def test_a_file_without_underlyings_names_gives_the_same_contracts() -> None:
    bare = [each.replace(",NIFTY,0.0,", ",,0.0,").replace(",SENSEX,0.0,2", ",,0.0,2") for each in USUAL]
    assert read(*bare)[0].rows() == read(*USUAL)[0].rows()


def test_what_has_expired_is_left_out() -> None:
    old = line(1, "NIFTY26N1725000CE", expiry="2026-11-17")
    assert read(*USUAL, old)[0].of("NIFTY 17NOV26 25000 CE") is None


BAD_LINES = {
    "a lot of nothing": line(2, "NIFTY26D0125100CE", strike="25100", lot="0"),
    "no strike": line(2, "NIFTY26D010CE", strike="0.0"),
    "no tick": line(2, "NIFTY26D0125100CE", strike="25100", tick="0"),
    "a token of another segment": line(2, "NIFTY26D0125100CE", strike="25100", code=5),
    "no expiry": line(2, "NIFTY26D0125100CE", strike="25100", expiry=""),
    "a missing column": CALL_LINE.replace(",CE,", ","),
    "a type nobody knows": line(2, "NIFTY26D0125100XX", strike="25100", kind="XX"),
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_row_is_told_and_left_out_while_most_can_be_read(bad: str) -> None:
    many = [line(1000 + n, f"NIFTY26D01{20_000 + n}CE", strike=str(20_000 + n)) for n in range(120)]
    master, notes = read(*USUAL, *many, bad)
    assert len(master.rows()) == 126
    assert notes.kinds == ["BAD_ROW"]
    with pytest.raises(Refusal, match="cannot be read") as refused:
        read(*USUAL, bad)
    assert refused.value.code == "MASTER_BAD"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "lists no NIFTY INDEX"),
        ([NIFTY, FUTURE], "lists no NIFTY OPT"),
        ([NIFTY, CALL_LINE], "lists no NIFTY FUT"),
        ([CALL_LINE, FUTURE], "lists no NIFTY INDEX"),
        ([*USUAL, line(5, "NIFTY26D0125000CE")], "NIFTY 01DEC26 25000 CE is there twice"),
        ([*USUAL, line(58662, "NIFTY26D0126000CE", strike="26000")], "token NFO 15017474 is there twice"),
    ],
)
def test_a_file_that_misses_what_is_always_there_or_says_something_twice_is_refused(lines: list[str], why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        read(*lines)
    assert refused.value.code == "MASTER_BAD"


def test_another_header_or_a_page_of_html_is_refused() -> None:
    for text in ("", "<html>\n</html>", file_of(*USUAL).replace("strike", "strike_price", 1)):
        with pytest.raises(Refusal, match="other columns"):
            read_master(text, DAY, Facts(), Notes())


def test_a_file_of_yesterday_has_nothing_left_of_what_expired() -> None:
    with pytest.raises(Refusal, match="MASTER_BAD"):
        read_master(file_of(*USUAL), date(2027, 1, 1), Facts(), Notes())


@pytest.mark.parametrize(
    ("yesterday", "loaded"), [(None, True), (6, True), (8, True), (5, True), (9, False), (4, False)]
)
def test_a_count_far_from_yesterdays_is_refused(yesterday: int | None, loaded: bool) -> None:
    if loaded:
        assert len(read(*USUAL, yesterday=yesterday)[0].rows()) == 6
    else:
        with pytest.raises(Refusal, match="where the last file had"):
            read(*USUAL, yesterday=yesterday)


@given(st.integers(1, 10**6), st.integers(0, 2 * 10**6))
def test_thirty_percent_either_way_is_the_bound(yesterday: int, count: int) -> None:
    assert changed(count, yesterday) == (count * 10 < yesterday * 7 or count * 10 > yesterday * 13)


@given(st.text(alphabet='NIFTY0123456789,.-CEPUO\nINDICES"', max_size=300))
def test_no_text_makes_the_reader_fail_otherwise_than_by_refusing(noise: str) -> None:
    with pytest.raises(Refusal):
        read_master(file_of(noise), DAY, Facts(), Notes())
