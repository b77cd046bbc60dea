"""What a row of the position book adds up to."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.rehearsal.smartapi.standings import Standing, position_row
from optconsole.brokers.rehearsal.smartapi.symbols import scrips
from tests.brokers.paper.stage import CALL

(SCRIP,) = scrips([CALL], {CALL.name: "40000"})
lots = st.integers(0, 20).map(lambda count: count * CALL.lot)
prices = st.integers(1, 500_00)


def rupees(text: str) -> Decimal:
    return Decimal(text.replace(" ", ""))


@given(lots, prices, lots, prices, st.integers(-20, 20).map(lambda count: count * CALL.lot), prices, prices)
def test_a_position_adds_up(bought: int, paid: int, sold: int, got: int, carried: int, cost: int, ltp: int) -> None:
    row = position_row(
        Standing(
            scrip=SCRIP,
            producttype="CARRYFORWARD",
            buy_qty=bought,
            buy_value=bought * paid,
            sell_qty=sold,
            sell_value=sold * got,
            carried_qty=carried,
            carried_value=carried * cost,
            ltp=ltp,
        )
    )
    assert all(isinstance(value, str) for value in row.values())
    net = int(row["cfbuyqty"]) - int(row["cfsellqty"]) + int(row["buyqty"]) - int(row["sellqty"])
    assert int(row["netqty"]) == net == carried + bought - sold
    assert rupees(row["netvalue"]) == rupees(row["totalsellvalue"]) - rupees(row["totalbuyvalue"])
    assert rupees(row["pnl"]) == rupees(row["netvalue"]) + net * Decimal(ltp) / 100
    assert rupees(row["realised"]) + rupees(row["unrealised"]) == rupees(row["pnl"])
    assert (rupees(row["netvalue"]) < 0) == row["netvalue"].startswith("- ")
