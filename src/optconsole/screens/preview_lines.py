"""What a basket would do if it entered now, as lines: contracts, odds, worst case, margin, order rate. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from optconsole.engine.model.previews import (
    Ledger,
    LegPick,
    MarginView,
    PayoffPicture,
    RateForecast,
    Share,
    StrategyView,
)
from optconsole.engine.queries import BasketPreview
from optconsole.screens.formats import Formats

Told = tuple[str, str]
"""A line and its colour role."""
ENDLESS = "without end"


def preview_lines(answer: BasketPreview, fmt: Formats) -> list[Told]:
    """All of it, a strategy after the other, then what the accounts and the day's orders come to."""
    lines: list[Told] = []
    for view in answer.strategies:
        lines += [*_strategy(view, fmt), ("", "")]
    lines.append(("Margin", "title"))
    lines += [_margin(each, fmt) for each in answer.margins]
    lines += [("", ""), ("Orders of the day", "title"), *_rate(answer.rate, fmt)]
    return [(fmt.text(text), role) for text, role in lines]


def _strategy(view: StrategyView, fmt: Formats) -> Iterator[Told]:
    yield f"{view.name} on {view.underlying}", "title"
    yield f"  {view.text}", "warn" if view.code else "dim"
    for leg in view.legs:
        yield _leg(leg, fmt)
        if leg.why:
            yield f"        {leg.why}", "dim"
    if view.picture is not None:
        yield from _picture(view.picture, fmt)
    for share in view.shares:
        yield _share(share, fmt)


def _leg(leg: LegPick, fmt: Formats) -> Told:
    lazy = ", armed by another leg" if leg.lazy else ""
    head = f"  {leg.leg:<6}{leg.side.value:<5}{leg.lots}L"
    if not leg.contract:
        return f"{head}  no contract{lazy}: {leg.code}", "bad"
    volatility = "" if leg.vol is None else f"  IV {fmt.iv(leg.vol)}"
    return f"{head}  {fmt.contract(leg.contract)}  {fmt.price(leg.premium)}{volatility}{lazy}", ""


def _picture(found: PayoffPicture, fmt: Formats) -> Iterator[Told]:
    made = ENDLESS if found.endless_profit else fmt.pnl(found.max_profit)
    lost = ENDLESS if found.endless_loss else fmt.money(found.max_loss)
    even = " and ".join(fmt.price(each) for each in found.break_evens) or "none"
    chance = fmt.unknown if found.chance is None else f"{found.chance * 100:.0f} %"
    yield f"  breaks even at {even}; chance of a profit {chance}", "accent"
    yield f"  most made {made}, most lost {lost}", "warn" if found.endless_loss else "accent"
    for each in found.missing:
        yield f"  {each}", "warn"


def _share(share: Share, fmt: Formats) -> Told:
    if share.code:
        return f"  {share.account}: {share.text} [{share.code}]", "bad"
    lots = ", ".join(f"{leg} {count}" for leg, count in share.lots.items())
    worst = "" if share.worst is None else f", worst case {worst_text(share.worst, fmt)}"
    orders = f"{share.orders} order{'' if share.orders == 1 else 's'}"
    return f"  {share.account}: {lots}; {orders}, charges {fmt.money(share.charges)}{worst}", ""


def worst_text(worst: Ledger, fmt: Formats) -> str:
    """The worst that it may come to, in rupees or in words."""
    if worst.endless and worst.total is None:
        return f"{ENDLESS} ({', '.join(worst.endless)})"
    capped = "" if worst.capped is None else f", ended by the overall stop at {fmt.pnl(-worst.capped)}"
    return f"{fmt.pnl(worst.total)}{capped}"


def _margin(each: MarginView, fmt: Formats) -> Told:
    if each.code:
        return f"  {each.account}: {each.text} [{each.code}]", "bad"
    way = f"{fmt.money(each.before)} {fmt.glyph('→', '->')} {fmt.money(each.after)}"
    short = f", {fmt.money(each.short)} SHORT" if each.short else ""
    told = f"  {each.account}: {way}, {fmt.money(each.peak)} on the way; free {fmt.money(each.free)}{short}"
    return told, "bad" if each.short else ""


def _rate(found: RateForecast, fmt: Formats) -> Iterator[Told]:
    waits = f"; an entry waits up to {found.slowest:.1f} s" if found.slowest else ""
    yield f"  {found.requests} requests, at most {found.busiest} in one second{waits}", "warn" if found.late else ""
    for each in found.delays:
        count = each.entries + each.exits
        yield f"  {fmt.clock(each.at)}: {count} take {each.seconds:.1f} s ({', '.join(each.names)})", "warn"
    if found.late:
        yield f"  held back for over {found.patience:g} s and tried again: {', '.join(found.late)}", "bad"
    for later in found.staggered:
        yield f"  {later.name} at {fmt.clock(later.instead)} instead would not wait", "dim"
