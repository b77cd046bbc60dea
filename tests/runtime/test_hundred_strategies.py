"""A hundred strategies due in the same second on the practice market, in the whole engine."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import RunStatus
from optconsole.engine.requests import A_SECOND, Urgency
from optconsole.options import RunOptions
from optconsole.runtime.house import open_house
from tests.runtime.conftest import Trader
from tests.runtime.many import hundred

SENT = 14
"""Orders waited for: more than two seconds of the rate budget, and the first to sell."""


async def test_all_are_decided_in_their_second_and_leave_hedges_first_at_the_pace_of_the_budget(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("[paper]\ncapital = 1000000000\n", encoding="utf-8")
    # its time stands still between two quotes, so that no busy machine makes anything late
    house = await open_house(RunOptions(home=home, seed=7, start_at="09:19:55", speed=0.0, hold=True))
    try:
        engine = house.engine
        assert (await engine.submit(cmd.SaveBasket(id="save", actor="test", basket=hundred()))).ok
        active = cmd.SetBasketStatus(id="start", actor="test", name="hundred", status=BasketStatus.ACTIVE)
        assert (await engine.submit(active)).ok
        house.feed.resume(0.0)
        pace: list[int] = []

        def enough() -> bool:
            pace.append(engine.orders_last_second())
            return sum(bool(order.broker_id) for order in engine.state.orders.values()) >= SENT

        await Trader(house).until(enough, seconds=120)
        facts = await engine.world.journal.read(limit=5_000)
        runs = engine.state.runs.values()
        # nobody waits a minute for the rest of four hundred orders
        await engine.submit(cmd.EngageKill(id="kill", actor="test", why="seen enough"))
    finally:
        await house.stop("test over")

    begun = {
        fact.event.run_id: fact
        for fact in facts
        if isinstance(fact.event, ev.RunMoved)
        and fact.event.status is RunStatus.ENTERING
        and fact.event.lag_ms is not None
    }
    assert len(begun) == len(runs) == 100
    assert all(fact.event.lag_ms < 1_000 for fact in begun.values())
    assert all(f"{fact.at:%H:%M:%S}" == "09:20:00" for fact in begun.values())
    chosen = [fact for fact in facts if isinstance(fact.event, ev.LegMoved) and fact.event.what == "chosen"]
    assert len(chosen) == 400
    assert all(fact.event.leg.contract and fact.event.why for fact in chosen)
    first_order = next(fact.seq for fact in facts if isinstance(fact.event, ev.OrderIntended))
    assert max(fact.seq for fact in (*begun.values(), *chosen)) < first_order
    assert not any(isinstance(fact.event, ev.OrderDenied) for fact in facts)

    filled: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, ev.OrderIntended] = {}
    for fact in facts:
        match fact.event:
            case ev.OrderIntended(order_id=name, terms=terms):
                asked[name] = fact.event
                run, leg = terms.source.rsplit("/", 1)
                if terms.side is Side.SELL:
                    assert filled[run] >= {"hc", "hp"}, f"{leg} of {run} left before its hedges were filled"
            case ev.OrderFilled(order_id=name):
                run, leg = asked[name].terms.source.rsplit("/", 1)
                filled[run].add(leg)
    assert sum(terms.terms.side is Side.SELL for terms in asked.values()) >= 2
    assert 0 < max(pace) <= A_SECOND[Urgency.ENTRY]
