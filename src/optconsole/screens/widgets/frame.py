"""The frame of every screen: two header lines, the tabs, the newest fact and the footer of keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from optconsole.engine.model.vitals import LinkState
from optconsole.screens.deck import Deck
from optconsole.screens.formats import sign_role
from optconsole.screens.keymap import MODE_NUMBERS, Key
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line, Ribbon
from optconsole.screens.words import in_words

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
            age = fmt.age(max(self.deck.monotonic() - self.deck.pulse.last_beat, 0.0))
            text = f" LINK LOST: what you see is {age} old; the engine and its guards run on. Reconnecting … "
            return [Part(text, "bad")], []
        return [*self._links(), *self._money()], self._guard()

    def _links(self) -> Iterable[Part]:
        fmt, vitals = self.deck.fmt, self.deck.mirror.vitals
        if vitals is None:
            return
        yield Part(" ")
        for broker in vitals.brokers:
            yield self._dot(broker.order_write)
            yield Part(f"{fmt.text(broker.name)} {fmt.latency(broker.latency_p50)}  ", "dim", 6)
        yield self._dot(vitals.feed)
        yield Part(f"feed {fmt.age(vitals.feed_age)}  ", "stale" if vitals.feed is not LinkState.LIVE else "dim")
        yield self._dot(vitals.store)
        yield Part(f"store {fmt.latency(vitals.commit_p50)}  ", "dim", 7)
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
            return [Part("KILLED", "bad"), flag]
        ready = Part("kill: ready", "dim", 4) if mirror.state.ready else Part("reconciling", "warn")
        return [ready, flag]


class Tabs(Ribbon):
    """The screens by number, drawn as the frame's top edge in the mode's colour."""

    def __init__(self, deck: Deck, active: str) -> None:
        super().__init__(1, id="tabs")
        self.deck = deck
        self.active = active

    def refill(self) -> None:
        """Draw the edge in the present mode."""
        fmt = self.deck.fmt
        edge = f"edge-{self.deck.mode}"
        rule = fmt.glyph("─", "-")
        parts = [Part(fmt.glyph("┌", "+"), edge)]
        for place, (name, number) in enumerate(MODE_NUMBERS.items()):
            here = name == self.active
            if place:
                parts.append(Part(fmt.glyph("┬", "+"), edge))
            parts.append(Part(f" {number} ", "accent" if here else "dim"))
            parts.append(Part(f"{name.capitalize()} ", "title" if here else "dim"))
            parts.append(Part(rule, edge))
        fill = self.size.width - sum(len(part.text) for part in parts) - 1
        self.show((parts, [Part(rule * max(fill, 0) + fmt.glyph("┐", "+"), edge)]))

    def on_resize(self) -> None:
        super().on_resize()
        self.refill()


class FactLine(Ribbon):
    """The newest fact in plain words, or what the console itself has to say."""

    def __init__(self, deck: Deck) -> None:
        super().__init__(1, id="fact")
        self.deck = deck
        self._seen = -1

    def refill(self) -> None:
        """Show the newest fact; what the console itself said stays until there is a newer one."""
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

    def say(self, text: str, role: str = "") -> None:
        """Show a sentence of the console's own until the next fact."""
        self.show(([Part(f" {text}", role)], []))


class KeyLine(Ribbon):
    """The keys that do something here."""

    def __init__(self, deck: Deck) -> None:
        super().__init__(1, id="keys")
        self.deck = deck

    def offer(self, keys: Sequence[Key]) -> None:
        """Show these keys; on a narrow terminal the last ones leave first."""
        keymap = self.deck.keymap
        parts: list[Part] = [Part(" ")]
        for place, key in enumerate(keys, start=1):
            parts += [Part(keymap.shown(key), "key", place), Part(f" {key.description}  ", "dim", place)]
        self.show((parts, [Part(f"{keymap.kill_chord()} KILL ", "down")]))
