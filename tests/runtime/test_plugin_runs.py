"""A registered strategy in a whole engine: from the file in the folder to orders on the paper exchange."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine.commands import Reply, SaveBasket, SetBasketStatus
from optconsole.engine.model.baskets import Basket, BasketStatus
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.engine.strategies.files import read_basket
from optconsole.runtime.house import House
from tests.runtime.conftest import Open, Trader, codes_told

SELLER = """
from optconsole.engine.strategies.plugin import *

class Seller(Plugin):
    name = "seller"
    every = 1
    class Params(Parameters):
        looks: int = 1
        fails: bool = False
    def entry(self, view, memory):
        sold = {"side": "sell", "right": "CE", "stop": "200%"}
        return Legs([{"id": "ce", **sold}, {"id": "later", **sold, "right": "PE", "lazy": True}])
    def look(self, view, memory):
        memory["looks"] = memory.get("looks", 0) + 1
        if memory["looks"] == self.params.looks:
            if self.params.fails:
                while True:
                    pass
            return [EnterLeg(leg="later")]
        return [ExitAll(why="seen enough")] if memory["looks"] > self.params.looks + 2 else []
"""
BASKET = """
format = 1
[basket]
name = "own"
[[account]]
name = "paper"
[[strategy]]
name = "mine"
underlying = "NIFTY"
entry = "10:00:03"
exit = "{exit}"
plugin = "{plugin}"
params = {{ {params} }}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one strategy of the trader's own."""
    home = tmp_path / "home"
    (home / "strategies").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / "strategies" / "seller.py").write_text(SELLER)
    patient(home, 10_000)
    return home


def patient(home: Path, milliseconds: int) -> None:
    """Let an answer take so long: the machine may be busy with other tests."""
    (home / "config.toml").write_text(f"[strategies]\nanswer_ms = {milliseconds}\n")


async def save(house: House, params: str = "", plugin: str = "seller", leave: str = "15:15") -> Reply:
    basket, faults = read_basket(BASKET.format(params=params, plugin=plugin, exit=leave))
    assert isinstance(basket, Basket), faults
    return await house.engine.submit(SaveBasket(id=f"save{params}{plugin}", actor="test", basket=basket))


async def start(house: House, params: str = "", leave: str = "15:15") -> Trader:
    saved = await save(house, params, leave=leave)
    assert saved.ok, saved.text
    await house.engine.submit(SetBasketStatus(id="start", actor="test", name="own", status=BasketStatus.ACTIVE))
    trader = Trader(house)
    await trader.until(lambda: "R1" in house.engine.state.runs)
    return trader


def run_of(house: House) -> Run:
    return house.engine.state.runs["R1"]


async def test_a_strategy_of_the_folder_sells_enters_its_lazy_leg_and_ends_its_run(opened: Open) -> None:
    house = await opened(start_at="10:00")
    trader = await start(house, "looks = 2")
    await trader.until(lambda: run_of(house).status is RunStatus.CLOSED)
    run = run_of(house)
    assert (run.code, [leg.entries for leg in run.legs.values()]) == ("PLUGIN", [1, 1])
    assert "seen enough" in run.text
    assert not any(each.qty for each in house.engine.state.positions.values())
    assert (await house.engine.verify()).ok


async def test_one_that_loops_for_ever_is_switched_off_and_its_run_leaves_at_its_time(opened: Open, home: Path) -> None:
    patient(home, 2_000)
    house = await opened(start_at="10:00")
    trader = await start(house, "fails = true", leave="10:00:10")
    await trader.until(lambda: bool(run_of(house).watch.plugin.down))
    assert run_of(house).watch.plugin.down == "TOO_SLOW"
    assert "STRATEGY_FAILED" in codes_told(house)
    assert any(each.qty for each in house.engine.state.positions.values())
    await trader.until(lambda: run_of(house).status is RunStatus.CLOSED)
    assert run_of(house).code == "TIME"


async def test_parameters_are_refused_when_saved_with_the_name_of_their_field(opened: Open) -> None:
    house = await opened(start_at="10:00")
    wrong = await save(house, 'looks = "many"')
    assert (wrong.ok, wrong.code) == (False, "LINT")
    assert wrong.text.startswith("strategies[0].params.looks: ")
    unknown = await save(house, plugin="nobody")
    assert unknown.text.startswith("strategies[0].plugin: No strategy is registered as 'nobody'")


async def test_a_restart_hands_the_memory_back_and_goes_on(opened: Open) -> None:
    house = await opened(start_at="10:00")
    trader = await start(house, "looks = 4")
    await trader.until(lambda: '"looks"' in run_of(house).watch.plugin.memory)
    await house.stop("again")
    again = await opened()
    trader = Trader(again)
    await trader.until(lambda: run_of(again).legs["later"].entries == 1)
    assert '"looks"' in run_of(again).watch.plugin.memory
