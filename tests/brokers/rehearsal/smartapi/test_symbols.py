"""Names of contracts and rows of the master, and what a subscription counts for."""

from __future__ import annotations

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.rehearsal.smartapi.packets import StreamMode
from optconsole.brokers.rehearsal.smartapi.strangers import ROWS
from optconsole.brokers.rehearsal.smartapi.subscriptions import MOST_PAIRS, Subscriptions
from optconsole.brokers.rehearsal.smartapi.symbols import INDEX_TOKENS, master, master_row, scrips
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from tests.brokers.rehearsal.smartapi.trader import subscribing


def an_option(underlying: str, exchange: str, expiry: date, strike: int) -> Instrument:
    return Instrument(
        name=contract_name(underlying, expiry, strike, Right.PUT),
        underlying=underlying,
        exchange=exchange,
        kind=Kind.OPTION,
        lot=20,
        tick=5,
        freeze=1000,
        expiry=expiry,
        strike=strike,
        right=Right.PUT,
    )


def test_each_exchange_has_its_own_coding_of_an_expiry() -> None:
    listed = [
        an_option("NIFTY", "NSE", date(2026, 11, 24), 25_000_00),
        an_option("NIFTY", "NSE", date(2026, 12, 1), 25_000_50),
        an_option("SENSEX", "BSE", date(2026, 10, 1), 80_000_00),
        an_option("SENSEX", "BSE", date(2026, 11, 19), 80_000_00),
        an_option("SENSEX", "BSE", date(2026, 11, 26), 80_000_00),
        an_option("SENSEX", "BSE", date(2026, 10, 29), 80_000_00),
    ]
    found = scrips(listed, {item.name: "40000" for item in listed})
    assert [(scrip.segment, scrip.symbol) for scrip in found] == [
        ("NFO", "NIFTY24NOV2625000PE"),
        ("NFO", "NIFTY01DEC2625000.5PE"),
        ("BFO", "SENSEX26O0180000PE"),
        ("BFO", "SENSEX26N1980000PE"),
        ("BFO", "SENSEX26NOV80000PE"),
        ("BFO", "SENSEX26OCT80000PE"),
    ]


def test_an_index_keeps_the_token_it_really_has() -> None:
    vix = Instrument(name="INDIAVIX", underlying="INDIAVIX", exchange="NSE", kind=Kind.INDEX, lot=1, tick=5, freeze=1)
    (scrip,) = scrips([vix], {})
    row = master_row(scrip)
    assert (row["token"], row["symbol"], row["name"]) == (INDEX_TOKENS["INDIAVIX"], "India VIX", "INDIA VIX")
    assert (row["instrumenttype"], row["strike"], row["tick_size"]) == ("AMXIDX", "0.000000", "0.000000")
    assert msgspec.json.decode(master([scrip], ROWS)) == [*ROWS, row]


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([1, 2, 3]), st.integers(0, 9)), max_size=40))
def test_a_subscription_counts_its_pairs_once(asked: list[tuple[int, int, int]]) -> None:
    wishes, model = Subscriptions(), set()
    for action, mode, token in asked:
        new, error = wishes.ask(subscribing(mode, str(token), action=action))
        assert error == ""
        assert bool(new) == (action == 1 and (mode, token) not in model)
        (model.add if action else model.discard)((mode, token))
        assert wishes.count == len(model)
    for token in range(10):
        modes = {StreamMode(mode) for mode, each in model if each == token}
        assert wishes.modes(2, str(token)) == modes


def test_a_refused_subscription_changes_nothing() -> None:
    wishes = Subscriptions()
    tokens = [str(number) for number in range(MOST_PAIRS + 1)]
    said = {"action": 1, "params": {"mode": 1, "tokenList": [{"exchangeType": 2, "tokens": tokens}]}}
    new, error = wishes.ask(msgspec.json.encode(said).decode())
    assert (new, wishes.count, wishes.tokens()) == ([], 0, [])
    assert "E1002" in error


def test_a_book_of_twenty_is_for_fifty_shares() -> None:
    wishes = Subscriptions()
    tokens = [str(number) for number in range(51)]
    said = {"action": 1, "params": {"mode": 4, "tokenList": [{"exchangeType": 1, "tokens": tokens}]}}
    assert "E1002" in wishes.ask(msgspec.json.encode(said).decode())[1]
    assert wishes.ask(subscribing(4, "3045", segment=1)) == ([(StreamMode.DEPTH20, 1, "3045")], "")
