"""The day's listing as columns: what of each contract does not change while the market is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from optconsole.brokers.paper.practice.hours import TradingDays, trading_days_between
from optconsole.brokers.paper.practice.levels import INDICES, VIX_NAME
from optconsole.brokers.paper.practice.noise import Counts, Reals, Words, stream, words
from optconsole.brokers.paper.practice.path import VIX_ROW
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind, Right
from optconsole.engine.model.timeline import millis

NEVER: Final = 2**62
"""Last-trade stamp of what never expires."""
QUICK_DAYS: Final = 4.0
WEEKLY_FADE: Final = 2.8
MONTHLY_FADE: Final = 18.0
LEAST_BUSY: Final = 0.001

Flags = NDArray[np.bool_]
_ROWS: Final = {index.name: row for row, index in enumerate(INDICES)} | {VIX_NAME: VIX_ROW}


@dataclass(frozen=True)
class Sheet:
    """Columns over ``instruments``.

    ``row`` of the underlying's path; ``strike`` rupees, 1 where there is none; ``sign`` +1 call, -1 put, 0 else;
    ``ends`` the last trade in epoch milliseconds; ``nights`` sessions after today until the expiry; ``days`` calendar
    days to it; ``busy`` how much of the trading its expiry attracts, 1 for the nearest; ``round`` the same for its
    strike; ``wide`` the widening of its book against a busy NIFTY expiry; ``key`` names the contract's draws
    whatever the day, ``daily`` those of this day.
    """

    instruments: tuple[Instrument, ...]
    names: tuple[str, ...]
    place: dict[str, int]
    is_index: Flags
    is_option: Flags
    row: Counts
    strike: Reals
    sign: Reals
    ends: Counts
    nights: Reals
    days: Reals
    monthly: Flags
    lot: Counts
    tick: Counts
    busy: Reals
    round: Reals
    wide: Reals
    key: Words
    daily: Words

    def __len__(self) -> int:
        return len(self.names)


def expiry_pull(days: Reals, monthly: Flags, option: Flags) -> Reals:
    """Share of trading that an expiry ``days`` away attracts: weeklies wake up late, monthlies early."""
    fade = np.where(monthly | ~option, MONTHLY_FADE, WEEKLY_FADE)
    return np.asarray(np.maximum(np.exp(-np.maximum(days - QUICK_DAYS, 0.0) / fade), LEAST_BUSY), dtype=np.float64)


def strike_pull(steps: Reals) -> Reals:
    """Preference for round strikes; ``steps`` is the strike in strike steps of the near expiries."""
    pull = np.full(len(steps), 0.45)
    for multiple, weight in ((2, 1.0), (10, 2.2), (20, 3.5)):
        pull = np.where(steps % multiple == 0, weight, pull)
    return pull


def index_instruments() -> list[Instrument]:
    """The indices and India VIX as contracts that quote and do not trade."""
    pairs = [(index.name, index.exchange) for index in INDICES] + [(VIX_NAME, "NSE")]
    return [
        Instrument(name=name, underlying=name, exchange=exchange, kind=Kind.INDEX, lot=1, tick=5, freeze=1)
        for name, exchange in pairs
    ]


def build_sheet(seed: int, day: date, instruments: Sequence[Instrument], calendar: TradingDays) -> Sheet:
    """Lay the listing out in columns. Raises Refusal(NOT_PRACTISED) for an underlying that has no path."""
    for item in instruments:
        if item.underlying not in _ROWS:
            raise Refusal(
                "NOT_PRACTISED",
                f"The practice market has no {item.underlying}; it plays {', '.join(list(_ROWS)[:VIX_ROW])}.",
            )
    names = tuple(item.name for item in instruments)
    kinds = np.array([item.kind.value for item in instruments])
    row = np.array([_ROWS[item.underlying] for item in instruments], dtype=np.int64)
    option, monthly = kinds == Kind.OPTION.value, _monthly(instruments)
    days = np.array([(item.expiry - day).days if item.expiry else 0 for item in instruments], dtype=np.float64)
    strike = np.array([(item.strike or 0) / 100.0 for item in instruments])
    step = np.array([INDICES[min(r, VIX_ROW - 1)].step / 100.0 for r in row])
    thin = np.array([INDICES[min(r, VIX_ROW - 1)].thin for r in row])
    busy = expiry_pull(days, monthly, option)
    attraction = np.where(option, strike_pull(strike / step), 1.0)
    wide = thin * busy**-0.4
    key = np.concatenate([stream(seed, name) for name in names])
    return Sheet(
        instruments=tuple(instruments),
        names=names,
        place={name: at for at, name in enumerate(names)},
        is_index=kinds == Kind.INDEX.value,
        is_option=option,
        row=row,
        strike=np.where(option, strike, 1.0),
        sign=np.array([_SIGN[item.right] for item in instruments]),
        ends=np.array([millis(item.last_trade) if item.last_trade else NEVER for item in instruments], dtype=np.int64),
        nights=_nights(instruments, day, calendar),
        days=days,
        monthly=monthly,
        lot=np.array([item.lot for item in instruments], dtype=np.int64),
        tick=np.array([item.tick for item in instruments], dtype=np.int64),
        busy=busy,
        round=attraction,
        wide=wide * attraction ** (-0.35 * np.minimum(wide / thin - 1.0, 1.0)),
        key=key,
        daily=words(key, np.array([day.toordinal()], dtype=np.int64)),
    )


_SIGN: Final = {Right.CALL: 1.0, Right.PUT: -1.0, None: 0.0}


def month_ends(expiries: Iterable[date]) -> set[date]:
    """The last expiry of each month, which is what makes a contract monthly."""
    return set({(expiry.year, expiry.month): expiry for expiry in sorted(expiries)}.values())


def _monthly(instruments: Sequence[Instrument]) -> Flags:
    dated: dict[str, set[date]] = defaultdict(set)
    for item in instruments:
        if item.expiry is not None:
            dated[item.underlying].add(item.expiry)
    last = {name: month_ends(expiries) for name, expiries in dated.items()}
    return np.array([item.expiry in last.get(item.underlying, ()) for item in instruments], dtype=np.bool_)


def _nights(instruments: Sequence[Instrument], day: date, calendar: TradingDays) -> Reals:
    expiries = {item.expiry for item in instruments if item.expiry is not None}
    nights = {expiry: trading_days_between(calendar, day, expiry) for expiry in expiries}
    return np.array([nights[item.expiry] if item.expiry else 0.0 for item in instruments])
