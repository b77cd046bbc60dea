from __future__ import annotations

from dataclasses import replace

from optconsole.engine.model.health import BookSeen
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import BrokerPosition
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.standing import book_seen
from tests.engine.facts import START
from tests.engine.trading.bench import CALL, Bench, flatten, placed, sent_ids

KEY = f"paper/NRML/{CALL}"


class Remote(Bench):
    """An account behind a network: ``seen`` is the last reading of its book."""

    seen = BookSeen(asked=-5.0, apart={})

    @property
    def situation(self) -> Situation:
        tick = (self.now - START).total_seconds()
        return replace(super().situation, tick=tick, book=lambda _account: self.seen)

    def read(self, theirs: int) -> None:
        """The book is read now."""
        row = BrokerPosition(account="paper", contract=CALL, product=Product.NRML, qty=theirs)
        self.seen = book_seen(self.state, "paper", [row] if theirs else [], self.situation.tick)


def test_nothing_is_sent_for_a_wish_before_the_book_was_read_once_more() -> None:
    bench = Remote()
    bench.hold(130)
    assert flatten(bench) == []
    assert bench.alarms() == []
    bench.read(130)
    assert placed(bench.settle()) == [(CALL, Side.SELL, 130)]


def test_a_book_that_cannot_be_read_keeps_a_wish_for_three_seconds_at_most() -> None:
    bench = Remote()
    bench.hold(-130)
    assert flatten(bench) == []
    assert bench.settle(2.9) == []
    assert placed(bench.settle(0.1)) == [(CALL, Side.BUY, 130)]


def test_what_somebody_else_closed_is_not_closed_again_though_no_update_told_of_it() -> None:
    bench = Remote()
    bench.hold(195)
    flatten(bench)
    bench.read(65)
    effects = bench.settle()
    assert placed(effects) == [(CALL, Side.SELL, 65)]
    (closer,) = sent_ids(effects)
    bench.ack(closer)
    bench.trade(closer)
    assert bench.settle() == []  # our book still shows 130, of which the broker has none


def test_a_book_that_shows_nothing_lets_nothing_out_however_long_the_wish_waits() -> None:
    bench = Remote()
    bench.hold(-130)
    flatten(bench)
    bench.read(0)
    assert bench.settle(60) == []


def test_a_book_that_lags_behind_our_own_fills_never_makes_an_order_larger() -> None:
    bench = Remote()
    bench.hold(130)
    bench.read(390)
    bench.now = START
    assert bench.seen.apart == {KEY: 260}
    assert placed([*flatten(bench), *bench.settle(3.0)]) == [(CALL, Side.SELL, 130)]
