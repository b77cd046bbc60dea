"""The option chain that simulated strategies choose from: two expiries and a future that follow the index.

It has tapes of its own, so that a run without strategies is the same, byte for byte, as if there were no chain.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.timeline import IST, millis
from tests.simulation.kernel import SimClock, TapeRandom
from tests.simulation.market import LOT, MONTHLY, OPTIONS, TICK, WEEKLY, option
from tests.simulation.swarm import Faults

NEAR: Final = range(24_850, 25_251, 50)
NEXT: Final = WEEKLY + timedelta(days=7)
"""The weekly expiry after the first; listed here from the day after that on, to keep the chain short."""
FAR: Final = range(24_650, 25_451, 50)
VIX: Final = Instrument(
    name="INDIAVIX", underlying="INDIAVIX", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0
)
FUTURE: Final = Instrument(
    name=contract_name("NIFTY", MONTHLY),
    underlying="NIFTY",
    exchange="NSE",
    kind=Kind.FUTURE,
    lot=LOT,
    tick=TICK,
    freeze=4 * LOT,
    expiry=MONTHLY,
    last_trade=datetime.combine(MONTHLY, time(15, 40), IST),
)
_OWN: Final = {item.name for item in OPTIONS}
CHAIN: Final = tuple(
    item
    for expiry, strikes in ((WEEKLY, NEAR), (NEXT, NEAR), (MONTHLY, FAR))
    for strike in strikes
    for right in Right
    if (item := option(strike, right, expiry)).name not in _OWN
)
_BY_NAME: Final = {item.name: item for item in (FUTURE, *CHAIN)}
ROUNDS: Final = 4
"""Seconds within which each contract is quoted once."""
STORM_SECONDS: Final = 4
POINT: Final = 100


class Chain:
    """Prices that follow the index: a little every second, far within seconds in a storm, over night in a gap."""

    def __init__(self, clock: SimClock, choices: TapeRandom, faults: Faults) -> None:
        self._clock, self._choices, self._faults = clock, choices, faults
        self.index = 25_050_00
        self.bid_lots: int | None = None
        """What a script says that somebody buys of each contract; None for what there usually is."""
        self._storm = 0
        self._round = 0

    def listed(self, day: date) -> list[Instrument]:
        """What of the chain is listed on ``day``."""
        return list(_listed(day))

    def open_day(self) -> None:
        """A night passes: in a gap the market opens far from where it closed."""
        if (tape := self._faults.strikes("px.open_gap")) is not None:
            self._move(tape.randint(100, 350) * tape.pick((1, -1)))

    def step(self) -> list[Quote]:
        """Move the index and quote a part of the chain, all of it while a storm blows."""
        value = self._choices.byte()
        if value:
            self._move(value % 15 - 7)
        if (tape := self._faults.strikes("px.storm")) is not None:
            self._storm = STORM_SECONDS * tape.pick((1, -1)) * tape.randint(1, 3)
        if self._storm:
            self._move(40 if self._storm > 0 else -40)
            self._storm -= 1 if self._storm > 0 else -1
            return self.whole(self._clock.now().date())
        self._round = (self._round + 1) % ROUNDS
        listed = self.listed(self._clock.now().date())[1:]
        return [self._vix(), *(self.quote(item) for item in listed[self._round :: ROUNDS])]

    def whole(self, day: date) -> list[Quote]:
        """The whole picture."""
        return [self._vix(), *(self.quote(item) for item in self.listed(day)[1:])]

    def quote(self, item: Instrument) -> Quote:
        """A contract as the exchange shows it now."""
        price, size = premium(item, self.index), 2 + (self.index // POINT + self._round) % 5
        bids = size if self.bid_lots is None else self.bid_lots
        return Quote(
            name=item.name,
            ts=millis(self._clock.now()),
            bid=max(price - 2 * TICK, TICK) if bids else None,
            bid_qty=bids * LOT,
            ask=price + 2 * TICK,
            ask_qty=size * LOT,
            ltp=price,
            prev_close=price,
            oi=100_000 + (item.strike or 0) // POINT,
            volume=50_000,
        )

    def price(self, name: str) -> int | None:
        """Paise of a contract of the chain."""
        item = _BY_NAME.get(name)
        return None if item is None else premium(item, self.index)

    def _vix(self) -> Quote:
        return Quote(name=VIX.name, ts=millis(self._clock.now()), ltp=1_350, booked=False)

    def _move(self, points: int) -> None:
        """Within the strikes: beyond them there is nothing to choose from."""
        self.index = min(max(self.index + points * POINT, FAR[0] * POINT), FAR[-1] * POINT)


@lru_cache(maxsize=len(CHAIN))
def _listed(day: date) -> tuple[Instrument, ...]:
    weekly = WEEKLY if day <= WEEKLY else NEXT
    return (VIX, FUTURE, *(item for item in CHAIN if item.expiry in (weekly, MONTHLY)))


def premium(item: Instrument, index: int) -> int:
    """Paise on tick: what it has inside, and a time value that falls with the distance."""
    if item.strike is None:
        return index // TICK * TICK
    away = item.strike - index if item.right is Right.CALL else index - item.strike
    most = 80_00 if item.expiry != MONTHLY else 120_00
    return max((max(-away, 0) + most * 200_00 // (200_00 + abs(away))) // TICK * TICK, 10 * TICK)
