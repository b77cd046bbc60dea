"""One expiry as the chain shows it: strikes with a call and a put, their figures, and what the whole says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.orders import Side as OrderSide
from optconsole.engine.model.quotes import Quote
from optconsole.engine.pricing.ladder import Ladder, Side, nearest_strike
from optconsole.screens.chain_columns import CALL, PUT, ColumnSet, Mine, side_fields
from optconsole.screens.formats import age_role
from optconsole.screens.mirror import Mirror
from optconsole.screens.widgets.columns import BLANK, Row, aged

if TYPE_CHECKING:
    from optconsole.engine.pricing.chain import SolvedChain

YEAR: Final = timedelta(days=365)
AGEING: Final = frozenset(
    {"bid", "ask", "bid_qty", "ask_qty", "ltp", "change", "iv", "delta", "gamma", "theta", "vega"}
)
"""Fields that are only as good as the last quote. Interest and volume are sums of the day, and move seldom."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One line of the chain. A side that is not listed is None."""

    paise: int
    call: Instrument | None
    put: Instrument | None

    @property
    def key(self) -> str:
        return str(self.paise)


class Expiry:
    """The listed strikes of one underlying and day, and the figures solved last."""

    def __init__(self, underlying: str, day: date, listed: Iterable[Instrument]) -> None:
        self.underlying = underlying
        self.day = day
        sides: dict[int, dict[Right, Instrument]] = {}
        for instrument in listed:
            if instrument.strike is not None and instrument.right is not None and instrument.expiry == day:
                sides.setdefault(instrument.strike, {})[instrument.right] = instrument
        self.strikes = [
            Strike(paise, pair.get(Right.CALL), pair.get(Right.PUT)) for paise, pair in sorted(sides.items())
        ]
        self.names = {
            instrument.name: strike
            for strike in self.strikes
            for instrument in (strike.call, strike.put)
            if instrument is not None
        }
        self.last_trade = next((i.last_trade for s in self.strikes for i in (s.call, s.put) if i is not None), None)
        self.solved: SolvedChain | None = None
        self.most_oi = 0
        self._greeks: dict[str, tuple[float, ...]] = {}

    # ------------------------------------------------------------ figures of the whole

    def years(self, now: datetime) -> float | None:
        """Time to the last trade in years of 365 days; None when unknown, 0 when it has passed."""
        if self.last_trade is None:
            return None
        return max((self.last_trade - now) / YEAR, 0.0)

    def ladder(self, quotes: Mapping[str, Quote]) -> Ladder:
        """What is quoted now, for pricing."""
        return Ladder(
            tuple(strike.paise for strike in self.strikes),
            _side([quotes.get(s.call.name) if s.call else None for s in self.strikes]),
            _side([quotes.get(s.put.name) if s.put else None for s in self.strikes]),
        )

    def solve(self, quotes: Mapping[str, Quote], now: datetime) -> bool:
        """Implied volatility and Greeks of every contract, started from the last solution; False without time."""
        years = self.years(now)
        if not self.strikes or years is None:
            return False
        # numpy comes with this import: only a console that shows a chain pays for it
        from optconsole.engine.pricing.chain import solve_chain

        solved = solve_chain(self.ladder(quotes), years, previous=self.solved)
        self.solved = solved
        self._greeks = {}
        for index, strike in enumerate(self.strikes):
            for listed, side in ((strike.call, solved.calls), (strike.put, solved.puts)):
                if listed is not None:
                    arrays = (side.iv, side.delta, side.gamma, side.theta, side.vega)
                    self._greeks[listed.name] = tuple(float(array[index]) for array in arrays)
        self.most_oi = max((quote.oi or 0 for name in self.names if (quote := quotes.get(name))), default=0)
        return True

    def stale(self, name: str, mirror: Mirror) -> bool:
        """Whether the quote of a contract is old: what is shown of it, and what follows from it, is not of now."""
        return age_role(mirror.age(mirror.quote(name))) == "stale"

    def greeks(self, name: str) -> tuple[float, float] | None:
        """(delta, theta in paise a day) of a contract, once solved and known."""
        found = self._greeks.get(name)
        if found is None or math.isnan(found[1]) or math.isnan(found[3]):
            return None
        return found[1], found[3]

    def reference(self, mirror: Mirror) -> float | None:
        """What the money is measured by: the parity forward, else the spot."""
        if self.solved is not None and self.solved.forward.value is not None:
            return self.solved.forward.value
        spot = mirror.quote(self.underlying)
        return None if spot is None or spot.ltp is None else float(spot.ltp)

    def atm(self, mirror: Mirror) -> Strike | None:
        """The listed strike nearest to the reference."""
        reference = self.reference(mirror)
        if reference is None or not self.strikes:
            return None
        return self.strikes[nearest_strike([strike.paise for strike in self.strikes], reference)]

    # ------------------------------------------------------------ rows

    def row(self, strike: Strike, chosen: ColumnSet, mirror: Mirror, mine: Mapping[str, Mine]) -> Row:
        """One line: its values, and its ground by where the money is."""
        reference, atm = self.reference(mirror), self.atm(mirror)
        shades = {}
        if reference is not None:
            shades = {CALL: "itm"} if strike.paise < reference else {PUT: "itm"}
        kind = "atm" if atm is not None and strike.paise == atm.paise else ""
        found = f"{strike.paise // 100}"
        return Row(strike.key, self.values(strike, chosen, mirror, mine), kind, {} if kind else shades, found)

    def values(self, strike: Strike, chosen: ColumnSet, mirror: Mirror, mine: Mapping[str, Mine]) -> list[Any]:
        """Values from left to right, as ``chain_columns`` orders them."""
        calls = self._figures(strike.call, side_fields(chosen, CALL), mirror, mine)
        puts = self._figures(strike.put, side_fields(chosen, PUT), mirror, mine)
        return [*calls, strike.paise, *puts]

    def _figures(
        self, listed: Instrument | None, fields: Sequence[str], mirror: Mirror, mine: Mapping[str, Mine]
    ) -> list[Any]:
        if listed is None:
            return [BLANK] * len(fields)
        quote = mirror.quote(listed.name)
        known: dict[str, Any] = {"mine": mine.get(listed.name, BLANK)}
        if quote is not None:
            known |= self._quoted(quote)
        if (greeks := self._greeks.get(listed.name)) is not None:
            iv, delta, gamma, theta, vega = greeks
            # rounded as shown, so that a change too small to read does not repaint the row
            known |= {
                "iv": _round(iv, 4),
                "delta": _round(delta, 2),
                "gamma": _round(gamma, 5),
                "theta": _round(theta / 100, 2),
                "vega": _round(vega / 100, 2),
            }
        if self.stale(listed.name, mirror):
            known |= {field: aged(known[field]) for field in AGEING & known.keys()}
        return [known.get(field) for field in fields]

    def _quoted(self, quote: Quote) -> dict[str, Any]:
        close, last = quote.prev_close, quote.ltp
        return {
            "bid": quote.bid,
            "ask": quote.ask,
            "bid_qty": quote.bid_qty if quote.bid is not None else None,
            "ask_qty": quote.ask_qty if quote.ask is not None else None,
            "ltp": last,
            "change": round((last - close) / close, 4) if last is not None and close else None,
            "oi": quote.oi,
            "bar": round((quote.oi or 0) / self.most_oi, 2) if self.most_oi else None,
            "doi": None if quote.oi is None or quote.oi_open is None else quote.oi - quote.oi_open,
            "volume": quote.volume,
        }


def _round(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)


def _side(quotes: Sequence[Quote | None]) -> Side:
    return Side(
        bid=tuple(quote.bid if quote else None for quote in quotes),
        ask=tuple(quote.ask if quote else None for quote in quotes),
        ltp=tuple(quote.ltp if quote else None for quote in quotes),
        oi=tuple(quote.oi if quote else None for quote in quotes),
    )


def holdings(mirror: Mirror) -> dict[str, Mine]:
    """What I hold and have working, by contract; lots held rounded towards zero, lots that work away from it."""
    lots: dict[str, int] = {}
    working: dict[tuple[str, OrderSide], int] = {}
    for position in mirror.state.positions.values():
        if position.qty and position.lot:
            name = position.key.contract
            lots[name] = lots.get(name, 0) + int(position.qty / position.lot)
    for order in mirror.working():
        key = order.terms.contract, order.terms.side
        working[key] = working.get(key, 0) - (-order.remaining // max(order.lot, 1))
    return {
        name: Mine(lots.get(name, 0), working.get((name, OrderSide.BUY), 0), working.get((name, OrderSide.SELL), 0))
        for name in lots.keys() | {name for name, _ in working}
    }
