"""The day's open, high, low and close of what strategies may look at tomorrow (features LX-1, EN-9, SK-15).

High and low are those of the quotes seen once a second; a bar that was not watched from the open on says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.quotes import Quote
from optconsole.engine.rules.leg_levels import Span
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs.scene import RunScene

EVERY: Final = timedelta(seconds=1)
STORE: Final = timedelta(minutes=5)
LATE: Final = timedelta(seconds=90)
"""How long after the open a watch may begin and still have seen the whole day."""


class DayBars:
    """Bars as far as they have come. Underlyings are written down every few minutes, all of them at the close."""

    def __init__(self) -> None:
        self._bars: dict[str, DayBar] = {}
        self._quotes: dict[str, Quote] = {}
        self._names: tuple[InstrumentMaster, frozenset[str], list[str]] | None = None
        self._looked: datetime | None = None
        self._stored: datetime | None = None

    def step(self, scene: RunScene) -> Decision | None:
        """Take the prices in; tell what was not told yet."""
        day = scene.state.day
        if day is None:
            return None
        if self._bars and next(iter(self._bars.values())).day != day:
            self._bars, self._stored = {}, None
        if not scene.state.session_open:
            return self._tell(scene, self._bars)
        if self._looked is not None and timedelta() <= scene.now - self._looked < EVERY:
            return None
        self._looked = scene.now
        for name in self._followed(scene):
            quote = scene.situation.quote(name)
            # most contracts have not moved: looking further at those alone keeps a look at a thousand short
            if quote is not None and quote is not self._quotes.get(name):
                self._quotes[name] = quote
                self._take(scene, name, quote)
        short = {name: bar for name, bar in self._bars.items() if " " not in name}
        if self._stored is not None and scene.now - self._stored < STORE and short.keys() <= scene.state.bars.keys():
            return None
        return self._tell(scene, short)

    def _followed(self, scene: RunScene) -> list[str]:
        """The underlyings of all baskets and their contracts, gathered once for a list of contracts."""
        wanted = underlyings(scene)
        if self._names is None or self._names[0] is not scene.master or self._names[1] != wanted:
            found = [each.name for each in scene.master.instruments() if each.underlying in wanted]
            self._names = (scene.master, wanted, found)
        return self._names[2]

    def _take(self, scene: RunScene, name: str, quote: Quote) -> None:
        price, day = quote.mark, scene.now.date()
        if price is None or not scene.fresh(name):
            return
        known = self._bars.get(name) or scene.state.bars.get(name)
        if known is not None:
            self._bars[name] = known.after(price)
            return
        hours = scene.days.hours(day)
        whole = hours is not None and scene.now - hours.opens <= LATE
        self._bars[name] = DayBar(day=day, open=price, high=price, low=price, close=price, whole=whole)

    def _tell(self, scene: RunScene, bars: dict[str, DayBar]) -> Decision | None:
        fresh = {name: bar for name, bar in bars.items() if scene.state.bars.get(name) != bar}
        self._stored = scene.now
        if not fresh:
            return None
        return Decision("engine", "bars", [ev.BarsMarked(bars=fresh)])


def underlyings(scene: RunScene) -> frozenset[str]:
    """What the strategies of all baskets trade."""
    books = scene.state.baskets.values()
    return frozenset(strategy.underlying for book in books for strategy in book.basket.strategies)


def yesterday(scene: RunScene, name: str) -> Span | None:
    """The high and low of the trading day before; None where it was not watched whole."""
    bars = scene.state.bars_before.get(name, ())
    day = scene.state.day
    if not bars or day is None or bars[-1].day != scene.days.preceding(day) or not bars[-1].whole:
        return None
    return Span(high=bars[-1].high, low=bars[-1].low)


def true_range(scene: RunScene, name: str, days: int) -> int | None:
    """Wilder's average true range of so many whole days in paise; None before there are as many."""
    bars = scene.state.bars_before.get(name, ())
    if len(bars) <= days:
        return None
    average = 0.0
    for place in range(1, len(bars)):
        reach = max(bars[place].high, bars[place - 1].close) - min(bars[place].low, bars[place - 1].close)
        average = average + (reach - average) / min(place, days)
    return round(average)
