"""The worst a strategy may come to while nobody looks: every stop hit, every re-entry stopped, and a jump beyond.

Pure, in paise. What has been made so far is set against the loss of all open legs at their stops, against the loss of
every re-entry that is left at its own stop, and against what a jump of the market takes beyond the stops. Gains on the
way are not counted: a target is never taken for sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

import msgspec

from optconsole.engine.model.leg_rules import Reentry, ReentryMode
from optconsole.engine.model.orders import Side
from optconsole.engine.model.overall_rules import Overall
from optconsole.engine.model.previews import Ledger, LedgerLimit, LedgerRow
from optconsole.engine.model.run_state import Counters
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.rules.run_money import Entered, amount


class LegAtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A leg of a run, or as it would be entered.

    ``units`` are those it holds, 0 for one that is out or not entered; ``price`` is what they are worth each and
    ``stop`` where they go, both of the contract. ``planned`` are the units of one further entry and ``distance`` the
    paise a unit that its stop is away from it. None is unknown, or for a stop: there is none.
    """

    id: str
    side: Side
    option: bool
    units: int
    price: int | None
    stop: int | None
    planned: int
    distance: int | None
    entry: int | None = None


class AtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy at one instant: its legs by id, what it has made, and the re-entries it has had.

    ``base`` is what earlier cycles made; ``gap_loss`` are paise that all open legs together lose in the jump reckoned
    with, None while unknown. ``together`` are paise that the open legs without a stop can lose together from here on,
    None while unknown or ``endless``.
    """

    strategy: Strategy
    legs: Mapping[str, LegAtRisk]
    mtm: int | None = 0
    base: int = 0
    counters: Counters = Counters()
    entered: tuple[Entered, ...] = ()
    gap_loss: int | None = None
    gap_text: str = ""
    together: int | None = None
    endless: bool = False


def worst_case(risk: AtRisk, limits: Iterable[tuple[str, int]] = ()) -> Ledger:
    """The ledger. ``limits`` are names with the paise that may be lost; what is left of each stands beside the sum."""
    open_rows = _open_rows(risk)
    again = [*_reentry_rows(risk), *_lazy_rows(risk)]
    opened, lost = _sum(open_rows), _sum(again)
    cap = capped(risk.strategy.overall, risk.entered, risk.counters)
    gap = _gap(risk, cap if opened is None else opened)
    parts = (risk.mtm, opened, lost, gap)
    total = None if any(part is None for part in parts) else (risk.mtm or 0) - (opened or 0) - (lost or 0) - (gap or 0)
    if cap is not None:
        total = _stopped_overall(total, risk.base - cap, gap)
    endless = [name for row in (*open_rows, *again) if row.what == "endless" for name in row.leg.split(", ")]
    rows = (*open_rows, *again, *_gap_rows(risk, gap))
    return Ledger(
        mtm=risk.mtm,
        open_stops=opened,
        reentries=lost,
        gap=gap,
        total=total,
        endless=tuple(dict.fromkeys(endless)),
        capped=cap,
        rows=rows,
        limits=tuple(
            LedgerLimit(name=name, allowed=allowed, left=None if total is None else allowed + min(total, 0))
            for name, allowed in limits
        ),
    )


def capped(overall: Overall, entered: Sequence[Entered], counters: Counters) -> int | None:
    """Paise at which the overall stop ends the run, once for each cycle that is left; None without such a stop.

    A stop in percent of the premium is known once the premium is.
    """
    if overall.stop is None:
        return None
    once = amount(overall.stop, entered)
    if once <= 0:
        return None
    again = overall.on_stop
    left = 0 if again is None else max(again.times - counters.cycles_after_stop, 0)
    return once * (1 + left)


def remaining(leg: Leg, counters: Counters) -> tuple[int, int]:
    """Re-entries a leg may still take after stops, and after targets."""

    def left(rule: Reentry | None, target: bool) -> int:
        return 0 if rule is None else max(rule.times - counters.used(leg.id, target=target), 0)

    return left(leg.on_stop, False), left(leg.on_target, True)


def _open_rows(risk: AtRisk) -> list[LedgerRow]:
    """Each leg with a stop for itself, those without one together: a hedge bounds what it covers, stop or none."""
    rows, bare = [], []
    for leg in risk.legs.values():
        if not leg.units:
            continue
        if leg.price is None:
            rows.append(
                LedgerRow(what="unknown", leg=leg.id, loss=None, text=f"What {leg.id} loses at its stop is unknown.")
            )
        elif leg.stop is None:
            bare.append(leg.id)
        else:
            loss = max((leg.price - leg.stop) * leg.side.sign * leg.units, 0)
            rows.append(LedgerRow(what="leg", leg=leg.id, loss=loss, text=f"{leg.id} is stopped at its level."))
    return [*rows, _bare_row(risk, ", ".join(bare))] if bare else rows


def _bare_row(risk: AtRisk, names: str) -> LedgerRow:
    if risk.endless:
        return LedgerRow(what="endless", leg=names, loss=None, text=f"No stop and nothing else bounds {names}.")
    if risk.together is None:
        return LedgerRow(what="unknown", leg=names, loss=None, text=f"What {names} can lose without a stop is unknown.")
    return LedgerRow(
        what="leg", leg=names, loss=risk.together, text=f"No stop: the most that {names} can lose together."
    )


def _reentry_rows(risk: AtRisk) -> list[LedgerRow]:
    """The re-entries that are left; of those that all legs share, the ones that lose most."""
    strategy = risk.strategy
    found = [
        (risk.legs[written.id], times)
        for written in strategy.legs
        if written.id in risk.legs and (times := _own_times(written, risk.counters))
    ]
    left = sum(times for _, times in found)
    if strategy.reentry_shared_max is not None:
        left = max(strategy.reentry_shared_max - risk.counters.together, 0)
        found.sort(key=lambda each: _once(each[0]), reverse=True)
    rows = []
    for leg, times in found:
        count = min(times, left)
        left -= count
        if count:
            rows.append(_again("reentry", leg, count, "more entries"))
    return rows


def _own_times(leg: Leg, counters: Counters) -> int:
    """Re-entries of the leg itself that are left; those of LAZY are entries of other legs."""
    lazy = ReentryMode.LAZY
    return sum(
        count
        for rule, count in zip((leg.on_stop, leg.on_target), remaining(leg, counters), strict=True)
        if rule is not None and rule.mode is not lazy
    )


def _once(leg: LegAtRisk) -> float:
    """Paise that one more entry may lose; without end where nothing bounds it."""
    return inf if leg.distance is None else leg.distance * leg.planned


def _lazy_rows(risk: AtRisk) -> list[LedgerRow]:
    """Lazy legs, once for every time that another leg may still arm them."""
    armed: dict[str, int] = {}
    for written in risk.strategy.legs:
        stops, targets = remaining(written, risk.counters)
        for rule, count in ((written.on_stop, stops), (written.on_target, targets)):
            for name in rule.arms if rule is not None and rule.mode is ReentryMode.LAZY else ():
                armed[name] = armed.get(name, 0) + count
    return [
        _again("lazy", risk.legs[name], count, "times armed")
        for name, count in armed.items()
        if count and name in risk.legs
    ]


def _again(what: str, leg: LegAtRisk, times: int, words: str) -> LedgerRow:
    text = f"{leg.id}: {times} {words}, each lost at its stop."
    if leg.distance is not None:
        return LedgerRow(what=what, leg=leg.id, loss=leg.distance * leg.planned * times, text=text)
    if leg.entry is None:
        unknown = f"{leg.id}: what a further entry loses is unknown."
        return LedgerRow(what="unknown", leg=leg.id, loss=None, text=unknown)
    if leg.side is Side.BUY and leg.option:
        worth = leg.entry * leg.planned * times
        return LedgerRow(what=what, leg=leg.id, loss=worth, text=f"{leg.id}: {times} {words} without a stop.")
    return LedgerRow(what="endless", leg=leg.id, loss=None, text=f"{leg.id}: {times} {words} that no stop bounds.")


def _sum(rows: Sequence[LedgerRow]) -> int | None:
    losses = [row.loss for row in rows if row.loss is not None]
    return sum(losses) if len(losses) == len(rows) else None


def _gap(risk: AtRisk, stopped: int | None) -> int | None:
    """What the jump takes beyond the stops: they fill where the market is, not where they stand."""
    if not any(leg.units for leg in risk.legs.values()):
        return 0
    if risk.gap_loss is None:
        return None
    return max(risk.gap_loss - (stopped or 0), 0)


def _gap_rows(risk: AtRisk, gap: int | None) -> tuple[LedgerRow, ...]:
    if not risk.gap_text or gap is None:
        return ()
    return (LedgerRow(what="gap", leg="", loss=gap, text=risk.gap_text),)


def _stopped_overall(total: int | None, level: int, gap: int | None) -> int | None:
    """The run is out at its overall stop where its legs would lose more; a jump goes beyond either."""
    if gap is None:
        return None
    return level - gap if total is None else max(total, level - gap)
