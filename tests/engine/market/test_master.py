"""The instrument master finds what is listed and says what is near when it is not."""

from __future__ import annotations

from datetime import date

import pytest

from optconsole.engine.market.contracts import listing
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind, Right

DAY = date(2026, 11, 22)
NEAR, NEXT, MONTH = date(2026, 11, 23), date(2026, 12, 1), date(2026, 12, 29)
MASTER = InstrumentMaster(
    listing("NIFTY", DAY, 24_500_00, strikes_each_side=5) + listing("SENSEX", DAY, 80_000_00, strikes_each_side=5)
)


def refusal(text: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        MASTER.resolve(text)
    return refused.value


@pytest.mark.parametrize(
    "text",
    ["NIFTY 23Nov 24500 CE", "NIFTY 23NOV26 24500 CE", "  nifty 23nov26  24500 ce ", "nifty 23NOV26 24500.00 Ce"],
)
def test_a_contract_resolves_whatever_its_case_and_spacing(text: str) -> None:
    found = MASTER.resolve(text)
    assert found.name == "NIFTY 23NOV26 24500 CE"
    assert found is MASTER.get("NIFTY 23NOV26 24500 CE")


def test_index_and_future_resolve_too() -> None:
    assert MASTER.resolve("sensex").kind is Kind.INDEX
    assert MASTER.resolve("NIFTY 29DEC26 FUT") is MASTER.future("NIFTY", MONTH)
    assert MASTER.index("NIFTY") is MASTER.get("NIFTY")
    assert MASTER.index("BANKNIFTY") is None
    assert MASTER.future("NIFTY", NEXT) is None


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (
            "NIFTY 25NOV26 24500 CE",
            "NOT_LISTED",
            "NIFTY 25NOV26 is not an expiry; listed: 23NOV26, 01DEC26, 08DEC26 ….",
        ),
        ("NIFTY 25Nov 24500 CE", "UNKNOWN_EXPIRY", "No expiry 25NOV is listed; there are 23NOV26, 01DEC26"),
        ("NIFTY 18NOV26 24500 CE", "EXPIRED_CONTRACT", "the nearest expiry is 23NOV26"),
        ("NIFTY 23NOV26 24525 PE", "NOT_LISTED", "the nearest strikes are 24500 and 24550"),
        ("NIFTY 23NOV26 99999 PE", "NOT_LISTED", "the nearest strikes are 24750"),
        ("NIFTY 01DEC26 FUT", "NOT_LISTED", "futures expire: 23NOV26, 29DEC26, 25JAN27"),
        ("CRUDEOIL 23NOV26 FUT", "NOT_LISTED", "listed: NIFTY, SENSEX"),
        ("CRUDEOIL", "NOT_LISTED", "listed: NIFTY, SENSEX"),
        ("NIFTY24500CE please", "BAD_CONTRACT", "write it like"),
        ("", "BAD_CONTRACT", "write it like"),
        ("NIFTY 31FEB26 24500 CE", "BAD_EXPIRY", "write it like"),
    ],
)
def test_a_refusal_says_what_would_pass(text: str, code: str, says: str) -> None:
    refused = refusal(text)
    assert refused.code == code
    assert says in refused.text


def test_a_chain_rises_and_pairs_call_and_put() -> None:
    chain = MASTER.chain("NIFTY", NEAR)
    assert [row[0] for row in chain] == [24_250_00 + 50_00 * step for step in range(11)]
    for strike, call, put in chain:
        assert call is not None
        assert put is not None
        assert (call.strike, call.right, put.strike, put.right) == (strike, Right.CALL, strike, Right.PUT)
    assert MASTER.chain("NIFTY", date(2026, 11, 24)) == []


def test_a_chain_shows_a_strike_with_one_side_only() -> None:
    lonely = MASTER.resolve("NIFTY 23NOV26 24500 PE")
    assert InstrumentMaster([lonely]).chain("NIFTY", NEAR) == [(24_500_00, None, lonely)]


def test_expiries_and_underlyings_keep_their_order() -> None:
    assert MASTER.underlyings() == ["NIFTY", "SENSEX"]
    assert MASTER.expiries("NIFTY")[:3] == [NEAR, NEXT, date(2026, 12, 8)]
    assert MASTER.expiries("BANKNIFTY") == []


def test_search_takes_words_in_any_order_and_puts_the_nearest_first() -> None:
    assert [each.name for each in MASTER.search("nifty 24500 ce", 2)] == [
        "NIFTY 23NOV26 24500 CE",
        "NIFTY 01DEC26 24500 CE",
    ]
    assert [each.name for each in MASTER.search("fut sensex", 1)] == ["SENSEX 26NOV26 FUT"]
    assert MASTER.search("nifty", 1)[0].kind is Kind.INDEX
    assert MASTER.search("  ") == []
    assert MASTER.search("nothing like it") == []
    assert len(MASTER.search("CE", 7)) == 7


def test_answers_are_the_caller_s_own() -> None:
    MASTER.expiries("NIFTY").clear()
    MASTER.chain("NIFTY", NEAR).clear()
    assert MASTER.expiries("NIFTY")
    assert MASTER.chain("NIFTY", NEAR)
