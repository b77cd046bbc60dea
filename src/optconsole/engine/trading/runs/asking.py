"""When a run's registered strategy is asked, and what it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from optconsole.engine.model.plugins import AskKind, LegView, QuoteView, StrategyAnswer, StrategyRequest, View
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules.schedules import WARM_UP
from optconsole.engine.trading.decision import AskStrategy, Decision
from optconsole.engine.trading.runs.choosing import chain_around
from optconsole.engine.trading.runs.money import run_mtm
from optconsole.engine.trading.runs.scene import RunScene, defined, part

EACH_WAY: Final = 15
"""Strikes of the chain on each side of the money that a strategy is shown."""
MOST_ENTRIES: Final = 20
"""How often one lazy leg is entered in a run."""
_ASKED: Final = (RunStatus.WAITING, RunStatus.ENTERING, RunStatus.ACTIVE)


class Asked:
    """Calls that are under way, and when each run was asked last. Of this process only: a restart asks anew."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._slots: dict[str, tuple[object, int]] = {}
        self._warmed: set[str] = set()

    def begin(self, run: Run, kind: AskKind, now: datetime) -> bool:
        """Whether the run may be asked now, once in each stretch of its seconds; then it counts as asked."""
        slot = (now.date(), seconds_of(now) // max(run.watch.plugin.every, 1))
        if run.id in self._under_way or (kind is not AskKind.WARM and self._slots.get(run.id) == slot):
            return False
        if kind is AskKind.WARM:
            if run.id in self._warmed:
                return False
            self._warmed.add(run.id)
        else:
            self._slots[run.id] = slot
        self._under_way.add(run.id)
        return True

    def answered(self, answer: StrategyAnswer) -> None:
        """The call under way has come back."""
        self._under_way.discard(answer.run_id)


def seconds_of(now: datetime) -> int:
    """Seconds of the day."""
    return now.hour * 3600 + now.minute * 60 + now.second


def wants_legs(run: Run) -> bool:
    """Whether a registered strategy has yet to give the run its legs."""
    return bool(run.strategy.plugin) and not run.watch.plugin.given


def may_enter(scene: RunScene, run: Run) -> bool:
    """Whether a run that holds nothing goes on, because its strategy may still enter a lazy leg."""
    watch = run.watch.plugin
    if not run.strategy.plugin or not watch.given or watch.down or scene.now >= run.triggers_until:
        return False
    return run.status in _ASKED and any(can_enter(run, leg) for leg in run.legs.values())


def can_enter(run: Run, leg: LegRun) -> bool:
    """Whether a leg is one that the strategy may enter now."""
    lazy = defined(run, leg).lazy and leg.id not in run.watch.armed
    return lazy and leg.stage in (LegStage.IDLE, LegStage.OUT) and leg.entries < MOST_ENTRIES


def ask_entry(scene: RunScene, run: Run, asked: Asked) -> list[AskStrategy]:
    """The call at entry time, where it is not under way."""
    return [_call(scene, run, AskKind.ENTRY)] if asked.begin(run, AskKind.ENTRY, scene.now) else []


def step(scene: RunScene, asked: Asked) -> Decision | None:
    """Call every strategy that is due: a minute before its entry, and while its run is on."""
    decision = Decision("engine", f"strategies {scene.now:%H:%M:%S}")
    if scene.state.killed:
        return None
    for run in scene.state.runs.values():
        kind = _due(scene, run) if run.strategy.plugin else None
        if kind is not None and asked.begin(run, kind, scene.now):
            decision.effects.append(_call(scene, run, kind))
    return decision if decision.effects else None


def _due(scene: RunScene, run: Run) -> AskKind | None:
    if run.status is RunStatus.SCHEDULED and wants_legs(run):
        return AskKind.WARM if run.entry_at - WARM_UP <= scene.now < run.entry_at else None
    watch = run.watch.plugin
    trading = scene.situation.phase is MarketPhase.OPEN and run.status in _ASKED
    return AskKind.LOOK if trading and watch.given and not watch.down else None


def _call(scene: RunScene, run: Run, kind: AskKind) -> AskStrategy:
    return AskStrategy(
        StrategyRequest(
            run_id=run.id,
            kind=kind,
            plugin=run.strategy.plugin,
            params=run.strategy.params,
            memory=run.watch.plugin.memory,
            view=view_of(scene, run),
        )
    )


def view_of(scene: RunScene, run: Run) -> View:
    """The run and its market as they are at this instant."""
    underlying = run.strategy.underlying
    bar = scene.state.bars.get(underlying)
    spot = scene.look(underlying).ltp
    today = bar if bar is not None and bar.day == scene.now.date() else None
    if today is not None and spot is not None:
        today = today.after(spot)
    return View(
        now=scene.now,
        underlying=underlying,
        spot=spot,
        opened=None if today is None else today.open,
        high=None if today is None else today.high,
        low=None if today is None else today.low,
        expiry=run.expiry,
        dte=run.dte,
        entry_at=run.entry_at,
        exit_at=run.exit_at,
        chain=tuple(
            QuoteView(
                contract=row.contract,
                strike=row.strike,
                right=right,
                ltp=row.ltp,
                bid=row.bid,
                ask=row.ask,
                oi=row.oi,
                delta=row.delta,
            )
            for right, row in chain_around(scene, underlying, run.expiry, EACH_WAY)
        ),
        legs=tuple(_leg(scene, run, leg) for leg in run.legs.values()),
        mtm=run_mtm(scene, run),
    )


def _leg(scene: RunScene, run: Run, leg: LegRun) -> LegView:
    held = part(scene, run, leg) if leg.contract else None
    price = scene.situation.price(leg.contract) if leg.contract else None
    units = 0 if held is None else held.qty
    levels = leg.levels
    return LegView(
        id=leg.id,
        side=leg.side,
        stage=leg.stage.value,
        contract=leg.contract,
        lots=leg.lots,
        units=units,
        entry=leg.entry,
        price=price,
        mtm=None if held is None or price is None else units * price - held.cost,
        stop=None if levels is None else levels.leg.stop,
        target=None if levels is None else levels.leg.target,
        lazy=defined(run, leg).lazy,
        entries=leg.entries,
    )
