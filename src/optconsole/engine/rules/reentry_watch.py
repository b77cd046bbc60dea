"""Whether an armed re-entry is taken now (features 1.7). Pure; what is armed is returned changed, never kept here."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.leg_rules import ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.run_state import ArmedEntry, Counters
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.leg_prices import LATE_CLOSE, Seen
from optconsole.engine.rules.momentum import has_moved, move_level, moved_price
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.reentries import Denial, NoReentry, denied


class EnterNow(msgspec.Struct, frozen=True, kw_only=True):
    """Enter these legs. ``contract`` is None where it is chosen anew; ``everything`` closes all legs and runs anew.

    ``side`` is of the leg that was left; lazy legs have their own, and a run anew that of every leg. ``apply_momentum``
    is False for a run anew that skips the strategy's combined momentum (EN-3).
    """

    legs: tuple[str, ...]
    side: Side
    contract: str | None
    why: str
    everything: bool = False
    apply_momentum: bool = False


class ChooseNow(msgspec.Struct, frozen=True):
    """Choose the contract of this leg anew and hand it to ``chosen``: its move is waited for before the entry."""

    leg: str


Outcome = EnterNow | ChooseNow | ArmedEntry | NoReentry | Blind | None
"""Taken, a contract wanted, still armed but changed, over, unwatched, or nothing new."""


def due(armed: ArmedEntry, strategy: Strategy, counters: Counters, seen: Seen, *, settled: bool = True) -> Outcome:
    """What this instant means for an armed re-entry. ``seen`` is of its contract, whose own price may yet be unknown.

    ``settled`` is False while the outcome of any exit that must come before is unknown; then nothing is entered.
    """
    if armed.ends is not None and seen.at >= armed.ends:
        return NoReentry(Denial.TOO_LATE, f"{armed.leg} was not entered again before {armed.ends:%H:%M:%S}.")
    leg = strategy.leg(armed.leg)
    if leg is None:
        return NoReentry(Denial.NO_RULE, f"The strategy has no leg {armed.leg} any more.")
    spent = denied(strategy, leg, counters, seen.at, target=armed.target)
    if spent is not None:
        return spent
    moved = _went_away(armed, seen)
    if seen.at < armed.due or not settled:
        return None if moved == armed else moved
    outcome = _by_mode(moved, seen)
    return moved if outcome is None and moved != armed else outcome


def chosen(armed: ArmedEntry, contract: str, tick: int, lot: int) -> ArmedEntry:
    """The re-entry on the contract that was chosen for it; its first price becomes the reference of the move."""
    return msgspec.structs.replace(armed, contract=contract, tick=tick, lot=lot, reference=None)


def _went_away(armed: ArmedEntry, seen: Seen) -> ArmedEntry:
    """COST counts only a return: the price must first have been on the far side of cost."""
    price = seen.leg.ltp
    if armed.mode is not ReentryMode.COST or armed.away or price is None or (price - armed.cost) * armed.far <= 0:
        return armed
    return msgspec.structs.replace(armed, away=True)


def _by_mode(armed: ArmedEntry, seen: Seen) -> Outcome:
    if armed.mode is ReentryMode.COST and not armed.touched:
        return _at_cost(armed, seen)
    if armed.mode is ReentryMode.CLOSE and not armed.touched:
        return _at_close(armed, seen)
    if armed.wait is None or armed.mode is ReentryMode.LAZY or armed.everything:
        return _enter(armed, f"The time of the re-entry of {armed.leg} has come.")
    if armed.contract is None:
        return ChooseNow(armed.leg)
    return _after_move(armed, seen)


def _at_cost(armed: ArmedEntry, seen: Seen) -> Outcome:
    price = seen.leg.ltp
    if price is None:
        return Blind(why=f"The price of {armed.contract} is unknown, so its return to cost is not watched.")
    if not armed.away or (price - armed.cost) * armed.far > 0:
        return None
    return _touched(armed, seen, f"The price {price_in(price)} is back at cost {price_in(armed.cost)}.")


def _at_close(armed: ArmedEntry, seen: Seen) -> Outcome:
    close, at = seen.leg.close, seen.leg.closed_at
    if close is None or at is None or at <= armed.due or seen.at - at > LATE_CLOSE:
        return None
    if (close - armed.cost) * armed.far > 0:
        return None
    return _touched(armed, seen, f"The minute closed at {price_in(close)}, and cost is {price_in(armed.cost)}.")


def _touched(armed: ArmedEntry, seen: Seen, why: str) -> Outcome:
    """Entered at once, or after the move that is asked for besides."""
    if armed.wait is None:
        return _enter(armed, why)
    return _after_move(msgspec.structs.replace(armed, touched=True), seen)


def _after_move(armed: ArmedEntry, seen: Seen) -> Outcome:
    """EN-2: the first price is the reference, and the entry comes once the price has moved from it."""
    assert armed.wait is not None
    price = moved_price(armed.wait, seen.leg.ltp, seen.index.ltp)
    if price is None:
        return Blind(why=f"The price that {armed.leg} waits for to move is unknown.")
    if armed.reference is None:
        return msgspec.structs.replace(armed, reference=price)
    level = move_level(armed.wait, armed.reference, armed.tick, armed.lot)
    if not has_moved(armed.wait, level, price):
        return None
    return _enter(
        armed, f"The price {price_in(price)} has moved from {price_in(armed.reference)} to {price_in(level)}."
    )


def _enter(armed: ArmedEntry, why: str) -> EnterNow:
    return EnterNow(
        legs=armed.legs,
        side=armed.side,
        contract=armed.contract,
        why=why,
        everything=armed.everything,
        apply_momentum=armed.everything and armed.mode is ReentryMode.MOMENTUM,
    )
