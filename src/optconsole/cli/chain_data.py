"""One expiry of a running engine: what is listed, what is quoted, and what that says of volatility."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from optconsole.cli.session import Engine
from optconsole.cli.shapes import Shape, whole
from optconsole.engine.market.master import ChainRow, InstrumentMaster
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, expiry_code
from optconsole.engine.model.quotes import Quote
from optconsole.engine.pricing.chain import SolvedChain, SolvedSide, solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.queries import (
    FindInstruments,
    GetQuotes,
    GetVitals,
    InstrumentList,
    ListUnderlyings,
    QuoteList,
    Underlying,
    UnderlyingList,
    VitalsAnswer,
)

YEAR: Final = timedelta(days=365)
PAISE: Final = 100


class Chain(NamedTuple):
    """One expiry at one moment. ``spot`` is paise; ``figures`` are by contract name."""

    underlying: str
    expiry: date
    now: datetime
    spot: int | None
    rows: list[ChainRow]
    quotes: dict[str, Quote]
    figures: dict[str, Shape]
    solved: SolvedChain

    @property
    def reference(self) -> float | None:
        """What the money is measured by: the parity forward, else the spot."""
        return self.spot if self.solved.forward.value is None else self.solved.forward.value


async def read_chain(engine: Engine, underlying: str, wanted: date | None) -> Chain:
    """Ask for an expiry, the nearest when ``wanted`` is None, and solve it. Raises Refusal(NOT_LISTED)."""
    known = (await engine.ask(ListUnderlyings(), UnderlyingList)).underlyings
    day = _expiry(underlying, wanted, known)
    listed = await engine.ask(FindInstruments(underlying=underlying, expiry=day), InstrumentList)
    rows = InstrumentMaster(listed.instruments).chain(underlying, day)
    if not rows:
        raise Refusal("NOT_LISTED", f"{underlying} has no options that expire {expiry_code(day)}.")
    names = (underlying, *(each.name for _strike, *pair in rows for each in pair if each is not None))
    found = await engine.ask(GetQuotes(names=names), QuoteList)
    now = (await engine.ask(GetVitals(), VitalsAnswer)).vitals.now
    quotes = {quote.name: quote for quote in found.quotes}
    spot = quotes[underlying].mark if underlying in quotes else None
    solved = solve_chain(_ladder(rows, quotes), _years(rows, now))
    return Chain(underlying, day, now, spot, rows, quotes, _figures(rows, solved), solved)


def _expiry(underlying: str, wanted: date | None, known: tuple[Underlying, ...]) -> date:
    row = next((each for each in known if each.name == underlying), None)
    if row is None:
        names = ", ".join(each.name for each in known) or "none"
        raise Refusal("NOT_LISTED", f"{underlying} is not an underlying here; listed: {names}.")
    if wanted is None:
        return row.expiries[0]
    if wanted not in row.expiries:
        codes = ", ".join(expiry_code(day) for day in row.expiries[:8])
        raise Refusal("NOT_LISTED", f"{underlying} {expiry_code(wanted)} is not an expiry; listed: {codes}.")
    return wanted


def _years(rows: list[ChainRow], now: datetime) -> float:
    """Years of 365 days to the last trade; 0 once it has passed."""
    ends = [each.last_trade for _strike, *pair in rows for each in pair if each is not None and each.last_trade]
    return max((ends[0] - now) / YEAR, 0.0) if ends else 0.0


def _ladder(rows: list[ChainRow], quotes: dict[str, Quote]) -> Ladder:
    def side(listed: Sequence[Instrument | None]) -> Side:
        found = [None if each is None else quotes.get(each.name) for each in listed]
        return Side(
            bid=tuple(quote.bid if quote else None for quote in found),
            ask=tuple(quote.ask if quote else None for quote in found),
            ltp=tuple(quote.ltp if quote else None for quote in found),
            oi=tuple(quote.oi if quote else None for quote in found),
        )

    strikes = tuple(strike for strike, _call, _put in rows)
    return Ladder(strikes, side([call for _strike, call, _put in rows]), side([put for _strike, _call, put in rows]))


def _figures(rows: list[ChainRow], solved: SolvedChain) -> dict[str, Shape]:
    return {
        each.name: _greeks(side, place)
        for place, (_strike, call, put) in enumerate(rows)
        for each, side in ((call, solved.calls), (put, solved.puts))
        if each is not None
    }


def _greeks(side: SolvedSide, place: int) -> Shape:
    """Volatility as a ratio; theta in rupees a day, vega in rupees a point, gamma per rupee of the underlying."""
    figures = {
        "iv": float(side.iv[place]),
        "delta": float(side.delta[place]),
        "gamma": float(side.gamma[place]),
        "theta_rupees_per_day": float(side.theta[place]) / PAISE,
        "vega_rupees_per_point": float(side.vega[place]) / PAISE,
    }
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def whole_chain(chain: Chain) -> Shape:
    """What the expiry says as a whole; unknown is null."""
    solved = chain.solved
    return {
        "underlying": chain.underlying,
        "expiry": chain.expiry.isoformat(),
        "at": chain.now.isoformat(),
        "spot_paise": chain.spot,
        "forward_paise": whole(solved.forward.value),
        "straddle_paise": whole(solved.straddle),
        "synthetic_paise": whole(solved.synthetic),
        "atm_strike_paise": None if solved.atm is None else solved.strikes[solved.atm],
        "put_call_ratio": solved.put_call_ratio,
        "max_pain_paise": solved.max_pain,
    }
