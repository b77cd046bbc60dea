"""A tiny market: an index and four options that wander by ticks, gap and go silent; a chain where one is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

import msgspec

from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import IST, millis
from optconsole.engine.ports import QuoteSink
from tests.simulation.kernel import SimClock, TapeRandom
from tests.simulation.swarm import Faults

if TYPE_CHECKING:
    from tests.simulation.chain import Chain

DAYS: Final = (date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
LOT: Final = 65
TICK: Final = 5
WEEKLY: Final = DAYS[1]
MONTHLY: Final = date(2026, 11, 30)


def option(strike: int, right: Right, expiry: date) -> Instrument:
    """A NIFTY option; the strike in rupees."""
    return Instrument(
        name=contract_name("NIFTY", expiry, strike * 100, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.OPTION,
        lot=LOT,
        tick=TICK,
        freeze=4 * LOT,
        expiry=expiry,
        strike=strike * 100,
        right=right,
        last_trade=datetime.combine(expiry, time(15, 40), IST),
    )


INDEX: Final = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)
OPTIONS: Final = (
    option(25_000, Right.CALL, MONTHLY),
    option(25_000, Right.PUT, MONTHLY),
    option(25_500, Right.CALL, MONTHLY),
    option(25_000, Right.CALL, WEEKLY),
)
LISTED: Final = (INDEX, *OPTIONS)


@dataclass
class _Path:
    instrument: Instrument
    price: int
    spread: int
    bid_qty: int = 4 * LOT
    ask_qty: int = 4 * LOT


class Market:
    """Prices off the market tape. On a quiet tape they stand still with ample size."""

    def __init__(self, clock: SimClock, choices: TapeRandom, faults: Faults, chain: Chain | None = None) -> None:
        self._clock, self._choices, self._faults, self.chain = clock, choices, faults, chain
        self.paths = {option.name: _Path(option, 100_00 + 20_00 * place, 2) for place, option in enumerate(OPTIONS)}
        self._index = 25_050_00
        self._older: dict[str, Quote] = {}
        self._last: dict[str, Quote] = {}

    def listed(self, day: date) -> list[Instrument]:
        """Contracts listed on ``day``."""
        own = [item for item in LISTED if item.expiry is None or item.expiry >= day]
        return own if self.chain is None else [*own, *self.chain.listed(day)]

    def step(self) -> list[Quote]:
        """Move some contracts and quote them; nothing while the market is halted."""
        if self._faults.lasting("px.halt", 3, 30):
            return []
        choices, stamp = self._choices, millis(self._clock.now())
        others = [] if self.chain is None else self.chain.step()
        if self.chain is not None:
            self._index = self.chain.index
        moved = [Quote(name=INDEX.name, ts=stamp, ltp=self._index, prev_close=25_000_00, booked=False)]
        for path in self.paths.values():
            value = choices.byte()
            if value < 96:
                continue
            drift = value % 11 - 5
            if self._faults.strikes("px.gap") is not None:
                drift *= 40
            path.price = max(path.price + drift * TICK, 20_00)
            path.bid_qty, path.ask_qty = LOT * (1 + value % 5), LOT * (1 + value // 5 % 5)
            moved.append(self.quote(path.instrument.name))
        self._index += choices.byte() % 21 - 10 if len(moved) > 1 else 0
        return [*moved, *others]

    def feed(self, quotes: Sequence[Quote]) -> list[Quote]:
        """What the engine's feed makes of a second: silence, an old quote shown again, one wild tick."""
        if self._faults.lasting("px.freeze", 2, 25) or self._dead():
            return []
        shown: list[Quote] = []
        for quote in quotes:
            name = quote.name
            if quote.booked:
                if self._faults.strikes("px.stale_quote") is not None:
                    quote = self._older.get(name, quote)
                elif (tape := self._faults.strikes("px.bad_tick")) is not None:
                    quote = _scaled(quote, tape.pick((10, 0.1, 3)))
                self._older[name] = self._last.get(name, quote)
                self._last[name] = quote
            shown.append(quote)
        return shown

    def _dead(self) -> bool:
        """The feed is gone for minutes, which only a run with strategies meets: they must say that they are blind."""
        return self.chain is not None and self._faults.lasting("px.dead", 60, 150)

    def open_day(self) -> None:
        """A night passes."""
        if self.chain is not None:
            self.chain.open_day()

    def opening(self, day: date) -> list[Quote]:
        """The whole picture."""
        index = Quote(name=INDEX.name, ts=millis(self._clock.now()), ltp=self._index, booked=False)
        own = [self.quote(item.name) for item in OPTIONS if item.expiry is None or item.expiry >= day]
        return [index, *own, *([] if self.chain is None else self.chain.whole(day))]

    def quote(self, name: str) -> Quote:
        """One of the four options as the exchange shows it now."""
        path = self.paths[name]
        return Quote(
            name=name,
            ts=millis(self._clock.now()),
            bid=path.price - path.spread * TICK,
            bid_qty=path.bid_qty,
            ask=path.price + path.spread * TICK,
            ask_qty=path.ask_qty,
            ltp=path.price,
            prev_close=path.price,
        )

    def worth(self, name: str) -> int | None:
        """Paise of any contract's last trade; None of one that is not here."""
        path = self.paths.get(name)
        if path is not None:
            return path.price
        return None if self.chain is None else self.chain.price(name)

    def price(self, name: str) -> int:
        """Paise of the last trade."""
        return self.paths[name].price


def _scaled(quote: Quote, factor: float) -> Quote:
    """A quote at another price, on tick: what a wrong divisor makes of it."""
    bid, ask, last = ((int((price or 0) * factor) // TICK or 1) * TICK for price in (quote.bid, quote.ask, quote.ltp))
    return msgspec.structs.replace(quote, bid=bid, ask=ask, ltp=last)


class SimFeed:
    """``engine.ports.Feed`` of one life: the contracts, and nothing to start or stop; the world delivers quotes."""

    name = "simulated"

    def __init__(self, listed: Callable[[date], list[Instrument]]) -> None:
        self._listed = listed

    async def start(self, sink: QuoteSink) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def instruments(self, day: date) -> list[Instrument]:
        return self._listed(day)

    def watch(self, names: Sequence[str]) -> None:
        """Everything is quoted anyway."""

    def depth(self, name: str) -> Depth | None:
        return None
