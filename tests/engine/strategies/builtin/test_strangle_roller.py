"""The strangle whose deltas are kept near one another, in a run."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from optconsole.engine.strategies.builtin import StrangleRoller
from tests.engine.trading.runs.registered import HEAD, RegisteredStage, registered


def strangle(**params: object) -> RegisteredStage:
    stage = RegisteredStage(StrangleRoller)
    stage.start(registered(StrangleRoller, HEAD, **{"delta": 40, "drift": 15, "stop": 500, **params}))
    stage.to("09:20:00")
    return stage


def sides(stage: RegisteredStage) -> dict[str, str]:
    """The contract sold on each side."""
    return {held.split()[1]: held.split()[0] for held in stage.held()}


def test_both_sides_are_sold_and_stay_while_their_deltas_agree() -> None:
    stage = strangle()
    before = stage.held()
    assert sorted(before.values()) == [-65, -65]
    stage.minutes("09:21:00", "09:22:00")
    assert stage.held() == before


def test_a_side_that_has_fallen_behind_is_sold_again_nearer_and_never_three_legs_at_once() -> None:
    stage = strangle()
    before = sides(stage)
    stage.market(2_465_000)
    stage.to("09:21:00")
    assert sides(stage) == {"CE": before["CE"]}
    stage.to("09:22:00")
    after = sides(stage)
    assert after["CE"] == before["CE"]
    assert int(after["PE"]) > int(before["PE"])
    assert stage.run().legs["pe-next"].entries == 1


def test_it_moves_no_more_sides_than_it_may() -> None:
    stage = strangle(rolls=0)
    before = stage.held()
    stage.market(2_465_000)
    stage.minutes("09:21:00", "09:22:00")
    assert stage.held() == before


def test_a_drift_that_would_never_rest_is_refused() -> None:
    with pytest.raises(ValidationError, match="would move a side at every turn"):
        StrangleRoller.Params(delta=40, drift=10)
