"""The option chain: strikes in the middle, calls on the left, puts on the right, my own on top of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult

from optconsole.engine.model.timeline import IST
from optconsole.screens.chain_columns import CALL, SETS, ColumnSet, Mine, chain_columns
from optconsole.screens.chain_model import Expiry, Strike, holdings
from optconsole.screens.deck import Deck
from optconsole.screens.formats import sign_role
from optconsole.screens.keymap import bindings
from optconsole.screens.mirror import Topic
from optconsole.screens.pane import Pane, PanedScreen
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.quote_grid import QuoteGrid
from optconsole.screens.widgets.ribbon import Line, Ribbon

if TYPE_CHECKING:
    from optconsole.engine.market.calendar import Calendar

SOLVE_EVERY: Final = 1.0
EXPIRIES_SHOWN: Final = 6


class ChainPane(Pane):
    """One expiry of one underlying. ``h``/``l`` choose the side, ``b``/``s`` open the ticket on it."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("trade", "chain")
    BINDINGS = bindings("trade", "chain")

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self.chosen = ColumnSet.INTEREST
        self.expiry: Expiry | None = None
        self._underlying = 0
        self._nearest: dict[str, int] = {}
        self._mine: Mapping[str, Mine] = {}
        self._solved_at = -SOLVE_EVERY
        self._atm: str | None = None
        self._centred = False
        self._centred_on = ""
        self._unlisten: Callable[[], None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._calendar: Calendar | None = None

    def compose(self) -> ComposeResult:
        yield Ribbon(2, id="chain-head")
        yield QuoteGrid(chain_columns(self.chosen, self.deck.fmt), id="chain", frozen=0, centred=True)
        yield Ribbon(3, id="empty")

    def on_mount(self) -> None:
        self.grid.flashing = not self.deck.remote
        self._unlisten = self.deck.mirror.on(Topic.LINK, self._relinked)
        self._load()

    def on_unmount(self) -> None:
        if self._unlisten is not None:
            self._unlisten()

    def on_resize(self) -> None:
        """Another height has another middle; where the trader has moved, the place stays theirs."""
        if self._centred_on and self.grid.cursor_key == self._centred_on:
            self.call_after_refresh(self._centre)

    def _relinked(self) -> None:
        """What could not be read while the link was lost is read once it is back."""
        if not self.deck.mirror.lost and (self.expiry is None or not self.expiry.strikes):
            self._load()

    # ------------------------------------------------------------ which chain

    @property
    def underlying(self) -> str:
        """The underlying shown; empty when nothing is listed."""
        listed = self.deck.underlyings
        return listed[self._underlying % len(listed)].name if listed else ""

    def _load(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        listed = self.deck.underlyings
        if not listed:
            await self.deck.learn()
            listed = self.deck.underlyings
        # numpy takes a while to import; on a thread the screen keeps answering
        self._calendar = await asyncio.to_thread(_warm)
        chosen = listed[self._underlying % len(listed)] if listed else None
        if chosen is None or not chosen.expiries:
            self.expiry = None
            self._tell_empty()
            return
        day = chosen.expiries[self._nearest.get(chosen.name, 0) % len(chosen.expiries)]
        self.expiry = Expiry(chosen.name, day, await self.deck.contracts(chosen.name, day))
        self._solved_at, self._centred = -SOLVE_EVERY, False
        self._tell_empty()
        self.deck.pulse.rewatch()
        self.reload()
        self._centre()

    def _tell_empty(self) -> None:
        empty = self.expiry is None or not self.expiry.strikes
        self.set_class(empty, "-empty")
        # a table that is not shown cannot hold the focus, and without it this pane's keys are dead
        self.can_focus = empty
        if empty and self.host.active is self:
            self.focus()
        elif self.has_focus:
            self.grid.focus()
        if empty and self.deck.mirror.lost:
            self.query_one("#empty", Ribbon).show(
                ([Part("  The link to the engine is lost; the chain is read once it is back.", "title")], []),
                ([], []),
                ([], []),
            )
            return
        name = self.underlying or "any underlying"
        self.query_one("#empty", Ribbon).show(
            ([Part(f"  No contracts of {self.deck.fmt.text(name)} are listed.", "title")], []),
            ([Part("  The chain shows every strike of an expiry, calls left and puts right.", "")], []),
            ([Part("  To fill it: n for another underlying, ] for another expiry.", "dim")], []),
        )

    def open_on(self, underlying: str, expiry: date | None = None) -> None:
        """Show this chain; an expiry that is not listed leaves the one shown last."""
        names = [listed.name for listed in self.deck.underlyings]
        if underlying not in names:
            self.host.say(f"{self.deck.fmt.text(underlying)} has no chain here.", "warn")
            return
        self._underlying = names.index(underlying)
        days = self.deck.underlyings[self._underlying].expiries
        if expiry in days:
            self._nearest[underlying] = days.index(expiry)
        self._load()

    # ------------------------------------------------------------ content

    def quote_names(self) -> Iterable[str]:
        if self.expiry is None:
            return ()
        return (self.expiry.underlying, *self.expiry.names)

    def reload(self) -> None:
        """All strikes anew; an expiry that is no longer listed makes room for the nearest."""
        if self.expiry is None:
            return
        days = next((u.expiries for u in self.deck.underlyings if u.name == self.expiry.underlying), ())
        if days and self.expiry.day not in days:
            self._nearest.clear()
            self._load()
            return
        mirror = self.deck.mirror
        self._mine = holdings(mirror)
        self._atm = atm.key if (atm := self.expiry.atm(mirror)) else None
        rows = [self.expiry.row(strike, self.chosen, mirror, self._mine) for strike in self.expiry.strikes]
        self.grid.set_rows(rows)
        self._head()

    def beat(self, changed: set[str]) -> None:
        """Changed strikes at once; volatilities and Greeks of all of them at most once a second."""
        expiry = self.expiry
        if expiry is None:
            return
        strikes: Iterable[Strike] = {expiry.names[name] for name in changed if name in expiry.names}
        if self._solve(expiry):
            atm = expiry.atm(self.deck.mirror)
            if (atm.key if atm else None) != self._atm:
                self.reload()
                self._centre_once()
                return
            strikes = expiry.strikes
        elif expiry.underlying not in changed and not strikes:
            return
        mirror = self.deck.mirror
        self.grid.apply({strike.key: expiry.values(strike, self.chosen, mirror, self._mine) for strike in strikes})
        self._centre_once()
        self._head()

    def _solve(self, expiry: Expiry) -> bool:
        now = self.deck.mirror.now
        due = self.deck.monotonic() - self._solved_at >= SOLVE_EVERY
        if not due or now is None or not any(name in self.deck.mirror.quotes for name in expiry.names):
            return False
        self._solved_at = self.deck.monotonic()
        if not expiry.solve(self.deck.mirror.quotes, now):
            return False
        for name in expiry.names:
            if (greeks := expiry.greeks(name)) is not None:
                self.deck.greeks[name] = greeks
        return True

    # ------------------------------------------------------------ the head

    def _head(self) -> None:
        expiry = self.expiry
        if expiry is not None:
            self.query_one("#chain-head", Ribbon).show(self._expiries(expiry), self._figures(expiry))

    def _expiries(self, expiry: Expiry) -> Line:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        quote = mirror.quote(expiry.underlying)
        last, close = (quote.ltp, quote.prev_close) if quote else (None, None)
        change = (last - close) / close if last is not None and close else None
        old = expiry.stale(expiry.underlying, mirror)
        days = next((u.expiries for u in self.deck.underlyings if u.name == expiry.underlying), ())
        today = mirror.now.astimezone(IST).date() if mirror.now else None
        at = days.index(expiry.day) if expiry.day in days else 0
        first = max(min(at - EXPIRIES_SHOWN // 2, len(days) - EXPIRIES_SHOWN), 0)
        parts = [
            Part(f" {fmt.text(expiry.underlying)} ", "title"),
            Part(fmt.price(last), "stale" if old else "strong"),
            Part(f" {fmt.trend(change)}   ", "stale" if old else sign_role(change)),
        ]
        for place, day in enumerate(days[first : first + EXPIRIES_SHOWN]):
            here = day == expiry.day
            left = self._calendar.trading_days_between(today, day) if self._calendar and today else None
            badge = f" {fmt.dte(left)}" if left is not None else ""
            text = fmt.expiry(day, today.year if today else None)
            parts.append(
                Part(f"[{text}{badge}] " if here else f" {text}  ", "key" if here else "dim", 0 if here else place + 2)
            )
        return parts, [Part(f"{self.chosen.value} ", "accent", 1)]

    def _figures(self, expiry: Expiry) -> Line:
        fmt, solved = self.deck.fmt, expiry.solved
        # what is solved from prices of the money is as old as the older of them
        atm = expiry.atm(self.deck.mirror)
        pair = [side.name for side in (atm.call, atm.put) if side is not None] if atm is not None else []
        role = "stale" if any(expiry.stale(name, self.deck.mirror) for name in pair) else ""
        figures = (
            ("straddle", fmt.price(solved.straddle) if solved else fmt.unknown, 0),
            ("synthetic", fmt.price(solved.synthetic) if solved else fmt.unknown, 2),
            ("PCR", fmt.fixed(solved.put_call_ratio) if solved else fmt.unknown, 0),
            ("max pain", fmt.strike(solved.max_pain) if solved and solved.max_pain else fmt.unknown, 1),
        )
        parts: list[Part] = []
        for name, figure, drop in figures:
            parts += [Part(f" {name} ", "dim", drop), Part(f"{figure}  ", role, drop)]
        if role:
            age = max(self.deck.mirror.age(self.deck.mirror.quote(name)) or 0.0 for name in pair)
            return parts, [Part(f"prices {fmt.age(age)} old ", "warn", 3)]
        return parts, []

    # ------------------------------------------------------------ selection and keys

    def selected_contract(self) -> str | None:
        grid, expiry = self.grid, self.expiry
        strike = next((s for s in expiry.strikes if s.key == grid.cursor_key), None) if expiry else None
        if strike is None:
            return None
        listed = strike.call if grid.zone == CALL else strike.put
        return listed.name if listed else None

    def action_expiry(self, step: int) -> None:
        listed = next((u for u in self.deck.underlyings if u.name == self.underlying), None)
        if listed is None:
            return
        at = self._nearest.get(listed.name, 0) + step
        if 0 <= at < len(listed.expiries):
            self._nearest[listed.name] = at
            self._load()
        else:
            self.host.say("There is no expiry beyond this one.", "dim")

    def action_underlying(self, step: int) -> None:
        if self.deck.underlyings:
            self._underlying = (self._underlying + step) % len(self.deck.underlyings)
            self._load()

    def action_columns(self) -> None:
        self.chosen = SETS[(SETS.index(self.chosen) + 1) % len(SETS)]
        if self.expiry is None:
            return
        mirror, grid = self.deck.mirror, self.grid
        key = grid.cursor_key
        rows = [self.expiry.row(strike, self.chosen, mirror, self._mine) for strike in self.expiry.strikes]
        grid.set_columns(chain_columns(self.chosen, self.deck.fmt), rows)
        if key is not None:
            grid.move_to(key)
        self._head()

    def action_centre(self) -> None:
        self._centre()

    def _centre_once(self) -> None:
        if not self._centred:
            self._centre()

    def _centre(self) -> None:
        atm = self.expiry.atm(self.deck.mirror) if self.expiry else None
        if atm is not None:
            # where there is no room yet there is no middle
            self._centred = self.grid.size.height > 0
            self._centred_on = atm.key
            self.grid.centre_on(atm.key)


class ChainScreen(PanedScreen):
    """The chain with all the width there is."""

    NAME = "chain"
    CONTEXTS: ClassVar[tuple[str, ...]] = ChainPane.CONTEXTS
    OFFERS: ClassVar[frozenset[str]] = frozenset({"find"})

    def make_pane(self) -> ChainPane:
        return ChainPane(self.deck)

    def open_on(self, underlying: str, expiry: date | None = None) -> None:
        """Show this chain."""
        if isinstance(self.pane, ChainPane):
            self.pane.open_on(underlying, expiry)


def _warm() -> Calendar:
    """Import what pricing needs, and read the calendar of trading days."""
    import optconsole.engine.pricing.chain  # noqa: F401  imported for its weight
    from optconsole.engine.market.calendar import Calendar

    return Calendar.load()
