"""Lots of each leg for one account (features BK-5): lots times multiplier, with the ratio of the legs kept or refused.

Multipliers are hundredths (1.5 is 150). Cutting each leg for itself turns a condor into naked shorts, so a multiplier
that makes no whole lots is refused by default, with those that would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Final

import msgspec

from optconsole.engine.model.baskets import Allocation, Pace, Rounding
from optconsole.engine.model.errors import Refusal

WHOLE: Final = 100
"""A multiplier of one."""
MOST_MULTIPLIER: Final = 250 * WHOLE


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Lots of each leg (by id, in the strategy's order) for one account, and what they were made of.

    ``exact`` are hundredths of lots before rounding. ``ratio_kept`` says whether the legs stand to one another as
    written; lots that the trader gave for a leg count as written.
    """

    account: str
    multiplier: int
    rounding: Rounding
    exact: dict[str, int]
    lots: dict[str, int]
    ratio_kept: bool

    @property
    def lost(self) -> dict[str, int]:
        """Hundredths of lots that rounding took from each leg it touched; negative where it gave."""
        return {leg: exact - self.lots[leg] * WHOLE for leg, exact in self.exact.items() if exact % WHOLE}


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """When one account's orders leave: ``offset_ms`` after the first; only once those of ``after`` are done."""

    account: str
    offset_ms: int
    after: str = ""


def share(legs: Mapping[str, int], allocation: Allocation) -> Share:
    """The lots of each leg for an account. ``legs`` are lots as written, by leg id.

    Lots that the allocation gives for legs of the basket's other strategies are passed over.
    Raises Refusal: NOT_ENABLED, BAD_LOTS, BAD_MULTIPLIER, RATIO_BROKEN, NO_LOTS when a leg would get none, MAX_LOTS
    above the account's largest order.
    """
    _refuse_terms(legs, allocation)
    multiplied = {leg: lots for leg, lots in legs.items() if leg not in allocation.lots}
    exact = {leg: lots * allocation.multiplier for leg, lots in multiplied.items()}
    if allocation.rounding is Rounding.REFUSE:
        _refuse_broken(multiplied, exact, allocation)
    rounded = _largest_remainder(exact) if allocation.rounding is Rounding.REMAINDER else _floors(exact)
    lots = {leg: allocation.lots.get(leg, rounded.get(leg, 0)) for leg in legs}
    _refuse_sizes(lots, multiplied, allocation)
    return Share(
        account=allocation.account,
        multiplier=allocation.multiplier,
        rounding=allocation.rounding,
        exact=exact,
        lots=lots,
        ratio_kept=_same_ratio(multiplied, rounded),
    )


def working_multipliers(lots: Sequence[int], multiplier: int) -> tuple[int, ...]:
    """The nearest multipliers (hundredths) at or below and above that make whole lots of every leg."""
    step = _finest(lots)
    below = multiplier // step * step
    above = below + step
    return tuple(each for each in (below, above) if step <= each <= MOST_MULTIPLIER)


def departures(allocations: Sequence[Allocation], pace: Pace, stagger_ms: int = 0) -> tuple[Departure, ...]:
    """When the orders of each enabled account leave, the smallest priority first, then as written.

    PARALLEL lets all go at once, STAGGERED so many milliseconds apart, PRIORITY each once the one before is done.
    """
    ranked = sorted((each for each in allocations if each.enabled), key=lambda each: each.priority)
    apart = stagger_ms if pace is Pace.STAGGERED else 0
    return tuple(
        Departure(
            account=each.account,
            offset_ms=place * apart,
            after=ranked[place - 1].account if pace is Pace.PRIORITY and place else "",
        )
        for place, each in enumerate(ranked)
    )


def multiplier_text(hundredths: int) -> str:
    """``×1``, ``×1.5``, ``×0.25``."""
    whole, part = divmod(hundredths, WHOLE)
    return f"×{whole}" + (f".{part:02d}".rstrip("0") if part else "")


def told(answer: Share) -> str:
    """A share in one sentence, with what rounding lost or gave."""
    lots = ", ".join(f"{leg} {count}" for leg, count in answer.lots.items())
    lost = "; ".join(
        f"{leg} {'loses' if hundredths > 0 else 'gains'} {abs(hundredths) / WHOLE:.2f}"
        for leg, hundredths in answer.lost.items()
    )
    ratio = "" if answer.ratio_kept else "; the legs no longer stand as written"
    return (
        f"{answer.account} {multiplier_text(answer.multiplier)}: {lots}" + (f"; {lost}" if lost else "") + ratio + "."
    )


def _refuse_terms(legs: Mapping[str, int], allocation: Allocation) -> None:
    if not allocation.enabled:
        raise Refusal("NOT_ENABLED", f"Account {allocation.account} is switched off in this basket.")
    bad = [leg for leg, lots in {**legs, **allocation.lots}.items() if lots < 1]
    if bad or not legs:
        raise Refusal("BAD_LOTS", f"Every leg needs at least one lot: {', '.join(bad) or 'there is no leg'}.")
    if not 1 <= allocation.multiplier <= MOST_MULTIPLIER:
        raise Refusal(
            "BAD_MULTIPLIER",
            f"A multiplier of {multiplier_text(allocation.multiplier)} will not do; give more than 0 and at most"
            f" {multiplier_text(MOST_MULTIPLIER)}.",
        )


def _refuse_broken(legs: Mapping[str, int], exact: Mapping[str, int], allocation: Allocation) -> None:
    if not any(each % WHOLE for each in exact.values()):
        return
    offers = " or ".join(multiplier_text(each) for each in working_multipliers([*legs.values()], allocation.multiplier))
    ratio = " : ".join(str(lots) for lots in legs.values())
    makes = " : ".join(multiplier_text(each).removeprefix("×") for each in exact.values())
    raise Refusal(
        "RATIO_BROKEN",
        f"{ratio} {multiplier_text(allocation.multiplier)} makes {makes}, which are no whole lots;"
        f" take {offers}, or give the lots of each leg.",
    )


def _refuse_sizes(lots: Mapping[str, int], multiplied: Mapping[str, int], allocation: Allocation) -> None:
    none = [leg for leg, count in lots.items() if count < 1]
    if none:
        raise Refusal(
            "NO_LOTS",
            f"{multiplier_text(allocation.multiplier)} leaves no lot for {', '.join(none)}; take a larger multiplier"
            " or give the lots of each leg.",
        )
    over = max(lots, key=lambda leg: lots[leg])
    if lots[over] <= allocation.max_lots:
        return
    fits = 0
    if over in multiplied:
        step = _finest([*multiplied.values()])
        fits = allocation.max_lots * WHOLE // max(multiplied.values()) // step * step
    raise Refusal(
        "MAX_LOTS",
        f"Leg {over} would have {lots[over]} lots, and account {allocation.account} takes at most"
        f" {allocation.max_lots}{f'; {multiplier_text(fits)} fits' if fits else ''}.",
    )


def _floors(exact: Mapping[str, int]) -> dict[str, int]:
    return {leg: hundredths // WHOLE for leg, hundredths in exact.items()}


def _largest_remainder(exact: Mapping[str, int]) -> dict[str, int]:
    """Whole lots whose sum comes nearest from below to the exact one, the largest remainders rounded up first.

    Legs of equal size rise together or not at all: one lot more on one wing of a condor is a naked short.
    """
    lots = _floors(exact)
    left = sum(exact.values()) // WHOLE - sum(lots.values())
    sizes = sorted({each for each in exact.values() if each % WHOLE}, key=lambda each: (-(each % WHOLE), -each))
    for size in sizes:
        equals = [leg for leg, hundredths in exact.items() if hundredths == size]
        if len(equals) > left:
            break  # going on with smaller remainders could lift a small leg above a larger one
        left -= len(equals)
        lots.update({leg: lots[leg] + 1 for leg in equals})
    return lots


def _finest(lots: Sequence[int]) -> int:
    """The smallest multiplier (hundredths) that makes whole lots; its multiples are all that do."""
    return WHOLE // gcd(WHOLE, *lots)


def _same_ratio(legs: Mapping[str, int], lots: Mapping[str, int]) -> bool:
    if not legs:
        return True
    first = next(iter(legs))
    return all(lots[leg] * legs[first] == legs[leg] * lots[first] for leg in legs)
