"""A run goes on from the journal alone: wherever it is cut, the story ends the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine.model.runs import Run
from tests.engine.trading.runs.stage import Stage, name, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'
CE, PE, WING = name(24500, "CE"), name(24500, "PE"), name(24600, "CE")
Deed = Callable[[Stage], object]


def at(clock: str) -> Deed:
    return lambda stage: stage.to(clock)


def price(contract: str, rupees: float) -> Deed:
    def deed(stage: Stage) -> None:
        stage.settle(2)
        stage.price(contract, rupees)

    return deed


def fills(dry: set[str]) -> Deed:
    def deed(stage: Stage) -> None:
        stage.dry = dry
        stage.settle(1)

    return deed


STORIES: dict[str, tuple[str, dict[str, str], list[Deed]]] = {
    "stops, costs and re-entries": (
        'move_to_cost = "other-right"\n',
        {
            "ce": 'sell CE stop = "20"; on_stop = "cost x2"',
            "pe": 'sell PE stop = "20"; on_stop = "execute x1 after 30s"',
        },
        [
            at("09:20:00"),
            price(PE, 90),
            price(CE, 121),
            price(PE, 101),
            at("09:25:00"),
            price(CE, 99),
            price(CE, 125),
            at("15:15:00"),
        ],
    ),
    "a trail to its end": (
        "",
        {"ce": 'sell CE stop = "30"; trail = "5/5"', "pe": 'sell PE stop = "90%"; target = "50"'},
        [at("09:20:00"), price(CE, 90), price(CE, 80), price(CE, 95), price(CE, 116), price(PE, 49), at("15:15:00")],
    ),
    "hedges that fill late": (
        "",
        {"ce": 'sell CE lots = 2; stop = "20"', "wing": 'buy CE strike = "24600"; lots = 2; hedges = ["ce"]'},
        [fills({WING}), at("09:20:00"), fills(set()), price(CE, 110), at("15:15:00")],
    ),
    "waits, a lock and another cycle": (
        'lock = "2000: 1000"\nstop = "1300"\non_stop = "run x1"\n',
        {"ce": 'sell CE wait = "-5"', "pe": "sell PE"},
        [
            at("09:20:00"),
            price(CE, 94),
            price(PE, 120),
            price(PE, 121),
            price(CE, 85),
            price(CE, 70),
            price(CE, 88),
            at("15:15:00"),
        ],
    ),
    "profits by rungs": (
        'ladder = ["1000: 50%"]\n',
        {"ce": 'sell CE lots = 2; stop = "90%"', "pe": "sell PE lots = 2"},
        [at("09:20:00"), fills({CE}), price(CE, 88), fills(set()), price(PE, 60), at("15:15:00")],
    ),
    "a range, broken": (
        'range = "09:20-09:30"\n',
        {"ce": 'sell CE breakout = "low"; stop = "range"', "pe": 'sell PE breakout = "high"; stop = "20"'},
        [
            at("09:20:00"),
            price("NIFTY", 24_540),
            price("NIFTY", 24_480),
            at("09:30:00"),
            price("NIFTY", 24_470),
            price("NIFTY", 24_541),
            at("15:15:00"),
        ],
    ),
    "a signal and a level": (
        'level = "above 24600"\napprove_within = 600\n',
        {"ce": 'sell CE strike = "24500"; stop = "25%"'},
        [
            at("09:20:00"),
            price("NIFTY", 24_500),
            price("NIFTY", 24_600),
            lambda stage: stage.steer("R1", cmd.RunAction.APPROVE),
            price(CE, 130),
            at("15:15:00"),
        ],
    ),
    "a night between": (
        'holding = "overnight"\n',
        {"ce": 'sell CE stop = "20"; on_stop = "cost x1"', "pe": 'sell PE stop = "20"; watch = "minute-close"'},
        [
            at("09:20:00"),
            price(CE, 121),
            lambda stage: stage.next_day(date(2026, 11, 26)),
            at("09:17:00"),
            price(CE, 99),
            at("15:15:00"),
        ],
    ),
}


def told(story: str, cut: int | None = None) -> Stage:
    """The story, with the engine started anew before its ``cut``th deed; at every deed for -1."""
    head, legs, deeds = STORIES[story]
    stage = Stage()
    stage.start(strategy(HEAD + head, **legs))
    for place, deed in enumerate(deeds):
        if cut in (place, -1):
            stage.restart()
        deed(stage)
    return stage


def outcome(stage: Stage) -> tuple[object, ...]:
    """What a restart may not change: what was traded, what each run and leg came to."""
    runs = [
        (run.status, run.code, run.watch.counters, run.watch.floor.level, run.watch.cycle, legs(run))
        for run in stage.state.runs.values()
    ]
    trades = sorted(stage.sent())
    return runs, trades, stage.held(), [stage.state.positions[key].realised for key in sorted(stage.state.positions)]


def legs(run: Run) -> list[tuple[object, ...]]:
    return [(leg.stage, leg.code, leg.entries, leg.entry, leg.contract) for leg in run.legs.values()]


CUTS = [(story, cut) for story, (_, _, deeds) in STORIES.items() for cut in range(len(deeds))]


@pytest.mark.parametrize(("story", "cut"), CUTS, ids=[f"{story} {cut}" for story, cut in CUTS])
def test_a_run_goes_on_where_it_was_cut(story: str, cut: int) -> None:
    assert outcome(told(story, cut)) == outcome(whole(story))


@pytest.mark.parametrize("story", STORIES)
def test_a_run_goes_on_though_the_engine_starts_anew_all_the_time(story: str) -> None:
    assert outcome(told(story, -1)) == outcome(whole(story))


@pytest.mark.parametrize("story", STORIES)
def test_every_fact_of_a_story_comes_back_from_the_journal_as_it_was(story: str) -> None:
    stage = whole(story)
    known = len(stage.facts)
    stage.restart()
    assert len(stage.facts) == known
    assert not [order for order in stage.working() if order.terms.source], "nothing works once all is over"
    for fact in stage.facts:
        assert msgspec.json.decode(msgspec.json.encode(fact.event))


_WHOLE: dict[str, Stage] = {}


def whole(story: str) -> Stage:
    """The story without a cut, told once."""
    if story not in _WHOLE:
        _WHOLE[story] = told(story)
    return _WHOLE[story]
