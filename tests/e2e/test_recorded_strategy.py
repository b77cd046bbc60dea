"""A short straddle with stops over recorded days, run by the program from its file and counted again off the tape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.e2e.process import EngineProcess, run, run_json
from tests.e2e.test_recorded_straddle import charged, paise

pytestmark = pytest.mark.slow
TICK = 5
BASKET = """
format = 1
[basket]
name = "straddle"
[[account]]
name = "paper"
[[strategy]]
name = "0920"
underlying = "NIFTY"
entry = "{entry}"
exit = "15:15:00"
grace = 300
misfire = "{misfire}"
move_to_cost = "other-right"
[[strategy.leg]]
id = "ce"
side = "sell"
right = "CE"
stop = "25%"
[[strategy.leg]]
id = "pe"
side = "sell"
right = "PE"
stop = "25%"
"""


class Shown(NamedTuple):
    """What the source showed of a contract at one moment, in paise; a side where nobody stands is None."""

    at: datetime
    bid: int | None
    ask: int | None
    last: int

    @property
    def mark(self) -> int:
        """The last trade, within the book of its moment."""
        low = self.last if self.bid is None else max(self.last, self.bid)
        return low if self.ask is None else min(low, self.ask)


def nse_tape(path: Path, expiry: date, strike: int, right: str) -> list[Shown]:
    """The contract as NSE's website showed it, snapshot by snapshot."""
    table, side = pq.read_table(path), {"CE": "calls", "PE": "puts"}[right]
    rows = table.filter(pc.and_(pc.equal(table["expiry"], expiry), pc.equal(table["strike_price"], strike)))
    return [
        Shown(
            row["fetch_time"],
            paise(row[f"{side}_bid_price"]) if row[f"{side}_bid_qty"] else None,
            paise(row[f"{side}_ask_price"]) if row[f"{side}_ask_qty"] else None,
            paise(row[f"{side}_ltp"]),
        )
        for row in rows.sort_by("fetch_time").to_pylist()
    ]


def minute_tape(path: Path, expiry: date, strike: int, right: str) -> list[Shown]:
    """The contract minute by minute. The source has last trades only: a book of one tick and a thousandth around them,
    rounded outward to whole ticks, is what the exchange assumes.
    """
    table = pq.read_table(path)
    wanted = pc.and_(pc.equal(table["expiry"], expiry), pc.equal(table["strike"], float(strike)))
    rows = table.filter(pc.and_(wanted, pc.equal(table["option_type"], right))).sort_by("ts").to_pylist()
    return [_assumed(row["ts"], paise(row["ltp"])) for row in rows]


def _assumed(at: datetime, last: int) -> Shown:
    away = TICK - (-last // 1000)
    return Shown(at, (last - away) // TICK * TICK, -(-(last + away) // TICK) * TICK, last)


@dataclass
class Sold:
    """One leg as it must have gone. ``stop`` moves; ``out`` is (moment, price, why)."""

    entry: int
    stop: int
    out: tuple[datetime, int, str] | None = None


def played(tapes: dict[str, list[Shown]], begin: datetime, end: datetime) -> dict[str, Sold]:
    """The two legs by the rules of the basket: sold at ``begin``, stopped at 25 % of the fill, the other stop to cost
    when one is hit, the rest bought back at ``end``.
    """
    legs = {}
    for right, tape in tapes.items():
        bid = _newest(tape, begin).bid
        assert bid is not None
        legs[right] = Sold(entry=bid, stop=bid * 5 // 4 // TICK * TICK)
    for at in sorted({shown.at for tape in tapes.values() for shown in tape if begin < shown.at < end}):
        for right in _hit(legs, {right: _newest(tape, at) for right, tape in tapes.items()}):
            _leave(legs[right], _newest(tapes[right], at), at, "COST_SL" if _at_cost(legs[right]) else "LEG_SL")
            for other in legs.values():
                other.stop = min(other.stop, other.entry)
    for right, leg in legs.items():
        if leg.out is None:
            _leave(leg, _newest(tapes[right], end), end, "TIME")
    return legs


def _hit(legs: dict[str, Sold], now: dict[str, Shown]) -> Iterator[str]:
    """Legs whose price is at their stop; looked at again once another's stop has moved."""
    for _ in legs:
        for right, leg in legs.items():
            if leg.out is None and now[right].mark >= leg.stop:
                yield right


def _at_cost(leg: Sold) -> bool:
    return leg.stop == leg.entry


def _leave(leg: Sold, shown: Shown, at: datetime, why: str) -> None:
    assert shown.ask is not None
    leg.out = (at, shown.ask, why)


def _newest(tape: list[Shown], at: datetime) -> Shown:
    return [shown for shown in tape if shown.at <= at][-1]


def costs(day: date, side: str, value: int) -> int:
    """Paise of one executed order.

    Since March 2026 next to nothing of NSE's levy is the untaxed share of the protection fund, which had been 0.0005 %;
    since April a sale is taxed 0.15 % instead of 0.1 %.
    """
    rupees, turnover = charged(side, value), Decimal(value) / 100
    if day >= date(2026, 3, 1):
        rupees += turnover * Decimal("0.00000499") * Decimal("0.18")
    if side == "SELL" and day >= date(2026, 4, 1):
        rupees += turnover * Decimal("0.0005")
    return int((rupees * 100).quantize(Decimal(1)))


def index_then(path: Path, at: datetime, expiry: date) -> float:
    """The index at a moment: recorded, or what the parity of calls and puts implies where they cost the same."""
    table = pq.read_table(path)
    if "spot" in table.column_names:
        return float(table.filter(pc.equal(table["ts"], at))["spot"][0].as_py())
    rows = table.filter(pc.and_(pc.equal(table["fetch_time"], at), pc.equal(table["expiry"], expiry))).to_pylist()
    mids = [
        (row["strike_price"], *(row[f"{s}_bid_price"] + row[f"{s}_ask_price"] for s in ("calls", "puts")))
        for row in rows
        if row["calls_bid_qty"] and row["puts_bid_qty"]
    ]
    strike, call, put = min(mids, key=lambda each: abs(each[1] - each[2]))
    return float(strike + (call - put) / 2)


CASES = {
    "29 Aug 2025, late by the first recorded moment": (
        "nse_nifty_chain_2025-08-29.parquet",
        nse_tape,
        date(2025, 9, 2),
        75,
        ("09:20:00", "run-within-grace", datetime(2025, 8, 29, 9, 22, 45)),  # noqa: DTZ001  the source's own form
    ),
    "18 Aug 2026, approved by hand at the first recorded moment": (
        "nifty_chain_min_2026-08-18.parquet",
        minute_tape,
        date(2026, 8, 18),
        65,
        ("09:20:00", "ask", datetime(2026, 8, 18, 10, 43)),  # noqa: DTZ001
    ),
    "18 Aug 2026, at its second": (
        "nifty_chain_min_2026-08-18.parquet",
        minute_tape,
        date(2026, 8, 18),
        65,
        ("10:45:00", "skip", datetime(2026, 8, 18, 10, 45)),  # noqa: DTZ001
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_day_sheet_of_a_straddle_with_stops_is_what_the_tape_says(
    case: str, tmp_path: Path, shared_data: Path
) -> None:
    file, read, expiry, lot, (entry, misfire, begin) = CASES[case]
    source = shared_data / "chains" / file
    if not source.exists():
        pytest.skip(f"no recorded chain at {source}")
    sheet = day_sheet(tmp_path, source, entry, misfire)
    strike, day = int(sheet["trades"][0]["contract"].split()[2]), begin.date()
    assert abs(strike - index_then(source, begin, expiry)) <= 25 + 0.5  # parity of neighbouring strikes differs by 0.3

    legs = played(
        {right: read(source, expiry, strike, right) for right in ("CE", "PE")},
        begin,
        begin.replace(hour=15, minute=15, second=0),
    )
    expected = sorted(
        (at, f"NIFTY {expiry:%d%b%y} {strike} {right}".upper(), side, price)
        for right, leg in legs.items()
        for at, side, price in ((begin, "SELL", leg.entry), (leg.out[0], "BUY", leg.out[1]))
    )
    fills = [(_moment(each), each["contract"], each["side"], each["price_paise"]) for each in sheet["trades"]]
    assert sorted(fills) == expected
    assert {leg["id"]: leg["code"] for leg in sheet["run"]["legs"]} == {
        right.lower(): leg.out[2] for right, leg in legs.items()
    }
    for held in sheet["positions"]["positions"]:
        leg = legs[held["contract"][-2:]]
        assert held["realised_paise"] == lot * (leg.entry - leg.out[1])
        assert held["charges_paise"] == costs(day, "SELL", lot * leg.entry) + costs(day, "BUY", lot * leg.out[1])
    gross = sum(lot * (leg.entry - leg.out[1]) for leg in legs.values())
    assert sheet["positions"]["gross_paise"] == gross
    assert sheet["run"]["status"] == "CLOSED"
    assert sheet["verdict"]["ok"] is True


def _moment(trade: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(trade["at"]).replace(tzinfo=None)


def day_sheet(folder: Path, source: Path, entry: str, misfire: str) -> dict[str, Any]:
    """What the program says of the day once its basket was run to its end."""
    home, basket = folder / "home", folder / "straddle.toml"
    basket.write_text(BASKET.format(entry=entry, misfire=misfire), encoding="utf-8")
    engine = EngineProcess(home, "--replay", str(source), "--speed", "max", "--hold")
    try:
        run(home, "basket", "import", str(basket))
        run(home, "basket", "start", "straddle")
        if misfire == "ask":
            run(home, "run", "approve", "R1")
        run(home, "replay", "to", "15:20")
        return {
            "run": run_json(home, "run", "show", "R1"),
            "trades": run_json(home, "trades")["trades"],
            "positions": run_json(home, "positions"),
            "verdict": run_json(home, "journal", "verify"),
        }
    finally:
        assert engine.stop() == 0
