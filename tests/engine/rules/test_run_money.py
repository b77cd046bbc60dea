"""What a run has made, what its percents are of, and when it is looked at."""

from __future__ import annotations

import pytest

from optconsole.engine.model.overall_rules import Basis, Level, Overall
from optconsole.engine.rules.run_money import Entered, amount, mtm, premium, settled, unpriced
from tests.engine.rules.leg_cases import after, paise
from tests.engine.rules.run_cases import money, straddle

OVERALL = Overall(settle=30)


def test_mtm_is_realised_and_unrealised() -> None:
    assert mtm(straddle(90, 115, realised=paise(1_000))) == paise(1_000 + 650 - 325)


def test_net_takes_charges_off() -> None:
    facts = straddle(90, 115, charges=paise(120))
    assert mtm(facts) == paise(325)
    assert mtm(facts, net=True) == paise(205)


def test_one_unpriced_leg_makes_all_unknown() -> None:
    facts = straddle(90, None)
    assert mtm(facts) is None
    assert unpriced(facts) == ("pe",)


def test_gross_premium_adds_and_net_premium_sets_off() -> None:
    entered = (
        Entered(leg="short", sign=-1, entry=100_00, quantity=65),
        Entered(leg="wing", sign=1, entry=20_00, quantity=65),
    )
    assert premium(entered, Basis.GROSS_PREMIUM) == paise(7_800)
    assert premium(entered, Basis.NET_PREMIUM) == paise(5_200)


def test_sx2_thirty_percent_of_13650_is_4095() -> None:
    assert amount(Level(3_000, Basis.GROSS_PREMIUM), straddle(100, 110).entered) == paise(4_095)


def test_a_stop_in_percent_drops_and_a_target_counts_the_part_of_a_paisa() -> None:
    entered = (Entered(leg="a", sign=1, entry=1_05, quantity=1),)
    assert amount(Level(100, Basis.GROSS_PREMIUM), entered) == 1
    assert amount(Level(100, Basis.GROSS_PREMIUM), entered, up=True) == 2


@pytest.mark.parametrize(("seconds", "complete", "ready"), [(29, False, False), (30, False, True), (0, True, True)])
def test_a_run_is_judged_once_all_legs_are_filled_or_it_has_settled(
    seconds: float, complete: bool, ready: bool
) -> None:
    facts = straddle(100, 110, now=after(seconds), complete=complete)
    assert settled(OVERALL, facts) is ready


def test_a_run_without_a_fill_is_never_judged() -> None:
    assert not settled(OVERALL, straddle(100, 110, first_fill=None))


def test_a_closed_run_is_worth_what_it_realised() -> None:
    assert mtm(money(-250)) == paise(-250)
