"""What changed overall rules would mean, before they are accepted."""

from __future__ import annotations

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Level, Overall, ProfitLock, Rung
from optconsole.engine.model.run_state import Floor
from optconsole.engine.rules.overall_preview import preview
from tests.engine.rules.leg_cases import paise
from tests.engine.rules.run_cases import straddle


def test_sx10_tells_the_new_triggers_and_how_far_they_are() -> None:
    changed = Overall(stop=Level(paise(2_000)), target=Level(paise(3_000)))
    told = preview(changed, Floor(), straddle(110, 110))
    assert (told.mtm, told.stop, told.target) == (paise(-650), paise(-2_000), paise(3_000))
    assert (told.to_stop, told.to_target) == (paise(1_350), paise(3_650))
    assert told.fires is None
    assert told.why == ""


def test_sx10_a_stop_tighter_than_the_loss_would_fire_now() -> None:
    told = preview(Overall(stop=Level(paise(600))), Floor(), straddle(110, 110))
    assert told.fires is ExitCode.OVR_SL
    assert "-650.00" in told.why


def test_sx10_a_lock_below_the_peak_counts_at_once() -> None:
    changed = Overall(lock=ProfitLock(at=paise(2_000), keep=paise(1_000)))
    told = preview(changed, Floor(peak=paise(2_500)), straddle(90, 110))
    assert (told.stop, told.to_stop, told.fires) == (paise(1_000), paise(-350), ExitCode.LOCK)


def test_sx10_a_wider_stop_lets_go_of_the_old_floor() -> None:
    told = preview(Overall(stop=Level(paise(5_000))), Floor(level=paise(-600)), straddle(110, 110))
    assert (told.stop, told.fires) == (paise(-5_000), None)


def test_sx10_a_new_rung_below_the_money_closes_a_part() -> None:
    assert preview(Overall(ladder=(Rung(paise(100), 100),)), Floor(), straddle(90, 110)).closes_part


def test_sx10_an_unpriced_leg_makes_the_distance_unknown() -> None:
    told = preview(Overall(stop=Level(paise(600))), Floor(), straddle(110, None))
    assert (told.mtm, told.stop, told.to_stop, told.fires) == (None, paise(-600), None, None)
    assert "pe" in told.why
