"""A difference from the broker is shown with both numbers and with those whose part it could be (features BK-6)."""

from __future__ import annotations

from datetime import timedelta

from optconsole.engine.model.book import Drift
from optconsole.engine.model.orders import Product
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.model.shares import begun, traded, whose
from optconsole.screens.drift_words import drift_line
from optconsole.screens.formats import FULL
from tests.engine.facts import CALL, START

KEY = PositionKey("paper", Product.NRML, CALL)
DRIFT = Drift(key=KEY, ours=-195, theirs=-130, since=START)


def test_the_line_of_a_difference_names_every_holder_and_the_one_it_fits() -> None:
    parts = traded(traded(begun(Position(key=KEY, lot=65)), "", -130, 10_000, 0), "day/s/R1/ce", -65, 10_000, 0)
    left, _right = drift_line(DRIFT, 65, START + timedelta(seconds=12), FULL, parts)
    text = "".join(part.text for part in left)
    assert "by hand -130, day/s/R1/ce -65; day/s/R1/ce holds just the difference" in text
    assert "our book" in text


def test_where_only_the_hand_trades_nobody_is_named() -> None:
    left, _right = drift_line(DRIFT, 65, START, FULL)
    assert "hand" not in "".join(part.text for part in left)


def test_a_single_holder_needs_no_guess() -> None:
    parts = traded(begun(Position(key=KEY, lot=65)), "day/s/R1/ce", -65, 10_000, 0)
    assert whose(parts, -65) == "day/s/R1/ce -65"
