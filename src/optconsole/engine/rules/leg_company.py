"""What the exit of one leg does to the others (features LX-7, LX-8). Pure."""

from __future__ import annotations

from collections.abc import Collection

from optconsole.engine.model.exit_codes import LEG_STOPS, ExitCode
from optconsole.engine.model.strategies import CostShift, Leg, SquareOff, Strategy


def to_shift(strategy: Strategy, stopped: Leg, code: ExitCode, still_open: Collection[str]) -> tuple[str, ...]:
    """LX-7: the open legs whose stop goes to cost because ``stopped`` was closed by its own stop."""
    if code not in LEG_STOPS:
        return ()
    others = (leg for leg in strategy.legs if leg.id != stopped.id and leg.id in still_open)
    return tuple(leg.id for leg in others if _shifts(strategy.move_to_cost, stopped, leg))


def to_close(strategy: Strategy, left: Leg, code: ExitCode, still_open: Collection[str]) -> tuple[str, ...]:
    """LX-8: the open legs that are closed too because the stop or target of ``left`` closed it, hedges last.

    All of them for a complete square-off, which also lets go of what still waits; else, where the leg says so, its
    hedges, except one that protects another leg which stays open.
    """
    if code not in LEG_STOPS and code is not ExitCode.LEG_TGT:
        return ()
    others = [leg for leg in strategy.legs if leg.id != left.id and leg.id in still_open]
    if strategy.square_off is SquareOff.PARTIAL:
        others = [leg for leg in others if left.with_hedge and _only_for(leg, left, still_open)]
    return tuple(leg.id for leg in sorted(others, key=lambda leg: bool(leg.hedges)))


def _only_for(hedge: Leg, left: Leg, still_open: Collection[str]) -> bool:
    return left.id in hedge.hedges and not any(name != left.id and name in still_open for name in hedge.hedges)


def _shifts(rule: CostShift, stopped: Leg, leg: Leg) -> bool:
    if rule is CostShift.OTHER_RIGHT:
        return stopped.right is not None and leg.right is not None and leg.right is not stopped.right
    return rule is CostShift.ALL or (rule is CostShift.WITH_STOP and leg.stop is not None)
