"""Part of each leg is closed at rising profits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.overall_rules import Rung
from optconsole.engine.rules.profit_ladder import Cut, PartExit, next_rungs
from optconsole.engine.rules.run_money import Entered, Held, RunFacts
from tests.engine.rules.leg_cases import after

LADDER = (Rung(100_00, 25), Rung(200_00, 25), Rung(300_00, 50))


def spread(short: int, wing: int, short_left: int | None = None) -> RunFacts:
    entered = (
        Entered(leg="wing", sign=1, entry=20_00, quantity=wing * 65, lots=wing, hedges=("short",)),
        Entered(leg="short", sign=-1, entry=100_00, quantity=short * 65, lots=short),
    )
    left = {"wing": wing, "short": short if short_left is None else short_left}
    held = tuple(
        Held(leg=e.leg, sign=e.sign, entry=e.entry, quantity=left[e.leg] * 65, price=1, lots=left[e.leg])
        for e in entered
        if left[e.leg]
    )
    return RunFacts(now=after(1), entered=entered, held=held)


def cuts(part: PartExit | None) -> tuple[Cut, ...]:
    assert part is not None
    return part.cuts


def test_shorts_are_cut_before_the_hedges() -> None:
    assert cuts(next_rungs(LADDER, 0, spread(4, 4), 100_00)) == (Cut("short", 1), Cut("wing", 1))


def test_below_the_next_rung_nothing_is_cut() -> None:
    assert next_rungs(LADDER, 0, spread(4, 4), 99_99) is None
    assert next_rungs(LADDER, 1, spread(4, 4), 199_99) is None


def test_a_jump_over_two_rungs_cuts_both_at_once() -> None:
    part = next_rungs(LADDER, 0, spread(4, 4), 250_00)
    assert cuts(part) == (Cut("short", 2), Cut("wing", 2))
    assert part is not None
    assert part.rung == 2


def test_small_shares_add_up_to_whole_lots() -> None:
    """A quarter of three lots is none, half of them one."""
    assert cuts(next_rungs(LADDER, 0, spread(3, 3), 100_00)) == ()
    assert cuts(next_rungs(LADDER, 1, spread(3, 3), 200_00)) == (Cut("short", 1), Cut("wing", 1))


def test_a_hedge_gives_up_no_more_than_what_it_protects_has() -> None:
    """One short lot cannot be halved, so its two hedges both stay."""
    assert cuts(next_rungs((Rung(1, 50),), 0, spread(1, 2), 1)) == ()


def test_no_more_is_cut_than_is_open() -> None:
    assert cuts(next_rungs((Rung(1, 75),), 0, spread(4, 4, short_left=1), 1)) == (Cut("short", 1), Cut("wing", 3))


def test_a_leg_that_is_gone_is_not_cut() -> None:
    assert cuts(next_rungs((Rung(1, 75),), 0, spread(4, 4, short_left=0), 1)) == (Cut("wing", 3),)


@given(st.integers(1, 40), st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_rung_by_rung_and_all_at_once_close_the_same_lots(lots: int, shares: list[int]) -> None:
    ladder = tuple(Rung(place + 1, share) for place, share in enumerate(shares))
    facts = spread(lots, lots)
    one_by_one = sum(
        cut.lots
        for done in range(len(ladder))
        for cut in cuts(next_rungs(ladder, done, facts, done + 1))
        if cut.leg == "short"
    )
    at_once = sum(cut.lots for cut in cuts(next_rungs(ladder, 0, facts, len(ladder))) if cut.leg == "short")
    assert one_by_one == at_once == lots * min(sum(shares), 100) // 100
