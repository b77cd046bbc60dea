"""Shorts without a guard whose price is gone: nothing is watched there, and the trader must know that too (I-26)."""

from __future__ import annotations

from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.positions import Position
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.exits import Scene, silent

GONE: Final = "GUARD_BLIND"
BACK: Final = "PRICE_BACK"


def tell(scene: Scene) -> Decision | None:
    """One alarm for each short that falls silent, and one word when it is quoted again."""
    for key, position in scene.state.positions.items():
        if position.qty >= 0 or key in scene.state.protections or _by_parts(scene.state, position):
            continue
        name = position.key.contract
        told = _told(scene.state, name)
        if told == GONE and scene.fresh(name):
            return _notice(name, "info", BACK, f"{name} is quoted again.")
        if told != GONE and _lost(scene, position):
            text = f"{name} is not quoted any more: {-position.qty} units are sold without a stop, and nobody watches."
            return _notice(name, "alarm", GONE, text)
    return None


def _by_parts(state: TradingState, position: Position) -> bool:
    """Whether all that is sold is guarded leg by leg."""
    covered = {guard.source for guard in state.protections.values() if guard.source and guard.key == position.key}
    parts = state.books.get(str(position.key), ())
    return bool(covered) and all(part.source in covered for part in parts if part.held.qty < 0)


def _lost(scene: Scene, position: Position) -> bool:
    instrument = scene.master.get(position.key.contract)
    return instrument is not None and scene.trading(instrument) and silent(scene.situation, instrument.name)


def _told(state: TradingState, name: str) -> str:
    """What was last said of a contract's price."""
    found = (each.code for each in reversed(state.notices) if each.subject == name and each.code in (GONE, BACK))
    return next(found, "")


def _notice(name: str, level: str, code: str, text: str) -> Decision:
    decision = Decision("engine", f"sight:{name}")
    decision.facts.append(ev.NoticeRaised(level=level, code=code, text=text, subject=name))
    return decision
