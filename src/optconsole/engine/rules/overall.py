"""What ends a run by its money (features SX-1 to SX-6), and all overall rules in their order. Pure.

The floor is worked out from the highest MTM and only ever rises. On one tick the stop comes before the target, both
before the underlying and the Greeks, those before the ladder; the floor rises last.
"""

from __future__ import annotations

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Overall, ProfitLock
from optconsole.engine.model.run_state import Floor
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.overall_market import OverallExit, band_exit, greeks_exit
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.profit_ladder import PartExit, next_rungs
from optconsole.engine.rules.run_money import Entered, RunFacts, amount, mtm, settled, unpriced

Verdict = OverallExit | PartExit | Blind | None
"""What becomes of a run: out, partly out, unwatched, or nothing."""


def watch(overall: Overall, floor: Floor, facts: RunFacts) -> tuple[Floor, Verdict]:
    """What this instant means for the run, and its floor after it. Nothing is decided before the run is settled.

    With an open leg unpriced no rule of MTM decides, and the floor stays; the underlying and the Greeks still do.
    """
    if not settled(overall, facts):
        return floor, None
    total = mtm(facts, net=overall.net)
    verdict = None if total is None else by_money(overall, floor, facts, total)
    for market in (band_exit(overall, facts), greeks_exit(overall, facts)):
        if isinstance(market, OverallExit):
            verdict = verdict or market
    if verdict is not None:
        return floor, verdict
    dark = _unwatched(overall, facts, total)
    if total is None:
        return floor, dark
    after = raised(overall, floor, facts.entered, total)
    part = next_rungs(overall.ladder, after.rung, facts, total)
    if part is None:
        return after, dark
    return msgspec.structs.replace(after, rung=part.rung), part


def by_money(overall: Overall, floor: Floor, facts: RunFacts, total: int) -> OverallExit | None:
    """SX-1 to SX-6: the stop or floor as it stood, then the target."""
    standing = raised(overall, floor, facts.entered, floor.peak)
    if standing.level is not None and total <= standing.level:
        why = f"MTM {price_in(total)} is at or below {_NAMES[standing.code]} of {price_in(standing.level)}."
        return OverallExit(code=standing.code, why=why, value=total, level=standing.level)
    if overall.target is not None:
        goal = amount(overall.target, facts.entered, up=True)
        if total >= goal:
            why = f"MTM {price_in(total)} reached the target of {price_in(goal)}."
            return OverallExit(code=ExitCode.OVR_TGT, why=why, value=total, level=goal)
    return None


def raised(overall: Overall, floor: Floor, entered: tuple[Entered, ...], total: int) -> Floor:
    """The floor after an MTM of ``total``: as high as any rule puts it for the peak so far, never lower than it was."""
    peak = max(floor.peak, total)
    level, code = floor.level, floor.code
    for wanted, why in _levels(overall, entered, peak):
        if level is None or wanted > level:
            level, code = wanted, why
    return Floor(peak=peak, level=level, code=code, rung=floor.rung)


def relaid(floor: Floor) -> Floor:
    """The floor for changed rules: the peak and the rungs are facts, the level is worked out anew."""
    return Floor(peak=floor.peak, rung=floor.rung)


def _levels(overall: Overall, entered: tuple[Entered, ...], peak: int) -> list[tuple[int, ExitCode]]:
    """Each MTM at which a rule leaves the run after this peak, and its code."""
    found = []
    if overall.stop is not None:
        trail = overall.trail
        steps = peak // trail.every if trail is not None and trail.every > 0 else 0
        rise = steps * trail.move if trail is not None else 0
        code = ExitCode.OVR_TSL if rise > 0 else ExitCode.OVR_SL
        found.append((rise - amount(overall.stop, entered), code))
    if overall.lock is not None:
        locked = _locked(overall.lock, peak)
        if locked is not None:
            found.append((locked, ExitCode.LOCK if overall.lock.at > 0 else ExitCode.OVR_TSL))
    return found


def _locked(lock: ProfitLock, peak: int) -> int | None:
    """SX-4 to SX-6: the floor of a profit lock; None before it is armed."""
    if peak < lock.at:
        return None
    steps = (peak - lock.at) // lock.every if lock.every > 0 else 0
    if lock.at <= 0:
        return steps * lock.move if steps > 0 else None
    return lock.keep + steps * lock.move


def _unwatched(overall: Overall, facts: RunFacts, total: int | None) -> Blind | None:
    """What of the run nobody can watch at this instant."""
    words = []
    by_mtm = (overall.stop, overall.target, overall.lock, overall.ladder or None)
    if total is None and any(rule is not None for rule in by_mtm):
        names = ", ".join(unpriced(facts))
        words.append(f"MTM is unknown while these legs have no price: {names}.")
    markets = (band_exit(overall, facts), greeks_exit(overall, facts))
    words += [market.why for market in markets if isinstance(market, Blind)]
    return Blind(why=" ".join(words)) if words else None


_NAMES = {
    ExitCode.OVR_SL: "the stop",
    ExitCode.OVR_TSL: "the trailed stop",
    ExitCode.LOCK: "the locked profit",
}
