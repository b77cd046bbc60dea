"""What of the frame is read from the mirror: the two header lines and the newest fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from textual.timer import Timer

from optconsole.engine.model.vitals import LinkState
from optconsole.screens.deck import VIX, Deck
from optconsole.screens.formats import sign_role
from optconsole.screens.troubles import Trouble
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon
from optconsole.screens.widgets.shell import SayLine
from optconsole.screens.words import in_words

KILL_HOLDS: Final = 60.0
"""Seconds for which the kill switch cannot be released (the engine's own figure)."""
MOST_TROUBLES: Final = 3
ROOMY: Final = 30
"""Terminal rows from which more than one trouble is shown."""
SAID_FOR: Final = 6.0
"""Seconds for which the console's own sentence stays."""
_DOTS: Final = {
    LinkState.LIVE: ("●", "*", "good"),
    LinkState.STALE: ("◐", "~", "warn"),
    LinkState.DEAD: ("✕", "x", "bad"),
    LinkState.CLOSED: ("○", "o", "dim"),
}


class Header(Ribbon):
    """Who I am (mode), what the market does, whether everything is alive, and what I have made."""

    def __init__(self, deck: Deck) -> None:
        super().__init__(2, id="header")
        self.deck = deck

    def refill(self) -> None:
        """Show the present; a line that reads the same is not painted."""
        mode = self.deck.mode
        self.ground(mode if mode in ("live", "halted") else "")
        left, right = self._market(mode)
        if self.deck.mirror.lost:
            left, right = (
                [part if part.role == mode else replace(part, role="dim") for part in side] for side in (left, right)
            )
        self.show((left, right), self._health())

    def _market(self, mode: str) -> Line:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        world = mirror.vitals.world if mirror.vitals else mirror.state.world
        left = [Part(f" {mode.upper()} ", mode), Part(f" {fmt.text(world)}", "dim", 3)]
        for place, name in enumerate(self.deck.indices):
            quote = mirror.quote(name)
            last = quote.ltp if quote else None
            close = quote.prev_close if quote else None
            change = (last - close) / close if last is not None and close else None
            drop = 4 + place * 3 if place else 0
            left += [
                Part(f"  {fmt.text(name)} ", "dim", drop),
                Part(fmt.price(last), "strong" if last is not None else "unknown", drop),
                Part(f" {fmt.trend(change)}", sign_role(change), drop + 1 if drop else 1),
            ]
        if (vix := mirror.mark(VIX)) is not None:
            left += [Part("  VIX ", "dim", 9), Part(fmt.price(vix), "strong", 9)]
        return left, self._clock()

    def _clock(self) -> Sequence[Part]:
        fmt, vitals = self.deck.fmt, self.deck.mirror.vitals
        if vitals is None:
            return []
        left = (vitals.phase_ends - vitals.now).total_seconds() if vitals.phase_ends else None
        day, time = fmt.calendar(vitals.now).rsplit(" ", 2)[0], fmt.clock(vitals.now)
        speed = [Part("  paused", "warn")] if vitals.paused else []
        if vitals.speed not in (None, 1.0) and not vitals.paused:
            speed = [Part("  max" if vitals.speed == 0 else f"  ×{vitals.speed:g}", "accent", 4)]
        return [
            Part(f"{day} ", "dim", 6),
            Part(time, "strong"),
            Part(" IST", "dim", 10),
            *speed,
            Part(f"  {vitals.phase.value}", "good" if vitals.phase.value == "OPEN" else "dim"),
            Part(f" {fmt.countdown(left)} " if left is not None else " ", "", 5),
        ]

    def _health(self) -> Line:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        if mirror.lost:
            if mirror.gone:
                return self._gone(), []
            age = fmt.age(max(self.deck.monotonic() - self.deck.pulse.last_beat, 0.0))
            text = f" LINK LOST: what you see is {age} old; the engine and its guards run on. Reconnecting … "
            return [Part(text, "bad")], []
        return [*self._links(), *self._money()], self._guard()

    def _gone(self) -> Sequence[Part]:
        """What to do where no engine runs; since when the figures stand still is market time."""
        last = self.deck.fmt.clock(self.deck.mirror.now)
        return [
            Part(" ENGINE GONE: ", "bad"),
            Part("no engine runs on this home; ", "bad", 1),
            Part(f"start it with `optconsole engine`; what is shown is from {last}", "bad"),
        ]

    def _links(self) -> Iterable[Part]:
        fmt, vitals = self.deck.fmt, self.deck.mirror.vitals
        if vitals is None:
            return
        yield Part(" ")
        for broker in vitals.brokers:
            yield self._dot(broker.order_write)
            yield from _labelled(fmt.text(broker.name), fmt.latency(broker.latency_p50), 6)
        yield self._dot(vitals.feed)
        yield Part(f"feed {fmt.age(vitals.feed_age)}  ", "stale" if vitals.feed is not LinkState.LIVE else "dim")
        yield self._dot(vitals.store)
        yield from _labelled("store", fmt.latency(vitals.commit_p50), 7)
        full = vitals.orders_last_second >= vitals.orders_per_second_cap > 0
        used = f"ops {vitals.orders_last_second}/{vitals.orders_per_second_cap}  "
        yield Part(used, "warn" if full else "dim", 8)

    def _dot(self, state: LinkState) -> Part:
        full, plain, role = _DOTS[state]
        return Part(f"{self.deck.fmt.glyph(full, plain)} ", role)

    def _money(self) -> Iterable[Part]:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        figures = mirror.figures()
        partly = fmt.glyph("≈", "~") if figures.unpriced else ""
        yield Part("P&L ", "dim")
        yield Part(partly + fmt.pnl(figures.gross), sign_role(figures.gross))
        yield Part("  net ", "dim")
        yield Part(partly + fmt.pnl(figures.net), sign_role(figures.net))
        used = [answer.margin_used for answer in mirror.funds.values()]
        cash = [answer.cash for answer in mirror.funds.values()]
        known = bool(used) and None not in used and None not in cash
        yield Part("  margin ", "dim", 5)
        yield Part(fmt.money(sum(figure or 0 for figure in used)) if known else fmt.unknown, "", 5)
        yield Part(f" / {fmt.money(sum(figure or 0 for figure in cash)) if known else fmt.unknown}", "dim", 5)

    def _guard(self) -> Sequence[Part]:
        fmt, mirror = self.deck.fmt, self.deck.mirror
        unseen = mirror.unseen()
        flag = Part(f"  {fmt.glyph('⚑', '!')} {unseen} ", "warn" if unseen else "dim")
        if mirror.state.killed:
            return [Part("KILLED", "bad"), *self._release_in(), flag]
        if mirror.vitals is not None and mirror.vitals.guard:
            return [Part(self.deck.fmt.text(mirror.vitals.guard), "bad"), flag]
        if not mirror.state.ready:
            return [Part("reconciling", "warn"), flag]
        if any(trouble.frozen for trouble in self.deck.troubles()):
            return [Part("ENTRIES STOPPED", "bad"), flag]
        return [Part("kill: ready", "dim", 4), flag]

    def _release_in(self) -> Sequence[Part]:
        """How long the kill switch holds at least; then the keys that release it."""
        since, now = self.deck.mirror.state.killed_at, self.deck.mirror.now
        if since is None or now is None:
            return []
        left = KILL_HOLDS - (now - since).total_seconds()
        leader = self.deck.keymap.shown_of("leader")
        return [Part(f" holds {left:.0f}s" if left > 0 else f" {leader} r releases", "warn", 3)]


class TroubleLine(Ribbon):
    """What is lost, what that stops and what goes on; not there while all is well."""

    DEFAULT_CSS = "TroubleLine { display: none; } TroubleLine.-shown { display: block; }"

    def __init__(self, deck: Deck) -> None:
        super().__init__(MOST_TROUBLES, id="trouble")
        self.deck = deck
        self._rows = MOST_TROUBLES

    def refill(self) -> None:
        """Show the gravest; a terminal with room shows more of them than one without."""
        found = [] if self.deck.mirror.lost else self.deck.troubles()
        room = MOST_TROUBLES if self.app.size.height >= ROOMY else 1
        shown = [
            self._line(trouble, len(found) - room if place == room else 0)
            for place, trouble in enumerate(found[:room], start=1)
        ]
        if len(shown) != self._rows:
            self._rows = len(shown)
            self.styles.height = len(shown)
        self.set_class(bool(shown), "-shown")
        self.show(*shown, *[([], [])] * (MOST_TROUBLES - len(shown)))

    def _line(self, trouble: Trouble, more: int) -> Line:
        fmt = self.deck.fmt
        mark = fmt.glyph("✕", "x") if trouble.role == "bad" else fmt.glyph("⚑", "!")
        parts = [Part(f" {mark} {trouble.what}", trouble.role)]
        if trouble.stops:
            parts.append(Part(f"  {trouble.stops}", "strong", 2))
        parts.append(Part(f"  {trouble.goes_on}", "dim", 3))
        if trouble.why:
            parts.append(Part(f"  {trouble.why}", "dim", 4))
        return parts, [Part(f"+{more} on Health ", "warn", 1)] if more > 0 else []


def _labelled(name: str, figure: str, drop: int) -> Iterable[Part]:
    """A name and its figure; on a narrow terminal the first letter stays, as a dot alone says nothing."""
    yield Part(name[:1], "dim")
    yield Part(f"{name[1:]} {figure} ", "dim", drop)
    yield Part(" ", "dim")


class FactLine(SayLine):
    """The newest fact in plain words, or what the console itself had to say since."""

    def __init__(self, deck: Deck) -> None:
        super().__init__()
        self.deck = deck
        self._seen = -1
        self._fading: Timer | None = None

    def say(self, text: str, role: str = "") -> None:
        """Show a sentence, until there is a newer fact or it has been read."""
        super().say(text, role)
        if self._fading is not None:
            self._fading.stop()
        self._fading = self.set_timer(SAID_FOR, self.forget)

    def forget(self) -> None:
        """Show the newest fact again."""
        self._seen = -1
        self.refill()

    def refill(self) -> None:
        """Show the newest fact; what the console itself said stays for a while, or until there is a newer one."""
        fmt, mirror = self.deck.fmt, self.deck.mirror
        fact = mirror.newest
        if (fact.seq if fact else 0) == self._seen:
            return
        self._seen = fact.seq if fact else 0
        if fact is None:
            self.show(([Part(" No facts yet: what happens next will be told here.", "dim")], []))
            return
        words = in_words(fact.event, mirror.state, fmt)
        role = words.role
        self.show(([Part(f" {fmt.clock(fact.at)} ", "dim"), Part(f"{words.mark} {words.text}", role)], []))
