"""The net Greeks of a run (features SX-9), solved from the chains of its legs."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Final

from optconsole.engine.market.master import ChainRow
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.runs import Run
from optconsole.engine.pricing.chain import SolvedChain, solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.trading.runs.scene import RunScene, units

NetGreeks = tuple[int | None, int | None]
"""Delta in thousandths of a lot and gamma in millionths, each None while it is unknown."""
UNKNOWN: Final[NetGreeks] = (None, None)
_YEAR: Final = timedelta(days=365)


def asks_greeks(run: Run) -> bool:
    """Whether a rule of the run needs them."""
    rule = run.strategy.overall.greeks
    return rule is not None and (rule.delta is not None or rule.gamma is not None)


def net_greeks(scene: RunScene, run: Run) -> NetGreeks:
    """Of all that the run holds: units by their Greek, in lots. Unknown where one leg's is."""
    delta, gamma, chains = 0.0, 0.0, dict[date, SolvedChain]()
    for leg in run.legs.values():
        held = units(scene, run, leg)
        instrument = scene.master.get(leg.contract) if held else None
        if not held:
            continue
        if instrument is None or instrument.expiry is None:
            return UNKNOWN
        lots = held / leg.lot
        if instrument.right is None or instrument.strike is None:
            delta += lots
            continue
        if instrument.expiry not in chains:
            chains[instrument.expiry] = _solved(scene, run.strategy.underlying, instrument.expiry)
        chain = chains[instrument.expiry]
        side = chain.calls if instrument.right is Right.CALL else chain.puts
        place = chain.strikes.index(instrument.strike)
        delta += lots * float(side.delta[place])
        gamma += lots * float(side.gamma[place])
    return _whole(delta, 1_000), _whole(gamma, 1_000_000)


def _whole(value: float, scale: int) -> int | None:
    return round(value * scale) if math.isfinite(value) else None


def _solved(scene: RunScene, underlying: str, expiry: date) -> SolvedChain:
    chain = scene.master.chain(underlying, expiry)
    strikes = tuple(strike for strike, _, _ in chain)
    return solve_chain(Ladder(strikes, _side(scene, chain, 1), _side(scene, chain, 2)), _years(chain, scene.now))


def _side(scene: RunScene, chain: list[ChainRow], place: int) -> Side:
    """Calls (1) or puts (2) as they are quoted now; what is too old is unknown."""
    bid, ask, ltp, oi = list[int | None](), list[int | None](), list[int | None](), list[int | None]()
    for row in chain:
        listed = row[1] if place == 1 else row[2]
        quote = None if listed is None else scene.situation.quote(listed.name)
        known = quote is not None and scene.fresh(quote.name)
        bid.append(quote.bid if quote is not None and known else None)
        ask.append(quote.ask if quote is not None and known else None)
        ltp.append(quote.ltp if quote is not None and known else None)
        oi.append(quote.oi if quote is not None and known else None)
    return Side(bid=tuple(bid), ask=tuple(ask), ltp=tuple(ltp), oi=tuple(oi))


def _years(chain: list[ChainRow], now: datetime) -> float:
    """Years until the chain's last trade."""
    ends = [each.last_trade for _, *pair in chain for each in pair if each is not None and each.last_trade]
    return max((ends[0] - now) / _YEAR, 0.0) if ends else 0.0
