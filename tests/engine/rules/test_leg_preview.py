"""What changed rules would mean for an open leg."""

from __future__ import annotations

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.leg_rules import Trail, TrailKind, Watch
from optconsole.engine.model.orders import Side
from optconsole.engine.rules.leg_preview import changed_levels, preview_leg
from optconsole.engine.rules.leg_trails import at_cost
from tests.engine.rules.leg_cases import a_fill, a_leg, of_index, opened, points, seen, through

SELL = Side.SELL
FILL = a_fill(SELL, 100, 24_500)


def test_sx10_tells_the_new_levels_of_a_leg_and_how_far_they_are() -> None:
    leg = a_leg(SELL, stop=points(30))
    told = preview_leg(opened(leg, 100), a_leg(SELL, stop=points(20), target=points(40)), FILL, seen(105))
    assert (told.levels.leg.stop, told.levels.leg.target) == (120_00, 60_00)
    assert (told.to_stop, told.to_target, told.fires, told.why) == (15_00, 45_00, None, "")


def test_sx10_a_stop_behind_the_market_would_fire_now() -> None:
    leg = a_leg(SELL, stop=points(30))
    told = preview_leg(opened(leg, 100), a_leg(SELL, stop=points(10)), FILL, seen(115))
    assert told.fires is ExitCode.LEG_SL
    assert "115.00" in told.why


def test_sx10_confirmation_does_not_hide_that_it_would_fire() -> None:
    changed = a_leg(SELL, target=points(10), watch=Watch(twice=True))
    told = preview_leg(opened(a_leg(SELL), 100), changed, FILL, seen(80))
    assert told.fires is ExitCode.LEG_TGT
    assert "confirmed" in told.why


def test_sx10_a_new_trail_counts_the_gain_so_far() -> None:
    leg = a_leg(SELL, stop=points(30))
    levels = through(opened(leg, 100), leg, 69)
    changed = a_leg(SELL, stop=points(30), trail=Trail(kind=TrailKind.STEP, every=points(10), move=points(5)))
    assert changed_levels(levels, changed, FILL).leg.stop == 115_00


def test_sx10_a_stop_moved_to_cost_stays_there() -> None:
    leg = a_leg(SELL, stop=points(30))
    levels = at_cost(opened(leg, 100), leg)
    assert changed_levels(levels, a_leg(SELL, stop=points(50)), FILL).leg.stop == 100_00


def test_sx10_a_rule_of_the_underlying_is_measured_from_the_fill() -> None:
    levels = changed_levels(opened(a_leg(SELL), 100), a_leg(SELL, stop=of_index(100)), FILL)
    assert levels.index is not None
    assert levels.index.stop == 24_600_00


def test_sx10_an_unknown_price_makes_the_distance_unknown() -> None:
    told = preview_leg(opened(a_leg(SELL), 100), a_leg(SELL, stop=points(10)), FILL, seen(None))
    assert (told.to_stop, told.fires) == (None, None)
    assert "unknown" in told.why


def test_levels_that_lacked_the_underlying_are_completed_with_its_first_price() -> None:
    leg = a_leg(SELL, stop=of_index(100), trail=Trail(kind=TrailKind.PEAK, move=points(10)))
    dark = through(opened(leg, 100), leg, 80)
    assert dark.missing
    whole = changed_levels(dark, leg, a_fill(SELL, 100, 24_510))
    assert whole.index is not None
    assert (whole.index.stop, whole.leg.stop, whole.missing) == (24_610_00, 90_00, ())
