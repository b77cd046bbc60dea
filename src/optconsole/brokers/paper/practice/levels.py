"""The days: where each index opens and closes, and where volatility stands, for any date and without a chain of days.

The logarithm of a level is a sum over the last `MEMORY` calendar days of each day's shock, fading by `RECALL` a
day: a stationary walk around the base level. As every day's shock is a hash of seed and date, a date years
away costs the same as tomorrow, and the close of one day is exactly where the next one's gap starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from optconsole.brokers.paper.practice.noise import Counts, Reals, normal, stream, uniform, words

VIX_NAME: Final = "INDIAVIX"


@dataclass(frozen=True)
class Index:
    """One index. ``base`` paise; ``shared`` is its correlation with the common factor, ``scale`` its volatility against
    NIFTY's, ``implied`` the ratio of its at-the-money volatility to India VIX, ``step`` paise between strikes,
    ``interest`` the open interest in lots of a busy strike, ``thin`` how much wider its books are than NIFTY's."""

    name: str
    exchange: str
    base: int
    shared: float
    scale: float
    implied: float
    step: int
    interest: int
    thin: float


INDICES: Final = (
    Index("NIFTY", "NSE", 24_500_00, 0.995, 1.0, 0.88, 50_00, 90_000, 1.0),
    Index("BANKNIFTY", "NSE", 52_000_00, 0.86, 1.18, 1.02, 100_00, 22_000, 1.4),
    Index("SENSEX", "BSE", 80_500_00, 0.975, 1.0, 0.89, 100_00, 30_000, 1.2),
)

MEMORY: Final = 400
RECALL: Final = 0.986
VOL_MEMORY: Final = 240
VOL_RECALL: Final = 0.975
VIX_MEDIAN: Final = 13.0
VOL_STEP: Final = 0.055
BLOCK: Final = 256
"""Days computed together."""
REALISED: Final = 0.85
"""Volatility that happens, as a share of India VIX: implied volatility carries a premium."""
INTRADAY: Final = 0.45
"""Share of a day's variance that falls into the session; the rest is the night before it."""
IDLE: Final = 0.35
"""Size of a Saturday's or Sunday's shock against a weekday's."""
LEVERAGE: Final = -0.75
TAIL_ODDS: Final = 0.03
TAIL: Final = 2.2


class DayLevel(NamedTuple):
    """A day of all indices, in the order of INDICES. Levels in paise; India VIX in points.

    ``previous`` values are of the evening before, whatever date that was. ``deviation`` is the standard deviation of
    the session's log return.
    """

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    vix_open: float
    vix_close: float
    deviation: tuple[float, ...]


class _Shocks(NamedTuple):
    night: Reals
    session: Reals


def _shocks(seed: int, what: str, days: Counts) -> _Shocks:
    """Unit shocks split by variance into night and session."""
    night = normal(words(stream(seed, what, "night"), days))
    session = normal(words(stream(seed, what, "session"), days))
    return _Shocks(np.sqrt(1.0 - INTRADAY) * night, np.sqrt(INTRADAY) * session)


@lru_cache(maxsize=1024)
def day_level(seed: int, day: date) -> DayLevel:
    """Opens and closes of a date, trading day or not. Pure: the same arguments give the same paise."""
    block, at = divmod(day.toordinal(), BLOCK)
    return _block(seed, block)[at]


@lru_cache(maxsize=16)
def _block(seed: int, number: int) -> list[DayLevel]:
    """The days of one block of the calendar. Blocks are fixed, so a date is always computed the same way."""
    first = number * BLOCK
    days = np.arange(first - MEMORY - VOL_MEMORY + 1, first + BLOCK, dtype=np.int64)
    busy = np.where((days - 1) % 7 < 5, 1.0, IDLE)
    tail = np.where(uniform(words(stream(seed, "tail"), days)) < TAIL_ODDS, TAIL, 1.0)
    common = _scaled(busy * tail, _shocks(seed, "common", days))
    fear = _scaled(busy * np.sqrt(1.0 - LEVERAGE**2), _shocks(seed, "fear", days))
    vol_session = VOL_STEP * (LEVERAGE * common.session + fear.session)
    vol_night = VOL_STEP * (LEVERAGE * common.night + fear.night)
    log_vol = _faded(vol_night + vol_session, VOL_RECALL, VOL_MEMORY)
    daily = REALISED * VIX_MEDIAN / 100.0 / np.sqrt(252.0) * np.exp(log_vol[:-1])
    known = len(daily)
    opens, closes, deviation = [], [], []
    for index in INDICES:
        alone = _scaled(busy * np.sqrt(1.0 - index.shared**2), _shocks(seed, index.name, days))
        size = index.scale * daily
        session = size * (index.shared * common.session + alone.session)[-known:]
        night = size * (index.shared * common.night + alone.night)[-known:]
        level = _faded(night + session, RECALL, MEMORY)
        closes.append(np.rint(index.base * np.exp(level)).astype(np.int64).tolist())
        opens.append(np.rint(index.base * np.exp(level - session[-BLOCK:])).astype(np.int64).tolist())
        deviation.append((size * busy[-known:] * np.sqrt(INTRADAY))[-BLOCK:].tolist())
    vix = VIX_MEDIAN * np.exp(log_vol[-BLOCK:])
    vix_open = vix * np.exp(-vol_session[-BLOCK:])
    columns = zip(*opens, strict=True), zip(*closes, strict=True), vix_open.tolist(), vix.tolist()
    return [DayLevel(*day) for day in zip(*columns, zip(*deviation, strict=True), strict=True)]


def _scaled(size: Reals, shocks: _Shocks) -> _Shocks:
    return _Shocks(size * shocks.night, size * shocks.session)


def _faded(shocks: Reals, recall: float, memory: int) -> Reals:
    """Sum of the last ``memory`` shocks, each day counting ``recall`` of the day after it."""
    weights = recall ** np.arange(memory, dtype=np.float64)
    return np.asarray(np.convolve(shocks, weights, "valid"), dtype=np.float64)
