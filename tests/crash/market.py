"""What every process of a crash run shares: the contracts, the account, and one clock that a test can steer."""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from datetime import date, datetime, timedelta
from datetime import time as moment
from pathlib import Path
from typing import Final

from optconsole.engine.clock import WallClock
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.instruments import Instrument, Kind, Right
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.engine.facts import option

ACCOUNT: Final = Account(id="FAR1", broker="far", mode=Mode.PAPER, capital=10**10)
DAY: Final = date(2026, 11, 18)
EXPIRY: Final = date(2026, 11, 24)
START: Final = datetime.combine(DAY, moment(11, 0), IST)
LOT: Final = 65

INDEX: Final = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)
CALL, PUT = option(25_000_00, Right.CALL, EXPIRY), option(25_000_00, Right.PUT, EXPIRY)
FAR = option(25_500_00, Right.CALL, EXPIRY)
LISTED: Final = (INDEX, CALL, PUT, FAR)


class HostClock:
    """The clock of one machine as a file of three numbers, so that a test can let time pass in all its processes.

    ``passed`` is time during which the machine slept: wall and monotonic clocks are ahead by it afterwards.
    ``stepped`` is a jump of the wall clock alone, and only for processes that are asked to follow it.
    """

    _SHAPE: Final = struct.Struct("3d")

    def __init__(self, path: Path, follows_steps: bool = False) -> None:
        if not path.exists():
            path.write_bytes(self._SHAPE.pack(time.monotonic(), 0.0, 0.0))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), self._SHAPE.size)
        self._follows_steps = follows_steps
        self._clock = WallClock(self._wall, self.monotonic)

    def _wall(self) -> datetime:
        began, _passed, stepped = self._SHAPE.unpack(self._page)
        return START + timedelta(seconds=self.monotonic() - began + (stepped if self._follows_steps else 0.0))

    def now(self) -> datetime:
        return self._clock.now()

    def stepped(self) -> float:
        return self._clock.stepped()

    def since(self, moment: datetime) -> timedelta:
        return self._clock.since(moment)

    def bounds(self) -> tuple[datetime, datetime]:
        return self._clock.bounds()

    def heard(self, stamp: int) -> None:
        self._clock.heard(stamp)

    def not_before(self, moment: datetime) -> None:
        self._clock.not_before(moment)

    def monotonic(self) -> float:
        return time.monotonic() + float(self._SHAPE.unpack(self._page)[1])

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def pass_by(self, seconds: float) -> None:
        """The machine has slept so long."""
        began, passed, stepped = self._SHAPE.unpack(self._page)
        self._SHAPE.pack_into(self._page, 0, began, passed + seconds, stepped)

    def step(self, seconds: float) -> None:
        """The wall clock is set forward, or back."""
        began, passed, stepped = self._SHAPE.unpack(self._page)
        self._SHAPE.pack_into(self._page, 0, began, passed, stepped + seconds)


def quote(clock: HostClock, contract: Instrument, price: int, bid_lots: int = 20, ask_lots: int = 20) -> Quote:
    """A contract as the exchange shows it: two ticks on either side of ``price``; an index has no book."""
    stamp = millis(clock.now())
    if not contract.tradable:
        return Quote(name=contract.name, ts=stamp, ltp=price, prev_close=price, booked=False)
    return Quote(
        name=contract.name,
        ts=stamp,
        bid=price - 10 if bid_lots else None,
        bid_qty=bid_lots * LOT,
        ask=price + 10 if ask_lots else None,
        ask_qty=ask_lots * LOT,
        ltp=price,
        prev_close=price,
    )


def opening(clock: HostClock) -> tuple[Quote, ...]:
    """The whole picture as the day begins."""
    prices = {INDEX: 25_050_00, CALL: 100_00, PUT: 120_00, FAR: 60_00}
    return tuple(quote(clock, contract, price) for contract, price in prices.items())
