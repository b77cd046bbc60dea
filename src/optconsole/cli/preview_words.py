"""Previews as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from optconsole.cli.output import table
from optconsole.engine.model.previews import (
    Ledger,
    LegCost,
    LegPick,
    MarginView,
    PayoffPicture,
    PayoffPoint,
    RateForecast,
    Share,
    StrategyView,
)
from optconsole.screens.formats import Formats

LEG_HEAD: Final = ("leg", "side", "lots", "contract", "premium", "iv")
SHARE_HEAD: Final = ("account", "lots", "orders", "paid", "charges", "most made", "most lost", "worst case")
MARGIN_HEAD: Final = ("account", "before", "on the way", "after", "apart", "premium", "free", "short", "broker says")
COST_HEAD: Final = (
    "leg",
    "side",
    "units",
    "price",
    "orders",
    "brokerage",
    "stt",
    "exchange",
    "sebi",
    "stamp",
    "gst",
    "in",
    "out",
)
CURVE_ROWS: Final = 16
_CHANCES: Final = {1: "68 %", 2: "95 %"}


def title(view: StrategyView) -> str:
    """The strategy and when it enters."""
    return f"{view.name} on {view.underlying}. {view.text}"


def legs(view: StrategyView, formats: Formats) -> list[str]:
    """Each leg's contract now, and why it is that one."""
    rows = table(LEG_HEAD, [_leg(each, formats) for each in view.legs], left=4)
    return [*rows, *(f"  {each.leg}: {each.why}" for each in view.legs)]


def _leg(each: LegPick, formats: Formats) -> tuple[str, ...]:
    name = f"{each.leg} (lazy)" if each.lazy else each.leg
    contract = each.contract or f"{formats.unknown} {each.code}"
    premium, vol = formats.price(each.premium), formats.iv(each.vol)
    return name, each.side.value, str(each.lots), contract, premium, vol


def picture(found: PayoffPicture, formats: Formats, curve: bool = True) -> list[str]:
    """Bounds, break-evens, odds, and the curve itself."""
    until = formats.unknown if found.until is None else formats.calendar(found.until)
    ends = "without end"
    made = ends if found.endless_profit else formats.pnl(found.max_profit)
    lost = ends if found.endless_loss else formats.money(found.max_loss)
    ratio = formats.unknown if found.reward_to_risk is None else f"{found.reward_to_risk:.2f}"
    chance = formats.unknown if found.chance is None else f"{found.chance * 100:.1f} %"
    even = "  ".join(formats.price(each) for each in found.break_evens) or "none"
    moves = ", ".join(
        f"{formats.price(each.low)} to {formats.price(each.high)} ({_CHANCES.get(each.sigmas, '')})"
        for each in found.moves
    )
    lines = [
        f"at {formats.price(found.spot)}, until {until}",
        f"break-evens {even}",
        f"most made {made}, most lost {lost}, reward to risk {ratio}, chance of a profit {chance}",
        f"expected by then: {moves or formats.unknown}",
        *found.missing,
    ]
    if curve and found.points:
        rows = [
            (formats.price(each.at), formats.pnl(each.at_expiry), formats.pnl(each.now)) for each in _thinned(found)
        ]
        lines += ["", *table(("underlying", "at expiry", "now"), rows, left=0)]
    return lines


def _thinned(found: PayoffPicture) -> list[PayoffPoint]:
    """Places of the curve that a page has room for: break-evens, the spot, and some of the rest."""
    special = {found.spot, *found.break_evens}
    step = max(len(found.points) // CURVE_ROWS, 1)
    return [each for place, each in enumerate(found.points) if each.at in special or place % step == 0]


def shares(found: Sequence[Share], formats: Formats) -> list[str]:
    """What each account would trade; a refused one says why."""
    rows = [_share(each, formats) for each in found if not each.code]
    told = [f"{each.account}: {each.text} [{each.code}]" for each in found if each.code]
    return [*(table(SHARE_HEAD, rows, left=2) if rows else []), *told]


def _share(each: Share, formats: Formats) -> tuple[str, ...]:
    lots = ", ".join(f"{leg} {count}" for leg, count in each.lots.items())
    worst = each.worst
    lost = "without end" if each.endless_loss else formats.money(each.max_loss)
    return (
        each.account or formats.unknown,
        lots,
        str(each.orders),
        formats.pnl(each.paid),
        formats.money(each.charges),
        formats.pnl(each.max_profit),
        lost,
        formats.unknown if worst is None else _total(worst, formats),
    )


def _total(worst: Ledger, formats: Formats) -> str:
    return (
        f"without end ({', '.join(worst.endless)})"
        if worst.endless and worst.total is None
        else formats.pnl(worst.total)
    )


def ledger(worst: Ledger, formats: Formats) -> list[str]:
    """The worst case line by line, with the limits beside it."""
    rows = [(row.what, formats.unknown if row.loss is None else formats.pnl(-row.loss), row.text) for row in worst.rows]
    lines = [f"made so far {formats.pnl(worst.mtm)}, at worst {_total(worst, formats)}"]
    if worst.capped is not None:
        lines.append(f"the overall stop ends it at {formats.pnl(-worst.capped)}")
    lines += [f"  {what:<8} {loss:>12}  {text}" for what, loss, text in rows]
    lines += [
        f"  {each.name}: {formats.money(each.allowed)} may still be lost, {formats.pnl(each.left)} left after it"
        for each in worst.limits
    ]
    return lines


def margins(found: Sequence[MarginView], formats: Formats) -> list[str]:
    """Margin of each account before, on the way and after."""
    rows = [
        (
            each.account or formats.unknown,
            *(
                formats.money(amount)
                for amount in (
                    each.before,
                    each.peak,
                    each.after,
                    each.apart,
                    each.premium,
                    each.free,
                    each.short,
                    each.broker,
                )
            ),
        )
        for each in found
        if not each.code
    ]
    told = [f"{each.account or formats.unknown}: {each.text} [{each.code}]" for each in found if each.code]
    return [*(table(MARGIN_HEAD, rows) if rows else []), *told]


def steps(found: Sequence[MarginView], formats: Formats) -> list[str]:
    """What is blocked after each order, in the order in which they leave, and what it is made of at the end."""
    lines = []
    for each in found:
        if each.code:
            continue
        lines += [f"{each.account or formats.unknown}:"]
        lines += [f"  after {name:<28} {formats.money(total):>14}" for name, total in each.steps]
        lines.append(
            f"  SPAN {formats.money(each.span)}, exposure {formats.money(each.exposure)},"
            f" expiry day {formats.money(each.expiry_extra)}"
        )
    return lines


def costs(found: Sequence[LegCost], formats: Formats) -> list[str]:
    """Charges leg by leg: the parts of the entry, its sum, and the sum of an exit at the same prices."""
    rows = [
        (
            each.leg,
            each.side.value,
            formats.grouped(each.units),
            formats.price(each.price),
            str(each.orders),
            *(formats.amount(getattr(each.entry, part)) for part in COST_HEAD[5:11]),
            formats.amount(each.entry.total),
            formats.amount(each.exit.total),
        )
        for each in found
    ]
    return table(COST_HEAD, rows, left=2)


def rate(found: RateForecast, formats: Formats) -> list[str]:
    """The day's requests: how many, where they would queue, and what later times would spare."""
    head = f"{found.requests} requests today, at most {found.busiest} in one second"
    late = f"held back for over {found.patience:g} s and tried again: {', '.join(found.late)}"
    return [
        f"{head}; entries wait up to {found.slowest:.1f} s",
        *(
            f"  {formats.clock(each.at)}: {each.entries} entries and {each.exits} exits take {each.seconds:.1f} s"
            for each in found.delays
        ),
        *([f"  {late}"] if found.late else []),
        *(
            f"  {each.name}: {formats.clock(each.instead)} instead of {formats.clock(each.at)} would not wait"
            for each in found.staggered
        ),
    ]
