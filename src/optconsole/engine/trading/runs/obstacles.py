"""What keeps a run from being entered: its basket, its accounts, its filters (EN-9), the contracts it would trade."""

from __future__ import annotations

from collections.abc import Mapping

from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.leg_rules import StopKind
from optconsole.engine.model.runs import Run
from optconsole.engine.model.triggers import Filters
from optconsole.engine.rules.entry_filters import Market, failing
from optconsole.engine.trading.runs.choosing import VIX, Picked
from optconsole.engine.trading.runs.daybars import yesterday
from optconsole.engine.trading.runs.scene import RunScene, defined


def obstacle(scene: RunScene, run: Run) -> tuple[str, str] | None:
    """Why nothing may be entered now: (code, sentence)."""
    book = scene.state.baskets.get(run.basket)
    if book is not None and book.status is BasketStatus.PAUSED:
        return "PAUSED", f"{run.basket} is paused."
    if scene.state.killed:
        return "KILLED", "The kill switch is on."
    for account in sorted({leg.account for leg in run.legs.values()}):
        known, health = scene.state.accounts.get(account), scene.situation.health(account)
        if known is None:
            return "UNKNOWN_ACCOUNT", f"No account is called {account!r}."
        if known.account.mode is not run.mode:
            return "MODE_MISMATCH", (
                f"The run is {run.mode.value} and {account}, where a leg would go, is {known.account.mode.value}."
            )
        if known.account.mode is Mode.LIVE and health.lost:
            # never on paper instead: the trader would believe in a position that is not there (feature traps B 3)
            return "NO_SESSION", f"{account} is not logged in: {health.lost}"
    return None


def not_as_wanted(scene: RunScene, run: Run, picks: Mapping[str, Picked]) -> tuple[str, str] | None:
    """Why chosen contracts may not be entered: (code, sentence)."""
    blind = _no_day_range(scene, run, picks)
    if blind:
        return "NO_DAY_RANGE", blind
    most = run.strategy.entry.filters.max_spread
    if most is None:
        return None
    spreads = [_spread(scene, picked.instrument.name) for picked in picks.values()]
    known = [spread for spread in spreads if spread is not None]
    widest = max(known) if len(known) == len(spreads) and known else None
    failed = failing(Filters(max_spread=most), Market(day=run.trade_date, spread=widest))
    return (failed[0].code, failed[0].why) if failed else None


def _spread(scene: RunScene, name: str) -> int | None:
    """Ask less bid in basis points of the middle, rounded up; None while a side is unknown."""
    look = scene.look(name)
    if look.bid is None or look.ask is None or look.bid + look.ask <= 0:
        return None
    return -(-(look.ask - look.bid) * 2 * 10_000 // (look.bid + look.ask))


def _no_day_range(scene: RunScene, run: Run, picks: Mapping[str, Picked]) -> str:
    """Which leg's stop could not be placed for want of yesterday's high and low; empty when all could."""
    for name, picked in picks.items():
        stop = defined(run, run.legs[name]).stop
        if stop is None or stop.kind not in (StopKind.DAY_HIGH, StopKind.DAY_LOW):
            continue
        of = run.strategy.underlying if stop.of_underlying else picked.instrument.name
        if yesterday(scene, of) is None:
            return f"Yesterday's high and low of {of}, which leg {name} is stopped by, were not seen."
    return ""


def market_of(scene: RunScene, run: Run) -> Market:
    """What the entry's filters look at (features EN-9)."""
    accounts = {leg.account for leg in run.legs.values()}
    index, vix = scene.situation.quote(run.strategy.underlying), scene.situation.quote(VIX)
    bar = scene.state.bars.get(run.strategy.underlying)
    funds = [scene.situation.funds(account) for account in accounts]
    return Market(
        day=run.trade_date,
        vix=None if vix is None else vix.ltp,
        prev_close=None if index is None else index.prev_close,
        open=None if bar is None else bar.open,
        price=scene.look(run.strategy.underlying).ltp,
        flat=not any(each.qty for each in scene.state.positions.values() if each.key.account in accounts),
        free_margin=min((each.funds.free for each in funds if each is not None), default=None),
    )
