"""The worst case of a strategy before it is entered, and of a run under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.leg_state import Levels
from optconsole.engine.model.limits import Level, LimitKind, limit_key
from optconsole.engine.model.orders import Side
from optconsole.engine.model.previews import Ledger
from optconsole.engine.model.runs import LegRun, LegStage, Run
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.pricing.picture import MarketLeg
from optconsole.engine.rules.leg_levels import Fill, open_levels
from optconsole.engine.rules.limits import day_profit
from optconsole.engine.rules.run_money import Entered
from optconsole.engine.rules.worst_case import AtRisk, LegAtRisk, worst_case
from optconsole.engine.trading.previews.curves import drawn, gap_loss, gap_text, market_leg, signed
from optconsole.engine.trading.previews.sketch import Sketch, premium_of
from optconsole.engine.trading.previews.still import StillScene
from optconsole.engine.trading.runs.choosing import Picked, pick_leg
from optconsole.engine.trading.runs.daybars import yesterday
from optconsole.engine.trading.runs.money import run_facts, run_mtm
from optconsole.engine.trading.runs.scene import defined, units

_COMING: Final = (LegStage.WAITING, LegStage.DUE, LegStage.ENTERING)
"""Stages of a leg that will be entered without anything else having to happen to another."""


def planned_ledger(
    scene: StillScene, sketch: Sketch, lots: Mapping[str, int], account: str, max_loss: int | None
) -> Ledger:
    """The worst case of a strategy entered now with these lots, at the prices of now."""
    strategy, legs, entered, held_legs, contracts = sketch.strategy, {}, [], [], []
    for leg in strategy.legs:
        found = sketch.picked(leg.id)
        if found is None:
            continue
        held = 0 if leg.lazy else lots.get(leg.id, 0) * found.instrument.lot
        price, again = premium_of(scene, found), lots.get(leg.id, 0) * found.instrument.lot
        legs[leg.id] = _planned_leg(scene, strategy, leg, found.instrument, price, held, again)
        if held and price is not None:
            held_legs.append(market_leg(scene, leg.id, found.instrument, signed(leg.side, held), price, price))
            contracts.append(found.instrument)
            entered.append(Entered(leg=leg.id, sign=leg.side.sign, entry=price, quantity=held))
    together, endless = _together(scene, strategy.underlying, legs, held_legs, contracts)
    risk = AtRisk(
        strategy=strategy,
        legs=legs,
        entered=tuple(entered),
        gap_loss=gap_loss(scene, strategy.underlying, held_legs, contracts),
        gap_text=gap_text(scene.look(strategy.underlying).ltp),
        together=together,
        endless=endless,
    )
    return worst_case(risk, limits(scene, sketch.run.basket, strategy.name, account, max_loss))


def run_ledger(scene: StillScene, run: Run, max_loss: int | None = None) -> Ledger:
    """The worst case of a run as it stands. What is still to be entered counts as if it were entered now."""
    legs, held_legs, contracts, entered = {}, [], [], []
    for leg in run.legs.values():
        contract = _contract(scene, run, leg)
        at_risk = legs[leg.id] = _run_leg(scene, run, leg, contract)
        price = None if contract is None else scene.situation.price(contract.name)
        if contract is not None and at_risk.units:
            held_legs.append(market_leg(scene, leg.id, contract, signed(leg.side, at_risk.units), price or 0, price))
            contracts.append(contract)
            entered.append(Entered(leg=leg.id, sign=leg.side.sign, entry=price or 0, quantity=at_risk.units))
    together, endless = _together(scene, run.strategy.underlying, legs, held_legs, contracts)
    risk = AtRisk(
        strategy=run.strategy,
        legs=legs,
        mtm=run_mtm(scene, run),
        base=run.watch.base[0] - (run.watch.base[1] if run.strategy.overall.net else 0),
        counters=run.watch.counters,
        entered=run_facts(scene, run).entered or tuple(entered),
        gap_loss=gap_loss(scene, run.strategy.underlying, held_legs, contracts),
        gap_text=gap_text(scene.look(run.strategy.underlying).ltp),
        together=together,
        endless=endless,
    )
    return worst_case(risk, limits(scene, run.basket, run.strategy.name, run.account, max_loss))


def _together(
    scene: StillScene,
    underlying: str,
    legs: Mapping[str, LegAtRisk],
    held: Sequence[MarketLeg],
    contracts: Sequence[Instrument],
) -> tuple[int | None, bool]:
    """(paise, without end): what the open legs that have no stop can lose together, from their prices of now."""
    bare = [
        (leg, contract)
        for leg, contract in zip(held, contracts, strict=True)
        if legs[leg.name].stop is None and legs[leg.name].price is not None
    ]
    if not bare:
        return None, False
    found = drawn(scene, underlying, [leg for leg, _ in bare], [contract for _, contract in bare])
    return (None, False) if found is None else (found.max_loss, found.endless_loss)


def _group(state: TradingState, account: str) -> tuple[tuple[Level, str], ...]:
    known = state.accounts.get(account)
    return ((Level.GROUP, known.account.group),) if known is not None and known.account.group else ()


def limits(scene: StillScene, basket: str, strategy: str, account: str, max_loss: int | None) -> list[tuple[str, int]]:
    """What may still be lost today by each limit of loss that stands over a strategy, with its name."""
    state, found = scene.state, []
    scopes = (
        (Level.STRATEGY, f"{basket}/{strategy}"),
        (Level.BASKET, basket),
        (Level.ACCOUNT, account),
        *_group(state, account),
        (Level.GLOBAL, ""),
    )
    for level, name in scopes:
        allowed = _allowed(state, level, name)
        if allowed is None and level is Level.BASKET:
            allowed = max_loss
        if allowed is None:
            continue
        made, _ = day_profit(state, level, name, scene.situation.price)
        label = f"max loss of {level.value} {name}".rstrip()
        found.append((label, max(allowed + min(made or 0, 0), 0)))
    return found


def _allowed(state: TradingState, level: Level, name: str) -> int | None:
    limit = state.limits.get(limit_key(level, name, LimitKind.MAX_LOSS))
    return None if limit is None else limit.value


def _planned_leg(
    scene: StillScene, strategy: Strategy, leg: Leg, contract: Instrument, price: int | None, held: int, again: int
) -> LegAtRisk:
    """A leg as if it were filled now at its price."""
    stop, known = None, price is not None
    if price is not None:
        fill = Fill(
            side=leg.side,
            entry=price,
            at=scene.now,
            tick=contract.tick,
            lot=max(contract.lot, 1),
            index=scene.look(strategy.underlying).ltp,
            day=yesterday(scene, contract.name),
            index_day=yesterday(scene, strategy.underlying),
        )
        stop = _stop_price(open_levels(leg, fill), leg.side, price)
        known = stop is not None or leg.stop is None
    return LegAtRisk(
        id=leg.id,
        side=leg.side,
        option=contract.strike is not None,
        units=held,
        price=price if known else None,
        stop=stop,
        planned=again,
        distance=None if price is None or stop is None else max((price - stop) * leg.side.sign, 0),
        entry=price if known else None,
    )


def _stop_price(levels: Levels, side: Side, price: int) -> int | None:
    """Where the leg is stopped, on the contract's price; None without a stop, or while it is unknown.

    A stop on the underlying is taken paisa for paisa: no option moves by more than what it is on.
    """
    if levels.leg.stop is not None:
        return levels.leg.stop
    index = levels.index
    if index is None or index.stop is None:
        return None
    return price - side.sign * abs(index.entry - index.stop)


def _contract(scene: StillScene, run: Run, leg: LegRun) -> Instrument | None:
    """A leg's contract, or the one it would get now."""
    if leg.contract:
        return scene.master.get(leg.contract)
    found = pick_leg(scene, run, leg, {})
    return found.instrument if isinstance(found, Picked) else None


def _run_leg(scene: StillScene, run: Run, leg: LegRun, contract: Instrument | None) -> LegAtRisk:
    written, held = defined(run, leg), abs(units(scene, run, leg))
    planned = 0 if contract is None else leg.lots * max(contract.lot, 1)
    price = None if contract is None else scene.situation.price(contract.name)
    levels = leg.levels
    if contract is not None and (levels is None or leg.stage in _COMING):
        coming = leg.stage in _COMING or (leg.stage is LegStage.IDLE and not written.lazy)
        turned = msgspec.structs.replace(written, side=leg.side)
        return _planned_leg(scene, run.strategy, turned, contract, price, planned if coming else held, planned)
    stop = None if levels is None or not held else _open_stop(scene, run, leg, levels, price)
    unknown = written.stop is not None and held > 0 and stop is None
    return LegAtRisk(
        id=leg.id,
        side=leg.side,
        option=written.right is not None,
        units=held,
        price=None if unknown else price,
        stop=stop,
        planned=planned,
        distance=None if levels is None else _first_distance(levels, leg),
        entry=leg.entry if written.stop is None else None,
    )


def _open_stop(scene: StillScene, run: Run, leg: LegRun, levels: Levels, price: int | None) -> int | None:
    """The stop as it stands now: one on the underlying as far as that still has to go."""
    if levels.leg.stop is not None:
        return levels.leg.stop
    index, spot = levels.index, scene.situation.price(run.strategy.underlying)
    if index is None or index.stop is None or spot is None or price is None:
        return None
    return price - leg.side.sign * max((spot - index.stop) * index.sign, 0)


def _first_distance(levels: Levels, leg: LegRun) -> int | None:
    """How far from an entry the first stop was set: a further entry has it again."""
    if levels.leg.base is not None:
        return max((levels.leg.entry - levels.leg.base) * leg.side.sign, 0)
    index = levels.index
    return None if index is None or index.base is None else abs(index.entry - index.base)
