"""The scrip master, read whole or refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from optconsole.brokers.angelone.instruments import expiry_of, read_master, whole
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, Right
from tests.brokers.angelone.stage import CALL, DAY, SCRIPS, StageAlmanac, master, scrip


def test_an_option_in_our_terms() -> None:
    found = master().of(CALL)
    assert found is not None
    option = found.instrument
    assert (found.segment, found.symbol, found.token) == ("NFO", "NIFTY24NOV2625000CE", "58662")
    assert (option.underlying, option.exchange, option.kind, option.right) == ("NIFTY", "NSE", Kind.OPTION, Right.CALL)
    assert (option.strike, option.lot, option.tick, option.freeze) == (25_000_00, 65, 5, 1800)
    assert option.expiry == date(2026, 11, 24)
    assert option.last_trade is not None


def test_a_year_and_a_strike_that_run_together_are_told_apart_by_their_own_fields() -> None:
    found = master().named("NFO", "NIFTY25JUN2723000CE")
    assert found is not None
    assert found.instrument.name == "NIFTY 25JUN27 23000 CE"


def test_equal_tokens_of_two_segments_are_two_contracts() -> None:
    names = {segment: getattr(master().at(segment, "58662"), "symbol", None) for segment in ("NFO", "BFO", "NSE")}
    assert names == {"NFO": "NIFTY24NOV2625000CE", "BFO": "SENSEX26N2680000CE", "NSE": None}


def test_indices_and_their_contracts_are_kept_and_all_else_is_counted() -> None:
    found = master()
    assert {row.instrument.name for row in found.rows()} >= {
        "NIFTY",
        "BANKNIFTY",
        "SENSEX",
        "INDIAVIX",
        "NIFTY 24NOV26 FUT",
        "SENSEX 26NOV26 80000 CE",
    }
    assert found.of("NIFTY 200") is None
    assert found.of("M&M 24NOV26 3000 CE") is None
    counts = found.counts
    assert (counts.rows, counts.kept, counts.expired, counts.others, counts.bad) == (14, 10, 1, 3, 0)
    assert counts.rows == counts.kept + counts.expired + counts.others + counts.bad


def test_an_expiry_of_today_is_listed_and_of_yesterday_not() -> None:
    assert master(day=date(2026, 11, 24)).of(CALL) is not None
    assert master(day=date(2026, 11, 25)).of(CALL) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"token": ""},
        {"symbol": ""},
        {"expiry": "24-11-2026"},
        {"expiry": "31NOV2026"},
        {"strike": "-1.000000"},
        {"strike": "1.5"},
        {"lotsize": "0"},
        {"tick_size": ""},
        {"symbol": "NIFTY24NOV2625000XX"},
        {"lotsize": 65},
        {"token": "58662"},
        {"symbol": "NIFTYAGAIN", "strike": "2500000.000000"},
        {"instrumenttype": "FUTIDX"},
    ],
)
def test_a_row_that_cannot_be_read_is_left_out_and_counted(broken: dict[str, Any]) -> None:
    rows = [*many(300), scrip("1", "NIFTY24NOV2625001CE", "NIFTY", strike="2500100.000000") | broken]
    assert master([*SCRIPS, *rows]).counts.bad == 1


def many(count: int) -> list[dict[str, str]]:
    return [
        scrip(str(90_000 + n), f"NIFTY24NOV26{26_000 + n}CE", "NIFTY", strike=f"{(26_000 + n) * 100}.000000")
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>try later</html>",
        b"{}",
        b"[]",
        b"[1, 2]",
        msgspec.json.encode(SCRIPS)[:-40],
        msgspec.json.encode([row for row in SCRIPS if row["name"] != "NIFTY"]),
        msgspec.json.encode([row for row in SCRIPS if row["instrumenttype"] != "OPTIDX"]),
        msgspec.json.encode([row for row in SCRIPS if row["instrumenttype"] != "AMXIDX"]),
        msgspec.json.encode([row | {"strike": "?"} for row in SCRIPS]),
    ],
)
def test_a_file_that_is_not_a_whole_day_s_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_master(body, DAY, StageAlmanac(), ("NIFTY",))
    assert refused.value.code == "MASTER_BAD"


def test_expiries_and_figures_as_the_file_writes_them() -> None:
    assert expiry_of("24NOV2026") == date(2026, 11, 24)
    assert (whole("2500000.000000"), whole("-1.000000"), whole("65")) == (2_500_000, -1, 65)
    for bad in ("24Nov2026", "", "4NOV2026"):
        with pytest.raises(ValueError, match=r".*"):
            expiry_of(bad)
