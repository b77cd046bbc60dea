"""The worst case of strategies before their entry and of runs under way."""

from __future__ import annotations

import pytest

from optconsole.engine import events as ev
from optconsole.engine.model.limits import Level, Limit, LimitKind
from optconsole.engine.model.previews import Ledger
from optconsole.engine.rules.limits import day_profit
from optconsole.engine.trading.previews.ledgers import run_ledger
from optconsole.engine.trading.previews.still import stand_still
from optconsole.engine.trading.previews.views import outlook
from tests.engine.trading.previews.previews import HEAD, condor, looked, only, scene_of, straddle
from tests.engine.trading.runs.stage import Stage, name, strategy

AGAIN = 'stop = "25%"\non_stop = "execute x2"'


def planned(stage: Stage, *args: object, **more: object) -> Ledger:
    worst = only(looked(stage, *args, **more))[1].worst  # type: ignore[arg-type]
    assert worst is not None
    return worst


def test_a_planned_straddle_loses_both_stops_and_every_reentry() -> None:
    worst = planned(Stage(), straddle(leg=AGAIN))
    assert worst.open_stops == 2 * 65 * 25_00
    assert worst.reentries == 4 * 65 * 25_00
    assert worst.gap is not None
    assert worst.gap > 0
    assert worst.total == -(6 * 65 * 25_00) - worst.gap


def test_a_stop_on_the_underlying_is_taken_paisa_for_paisa() -> None:
    worst = planned(Stage(), straddle(leg='stop = "60 underlying"'))
    assert worst.open_stops == 2 * 65 * 60_00


def test_a_condor_without_stops_loses_no_more_than_its_wings() -> None:
    view, share, _ = only(looked(Stage(), condor()))
    assert share.worst is not None
    assert view.picture is not None
    assert (share.worst.open_stops, share.worst.endless) == (view.picture.max_loss, ())


def test_a_straddle_without_stops_has_no_end_but_its_overall_stop() -> None:
    assert planned(Stage(), straddle(leg="")).endless == ("ce", "pe")
    written = strategy(HEAD + '\nstop = "3000"', ce="sell CE", pe="sell PE")
    worst = planned(Stage(), written)
    assert worst.capped == 3_000_00
    assert worst.gap is not None
    assert worst.total == -3_000_00 - worst.gap


def test_limits_of_loss_stand_beside_it_less_what_is_lost_today() -> None:
    stage = Stage()
    stage.tell(
        ev.LimitSet(limit=Limit(level=Level.ACCOUNT, name="paper", kind=LimitKind.MAX_LOSS, value=50_000_00)),
    )
    worst = planned(stage, straddle(), max_loss=10_000_00)
    assert [(each.name, each.allowed) for each in worst.limits] == [
        ("max loss of basket day", 10_000_00),
        ("max loss of account paper", 50_000_00),
    ]
    assert worst.limits[0].left == 10_000_00 + (worst.total or 0)


def test_what_was_lost_today_is_gone_from_a_limit_already() -> None:
    stage = Stage()
    stage.start(straddle(leg=""))
    stage.to("09:20:00")
    stage.price(name(24500, "CE"), 150)
    limit = Limit(level=Level.ACCOUNT, name="paper", kind=LimitKind.MAX_LOSS, value=50_000_00)
    stage.tell(ev.LimitSet(limit=limit))
    lost, _ = day_profit(stage.state, Level.ACCOUNT, "paper", stage.situation.price)
    assert lost is not None
    assert lost < -65 * 49_00
    (row,) = planned(stage, straddle()).limits
    assert row.allowed == 50_000_00 + lost


def entered(leg: str = AGAIN) -> Stage:
    stage = Stage()
    stage.start(straddle(leg=leg))
    stage.to("09:20:00")
    return stage


def ledger(stage: Stage) -> Ledger:
    return run_ledger(stand_still(scene_of(stage)), stage.run())


def test_an_open_run_counts_from_its_prices_now_to_its_stops() -> None:
    stage = entered()
    entry = stage.run().legs["ce"].entry
    assert entry is not None
    stage.price(name(24500, "CE"), 110)
    worst = ledger(stage)
    stops = {leg.id: leg.levels.leg.stop for leg in stage.run().legs.values() if leg.levels is not None}
    assert worst.open_stops == 65 * ((stops["ce"] or 0) - 110_00) + 65 * ((stops["pe"] or 0) - 100_00)
    assert worst.mtm == 65 * (2 * entry - 110_00 - 100_00)
    assert worst.reentries == pytest.approx(4 * 65 * 0.25 * entry, abs=4 * 65 * 5)


def test_a_reentry_that_was_taken_is_no_longer_to_come() -> None:
    stage = entered()
    before = ledger(stage)
    stage.price(name(24500, "CE"), 130)
    stage.settle(1.0)
    assert stage.run().watch.counters.after_stop == {"ce": 1}
    after = ledger(stage)
    assert (after.reentries or 0) < (before.reentries or 0)
    assert (after.mtm or 0) < (before.mtm or 0)


@pytest.mark.parametrize("stop", ["", '\nstop = "30%"'])
def test_a_run_that_waits_for_its_time_counts_as_entered_now(stop: str) -> None:
    stage, written = Stage(), straddle(HEAD + stop, leg=AGAIN)
    stage.start(written)
    waiting = ledger(stage)
    assert waiting.total == planned(stage, written).total
    assert (waiting.capped is not None) == bool(stop)


def test_an_outlook_draws_what_is_held_and_leaves_closed_legs_out() -> None:
    stage = entered('stop = "25%"')
    both = outlook(scene_of(stage), stage.run(), None)
    assert both.picture is not None
    assert both.picture.endless_loss
    stage.price(name(24500, "CE"), 130)
    put = outlook(scene_of(stage), stage.run(), None)
    assert put.picture is not None
    assert not put.picture.endless_loss  # the sold put alone
    stage.to("15:15:00")
    gone = outlook(scene_of(stage), stage.run(), None)
    assert gone.picture is None
    assert (gone.worst.open_stops, gone.worst.gap) == (0, 0)
