from __future__ import annotations

from datetime import timedelta

from optconsole.engine.commands import ClearStop, SetStop
from optconsole.engine.model.orders import Product
from optconsole.engine.model.quotes import Quote
from optconsole.engine.trading.lookout import Lookout
from tests.engine.facts import CALL, PUT
from tests.engine.trading.bench import Bench
from tests.engine.trading.runs.stage import DAY, Stage, at_time, strategy


def quote(price: int, name: str = CALL) -> Quote:
    return Quote(name=name, ts=1, bid=price - 10, ask=price + 10, ltp=price)


def test_only_a_quote_beyond_a_level_of_its_own_contract_is_worth_a_look() -> None:
    bench, lookout = Bench(), Lookout()
    assert not lookout.crossed(bench.state, [quote(20_000)])
    bench.hold(-130)
    bench.ask(SetStop(id="s", actor="key", account="paper", product=Product.NRML, contract=CALL, stop=12_000))
    assert not lookout.crossed(bench.state, [quote(11_990), quote(20_000, PUT)])
    assert lookout.crossed(bench.state, [quote(10_000, PUT), quote(12_000)])


def test_a_quote_that_takes_a_crossing_back_is_worth_a_look_too() -> None:
    bench, lookout = Bench(), Lookout()
    bench.hold(-130)
    bench.ask(SetStop(id="s", actor="key", account="paper", product=Product.NRML, contract=CALL, stop=12_000))
    bench.settle()
    bench.quote(CALL, 12_500)
    bench.settle()
    assert lookout.crossed(bench.state, [quote(10_000)])
    bench.ask(ClearStop(id="c", actor="key", account="paper", product=Product.NRML, contract=CALL))
    assert not lookout.crossed(bench.state, [quote(20_000)])


def test_an_entry_between_two_pulses_is_looked_at_in_its_own_instant() -> None:
    stage, lookout = Stage(), Lookout()
    stage.start(strategy('entry = "09:20"\nexit = "15:15"', ce="sell CE"))
    just_before = at_time(DAY, "09:20") - timedelta(milliseconds=10)
    assert lookout.due(stage.state, just_before)
    assert not lookout.due(stage.state, just_before + timedelta(milliseconds=5))
    assert lookout.due(stage.state, at_time(DAY, "09:20"))
    assert not lookout.due(stage.state, at_time(DAY, "09:20") + timedelta(milliseconds=5))
