"""Strikes chosen by what they cost or how they move: premium, delta, cheapest hedge, balance with another leg.

SK-5 to SK-8, SK-10, SK-11, SK-14 and SK-16. Of two that fit equally well the one further out of the money is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import rupees
from optconsole.engine.model.strikes import CheapStrike, DeltaStrike, MatchStrike, Pick, PremiumStrike
from optconsole.engine.rules.strike_liquidity import Verdict, below
from optconsole.engine.rules.strike_rows import Slate, strike_text
from optconsole.engine.rules.strike_targets import Aim, Ranking

_WHOLE_BP: Final = 10_000

Priced = Sequence[tuple[int, int]]
"""(index, value) of the rows whose premium or delta is known."""


def by_premium(rule: PremiumStrike, slate: Slate) -> Ranking:
    """SK-5 to SK-8 and SK-10. Raises Refusal: NO_PRICES, NO_STRADDLE, NO_PREMIUM with what was there instead."""
    known, unfit = _premiums(slate)
    low, high = rule.amount, rule.amount if rule.upper is None else rule.upper
    scale = 1
    if rule.of_straddle:
        if slate.straddle is None:
            raise Refusal("NO_STRADDLE", "The ATM call or put has no price, and the premium is a part of both.")
        # basis points times paise: compared in ten-thousandths, so that no bound is moved by rounding
        low, high, scale = low * slate.straddle, high * slate.straddle, _WHOLE_BP
    pick = rule.pick
    if pick is Pick.WITHIN:
        inside = [(place, value) for place, value in known if low <= value * scale <= high]
        if inside:
            order = _closest(slate, inside, low + high, 2 * scale)
            return _premium_ranking(order, (low + high) // (2 * scale), unfit)
        if rule.fallback is None or rule.fallback is Pick.WITHIN:
            raise _none(slate, known, f"from {rupees(low // scale)} to {rupees(high // scale)}")
        pick, low, scale = rule.fallback, low + high, 2 * scale
    return _premium_ranking(_picked(pick, slate, known, low, scale), low // scale, unfit)


def _picked(pick: Pick, slate: Slate, known: Priced, amount: int, scale: int) -> list[int]:
    if pick is Pick.AT_LEAST:
        fitting = [(place, value) for place, value in known if value * scale >= amount]
        if not fitting:
            raise _none(slate, known, f"at or above {rupees(amount // scale)}")
    elif pick is Pick.AT_MOST:
        fitting = [(place, value) for place, value in known if value * scale <= amount]
        if not fitting:
            raise _none(slate, known, f"at or below {rupees(amount // scale)}")
    else:
        fitting = list(known)
    # on one side of a bound the closest is the smallest above it or the largest below it
    return _closest(slate, fitting, amount, scale)


def by_delta(rule: DeltaStrike, slate: Slate) -> Ranking:
    """SK-11, on absolute deltas. Raises Refusal: NO_DELTAS while none is known, NO_DELTA when none is in the range."""
    known = [(place, abs(row.delta)) for place, row in enumerate(slate.rows) if row.delta is not None]
    if not known:
        raise Refusal("NO_DELTAS", "No delta is known yet for any strike of this expiry.")
    unfit = {place: Verdict.NO_DELTA for place, row in enumerate(slate.rows) if row.delta is None}
    if rule.upper is None:
        return Ranking(order=_closest(slate, known, rule.amount, 1), aim=Aim.DELTA, target=rule.amount, unfit=unfit)
    inside = [(place, value) for place, value in known if rule.amount <= value <= rule.upper]
    if not inside:
        low, high = min(value for _, value in known), max(value for _, value in known)
        raise Refusal(
            "NO_DELTA",
            f"No strike has a delta from {rule.amount / 1000:.3f} to {rule.upper / 1000:.3f};"
            f" those known run from {low / 1000:.3f} to {high / 1000:.3f}.",
        )
    order = _closest(slate, inside, rule.amount + rule.upper, 2)
    return Ranking(order=order, aim=Aim.DELTA, target=(rule.amount + rule.upper) // 2, unfit=unfit)


def by_budget(rule: CheapStrike, slate: Slate, atm: int) -> Ranking:
    """SK-14: the furthest out of the money within the budget that trades enough. Raises Refusal: NO_PRICES,
    NO_HEDGE."""
    known, unfit = _premiums(slate)
    fitting: list[int] = []
    for place, premium in known:
        row = slate.rows[place]
        if (place - atm) * slate.outward <= 0 or premium > rule.most:
            continue
        if below(row.oi, rule.min_oi):
            unfit[place] = Verdict.LOW_OI
        elif below(row.volume, rule.min_volume):
            unfit[place] = Verdict.LOW_VOLUME
        else:
            fitting.append(place)
    if not fitting:
        raise Refusal(
            "NO_HEDGE",
            f"No strike out of the money costs {rupees(rule.most)} or less and trades enough"
            f" (open interest {rule.min_oi}, volume {rule.min_volume}); {_seen(slate, known)}.",
        )
    fitting.sort(key=lambda place: -slate.outward * place)
    return _premium_ranking(fitting, rule.most, unfit)


def by_match(rule: MatchStrike, slate: Slate) -> Ranking:
    """SK-16. Raises Refusal: NO_PRICES, NO_OTHER_LEG, UNBALANCED while the two still differ by more than ``within``."""
    known, unfit = _premiums(slate)
    if slate.other_premium is None:
        raise Refusal("NO_OTHER_LEG", f"Leg {rule.leg} has no premium yet, and this one is to match it.")
    order = _closest(slate, known, slate.other_premium, 1)
    found = dict(known)[order[0]]
    if rule.within is not None and abs(found - slate.other_premium) > rule.within:
        raise Refusal(
            "UNBALANCED",
            f"The closest premium {rupees(found)} differs from {rupees(slate.other_premium)} of leg {rule.leg}"
            f" by more than {rupees(rule.within)}.",
        )
    if rule.within is not None:
        fits = {place for place, value in known if abs(value - slate.other_premium) <= rule.within}
        order = [place for place in order if place in fits]
    return _premium_ranking(order, slate.other_premium, unfit)


def _premiums(slate: Slate) -> tuple[list[tuple[int, int]], dict[int, Verdict]]:
    kind = slate.price
    known: list[tuple[int, int]] = []
    unfit: dict[int, Verdict] = {}
    for place, row in enumerate(slate.rows):
        premium = row.premium(kind)
        if premium is None:
            unfit[place] = Verdict.NO_PRICE
        else:
            known.append((place, premium))
    if not known:
        raise Refusal("NO_PRICES", f"No strike of this expiry has a price of the kind asked for ({kind.value}).")
    return known, unfit


def _closest(slate: Slate, known: Priced, amount: int, scale: int) -> list[int]:
    """By distance of ``scale`` times the value from ``amount``; ties go further out of the money."""
    outward = slate.outward
    ranked = sorted((abs(value * scale - amount), -outward * place, place) for place, value in known)
    return [place for _, _, place in ranked]


def _premium_ranking(order: Sequence[int], target: int, unfit: dict[int, Verdict]) -> Ranking:
    return Ranking(order=order, aim=Aim.PREMIUM, target=target, unfit=unfit)


def _none(slate: Slate, known: Priced, wanted: str) -> Refusal:
    return Refusal("NO_PREMIUM", f"No premium is {wanted}; {_seen(slate, known)}.")


def _seen(slate: Slate, known: Priced) -> str:
    cheapest = min(known, key=lambda each: each[1])
    dearest = max(known, key=lambda each: each[1])
    return (
        f"the cheapest seen is {rupees(cheapest[1])} at {strike_text(slate.rows[cheapest[0]].strike)},"
        f" the dearest {rupees(dearest[1])} at {strike_text(slate.rows[dearest[0]].strike)}"
    )
