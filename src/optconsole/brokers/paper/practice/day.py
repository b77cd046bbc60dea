"""A practice day: every quote of every contract as a pure function of seed, date and instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from optconsole.brokers.paper.practice.book import Bucket, Moment, bucket, ladder, sizes, touch
from optconsole.brokers.paper.practice.hours import TradingDays, last_hours, next_hours
from optconsole.brokers.paper.practice.interest import day_interest, growth, moneyness
from optconsole.brokers.paper.practice.levels import INDICES, INTRADAY, day_level
from optconsole.brokers.paper.practice.noise import Counts, Reals, Words, uniform, uniforms, words
from optconsole.brokers.paper.practice.path import VIX_ROW, session_path, variance_clock
from optconsole.brokers.paper.practice.sheet import build_sheet
from optconsole.brokers.paper.practice.surface import forward, level_volatility, option_value
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.timeline import millis

YEAR_MS: Final = 365 * 86_400_000
BASIS: Final = 0.00015
"""Largest stray of a future from its forward."""
ORDINARY_SECONDS: Final = 22_500
"""An ordinary session's length; a festive hour trades its share of a day."""
RAREST_TRADE_MS: Final = 3 * 3_600_000
LOTS_A_TRADE: Final = 4
_IMPLIED: Final = np.array([index.implied for index in INDICES] + [1.0])


class PracticeDay:
    """One date of one seed. Raises Refusal(NO_SESSION) when ``day`` has none.

    ``instruments`` are the listed contracts, indices included, all of underlyings the practice market plays.
    Nothing is drawn from a generator: any question may be asked in any order, and again after a restart.
    """

    def __init__(self, seed: int, day: date, instruments: Sequence[Instrument], calendar: TradingDays) -> None:
        hours = calendar.session(day)
        if hours is None:
            raise Refusal("NO_SESSION", f"There is no trading on {day:%a %d %b %Y}; choose a trading day.")
        self.seed, self.day = seed, day
        self.opens, self.closes = hours.opens, hours.closes
        self.sheet = build_sheet(seed, day, instruments, calendar)
        self._open, self._close = millis(hours.opens), millis(hours.closes)
        self._seconds = (self._close - self._open) // 1000
        self._level = day_level(seed, day)
        self._path = session_path(seed, day, self._seconds, self._level)
        self._clock = variance_clock(self._seconds)
        self._finish = self._clock_at(np.minimum(self.sheet.ends, self._close))
        last_day, last = last_hours(calendar, day)
        next_day, _ = next_hours(calendar, day)
        evening = day_level(seed, last_day)
        before, out = self._evening(np.array(evening.closes), evening.vix_close, millis(last.closes), 1.0)
        _, after = self._evening(np.array(self._level.closes), self._level.vix_close, self._close, 0.0)
        self._previous = before
        length = min(1.0, self._seconds / ORDINARY_SECONDS)
        self._interest = day_interest(self.sheet, out, after, float((next_day - day).days), length)
        trades = self._interest.volume // LOTS_A_TRADE + 1
        self._pause = np.clip((self._close - self._open) // trades, 1000, RAREST_TRADE_MS)

    def spot(self, underlying: str, second: float) -> int:
        """The index (or India VIX times 100) in paise, ``second`` seconds after the open."""
        row = self.sheet.row[[self._place(underlying)]]
        at = np.array([self._open + round(second * 1000)], dtype=np.int64)
        return round(float(self._at_row(row, at)[0]) * 100.0)

    def quote(self, instrument: Instrument, moment: datetime) -> Quote:
        """The quote of one contract at an instant of the session."""
        return self.quotes([instrument], moment)[0]

    def quotes(self, instruments: Sequence[Instrument], moment: datetime) -> list[Quote]:
        """Quotes of many contracts at one instant, priced together. Raises Refusal(UNKNOWN_CONTRACT)."""
        rows = np.array([self._place(item.name) for item in instruments], dtype=np.int64)
        return self.rows(rows, millis(moment))

    def rows(self, rows: Counts, stamp: int) -> list[Quote]:
        """Quotes of sheet rows at epoch milliseconds."""
        count = len(rows)
        if count == 0:
            return []
        sheet, interest = self.sheet, self._interest
        at = np.full(count, min(max(stamp, self._open), self._close), dtype=np.int64)
        both, when = np.concatenate([rows, rows]), np.concatenate([at, self._last_trade(rows, at)])
        now = self._moment(both, when)
        drawn = bucket(sheet, both, when)
        # The last trade's own instant counts as tradable even for a contract that has stopped since.
        trading = np.concatenate([at < sheet.ends[rows], np.ones(count, dtype=np.bool_)])
        best = touch(sheet, both, now, drawn, trading)
        bid, ask = best.bid[:count], best.ask[:count]
        here, mine = Moment(*(column[:count] for column in now)), Bucket(drawn.key[:count], drawn.number[:count])
        bid_qty, ask_qty = (sizes(sheet, rows, here, mine, salt) for salt in (3, 4))
        clock = self._clock_at(at)
        volume = (interest.volume[rows] * growth(sheet.daily[rows], clock, 200)).astype(np.int64)
        change = (interest.closed - interest.opened)[rows] * growth(sheet.daily[rows], clock, 300)
        held = interest.opened[rows] + np.rint(change).astype(np.int64)
        last = self._last_price(rows, best.bid[count:], best.ask[count:], now.value[count:], drawn.draw(5)[count:])
        last = np.where((volume > 0) | sheet.is_index[rows], last, self._previous[rows])
        lot = sheet.lot[rows]
        return _quotes(
            [sheet.names[row] for row in rows.tolist()],
            stamp,
            (bid, bid_qty, ask, ask_qty, last, volume * lot, held * lot, interest.opened[rows] * lot),
            self._previous[rows],
            ~sheet.is_index[rows],
        )

    def depth(self, instrument: Instrument, moment: datetime) -> Depth | None:
        """Up to five levels a side; None for an index. The best level is the quote's."""
        place = self._place(instrument.name)
        if self.sheet.is_index[place]:
            return None
        quote = self.quotes([instrument], moment)[0]
        rows = np.array([place], dtype=np.int64)
        drawn = bucket(self.sheet, rows, np.array([millis(moment)], dtype=np.int64))
        draws = uniforms(drawn.draw(6), 32)
        bid, ask, tick, lot = quote.bid or 0, quote.ask or 0, instrument.tick, instrument.lot
        gap = (ask - bid) // tick // 3 if bid else 1
        bids = ladder(bid, quote.bid_qty, -1, tick, lot, gap, draws[:16])
        asks = ladder(ask, quote.ask_qty, +1, tick, lot, gap, draws[16:])
        return Depth(quote.name, quote.ts, tuple(bids), tuple(asks))

    def reach(self, stamp: int) -> Reals:
        """How far every contract is out of the money at epoch milliseconds, in expected moves; 0 without a strike."""
        every = np.arange(len(self.sheet), dtype=np.int64)
        return self._moment(every, np.full(len(every), stamp, dtype=np.int64)).out

    def _place(self, name: str) -> int:
        try:
            return self.sheet.place[name]
        except KeyError:
            raise Refusal(
                "UNKNOWN_CONTRACT", f"{name} is not listed on {self.day:%d %b %Y}; choose a strike of the chain."
            ) from None

    def _seconds_at(self, at: Counts) -> tuple[Counts, Reals]:
        """Whole seconds since the open and the part of the next one, kept inside the session."""
        seconds: Reals = np.clip((at - self._open) / 1000.0, 0.0, float(self._seconds))
        whole: Counts = np.minimum(seconds.astype(np.int64), self._seconds - 1)
        return whole, seconds - whole

    def _clock_at(self, at: Counts) -> Reals:
        whole, part = self._seconds_at(at)
        share: Reals = self._clock[whole] * (1.0 - part) + self._clock[whole + 1] * part
        return share

    def _at_row(self, row: Counts, at: Counts) -> Reals:
        whole, part = self._seconds_at(at)
        level: Reals = self._path[row, whole] * (1.0 - part) + self._path[row, whole + 1] * part
        return level

    def _moment(self, rows: Counts, at: Counts) -> Moment:
        sheet = self.sheet
        row, flat = sheet.row[rows], sheet.is_index[rows]
        spot, vix = self._at_row(row, at), self._at_row(np.full_like(row, VIX_ROW), at)
        left = np.where(flat, 0, np.maximum(sheet.ends[rows] - at, 0))
        years = left / YEAR_MS
        ahead = forward(spot, years)
        days = sheet.nights[rows] + INTRADAY * np.maximum(self._finish[rows] - self._clock_at(at), 0.0)
        volatility = level_volatility(vix, _IMPLIED[row], days)
        fair = option_value(ahead, sheet.strike[rows], sheet.sign[rows], years, volatility, days)
        option = sheet.is_option[rows]
        value = np.where(option, fair.value, ahead * (1.0 + self._basis(rows, at, years)))
        out = np.where(option, sheet.sign[rows] * fair.reach, 0.0)
        return Moment(np.where(flat, spot, value), out, left / 60_000.0, (at - self._open) / 1000.0)

    def _basis(self, rows: Counts, at: Counts, years: Reals) -> Reals:
        """A slow wave of fear and greed around the forward, fading as the future expires."""
        turn = 2.0 * np.pi * (at / 60_000.0)
        first, second = (
            uniform(words(self.sheet.key[rows], np.array([salt], dtype=np.int64))) * 2.0 * np.pi for salt in (8, 9)
        )
        wave = 0.6 * np.sin(turn / 23.0 + first) + 0.4 * np.sin(turn / 7.0 + second)
        return np.asarray(BASIS * wave * np.minimum(years * 365.0 / 2.0, 1.0), dtype=np.float64)

    def _last_trade(self, rows: Counts, at: Counts) -> Counts:
        """The instant of each contract's latest trade: one at a hashed point of each of its pauses."""
        at = np.minimum(at, self.sheet.ends[rows])
        pause, key = self._pause[rows], self.sheet.daily[rows]
        first = self._open - (key % pause.astype(np.uint64)).astype(np.int64)
        number = (at - first) // pause

        def instant(count: Counts) -> Counts:
            return first + count * pause + (uniform(words(key, count + 1000)) * pause).astype(np.int64)

        latest = instant(number)
        latest = np.where(latest <= at, latest, instant(number - 1))
        return np.clip(np.where(self.sheet.is_index[rows], at, latest), self._open, at)

    def _last_price(self, rows: Counts, bid: Counts, ask: Counts, value: Reals, draw: Words) -> Counts:
        """A trade happens at the bid or at the ask; where a side was empty, at the other, else at the fair value."""
        tick = self.sheet.tick[rows]
        plain = np.maximum(np.rint(value * 100.0 / tick).astype(np.int64), 1) * tick
        sold, bought = np.where(bid > 0, bid, ask), np.where(ask > 0, ask, bid)
        price = np.where(uniform(draw) < 0.5, sold, bought)
        shown = np.where(self.sheet.is_index[rows], np.rint(value * 100.0).astype(np.int64), plain)
        return np.where(price > 0, price, shown)

    def _evening(self, closes: Counts, vix: float, at: int, nights: float) -> tuple[Counts, Reals]:
        """Closing prices in paise and distances from the money on an evening ``nights`` sessions before tonight."""
        sheet = self.sheet
        level = np.concatenate([closes / 100.0, [vix]])[sheet.row]
        years = np.where(sheet.is_index, 0, np.maximum(sheet.ends - at, 0)) / YEAR_MS
        ahead, days = forward(level, years), sheet.nights + nights
        volatility = level_volatility(np.full(len(sheet), vix), _IMPLIED[sheet.row], days)
        fair = option_value(ahead, sheet.strike, sheet.sign, years, volatility, days)
        every, then = np.arange(len(sheet), dtype=np.int64), np.full(len(sheet), at, dtype=np.int64)
        future = ahead * (1.0 + self._basis(every, then, years))
        value = np.where(sheet.is_option, fair.value, np.where(sheet.is_index, level, future)) * 100.0
        tick = np.where(sheet.is_index, 1, sheet.tick)
        price = np.maximum(np.rint(value / tick).astype(np.int64), 1) * tick
        return price, np.where(sheet.is_option, moneyness(sheet, ahead, volatility, days), 0.0)


def _quotes(
    names: list[str], stamp: int, columns: tuple[Counts, ...], previous: Counts, booked: NDArray[np.bool_]
) -> list[Quote]:
    """Structs from columns: bid, size, ask, size, last, volume, open interest now and at the open; 0 is no price."""
    return [
        Quote(
            name,
            stamp,
            bid or None,
            bid_qty if bid else 0,
            ask or None,
            ask_qty if ask else 0,
            last,
            volume,
            held if has_book else None,
            opened if has_book else None,
            before,
            has_book,
        )
        for name, bid, bid_qty, ask, ask_qty, last, volume, held, opened, before, has_book in zip(
            names, *(column.tolist() for column in columns), previous.tolist(), booked.tolist(), strict=True
        )
    ]
