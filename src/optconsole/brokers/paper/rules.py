"""What the paper broker needs to know of market rules, handed in so that it holds none of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote

Hours = tuple[datetime, datetime]
QuoteOf = Callable[[str], Quote | None]


@dataclass(frozen=True, slots=True)
class Exposure:
    """Signed units of one contract, valued at ``price`` paise."""

    instrument: Instrument
    qty: int
    price: int


@dataclass(frozen=True, slots=True)
class PaperRules:
    """The market's rules as functions.

    ``hours``: open and close of continuous derivatives trading on an exchange and day, None when closed.
    ``band``: lowest sell and highest buy limit in paise around a reference price on a day.
    ``charges``: paise of all charges of one executed order whose fills on that day are worth so many paise.
    ``exercise``: paise of tax on an in-the-money long option whose intrinsic value is so many paise.
    ``margin``: paise that the exposures tie up together, without the premium of bought options.
    """

    hours: Callable[[str, date], Hours | None]
    band: Callable[[date, Instrument, int], tuple[int, int]]
    charges: Callable[[date, Instrument, Side, int], int]
    exercise: Callable[[date, Instrument, int], int]
    margin: Callable[[Sequence[Exposure], QuoteOf, datetime], int]

    def trading(self, instrument: Instrument, day: date) -> Hours | None:
        """When a contract trades on ``day``: an expiring one may stop before the session does."""
        hours = self.hours(instrument.exchange, day)
        if hours is None:
            return None
        last = instrument.last_trade
        return hours if last is None else (hours[0], min(hours[1], last))
