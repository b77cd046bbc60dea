"""Quotes with the wrong-instrument habit, static facts, search, chains, charts, the calculator."""

from __future__ import annotations

import json

import pytest

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.noren.hazards import Hazards
from tests.brokers.paper.stage import CALL, PUT
from tests.brokers.rehearsal.noren.stage import Noren
from tests.brokers.rehearsal.stage import quoted


def token(noren: Noren, name: str = CALL.name) -> str:
    symbol = noren.dialect.desk.symbols.of(name)
    assert symbol is not None
    return symbol.token


async def test_a_quote_is_one_instrument_with_its_identity_and_depth(noren: Noren) -> None:
    quote = await noren.call("GetQuotes", exch="NFO", token=token(noren))
    assert (quote["stat"], quote["exch"], quote["token"], quote["tsym"]) == (
        "Ok",
        "NFO",
        token(noren),
        "NIFTY23NOV26C25000",
    )
    assert (quote["lp"], quote["bp1"], quote["sp1"], quote["c"]) == ("100.00", "99.95", "100.05", "95.00")
    assert (quote["und_tk"], quote["sptprc"], quote["exd"], quote["strprc"]) == (
        "26000",
        "25000.00",
        "23-NOV-2026",
        "25000.00",
    )
    assert "So5" in quote
    index = await noren.call("GetQuotes", exch="NSE", token="26000")
    assert index["lp"] == "25000.00"
    assert "bp1" not in index


async def test_a_contract_without_a_quote_has_no_data(noren: Noren) -> None:
    assert (await noren.call("GetQuotes", exch="NFO", token=token(noren, PUT.name)))["emsg"] == "No Data :"
    assert "invalid input" in (await noren.call("GetQuotes", exch="NFO", token="1"))["emsg"]


async def test_a_share_of_answers_is_of_the_index_that_was_asked_before(noren: Noren) -> None:
    await noren.call("GetQuotes", exch="NSE", token="26000")
    noren.dialect.hazards = Hazards(wrong_quotes=30, paced=False)
    answers = [await noren.call("GetQuotes", exch="NFO", token=token(noren)) for _ in range(60)]
    assert {answer["stat"] for answer in answers} == {"Ok"}
    wrong = [answer for answer in answers if answer["token"] != token(noren)]
    assert {answer["token"] for answer in wrong} == {"26000"}
    assert 5 < len(wrong) < 40


async def test_security_info_has_the_freeze_quantity(noren: Noren) -> None:
    info = await noren.call("GetSecurityInfo", exch="NFO", token=token(noren))
    assert (info["frzqty"], info["ls"], info["ti"], info["optt"]) == (str(CALL.freeze), "65", "0.05", "CE")
    assert float(info["uc"]) > 95.0 > float(info["lc"])


async def test_search_finds_by_words(noren: Noren) -> None:
    found = await noren.call("SearchScrip", exch="NFO", stext="NIFTY+25000+CE")
    assert [row["tsym"] for row in found["values"]] == ["NIFTY23NOV26C25000"]
    assert "no data" in (await noren.call("SearchScrip", stext="NOTHING"))["emsg"]


async def test_a_chain_needs_a_derivative_as_its_anchor(noren: Noren) -> None:
    anchored = await noren.call("GetOptionChain", exch="NFO", tsym="NIFTY23NOV26F", strprc="25000", cnt="1")
    assert {row["tsym"] for row in anchored["values"]} == {
        "NIFTY23NOV26C25000",
        "NIFTY23NOV26P25000",
        "NIFTY23NOV26C25500",
    }
    for name in ("NIFTY", "Nifty 50", "NIFTY INDEX"):
        answer = await noren.call("GetOptionChain", exch="NFO", tsym=name, strprc="25000", cnt="1")
        assert "Invalid Trading Symbol" in answer["emsg"]


async def test_candles_come_newest_first_and_days_as_json_within_strings(noren: Noren, market: Market) -> None:
    for price in (101_00, 99_00, 103_00):
        await market.advance(60)
        quoted(market, CALL, price)
    now = market.now().timestamp()
    rows = await noren.call("TPSeries", exch="NFO", token=token(noren), st=str(now - 3600), et=str(now), intrv="1")
    assert [row["intc"] for row in rows] == ["103.00", "99.00", "101.00", "100.00"]
    longer = await noren.call("TPSeries", exch="NFO", token=token(noren), st=str(now - 3600), intrv="15")
    assert [(row["into"], row["inth"], row["intl"], row["intc"]) for row in longer] == [
        ("100.00", "103.00", "99.00", "103.00")
    ]
    days = await noren.call("EODChartData", sym="NFO:NIFTY23NOV26C25000", **{"from": str(now - 86_400), "to": str(now)})
    assert [json.loads(day)["time"] for day in days] == ["18-NOV-2026"]
    assert "no data" in (await noren.call("TPSeries", exch="NFO", token=token(noren), st="0", et="1"))["emsg"]


@pytest.mark.parametrize("interval", ["D", "7", "-1"])
async def test_there_is_no_other_interval(noren: Noren, interval: str) -> None:
    answer = await noren.call("TPSeries", exch="NFO", token=token(noren), st="0", intrv=interval)
    assert answer["stat"] == "Not_Ok"


async def test_the_calculator_keeps_put_call_parity(noren: Noren) -> None:
    figures = {"strprc": "25000", "sptprc": "25000", "int_rate": "0", "volatility": "12", "optt": "CE"}
    answer = await noren.call("GetOptionGreek", exd="23-NOV-2026", **figures)
    assert float(answer["cal_price"]) == pytest.approx(float(answer["put_price"]), abs=1e-3)
    assert float(answer["cal_delta"]) - float(answer["put_delta"]) == pytest.approx(1.0, abs=1e-5)
    assert answer.keys() >= {f"{side}_{name}" for side in ("cal", "put") for name in ("gamma", "theta", "rho", "vego")}
