"""The example of the guide in a run."""

from __future__ import annotations

from pathlib import Path

from optconsole.engine.model.runs import RunStatus
from optconsole.engine.strategies.registry import load
from tests.engine.trading.runs.registered import HEAD, RegisteredStage, registered
from tests.engine.trading.runs.stage import name

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "gap_fader.py"
(FADER,) = load(f"file:{EXAMPLE}")


def opened(spot: int, **params: object) -> RegisteredStage:
    stage = RegisteredStage(FADER, at="09:15:00")
    stage.start(registered(FADER, HEAD, **params))
    stage.market(spot * 100)
    stage.to("09:20:00")
    return stage


def test_it_sells_the_put_after_a_rise_and_brings_its_stop_nearer() -> None:
    stage = opened(24_600)
    assert stage.held() == {"24550 PE": -65}
    leg = stage.run().legs["short"]
    assert leg.levels is not None
    first = leg.levels.leg.stop
    stage.price(name(24550, "PE"), 60)
    stage.to("09:21:00")
    moved = stage.run().legs["short"].levels
    assert moved is not None
    assert first is not None
    assert moved.leg.stop == 8_400 < first
    assert stage.told("STRATEGY_NOTE") == ["s on paper: the stop follows to 84.00"]


def test_it_leaves_a_quiet_day_alone_and_ends_once_it_has_enough() -> None:
    quiet = opened(24_510)
    assert quiet.said(RunStatus.SKIPPED) == "STRATEGY_SKIPPED"
    good = opened(24_600, enough=500)
    good.price(name(24550, "PE"), 60)
    good.to("09:21:00")
    assert good.said(RunStatus.CLOSED) == "PLUGIN"
