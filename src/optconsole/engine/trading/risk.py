"""Limits at work: the watch that looks at each after everything that happens.

The watch never sends an order of its own. It changes what may leave, cancels what waits to open, and writes the wish to
be flat, which the closing rules carry out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import (
    PROFITS,
    Level,
    Limit,
    LimitDay,
    LimitKind,
    Standing,
)
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.rules import limits
from optconsole.engine.rules.limit_terms import wants_price
from optconsole.engine.rules.limits import STEPS, measure, worded
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading.daybreak import mark_contracts
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.limit_actions import consequences
from optconsole.engine.trading.sweeps import sweep, unlock

WATCH: Final = "risk"


BLIND: Final = 10.0
"""Machine seconds for which a profit may stay unknown in session before its loss limit blocks new risk."""


REST: Final = 0.2
"""Machine seconds between two looks while nothing but prices has changed."""


PEAK_STEPS: Final = 50
"""A new height of the profit is recorded in steps of this part of the limit: a trail is exact to two per cent."""


@dataclass(slots=True)
class RiskWatch:
    """Looks at every limit. What it remembers is only how long a profit has been unknown, and when it looked last."""

    _unknown: dict[str, float] = field(default_factory=dict)
    _looked: tuple[int, float] | None = None

    def advance(
        self, state: TradingState, _master: InstrumentMaster, situation: Situation, _install: str
    ) -> Decision | None:
        """The next thing a limit asks for; None when none asks for anything."""
        if self._looked is not None:
            seq, tick = self._looked
            if seq == state.seq and 0 <= situation.tick - tick < REST:
                return None
        for step in self._steps(state, situation):
            if step.facts:
                return step
        self._looked = state.seq, situation.tick
        return None

    def _steps(self, state: TradingState, situation: Situation) -> Iterator[Decision]:
        """One limit at a time: what it does to its scope must be known before the next one is judged."""
        yield unlock(state, Decision(WATCH, "lock"), situation.now)
        yield sweep(state, Decision(WATCH, "sweep"), situation.now)
        yield mark_contracts(state, Decision(WATCH, "day"), situation)
        yield self._sight(state, Decision(WATCH, "sight"), situation)
        for limit in state.limits.values():
            yield _judge(state, Decision(WATCH, limit.key), limit, situation)

    def _sight(self, state: TradingState, decision: Decision, situation: Situation) -> Decision:
        """Tell when a profit that a limit watches has been unknown for too long, and when it is known again."""
        scopes: dict[str, tuple[Limit, bool]] = {}
        for limit in state.limits.values():
            if limit.kind in PROFITS:
                blocks = wants_price(limit) or scopes.get(limit.scope, (limit, False))[1]
                scopes[limit.scope] = limit, blocks
        for key, (limit, blocks) in scopes.items():
            _profit, missing = limits.day_profit(state, limit.level, limit.name, situation.price)
            if missing and situation.phase is MarketPhase.OPEN:
                since = self._unknown.setdefault(key, situation.tick)
                if situation.tick - since > BLIND and state.unseen.get(key) is not blocks:
                    _lost(decision, limit, missing, blocks)
                continue
            self._unknown.pop(key, None)
            # a closed market has no prices, and what was blind stays so until one is seen
            if not missing and key in state.unseen:
                decision.facts.append(ev.ProfitSeen(level=limit.level, name=limit.name))
                decision.facts.append(
                    ev.NoticeRaised(
                        level="info", code="PNL_KNOWN", text=f"The profit of {key} is known again.", subject=key
                    )
                )
        for key in state.unseen.keys() - scopes.keys():
            level, _, name = key.partition(":")
            decision.facts.append(ev.ProfitSeen(level=Level(level), name=name))
        return decision


def _lost(decision: Decision, limit: Limit, missing: str, blocks: bool) -> None:
    decision.facts.append(ev.ProfitLost(level=limit.level, name=limit.name, contract=missing, blocks=blocks))
    effect = "New risk waits until it is known." if blocks else "Its limits cannot be watched."
    decision.facts.append(
        ev.NoticeRaised(
            level="alarm",
            code="PNL_UNKNOWN",
            text=f"The profit of {limit.scope} is unknown: {missing} has no fresh price. {effect}",
            subject=limit.scope,
        )
    )


def _judge(state: TradingState, decision: Decision, limit: Limit, situation: Situation) -> Decision:
    usage = measure(state, limit, situation.price, situation.funds, situation.known)
    if usage is None or usage.used is None or usage.share is None:
        return decision
    day = state.limit_days.get(limit.key) or LimitDay()
    _peak(state, decision, limit, situation)
    if usage.broken:
        # a cool-off that is over may be needed again the same day
        if not day.broken or (limit.kind is LimitKind.COOL_OFF and _active(state, limit)):
            decision.facts += consequences(state, limit, usage, situation.now)
        return decision
    step = max((step for step in STEPS if usage.share >= step), default=0)
    # a profit that nears its target is no reason for a warning
    if step > day.warned and limit.kind not in (LimitKind.PROFIT_LOCK, LimitKind.NAKED_SHORT):
        decision.facts.append(
            ev.LimitWarned(level=limit.level, name=limit.name, kind=limit.kind, step=step, used=usage.used)
        )
        decision.facts.append(
            ev.NoticeRaised(
                level="info" if step == STEPS[0] else "warning",
                code="LIMIT_NEAR",
                text=f"{step} % of the {limit.kind.value} of {limit.scope} are used: "
                f"{worded(limit.unit, usage.used)} of {worded(limit.unit, limit.value)}.",
                subject=limit.key,
            )
        )
    return decision


def _active(state: TradingState, limit: Limit) -> bool:
    scope = state.scopes.get(limit.scope)
    return scope is None or scope.standing is Standing.ACTIVE


def _peak(state: TradingState, decision: Decision, limit: Limit, situation: Situation) -> None:
    """Keep the day's highest profit where a lock or a trail needs it, through restarts too."""
    if limit.kind not in (LimitKind.PROFIT_LOCK, LimitKind.PROFIT_TRAIL):
        return
    profit, _missing = limits.day_profit(state, limit.level, limit.name, situation.price)
    known = state.peaks.get(limit.scope, 0)
    if profit is None or profit <= known:
        return
    begins = limit.value if limit.second is None or limit.kind is LimitKind.PROFIT_LOCK else limit.second
    if profit - known >= max(limit.value // PEAK_STEPS, 1) or known < begins <= profit:
        decision.facts.append(ev.ProfitPeaked(level=limit.level, name=limit.name, profit=profit))
