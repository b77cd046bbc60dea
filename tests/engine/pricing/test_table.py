"""The reference table, row by row, and rows of our own for where the table is not at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from optconsole.engine.pricing.calc import answer
from tests.engine.pricing.oracle import exact_black, exact_bsm

INPUTS = ("id", "model", "type", "S", "K", "q", "r", "T_years", "vol", "given_price")


def test_every_row_of_the_reference_table_is_within_its_tolerance() -> None:
    named = os.environ.get("OPTCONSOLE_TEST_REFERENCE")
    table = (
        Path(named) if named else Path(__file__).resolve().parents[3] / "../shared/reference"
    ) / "pricing_cases.csv"
    if not table.is_file():
        pytest.skip("no pricing_cases.csv here: name its folder in OPTCONSOLE_TEST_REFERENCE")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [row["id"] for row in rows if not is_within(row)]
    assert (len(rows) >= 102, wrong) == (True, [])


def is_within(row: dict[str, str]) -> bool:
    found, expected = answer({name: row[name] for name in INPUTS}).get(row["quantity"]), float(row["expected"])
    relative = row["abs_tol"].startswith("rel ")
    tolerance = float(row["abs_tol"].removeprefix("rel ")) * (abs(expected) if relative else 1.0)
    return isinstance(found, float) and abs(found - expected) <= tolerance


# spot (or forward), strike, years, rate, dividend, vol
OWN = [
    (24_500.0, 24_500.0, 7 / 365, 0.065, 0.0, 0.12),
    (24_500.0, 25_500.0, 30 / 365, 0.065, 0.012, 0.14),
    (24_500.0, 23_000.0, 2 / 365, 0.1, 0.0, 0.22),
    (52_300.0, 52_000.0, 1 / 365, 0.065, 0.0, 0.35),
    (81_200.0, 90_000.0, 91 / 365, 0.0525, 0.012, 0.16),
    (1_437.7, 1_300.0, 45 / 365, 0.0, 0.03, 0.41),
    (100.0, 60.0, 2.0, 0.03, 0.07, 0.9),
    (24_000.0, 24_050.0, 5 / 1440 / 365, 0.0, 0.0, 0.25),
    (24_000.0, 26_000.0, 1 / 365, 0.065, 0.0, 0.12),
    (1.0, 1.0, 1.0, 0.0, 0.0, 4.0),
]


@pytest.mark.parametrize("row", OWN)
@pytest.mark.parametrize("kind", ["C", "P"])
@pytest.mark.parametrize("model", ["bsm", "black76"])
def test_every_quantity_agrees_with_sixty_digits(row: tuple[float, ...], kind: str, model: str) -> None:
    spot, strike, years, rate, dividend, vol = row
    is_call = kind == "C"
    exact = (
        exact_bsm(spot, strike, years, rate, dividend, vol, is_call)
        if model == "bsm"
        else exact_black(spot, strike, years, rate, vol, is_call)
    )
    case = {"id": "own", "model": model, "type": kind, "S": spot, "K": strike, "q": dividend, "r": rate}
    found = answer({**case, "T_years": years, "vol": vol})
    size = exact.price + spot * abs(exact.delta)
    assert found["price"] == found["price_rel"] == pytest.approx(exact.price, rel=1e-12, abs=0)
    assert found["delta"] == pytest.approx(exact.delta, rel=1e-12, abs=0)
    assert found["gamma"] == pytest.approx(exact.gamma, rel=1e-12, abs=0)
    assert found["vega_per_1.00"] == pytest.approx(exact.vega, rel=1e-12, abs=0)
    assert found["theta_per_year"] == pytest.approx(exact.theta, rel=1e-12, abs=1e-12 * size)
    assert found["theta_per_day365"] == pytest.approx(exact.theta / 365, rel=1e-12, abs=1e-12 * size)
    assert found["rho_per_1.00"] == pytest.approx(exact.rho, rel=1e-12, abs=1e-12 * size)
    assert found["dividend_rho_per_1.00"] == pytest.approx(exact.dividend_rho, rel=1e-12, abs=0)

    back = answer({**case, "T_years": years, "given_price": exact.price})
    if exact.ulp_effect < 1e-6:
        assert back["iv"] == pytest.approx(vol, rel=max(1e-13, 8 * exact.ulp_effect), abs=0)
        assert back["price"] == exact.price
    else:
        assert (back["iv"], back["reason"] in ("NO_INFORMATION", "PRICE_AT_INTRINSIC")) == (None, True)
