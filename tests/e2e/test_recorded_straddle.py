"""A short straddle over a recorded day, traded through the command line against the engine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.e2e.process import EngineProcess, run, run_json

pytestmark = pytest.mark.slow
EXPIRY, LOT = date(2025, 9, 2), 75


def shown_at(table: Any, moment: datetime, strike: int) -> dict[str, Any]:
    """The recorded row of a strike in the newest snapshot that had been fetched by ``moment``."""
    mask = pc.and_(
        pc.and_(pc.equal(table["expiry"], EXPIRY), pc.equal(table["strike_price"], strike)),
        pc.less_equal(table["fetch_time"], moment),
    )
    rows = table.filter(mask).sort_by("fetch_time").to_pylist()
    return dict(rows[-1])


def paise(price: float) -> int:
    return int(Decimal(str(price)) * 100)


def charged(side: str, value: int) -> Decimal:
    """Rupees of one executed order by the rates of August 2025, worked out by hand from the exchange's circulars."""
    turnover = Decimal(value) / 100
    brokerage, levy = Decimal(20), turnover * Decimal("0.0003553")
    ipft = turnover * Decimal("0.000005")
    sebi = turnover * Decimal("0.000001")
    stt = turnover * Decimal("0.001") if side == "SELL" else Decimal(0)
    stamp = turnover * Decimal("0.00003") if side == "BUY" else Decimal(0)
    gst = (brokerage + levy - ipft + sebi) * Decimal("0.18")
    return brokerage + levy + sebi + stt + stamp + gst


def test_a_straddle_sold_at_0930_and_bought_back_at_1500_earns_what_the_tape_says(
    tmp_path: Path, shared_data: Path
) -> None:
    source = shared_data / "chains" / "nse_nifty_chain_2025-08-29.parquet"
    if not source.exists():
        pytest.skip(f"no recorded chain at {source}")
    home = tmp_path / "home"
    engine = EngineProcess(home, "--replay", str(source), "--speed", "max", "--from", "09:30", "--hold")
    try:
        chain = run_json(home, "chain", "NIFTY")
        strike = chain["atm_strike_paise"] // 100
        legs = {right: f"NIFTY 02SEP25 {strike} {right}" for right in ("CE", "PE")}
        for contract in legs.values():
            run(home, "order", "place", "sell", contract, "--lots", "1", "--market")
        run(home, "replay", "to", "15:00")
        assert run_json(home, "status")["vitals"]["now"].startswith("2025-08-29T15:00:00")
        for contract in legs.values():
            run(home, "order", "place", "buy", contract, "--lots", "1", "--market")
        trades = run_json(home, "trades")["trades"]
        positions = run_json(home, "positions")
        verdict = run_json(home, "journal", "verify")
    finally:
        assert engine.stop() == 0

    table = pq.read_table(source)
    sold, bought = datetime(2025, 8, 29, 9, 30), datetime(2025, 8, 29, 15, 0)  # noqa: DTZ001  the source's own form
    earned, costs = 0, Decimal(0)
    assert len(trades) == 4
    for trade in trades:
        right = "calls" if trade["contract"].endswith("CE") else "puts"
        row = shown_at(table, sold if trade["side"] == "SELL" else bought, strike)
        bid, ask = paise(row[f"{right}_bid_price"]), paise(row[f"{right}_ask_price"])
        assert bid <= trade["price_paise"] <= ask
        assert trade["price_paise"] == (bid if trade["side"] == "SELL" else ask)
        assert trade["qty"] == LOT
        value = LOT * trade["price_paise"]
        earned += value if trade["side"] == "SELL" else -value
        costs += charged(trade["side"], value).quantize(Decimal("0.01"))
    assert positions["gross_paise"] == earned
    assert positions["charges_paise"] == int(costs * 100)
    assert positions["net_paise"] == earned - int(costs * 100)
    assert verdict["ok"] is True
