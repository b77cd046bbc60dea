"""What holds of a run whatever prices come, whatever fills, and however often the engine starts anew."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.model.runs import LegStage, Run
from tests.engine.trading.runs.stage import Stage, name, strategy

CE, PE, WING = name(24500, "CE"), name(24500, "PE"), name(24600, "CE")
RICH = """entry = "09:20"
exit = "15:15"
move_to_cost = "other-right"
stop = "6000"
on_stop = "run x1 after 20s"
ladder = ["1500: 50%"]
patience = 4
retries = 1
on_failure = "ratio"
"""
LEGS = {
    "ce": 'sell CE lots = 2; stop = "20"; trail = "5/5"; on_stop = "cost x1"',
    "pe": 'sell PE lots = 2; stop = "25%"; target = "40"; on_target = "execute x1"',
    "wing": 'buy CE strike = "24600"; lots = 2; hedges = ["ce"]',
}
Deed = tuple[str, str, int]
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.sampled_from([CE, PE, WING]), st.integers(40, 160)),
        st.tuples(st.just("dry"), st.sampled_from([CE, PE, WING, ""]), st.just(0)),
        st.tuples(st.just("restart"), st.just(""), st.just(0)),
        st.tuples(st.just("time"), st.just(""), st.integers(1, 90)),
    ),
    max_size=14,
)


def carry_out(stage: Stage, deed: Deed) -> None:
    what, contract, number = deed
    match what:
        case "price":
            stage.settle(2)
            stage.price(contract, number)
        case "dry":
            stage.dry = {contract}
            stage.settle(1)
        case "restart":
            stage.restart()
            stage.settle(1)
        case _:
            stage.settle(number)


def guarded(stage: Stage, run: Run) -> bool:
    """Whether every open leg with a stop of its own price has a guard of its size and side."""
    guards = {each.source: each for each in stage.state.protections.values()}
    return all(
        run.source(leg.id) in guards
        for leg in run.legs.values()
        if leg.stage is LegStage.OPEN and leg.levels is not None and leg.levels.leg.stop is not None
    )


@settings(max_examples=25, deadline=None)
@given(deeds)
def test_a_run_never_holds_more_than_it_says_is_guarded_all_the_time_and_ends_flat(story: list[Deed]) -> None:
    stage = Stage()
    stage.start(strategy(RICH, **LEGS))
    stage.to("09:20:00")
    for deed in story:
        carry_out(stage, deed)
        run = stage.run()
        assert guarded(stage, run)
        assert all(abs(units) <= 2 * 65 for units in stage.held().values())
        assert run.watch.cycle <= 2
        assert run.watch.counters.used("ce", target=False) <= 1
    stage.dry = set()
    stage.settle(30)
    stage.to("15:15:00")
    for _ in range(6):
        stage.settle(20)
    assert stage.held() == {}
    assert stage.run().status.over
    assert stage.working() == []
    assert not stage.state.flattening


@settings(max_examples=20, deadline=None)
@given(deeds, st.integers(1, 3), st.integers(1, 3))
def test_runs_that_oppose_each_other_each_hold_their_own_and_leave_nothing(
    story: list[Deed], first: int, second: int
) -> None:
    stage = Stage()
    head = 'entry = "09:20"\nexit = "15:15"\non_failure = "hold"\n'
    seller = strategy(head, ce=f'sell CE lots = {first}; stop = "20"; trail = "5/5"; on_stop = "cost x1"')
    buyer = strategy(head, ce=f'buy CE lots = {second}; stop = "25"; target = "30"; on_target = "execute x1"')
    stage.start(msgspec.structs.replace(seller, name="seller"), msgspec.structs.replace(buyer, name="buyer"))
    stage.to("09:20:00")
    for deed in story:
        carry_out(stage, deed)
        for key, position in stage.state.positions.items():
            parts = stage.state.books.get(key, ())
            assert not parts or sum(part.held.qty for part in parts) == position.qty
            sold = sum(part.held.qty for part in parts if part.source.startswith("day/seller"))
            bought = sum(part.held.qty for part in parts if part.source.startswith("day/buyer"))
            assert -65 * first <= sold <= 0
            assert 0 <= bought <= 65 * second
    stage.dry = set()
    stage.settle(30)
    stage.to("15:15:00")
    for _ in range(8):
        stage.settle(20)
    assert stage.held() == {}
    assert all(not part.held.qty for parts in stage.state.books.values() for part in parts)
    assert all(run.status.over for run in stage.state.runs.values())
    assert stage.working() == []
