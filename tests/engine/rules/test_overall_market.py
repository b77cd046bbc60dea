"""What ends a run by the underlying or by its Greeks."""

from __future__ import annotations

import pytest

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Band, Greeks, Overall
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.overall_market import OverallExit, band_exit, greeks_exit, sold_decay
from tests.engine.rules.leg_cases import paise
from tests.engine.rules.run_cases import straddle


def band(index: float | None, **rule: object) -> object:
    facts = straddle(
        100,
        110,
        index=None if index is None else paise(index),
        index_at_entry=paise(24_500),
        break_evens=(paise(24_290), paise(24_710)),
    )
    return band_exit(Overall(band=Band(**rule)), facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("index", "out"), [(24_399.95, True), (24_400, False), (24_500, False), (24_600, False), (24_600.05, True)]
)
def test_sx8_out_once_the_underlying_has_left_the_bounds(index: float, out: bool) -> None:
    assert isinstance(band(index, low=paise(24_400), high=paise(24_600)), OverallExit) is out


@pytest.mark.parametrize(("index", "out"), [(24_744.95, False), (24_745, True), (24_255, True), (24_255.05, False)])
def test_sx8_out_after_a_move_of_one_percent_either_way(index: float, out: bool) -> None:
    assert isinstance(band(index, move=100), OverallExit) is out


@pytest.mark.parametrize(("index", "out"), [(24_709.95, False), (24_710, True), (24_290, True)])
def test_sx8_out_when_a_break_even_is_touched(index: float, out: bool) -> None:
    verdict = band(index, break_even=True)
    assert isinstance(verdict, OverallExit) is out
    if isinstance(verdict, OverallExit):
        assert verdict.code is ExitCode.BAND
        assert "break-even" in verdict.why


def test_an_unknown_underlying_is_told() -> None:
    assert isinstance(band(None, low=1), Blind)


@pytest.mark.parametrize("rule", [{"move": 100}, {"break_even": True}])
def test_what_cannot_be_measured_is_told(rule: dict[str, object]) -> None:
    verdict = band_exit(Overall(band=Band(**rule)), straddle(100, 110, index=1))  # type: ignore[arg-type]
    assert isinstance(verdict, Blind)


def test_no_band_asks_for_no_underlying() -> None:
    assert band_exit(Overall(), straddle(100, 110)) is None


@pytest.mark.parametrize(("delta", "out"), [(300, False), (301, True), (-301, True)])
def test_sx9_out_beyond_a_net_delta(delta: int, out: bool) -> None:
    verdict = greeks_exit(Overall(greeks=Greeks(delta=300)), straddle(100, 110, delta=delta))
    assert isinstance(verdict, OverallExit) is out


def test_sx9_out_beyond_a_gamma() -> None:
    verdict = greeks_exit(Overall(greeks=Greeks(gamma=900)), straddle(100, 110, gamma=-901))
    assert isinstance(verdict, OverallExit)
    assert verdict.code is ExitCode.GREEKS


@pytest.mark.parametrize(("put", "out"), [(47, True), (47.05, False)])
def test_sx9_out_once_half_of_the_premium_sold_has_decayed(put: float, out: bool) -> None:
    """Sold 210 together; 58 and 47 are half of it."""
    verdict = greeks_exit(Overall(greeks=Greeks(decayed=5_000)), straddle(58, put))
    assert isinstance(verdict, OverallExit) is out


def test_unknown_greeks_are_told_by_name() -> None:
    verdict = greeks_exit(Overall(greeks=Greeks(delta=300, gamma=5, decayed=5_000)), straddle(100, None))
    assert isinstance(verdict, Blind)
    assert "delta, gamma, decay" in verdict.why


def test_decay_is_known_only_with_every_sold_leg_priced() -> None:
    assert sold_decay(straddle(50, 55)) == 5_000
    assert sold_decay(straddle(50, None)) is None
