from __future__ import annotations

import pytest

from optconsole.brokers.shoonya.sanity import implausible
from tests.brokers.shoonya.stage import CALL, PUT, master

SPOT = 25_010_00


def fault(contract: str, price: int, spot: int | None = SPOT, **known: int) -> str:
    listed = master().of(contract)
    assert listed is not None
    return implausible(listed.instrument, {"lp": price}, known, spot)


def test_an_ordinary_price_is_believed() -> None:
    assert fault(CALL, 123_45, lc=5, uc=600_00) == ""
    assert fault(PUT, 123_45) == ""
    assert fault("NIFTY", SPOT, c=24_900_00) == ""


@pytest.mark.parametrize("contract", [CALL, PUT])
def test_an_option_at_the_price_of_its_index_is_another_instruments_tick(contract: str) -> None:
    assert "underlying" in fault(contract, SPOT) or "strike" in fault(contract, SPOT)


def test_a_price_outside_the_days_band_is_refused() -> None:
    assert "band" in fault(CALL, 700_00, lc=5, uc=600_00)
    assert "band" in fault(CALL, 1, lc=5, uc=600_00)


def test_no_put_is_worth_more_than_its_strike_nor_a_call_more_than_the_index() -> None:
    assert "strike" in fault(PUT, 25_000_05, None)
    assert "no call" in fault(CALL, SPOT + 5)


@pytest.mark.parametrize("price", [SPOT * 100, SPOT // 100])
def test_an_index_or_future_off_by_the_divisor_is_refused(price: int) -> None:
    assert "neighbour" in fault("NIFTY", price, c=24_900_00)
    assert "neighbour" in fault("NIFTY 24NOV26 FUT", price, c=24_900_00)


def test_a_frame_without_a_price_has_nothing_to_object_to() -> None:
    listed = master().of(CALL)
    assert listed is not None
    assert implausible(listed.instrument, {"bq1": 5}, {}, SPOT) == ""
