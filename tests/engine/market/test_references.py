"""OE-3: what a price band is measured from is the average of the trades of thirty seconds, not the last price."""

from __future__ import annotations

from datetime import timedelta

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.references import SILENT_MS, reference
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import from_millis, millis
from tests.engine.facts import CALL, EXPIRY, PUT, START

OPEN = millis(START)
assert OPEN % 30_000 == 0
FUTURE = f"NIFTY {EXPIRY:%d%b%y} FUT".upper()


class Feed:
    """A board that is told quotes second by second."""

    def __init__(self) -> None:
        self.board = QuoteBoard()
        self.volume = 0

    def quote(self, second: float, ltp: int | None, traded: bool = True, name: str = CALL, spread: int = 10) -> None:
        self.volume += 65 * traded
        bid, ask = (None, None) if ltp is None or not spread else (ltp - spread, ltp + spread)
        self.board.update(
            [
                Quote(
                    name=name,
                    ts=OPEN + int(second * 1000),
                    bid=bid,
                    bid_qty=65 if bid else 0,
                    ask=ask,
                    ask_qty=65 if ask else 0,
                    ltp=ltp,
                    volume=self.volume,
                )
            ]
        )

    def reference(self, second: float, name: str = CALL) -> int | None:
        return reference(name, START + timedelta(seconds=second), self.board.traded, self.board.get)


def traded() -> Feed:
    feed = Feed()
    feed.quote(0, 100_00, traded=False)
    for second, price in ((3, 100_00), (10, 104_00), (20, 108_00)):
        feed.quote(second, price)
    return feed


def test_it_is_the_average_of_the_trades_of_the_last_thirty_seconds_and_is_made_every_thirty() -> None:
    feed = traded()
    feed.quote(25, 108_00, traded=False)
    assert feed.reference(29) == 108_00  # nothing to average yet: the mark
    assert feed.reference(30) == 104_00
    feed.quote(40, 140_00)
    assert feed.reference(45) == 104_00
    assert feed.reference(59.9) == 104_00
    assert feed.reference(60) == 140_00


def test_it_stands_while_nothing_trades_whatever_is_quoted() -> None:
    feed = traded()
    feed.quote(50, 150_00, traded=False)
    for second in (60, 300, 900):
        assert feed.reference(second) == 104_00


def test_after_a_quarter_of_an_hour_without_a_trade_it_is_a_theoretical_price() -> None:
    feed = traded()
    feed.quote(50, 150_00, traded=False)
    silent = 20 + SILENT_MS / 1000
    assert feed.reference(silent) == 104_00
    assert feed.reference(silent + 1) == 150_00


def test_a_contract_that_nobody_quotes_is_worth_what_the_other_right_and_the_future_say() -> None:
    feed = Feed()
    feed.quote(0, 30_00, traded=False, spread=0)
    assert feed.reference(1) == 30_00
    feed.quote(0, 24_560_00, traded=False, name=FUTURE)
    feed.quote(0, 100_00, traded=False, name=PUT)
    assert feed.reference(1) == 160_00
    assert feed.reference(1, "NIFTY 01DEC26 26000 PE") is None


def test_a_source_without_volume_is_believed_when_its_price_moves() -> None:
    feed = Feed()
    for second, price in ((0, 100_00), (5, 102_00), (9, 102_00)):
        feed.board.update([Quote(name=CALL, ts=OPEN + second * 1000, ltp=price)])
    assert feed.reference(30) == 102_00
    assert from_millis(OPEN) == START
