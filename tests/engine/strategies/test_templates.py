"""The named structures: what each one risks on either side is what its name promises."""

from __future__ import annotations

import pytest

from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.strategies import MOST_LEGS, Strategy
from optconsole.engine.model.strikes import ExpiryRule, Series
from optconsole.engine.strategies.files import read_basket, write_basket
from optconsole.engine.strategies.templates import TEMPLATES, from_template

OPEN_ABOVE = {
    "short call",
    "short future",
    "short straddle",
    "short strangle",
    "short guts",
    "call ratio spread",
    "call ladder",
    "batman",
    "reverse jade lizard",
    "synthetic short",
    "covered put",
    "bearish seagull",
}
"""Structures that lose without limit in a rising market: what is open in calls and futures is short."""
OPEN_BELOW = {
    "short put",
    "long future",
    "short straddle",
    "short strangle",
    "short guts",
    "put ratio spread",
    "put ladder",
    "batman",
    "jade lizard",
    "synthetic long",
    "risk reversal",
    "covered call",
    "bullish seagull",
}
"""The same in a falling market."""


def slopes(strategy: Strategy) -> tuple[int, int]:
    """Lots gained a point above all strikes, and lost a point below all of them."""
    signed = [(leg.right, leg.side.sign * leg.lots) for leg in strategy.legs]
    above = sum(lots for right, lots in signed if right is not Right.PUT)
    below = sum(-lots if right is Right.PUT else lots for right, lots in signed if right is not Right.CALL)
    return above, below


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_structure_is_open_to_loss_only_where_its_name_says(name: str) -> None:
    above, below = slopes(from_template(name, "NIFTY"))
    assert (above < 0) == (name in OPEN_ABOVE)
    assert (below > 0) == (name in OPEN_BELOW)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_structure_has_sound_legs(name: str) -> None:
    strategy = from_template(name, "NIFTY", lots=3)
    ids = [leg.id for leg in strategy.legs]
    assert len(set(ids)) == len(ids) <= MOST_LEGS
    for leg in strategy.legs:
        assert leg.lots % 3 == 0
        for hedged in leg.hedges:
            other = strategy.leg(hedged)
            assert other is not None
            assert other.side is leg.side.opposite


def test_at_least_thirty_structures_survive_the_file() -> None:
    assert len(TEMPLATES) >= 30
    basket = Basket(name="all", strategies=tuple(from_template(name, "SENSEX") for name in TEMPLATES))
    assert read_basket(write_basket(basket)) == (basket, ())


def test_a_calendar_of_monthly_expiries_takes_the_next_month_for_its_far_leg() -> None:
    near = ExpiryRule(series=Series.MONTHLY)
    strategy = from_template("call calendar", "BANKNIFTY", near=near)
    assert [(leg.id, leg.expiry.offset) for leg in strategy.legs] == [("far", 1), ("near", 0)]


def test_an_unknown_structure_is_refused() -> None:
    with pytest.raises(Refusal, match="NO_TEMPLATE"):
        from_template("iron butterfly of doom", "NIFTY")
