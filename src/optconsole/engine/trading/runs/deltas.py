"""The delta of each contract that a run holds or would hold, solved from the chain of its expiry."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, timedelta

from optconsole.engine.market.master import ChainRow
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.pricing.chain import SolvedChain, solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.trading.runs.scene import RunScene

_YEAR = timedelta(days=365)


def deltas_of(scene: RunScene, contracts: Iterable[str]) -> dict[str, float | None]:
    """Delta of one long unit by contract: 1 for a future, None where the chain does not tell."""
    chains: dict[tuple[str, date], SolvedChain] = {}
    found: dict[str, float | None] = {}
    for name in contracts:
        instrument = scene.master.get(name)
        if instrument is None or instrument.expiry is None:
            found[name] = None
        elif instrument.strike is None:
            found[name] = 1.0
        else:
            key = instrument.underlying, instrument.expiry
            chains[key] = chains.get(key) or _solved(scene, *key)
            found[name] = _of(chains[key], instrument)
    return found


def _of(chain: SolvedChain, instrument: Instrument) -> float | None:
    assert instrument.strike is not None
    side = chain.calls if instrument.right is Right.CALL else chain.puts
    delta = float(side.delta[chain.strikes.index(instrument.strike)])
    return delta if math.isfinite(delta) else None


def _solved(scene: RunScene, underlying: str, expiry: date) -> SolvedChain:
    rows = scene.master.chain(underlying, expiry)
    ends = [each.last_trade for _, *pair in rows for each in pair if each is not None and each.last_trade]
    years = max((ends[0] - scene.now) / _YEAR, 0.0) if ends else 0.0
    strikes = tuple(strike for strike, _, _ in rows)
    return solve_chain(Ladder(strikes, _side(scene, rows, Right.CALL), _side(scene, rows, Right.PUT)), years)


def _side(scene: RunScene, rows: list[ChainRow], right: Right) -> Side:
    """One side of a chain as it is quoted now; what is too old is unknown."""
    listed = [call if right is Right.CALL else put for _, call, put in rows]
    looks = [None if each is None else scene.look(each.name) for each in listed]
    return Side(
        bid=tuple(None if look is None else look.bid for look in looks),
        ask=tuple(None if look is None else look.ask for look in looks),
        ltp=tuple(None if look is None else look.ltp for look in looks),
    )
