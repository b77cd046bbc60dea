"""Which contract a leg means at this instant, with what was looked at (features 1.2, 1.3, AU-2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from optconsole.engine.market.master import ChainRow
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.model.strikes import (
    DeltaStrike,
    ExpiryRule,
    Gauge,
    MatchStrike,
    OffsetStrike,
    PremiumStrike,
    RelativeStrike,
    VolatilityStrike,
)
from optconsole.engine.pricing.chain import solve_chain
from optconsole.engine.pricing.ladder import Ladder, Side
from optconsole.engine.pricing.mills_array import Floats
from optconsole.engine.rules.expiries import ChosenExpiry, pick_expiry
from optconsole.engine.rules.strike_rows import Candidate, Slate, atm_straddle, nearest, reference_value, within_list
from optconsole.engine.rules.strikes import Choice, NoStrike, choose
from optconsole.engine.trading.runs.daybars import true_range
from optconsole.engine.trading.runs.scene import Chain, RunScene, defined

VIX: Final = "INDIAVIX"
_DAY: Final = timedelta(days=1)


class Picked(msgspec.Struct, frozen=True):
    """The contract of a leg: why, and its premium in paise where it is known."""

    instrument: Instrument
    premium: int | None
    expiry: ChosenExpiry
    choice: Choice | None = None


class NotPicked(msgspec.Struct, frozen=True):
    """No contract: a stable code and a sentence. ``wait`` says that later quotes may change it."""

    code: str
    text: str
    wait: bool = False
    sought: NoStrike | None = None


def pick_leg(scene: RunScene, run: Run, leg: LegRun, others: Mapping[str, Picked]) -> Picked | NotPicked:
    """The contract that a leg's rules mean now. ``others`` are the legs chosen before it."""
    written, strategy = defined(run, leg), run.strategy
    try:
        chosen = pick_expiry(
            written.expiry,
            scene.master.expiries(strategy.underlying),
            scene.now,
            scene.days.between,
            strategy.underlying,
        )
    except Refusal as refused:
        return NotPicked(refused.code, refused.text)
    if written.right is None:
        return _future(scene, strategy, chosen)
    slate = _slate(scene, strategy, written, chosen.expiry, others)
    found = choose(written.strike, slate)
    if isinstance(found, NoStrike):
        return NotPicked(found.code, found.text, found.wait, found)
    instrument = scene.master.get(found.contract)
    if instrument is None:
        return NotPicked("NOT_LISTED", f"{found.contract} is not listed today.")
    return Picked(instrument, found.premium, chosen, found)


def straddle_now(scene: RunScene, strategy: Strategy, rule: ExpiryRule) -> int | None:
    """The premium of the ATM straddle of an expiry in paise; None while it is unknown."""
    try:
        chosen = pick_expiry(
            rule, scene.master.expiries(strategy.underlying), scene.now, scene.days.between, strategy.underlying
        )
    except Refusal:
        return None
    _, calls, puts = _chain(scene, strategy.underlying, chosen.expiry)
    reference = scene.look(strategy.underlying).ltp
    if reference is None or not calls or not within_list(calls, reference):
        return None
    return atm_straddle(calls, puts, calls[nearest(calls, reference)].strike)


def _future(scene: RunScene, strategy: Strategy, chosen: ChosenExpiry) -> Picked | NotPicked:
    found = scene.master.future(strategy.underlying, chosen.expiry)
    if found is None:
        return NotPicked("NOT_LISTED", f"{strategy.underlying} has no future that expires on {chosen.expiry}.")
    return Picked(found, scene.look(found.name).ltp, chosen)


def _slate(scene: RunScene, strategy: Strategy, leg: Leg, expiry: date, others: Mapping[str, Picked]) -> Slate:
    assert leg.right is not None
    chain, calls, puts = _chain(scene, strategy.underlying, expiry, deltas=isinstance(leg.strike, DeltaStrike))
    reference = reference_value(
        strategy.reference,
        spot=scene.look(strategy.underlying).ltp,
        future=_future_price(scene, strategy.underlying, expiry),
        calls=calls,
        puts=puts,
        price=leg.price,
    )
    other = others.get(_other(leg))
    vix = scene.situation.quote(VIX)
    return Slate(
        right=leg.right,
        rows=calls if leg.right is Right.CALL else puts,
        reference=reference,
        price=leg.price,
        liquidity=leg.liquidity,
        straddle=_straddle(leg, calls, puts, reference),
        other_strike=None if other is None else other.instrument.strike,
        other_premium=None if other is None else other.premium,
        atr=_range(scene, strategy, leg),
        vix=None if vix is None else vix.ltp,
        days=_days(chain, scene),
    )


def _range(scene: RunScene, strategy: Strategy, leg: Leg) -> int | None:
    rule = leg.strike
    wanted = isinstance(rule, VolatilityStrike) and rule.gauge is Gauge.ATR
    return true_range(scene, strategy.underlying, rule.days) if wanted and isinstance(rule, VolatilityStrike) else None


def _other(leg: Leg) -> str:
    return leg.strike.leg if isinstance(leg.strike, RelativeStrike | MatchStrike) else ""


def _straddle(leg: Leg, calls: tuple[Candidate, ...], puts: tuple[Candidate, ...], reference: int | None) -> int | None:
    wanted = isinstance(leg.strike, PremiumStrike | OffsetStrike)
    if not wanted or reference is None or not calls or not within_list(calls, reference):
        return None
    return atm_straddle(calls, puts, calls[nearest(calls, reference)].strike, leg.price)


def _chain(scene: RunScene, underlying: str, expiry: date, *, deltas: bool = False) -> Chain:
    """What is known of a chain at this instant, read once however many legs ask."""
    key = (underlying, expiry, deltas)
    known = scene.chains.get(key)
    if known is not None:
        return known
    if deltas:
        chain, calls, puts = _chain(scene, underlying, expiry)
        calls, puts = _with_deltas(chain, calls, puts, _days(chain, scene) / 365)
    else:
        chain = scene.master.chain(underlying, expiry)
        calls, puts = _rows(scene, chain, Right.CALL), _rows(scene, chain, Right.PUT)
    scene.chains[key] = chain, calls, puts
    return chain, calls, puts


def _rows(scene: RunScene, chain: list[ChainRow], right: Right) -> tuple[Candidate, ...]:
    found = []
    for strike, call, put in chain:
        listed = call if right is Right.CALL else put
        if listed is None:
            continue
        quote, look = scene.situation.quote(listed.name), scene.look(listed.name)
        found.append(
            Candidate(
                strike=strike,
                contract=listed.name,
                ltp=look.ltp,
                bid=look.bid,
                ask=look.ask,
                minute=look.close,
                oi=None if quote is None else quote.oi,
                volume=None if quote is None else quote.volume,
            )
        )
    return tuple(found)


def _future_price(scene: RunScene, underlying: str, expiry: date) -> int | None:
    """The future of the leg's expiry, else the nearest one after it."""
    for day in scene.master.expiries(underlying):
        future = scene.master.future(underlying, day) if day >= expiry else None
        if future is not None:
            return scene.look(future.name).ltp
    return None


def _days(chain: list[ChainRow], scene: RunScene) -> float:
    """Calendar days until the chain's last trade."""
    ends = [each.last_trade for _, *pair in chain for each in pair if each is not None and each.last_trade]
    return max((ends[0] - scene.now) / _DAY, 0.0) if ends else 0.0


def _with_deltas(
    chain: list[ChainRow], calls: tuple[Candidate, ...], puts: tuple[Candidate, ...], years: float
) -> tuple[tuple[Candidate, ...], tuple[Candidate, ...]]:
    """The rows with absolute deltas in thousandths, on the forward that parity gives."""
    by_strike = [{row.strike: row for row in rows} for rows in (calls, puts)]
    strikes = tuple(strike for strike, _, _ in chain)

    def side(rows: dict[int, Candidate]) -> Side:
        found = [rows.get(strike) for strike in strikes]
        return Side(
            bid=tuple(row.bid if row else None for row in found),
            ask=tuple(row.ask if row else None for row in found),
            ltp=tuple(row.ltp if row else None for row in found),
            oi=tuple(row.oi if row else None for row in found),
        )

    solved = solve_chain(Ladder(strikes, side(by_strike[0]), side(by_strike[1])), years)
    places = {strike: place for place, strike in enumerate(strikes)}

    def filled(rows: tuple[Candidate, ...], deltas: Floats) -> tuple[Candidate, ...]:
        return tuple(
            msgspec.structs.replace(row, delta=_thousandths(float(deltas[places[row.strike]]))) for row in rows
        )

    return filled(calls, solved.calls.delta), filled(puts, solved.puts.delta)


def _thousandths(delta: float) -> int | None:
    return round(abs(delta) * 1000) if math.isfinite(delta) else None


def chain_around(scene: RunScene, underlying: str, expiry: date, each_way: int) -> list[tuple[Right, Candidate]]:
    """The rows of so many strikes on each side of the reference, with absolute deltas; none while it is unknown."""
    reference = scene.look(underlying).ltp
    chain = scene.master.chain(underlying, expiry)
    if reference is None or not chain:
        return []
    middle = min(range(len(chain)), key=lambda place: abs(chain[place][0] - reference))
    near = chain[max(middle - each_way, 0) : middle + each_way + 1]
    calls, puts = _rows(scene, near, Right.CALL), _rows(scene, near, Right.PUT)
    calls, puts = _with_deltas(near, calls, puts, _days(near, scene) / 365)
    return [*((Right.CALL, row) for row in calls), *((Right.PUT, row) for row in puts)]
