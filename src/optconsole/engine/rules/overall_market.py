"""What ends a run by the underlying (features SX-8) or by its Greeks (SX-9). Pure; an unknown value never decides."""

from __future__ import annotations

import msgspec

from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.overall_rules import Band, Greeks, Overall
from optconsole.engine.rules.distances import WHOLE_BP
from optconsole.engine.rules.leg_exits import Blind
from optconsole.engine.rules.pretrade import price_in
from optconsole.engine.rules.run_money import RunFacts


class OverallExit(msgspec.Struct, frozen=True, kw_only=True):
    """Leave the run. ``value`` is what was looked at (MTM or underlying in paise, or a Greek), ``level`` its limit."""

    code: ExitCode
    why: str
    value: int
    level: int


Outcome = OverallExit | Blind | None


def band_exit(overall: Overall, facts: RunFacts) -> Outcome:
    """SX-8: out when the underlying has left its bounds, moved too far since entry, or touched a break-even."""
    band = overall.band
    if band is None or not facts.held:
        return None
    if facts.index is None:
        return Blind(why="The underlying is unknown or too old, so the band around it is not watched.")
    for low, high, words in _bounds(band, facts):
        if low is not None and facts.index <= low:
            return _left(facts.index, low, words)
        if high is not None and facts.index >= high:
            return _left(facts.index, high, words)
    return _unmeasured(band, facts)


def greeks_exit(overall: Overall, facts: RunFacts) -> Outcome:
    """SX-9: out beyond a net delta or gamma, or once enough of the premium sold has decayed."""
    rule = overall.greeks
    if rule is None or not facts.held:
        return None
    for name, value, most in (("delta", facts.delta, rule.delta), ("gamma", facts.gamma, rule.gamma)):
        if value is not None and most is not None and abs(value) > most:
            why = f"The net {name} {value} is beyond {most}."
            return OverallExit(code=ExitCode.GREEKS, why=why, value=value, level=most)
    decayed = sold_decay(facts)
    if rule.decayed is not None and decayed is not None and decayed >= rule.decayed:
        why = f"{decayed / 100:.2f} % of the premium sold has decayed, {rule.decayed / 100:.2f} % are enough."
        return OverallExit(code=ExitCode.GREEKS, why=why, value=decayed, level=rule.decayed)
    return _unknown_greek(rule, facts, decayed)


def sold_decay(facts: RunFacts) -> int | None:
    """Basis points of the premium of the open sold legs that are gone; None if one is unpriced or none is open."""
    sold = [leg for leg in facts.held if leg.sign < 0]
    base = sum(leg.entry * leg.quantity for leg in sold)
    left = 0
    for leg in sold:
        if leg.price is None:
            return None
        left += leg.price * leg.quantity
    return (base - left) * WHOLE_BP // base if base > 0 else None


def _bounds(band: Band, facts: RunFacts) -> list[tuple[int | None, int | None, str]]:
    """(reached at or below, reached at or above, what it is) for each rule of the band that can be measured."""
    below = None if band.low is None else band.low - 1  # a bound itself still lies inside the band
    above = None if band.high is None else band.high + 1
    found: list[tuple[int | None, int | None, str]] = [(below, above, "left its band at")]
    start = facts.index_at_entry
    if band.move is not None and start is not None:
        reach = -(-start * band.move // WHOLE_BP)
        found.append((start - reach, start + reach, f"moved {band.move / 100:.2f} % since entry, to"))
    if band.break_even and facts.break_evens is not None:
        found.append((*facts.break_evens, "touched the break-even"))
    return found


def _left(index: int, level: int, words: str) -> OverallExit:
    why = f"The underlying {price_in(index)} {words} {price_in(level)}."
    return OverallExit(code=ExitCode.BAND, why=why, value=index, level=level)


def _unmeasured(band: Band, facts: RunFacts) -> Blind | None:
    if band.move is not None and facts.index_at_entry is None:
        return Blind(why="The underlying at entry is unknown, so its move since is not watched.")
    if band.break_even and facts.break_evens is None:
        return Blind(why="The break-evens of the run are unknown, so they are not watched.")
    return None


def _unknown_greek(rule: Greeks, facts: RunFacts, decayed: int | None) -> Blind | None:
    sold = any(leg.sign < 0 for leg in facts.held)
    missing = [
        name
        for name, rule_value, value in (
            ("delta", rule.delta, facts.delta),
            ("gamma", rule.gamma, facts.gamma),
            ("decay", rule.decayed if sold else None, decayed),
        )
        if rule_value is not None and value is None
    ]
    return Blind(why=f"Unknown, so not watched: {', '.join(missing)} of the run.") if missing else None
