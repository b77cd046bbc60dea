"""Strategies in the middle of a day whose engine is killed with SIGKILL: every run goes on where it was."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from optconsole.engine.market.recorder import Recorder
from optconsole.engine.market.recording import Header
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.e2e.process import EngineProcess, run, run_json
from tests.engine.facts import index, option

pytestmark = pytest.mark.slow
DAY, EXPIRY = date(2026, 11, 25), date(2026, 12, 1)
CALL, PUT, FAR, FAR_PUT = (option(strike, right, EXPIRY) for strike in (2_450_000, 2_455_000) for right in Right)
BASKET = """
format = 1
[basket]
name = "midday"
[[account]]
name = "paper"
[[strategy]]
name = "breakout"
underlying = "NIFTY"
entry = "09:16:00"
exit = "15:15:00"
range = "09:16-09:22"
[[strategy.leg]]
id = "pe"
side = "sell"
expiry = "monthly"
right = "PE"
breakout = "high"
[[strategy]]
name = "trailing"
underlying = "NIFTY"
entry = "09:16:00"
exit = "15:15:00"
[[strategy.leg]]
id = "ce"
side = "sell"
expiry = "monthly"
right = "CE"
stop = "20"
trail = "10/5"
on_stop = "cost x1"
[[strategy]]
name = "waiting"
underlying = "NIFTY"
entry = "09:16:00"
exit = "15:15:00"
[[strategy.leg]]
id = "far"
side = "buy"
expiry = "monthly"
right = "CE"
strike = "OTM1"
wait = "+20%"
"""
INDEX_AT = {"09:15:00": 24_500, "09:18:00": 24_520, "09:19:00": 24_500, "09:24:00": 24_515, "09:34:00": 24_521}
CALL_AT = {
    "09:15:00": 100,
    "09:17:00": 85,
    "09:24:00": 116,
    "09:26:00": 99,
    "09:29:00": 79,
    "09:35:00": 96,
    "09:36:00": 111,
}
FAR_AT = {"09:15:00": 50, "09:20:00": 55, "09:33:00": 61}
"""In rupees, from each moment on. The call: sold at 100, trailed to 115, stopped at 116, sold again at its cost of 100,
trailed to 110, stopped at 111 and not sold a third time. The far call: bought a fifth above 50. The range ends at
24,520, which was seen before the first kill; 24,515 is no break of it, and 24,521 is.
"""


def price(path: dict[str, int], clock: str) -> int:
    return 100 * [rupees for at, rupees in path.items() if at <= clock][-1]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-five minutes of a morning, a frame every ten seconds."""
    path = tmp_path_factory.mktemp("midday") / "morning.parquet"
    opens = datetime(DAY.year, DAY.month, DAY.day, 9, 15, tzinfo=IST)
    header = Header(
        day=DAY,
        opens=opens,
        closes=opens.replace(hour=15, minute=40),
        source="test",
        booked=True,
        instruments=(index(), CALL, PUT, FAR, FAR_PUT),
    )
    recorder = Recorder(path, header)
    for step in range(150):
        at = opens + timedelta(seconds=10 * step)
        stamp, clock = millis(at), f"{at:%H:%M:%S}"
        quotes = [Quote(name="NIFTY", ts=stamp, ltp=price(INDEX_AT, clock) + step % 2, booked=False)]
        for contract, last in (
            (CALL, price(CALL_AT, clock)),
            (PUT, 9_000),
            (FAR, price(FAR_AT, clock)),
            (FAR_PUT, 12_000),
        ):
            quotes.append(
                Quote(name=contract.name, ts=stamp, bid=last, bid_qty=650, ask=last + 5, ask_qty=650, ltp=last, oi=step)
            )
        recorder.write(at, quotes)
    recorder.close()
    return path


def played(home: Path, session: Path, kills: tuple[str, ...]) -> dict[str, Any]:
    """The morning to 09:39, the engine killed when the market has come to each of those times."""
    basket = home.parent / "midday.toml"
    basket.write_text(BASKET, encoding="utf-8")
    options = ("--replay", str(session), "--speed", "max", "--hold")
    engine = EngineProcess(home, *options)
    try:
        run(home, "basket", "import", str(basket))
        run(home, "basket", "start", "midday")
        for moment in kills:
            run(home, "replay", "to", moment)
            before = runs(home)
            engine.kill()
            engine = EngineProcess(home, *options)
            assert runs(home) == before
        run(home, "replay", "to", "09:39")
        trades = run_json(home, "trades")["trades"]
        assert run_json(home, "journal", "verify")["ok"] is True
        return {"runs": runs(home), "trades": [(t["at"], t["contract"], t["side"], t["price_paise"]) for t in trades]}
    finally:
        assert engine.stop() == 0


def runs(home: Path) -> Any:
    return run_json(home, "run", "list")["runs"]


def test_ranges_trails_counters_and_waits_survive_a_kill(session: Path, tmp_path: Path) -> None:
    calm = played(tmp_path / "calm", session, ())
    killed = played(tmp_path / "killed", session, ("09:18:30", "09:25:00", "09:31:00"))
    assert [trade[1:] for trade in calm["trades"]] == [
        (CALL.name, "SELL", 10_000),
        (CALL.name, "BUY", 11_605),
        (CALL.name, "SELL", 9_900),
        (FAR.name, "BUY", 6_105),
        (PUT.name, "SELL", 9_000),
        (CALL.name, "BUY", 11_105),
    ]
    assert killed == calm
