"""The engine for minutes or hours at ten times a busy day's load: does it keep what it takes?

    python benchmarks/soak.py [--minutes N | --hours N] [--json]

The shipped house: practice market at 4,000 quotes a second in market time run so fast that a session lasts 40 seconds,
its own exchange, journal on disk, link. A trader sends ten commands a second (orders at the market and away from it,
changes, cancels). What is bounded by count is filled first and is no leak: the engine's memory of its answers (10,000,
cut to 1,000 here), the newest 4,096 facts that followers read from memory, 200 notices, SQLite's pages (2 MiB of the
journal, 512 KiB of the exchange). Then come five minutes at the measured pace, seven market days, after which the
allocator has the room that a day at its fullest needs. Then memory is sampled each second; the slope is a least-squares
line over means of twenty seconds with its 95 % band (Student's t). A run is failed by growth that is proven: the lower
edge of the band above 1 MiB an hour. Minutes give wide bands; a claim on days wants hours. Linux. Exit code 1 when a
target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import numpy as np  # noqa: E402 -- after the path
from scipy.stats import t  # noqa: E402

from benchmarks.rounds import commit, machine  # noqa: E402
from benchmarks.targets import Target, outcome, table  # noqa: E402
from optconsole.engine import publisher  # noqa: E402
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceOrder  # noqa: E402
from optconsole.engine.model.instruments import Instrument  # noqa: E402
from optconsole.engine.model.orders import OrderTerms, OrderType, Pending, Side  # noqa: E402
from optconsole.engine.shell import answers  # noqa: E402
from optconsole.options import RunOptions  # noqa: E402
from optconsole.runtime.house import House, open_house  # noqa: E402

SPEED = 580.0
"""Market seconds a second: 6 hours 25 minutes in 40 seconds."""
QUOTES = 4_000
COMMANDS = 10.0
"""A second, the most a retail account may send."""
WARM_UP_AT_ONCE = 20
WARM_UP_MOST = 120.0
"""Seconds; a machine too slow to fill the stores in that time shows a slope that is theirs."""
ANSWERS_KEPT = 1_000
SETTLING = 300.0
"""Seconds."""
MEAN_OVER = 20
SLOPE_MOST = 1.0
"""MiB an hour."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """One second of the measured time."""

    at: float
    rss: float
    tasks: int
    descriptors: int
    inbox: int
    orders: int


class Trader:
    """Sends commands that leave the account flat on average; what is refused is not repeated."""

    def __init__(self, house: House, seed: int = 7) -> None:
        self.engine = house.engine
        self.sent = self.sent_warm = 0
        self._draw = random.Random(seed)  # noqa: S311 - the same commands in every run
        self._long: list[str] = []

    async def step(self) -> None:
        """One command, answered."""
        self.sent += 1
        await self.engine.submit(self._command())

    def _command(self) -> PlaceOrder | CancelOrder | ModifyOrder:
        name, state = f"soak-{self.sent}", self.engine.state
        waiting = [o for o in state.orders.values() if o.status.working and o.broker_id and o.pending is Pending.NONE]
        if len(waiting) > 10:
            return CancelOrder(id=name, actor="soak", order_id=self._draw.choice(waiting).id)
        if waiting and self._draw.random() < 0.2:
            order = self._draw.choice(waiting)
            return ModifyOrder(id=name, actor="soak", order_id=order.id, price=(order.terms.price or 100) + 5)
        option = self._option()
        quote = self.engine.board.get(option.name)
        price = (quote.mark if quote else None) or 100_00
        held = sum(p.qty for p in state.positions.values() if p.key.contract == option.name)
        resting = self._draw.random() < 0.5
        side = Side.BUY if resting or held <= 0 else Side.SELL
        terms = OrderTerms(
            account="paper",
            contract=option.name,
            side=side,
            qty=option.lot,
            type=OrderType.LIMIT if resting else OrderType.MARKET,
            price=max(price * 8 // 10 // 5 * 5, 5) if resting else None,
        )
        return PlaceOrder(id=name, actor="soak", terms=terms)

    def _option(self) -> Instrument:
        """One of the ten nearest to the money of the nearest expiry but one, so that none expires in the hand."""
        master, spot = self.engine.master, self.engine.board.get("NIFTY")
        level = (spot.ltp if spot else None) or 0
        rows = master.chain("NIFTY", master.expiries("NIFTY")[1])
        calls = sorted((call for _, call, _ in rows if call), key=lambda item: abs((item.strike or 0) - level))
        return self._draw.choice(calls[:10])


async def soak(home: Path, minutes: float) -> tuple[list[Sample], Trader, float]:
    """Warm up, then sample for so many minutes. Returns the samples, the trader and the seconds of warm-up."""
    house = await open_house(RunOptions(home=home, speed=SPEED, rate=QUOTES, seed=3))
    trader = Trader(house)
    began = time.monotonic()
    first, full = house.engine.state.seq, max(ANSWERS_KEPT, publisher.KEPT)
    while house.engine.state.seq - first < full and time.monotonic() - began < WARM_UP_MOST:
        await asyncio.gather(*(trader.step() for _ in range(WARM_UP_AT_ONCE)))
        await asyncio.sleep(0)
    await paced(house, trader, SETTLING)
    warm, trader.sent_warm = time.monotonic() - began, trader.sent
    samples = await paced(house, trader, minutes * 60)
    await house.stop("the soak is over")
    return samples, trader, warm


async def paced(house: House, trader: Trader, seconds: float) -> list[Sample]:
    """Trade at the measured pace for so long, sampling each second. A slow machine falls behind, and says so."""
    samples: list[Sample] = []
    began = due = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        await trader.step()
        due += 1 / COMMANDS
        if not samples or now - began - samples[-1].at >= 1:
            samples.append(sample(house, now - began))
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return samples


def sample(house: House, at: float) -> Sample:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        at=at,
        rss=pages * os.sysconf("SC_PAGE_SIZE") / MIB,
        tasks=len(asyncio.all_tasks()),
        descriptors=len(os.listdir("/proc/self/fd")),
        inbox=house.engine.inbox_size,
        orders=len(house.engine.state.orders),
    )


def slope(samples: list[Sample]) -> tuple[float, float]:
    """MiB an hour and half the width of its 95 % band, over means of twenty seconds."""
    whole = len(samples) // MEAN_OVER * MEAN_OVER
    hours = np.array([s.at for s in samples[:whole]]).reshape(-1, MEAN_OVER).mean(axis=1) / 3600
    rss = np.array([s.rss for s in samples[:whole]]).reshape(-1, MEAN_OVER).mean(axis=1)
    apart = hours - hours.mean()
    rise = float((apart @ rss) / (apart @ apart))
    left = rss - rss.mean() - rise * apart
    error = float(np.sqrt((left @ left) / max(len(rss) - 2, 1) / (apart @ apart)))
    return rise, float(t.ppf(0.975, max(len(rss) - 2, 1))) * error


def flat(samples: list[Sample], field: str) -> float:
    """How much more there was in the last quarter than in the first, medians."""
    values = [getattr(s, field) for s in samples]
    quarter = max(len(values) // 4, 1)
    return float(np.median(values[-quarter:]) - np.median(values[:quarter]))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=2.0)
    length.add_argument("--hours", type=float)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    minutes = options.hours * 60 if options.hours else options.minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        answers.ANSWERS_KEPT = ANSWERS_KEPT  # type: ignore[misc]
        samples, trader, warm = asyncio.run(soak(home, minutes))
    gc.collect()
    rise, band = slope(samples)
    host = f"{machine('msgspec', 'SQLAlchemy')}, commit {commit()}"
    targets = [
        Target("RSS slope, lower edge of its band", rise - band, SLOPE_MOST, "MiB/h"),
        Target("tasks: last quarter less first", flat(samples, "tasks"), 2),
        Target("file descriptors: last quarter less first", flat(samples, "descriptors"), 0),
        Target("engine inbox, most", max(s.inbox for s in samples), 100),
    ]
    if options.json:
        print(outcome(host, [asdict(s) for s in samples], targets))
    else:
        pace = (trader.sent - trader.sent_warm) / (minutes * 60)
        print(f"{host}; {minutes:g} minutes after {warm:.0f} s of warm-up; {pace:.1f} commands a second")
        print(f"\nslope {rise:+.2f} ± {band:.2f} MiB/h\n")
        picked = [samples[at * (len(samples) - 1) // 6] for at in range(7)]
        rows = [
            [f"{s.at:.0f} s", f"{s.rss:.1f}", str(s.tasks), str(s.descriptors), str(s.inbox), str(s.orders)]
            for s in picked
        ]
        print(table(["at", "RSS MiB", "tasks", "descriptors", "inbox", "orders of the day"], rows))
        print("\n" + "\n".join(target.line() for target in targets))
    return 0 if all(target.passed for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
