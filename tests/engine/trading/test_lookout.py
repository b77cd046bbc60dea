from __future__ import annotations

from optconsole.engine.commands import ClearStop, SetStop
from optconsole.engine.model.orders import Product
from optconsole.engine.model.quotes import Quote
from optconsole.engine.trading.lookout import Lookout
from tests.engine.facts import CALL, PUT
from tests.engine.trading.bench import Bench


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
