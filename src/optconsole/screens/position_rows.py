"""Position rows: values of each, groups with subtotals, and the pinned total.

What holds between two fills (order, names, lots, averages) is made once; a beat makes only what quotes can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from optconsole.engine.model.book import Drift
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import ContractName, expiry_code, parse_contract
from optconsole.engine.model.positions import Position
from optconsole.engine.model.protection import guard_name
from optconsole.screens.deck import Deck
from optconsole.screens.drift_words import short
from optconsole.screens.formats import Formats, age_role
from optconsole.screens.guard_face import NOWHERE, AtExchange, broken, guard_word, reach, stops_at_exchange, unguarded
from optconsole.screens.mirror import Mirror
from optconsole.screens.position_parts import BY_HAND, UNWATCHED, ByRun, by_owner, owner_name, stops_of_runs
from optconsole.screens.widgets.columns import BLANK, Aged, Failing, Row

WIDTH: Final = 18
"""Values of a row, in the order of ``positions.columns``."""


NO_STOP: Final = "NO STOP"


class Grouping(StrEnum):
    """What rows are gathered by."""

    UNDERLYING = "underlying"
    ACCOUNT = "account"
    EXPIRY = "expiry"
    BASKET = "basket"

    def of(self, position: Position) -> str:
        """The name of the group a position belongs to; that of a basket is told by the part, not by the position."""
        if self is Grouping.ACCOUNT:
            return position.key.account
        name = read_name(position.key.contract)
        if self is Grouping.UNDERLYING:
            return name.underlying
        return expiry_code(name.expiry) if name.expiry else "no expiry"


GROUPS: Final = tuple(Grouping)


@lru_cache(maxsize=4096)
def read_name(contract: str) -> ContractName:
    """The parts of a contract name; a name from outside that is none is its own underlying."""
    try:
        return parse_contract(contract)
    except Refusal:
        return ContractName(contract)


def with_drifted(
    positions: Iterable[Position], drifts: Mapping[str, Drift], lot_of: Callable[[str], int]
) -> list[Position]:
    """The positions, and an empty one for each that only the broker's book holds."""
    held = list(positions)
    known = {str(position.key) for position in held}
    return held + [
        Position(key=drift.key, lot=lot_of(drift.key.contract)) for key, drift in drifts.items() if key not in known
    ]


def _rank(position: Position) -> tuple[Any, ...]:
    name = read_name(position.key.contract)
    expiry = name.expiry.toordinal() if name.expiry else 0
    return (position.qty == 0, name.underlying, expiry, name.strike or 0, name.right or "", position.key)


class Sums:
    """Running sums over positions in paise; ``shift`` keeps them right when the gain of one of them changes.

    As in ``mirror.Figures``, ``unpriced`` counts open positions without a price, which ``unrealised`` leaves out.
    """

    __slots__ = ("base", "charges", "key", "open", "realised", "title", "unpriced", "unrealised")

    def __init__(self, key: str, title: str) -> None:
        self.key = key
        self.title = title
        self.realised = self.unrealised = self.charges = self.unpriced = self.open = self.base = 0

    def add(self, position: Position, gain: int | None) -> None:
        """Count a position in."""
        self.realised += position.realised
        self.charges += position.charges
        self.base += traded_basis(position)
        if position.qty:
            self.open += 1
            self.unpriced += gain is None
            self.unrealised += gain or 0

    def shift(self, before: int | None, after: int | None) -> None:
        """The gain of a position that is counted in has changed."""
        self.unpriced += (after is None) - (before is None)
        self.unrealised += (after or 0) - (before or 0)

    def values(self, fmt: Formats) -> list[Any]:
        """One value per column."""
        part = fmt.glyph("≈", "~") if self.unpriced else ""
        row: list[Any] = [BLANK] * WIDTH
        row[0] = self.title
        row[1] = f"{part}{self.open} open"
        row[7] = self.realised + self.unrealised
        row[8] = row[7] / self.base if self.base and self.open and not self.unpriced else BLANK
        row[14] = self.realised
        row[15] = self.charges
        return row


class Line:
    """One position: what stays until the next fill, its gain as last seen, and the sums that it is part of."""

    __slots__ = ("alarming", "by_hand", "by_run", "contract", "gain", "key", "lots", "position", "sums")

    def __init__(
        self,
        position: Position,
        deck: Deck,
        sums: tuple[Sums, ...],
        by_hand: AtExchange = NOWHERE,
        *,
        source: str = "",
        by_run: ByRun = UNWATCHED,
    ) -> None:
        self.position = position
        self.by_hand = by_hand
        self.by_run = by_run
        self.key = guard_name(position.key, source)
        leg = f"{deck.fmt.text(source.rpartition('/')[2])} " if source else ""
        self.contract = f" {leg}{deck.fmt.contract(position.key.contract)}"
        drift = deck.mirror.state.drifts.get(self.key)
        bare = unguarded(position, deck.mirror.state.protections.get(self.key), by_hand)
        self.alarming = drift is not None or (bare and by_run.units < -position.qty)
        lots = deck.fmt.lots(position.qty, position.lot)
        self.lots = lots if drift is None else short(drift, position.lot, deck.fmt)
        self.gain = deck.mirror.unrealised(position)
        self.sums = sums
        for each in sums:
            each.add(position, self.gain)

    def weigh(self, mirror: Mirror) -> None:
        """Take the gain of now; the sums follow."""
        gain = mirror.unrealised(self.position)
        if gain != self.gain:
            for each in self.sums:
                each.shift(self.gain, gain)
            self.gain = gain

    def values(self, deck: Deck) -> list[Any]:
        """One value per column as of now, None where it is unknown."""
        position, mirror, gain = self.position, deck.mirror, self.gain
        quote = mirror.quote(position.key.contract)
        base = traded_basis(position)
        age = mirror.age(quote)
        flat = position.qty == 0
        delta, theta = position_greeks(position, deck)
        return [
            self.contract,
            self.lots,
            BLANK if flat else position.average,
            price_at(quote.ltp if quote else None, age),
            None if age is None else (round(age, 1) if age < 10 else float(int(age))),
            price_at(quote.bid if quote else None, age),
            price_at(quote.ask if quote else None, age),
            None if gain is None else price_at(position.realised + gain, None if flat else age),
            BLANK if flat else ((position.realised + gain) / base if gain is not None and base else None),
            *self.guarded(mirror),
            position.realised,
            position.charges,
            BLANK if flat else delta,
            BLANK if flat else theta,
        ]

    def guarded(self, mirror: Mirror) -> tuple[Any, ...]:
        """Stop, state of the guard, points and rupees to the stop, target."""
        position, guard = self.position, mirror.state.protections.get(self.key)
        word = guard_word(position, guard, self.by_hand)
        if position.qty == 0:
            return (BLANK,) * 5
        target = BLANK if guard is None or guard.target is None else guard.target
        level = self.by_hand.trigger if guard is None or guard.stop is None else guard.stop
        if level is None or (guard is None and self.by_run.units >= abs(position.qty)):
            if self.by_run.stop is not None:
                return self._guarded_by_run(mirror)
            return NO_STOP if unguarded(position, guard) else BLANK, BLANK, BLANK, BLANK, target
        away = reach(position, level, mirror.mark(position.key.contract))
        kept = guard is not None and guard.stop is not None and not broken(guard)
        if not kept and (guard is None or guard.stop is None):
            kept = self.by_hand.units >= abs(position.qty)
        return (
            level if kept else Failing(level),
            word,
            None if away is None else away.points,
            None if away is None else away.loss,
            target,
        )

    def _guarded_by_run(self, mirror: Mirror) -> tuple[Any, ...]:
        """The same where legs of runs watch it; their stops may be for a part of it only."""
        position, watched = self.position, self.by_run
        whole = watched.units >= abs(position.qty)
        away = reach(position, watched.stop, mirror.mark(position.key.contract))
        return (
            watched.stop if whole or watched.stop is None else Failing(watched.stop),
            ("run", "good") if whole else ("part", "bad"),
            None if away is None else away.points,
            None if away is None else away.loss,
            BLANK if watched.target is None else watched.target,
        )


class PositionTable:
    """All rows of the Positions screen as of one set of positions; a fill or another grouping makes a new one."""

    def __init__(self, positions: Sequence[Position], deck: Deck, grouping: Grouping, folded: set[str]) -> None:
        fmt = deck.fmt
        self._deck = deck
        self._folded = folded
        self._total = Sums("total", "Total")
        self._groups: dict[Sums, list[Line]] = {}
        self._by_contract: dict[str, list[Line]] = {}
        self._lines: dict[str, Line] = {}
        made: dict[str, Sums] = {}
        state = deck.mirror.state
        standing, watched = stops_at_exchange(state), stops_of_runs(state)
        for title, source, position in self._members(positions, grouping):
            name = title.rstrip() or BY_HAND
            if name not in made:
                key = f"group/{name}"
                fold = fmt.glyph("▸", ">") if key in folded else fmt.glyph("▾", "v")
                shown = owner_name(state, title) if grouping is Grouping.BASKET else name
                made[name] = Sums(key, f"{fold} {fmt.text(shown)}")
            by_hand = NOWHERE if source else standing.get(str(position.key), NOWHERE)
            by_run = watched.get(guard_name(position.key, source), UNWATCHED)
            sums = (made[name], self._total)
            line = Line(position, deck, sums, by_hand, source=source, by_run=by_run)
            self._groups.setdefault(made[name], []).append(line)
            self._by_contract.setdefault(position.key.contract, []).append(line)
            self._lines[line.key] = line
        self._sums = {sums.key: sums for sums in (*self._groups, self._total)}

    def _members(self, positions: Sequence[Position], grouping: Grouping) -> list[tuple[str, str, Position]]:
        """Group, source and position of every row, in order; by basket a position is as many rows as it has owners."""
        if grouping is not Grouping.BASKET:
            return [(grouping.of(position), "", position) for position in sorted(positions, key=_rank)]
        owned = by_owner(positions, self._deck.mirror.state)
        return sorted(owned, key=lambda each: (each[0] == "", each[0], _rank(each[2]), each[1]))

    def rows(self) -> tuple[list[Row], list[Row]]:
        """Rows by group, open positions first, by expiry and strike within; and the pinned total."""
        rows: list[Row] = []
        for group, lines in self._groups.items():
            rows.append(Row(group.key, self.values(group.key), "group", find=group.key.removeprefix("group/")))
            if group.key not in self._folded:
                rows.extend(
                    Row(
                        line.key,
                        self.values(line.key),
                        "alarm" if line.alarming else "",
                        find=f"{line.position.key.contract} {line.position.key.account}",
                    )
                    for line in lines
                )
        return rows, [Row("total", self.values("total"), "total")] if rows else []

    def weigh(self, changed: Iterable[str]) -> list[str]:
        """Take the gains of ``changed`` contracts; the rows to show anew: theirs, and then all sums."""
        mirror = self._deck.mirror
        keys: list[str] = []
        for name in changed:
            for line in self._by_contract.get(name, ()):
                line.weigh(mirror)
                keys.append(line.key)
        return [*keys, *self._sums] if keys else []

    def weigh_all(self) -> list[str]:
        """As ``weigh`` for every contract; where runs are stopped is read anew too."""
        watched = stops_of_runs(self._deck.mirror.state)
        for key, line in self._lines.items():
            line.by_run = watched.get(key, UNWATCHED)
        return self.weigh(self._by_contract)

    def values(self, key: str) -> list[Any]:
        """One value per column of a row, with the gains as weighed last."""
        line = self._lines.get(key)
        return line.values(self._deck) if line is not None else self._sums[key].values(self._deck.fmt)


def price_at(price: int | None, age: float | None) -> int | None:
    """A figure that shows the age of its quote by its colour once that is stale."""
    return Aged(price) if price is not None and age is not None and age_role(age) == "stale" else price


def why_held(position: Position, deck: Deck) -> str:
    """Which trade moved a position last, and on whose order."""
    fmt, state, key = deck.fmt, deck.mirror.state, position.key
    contract = fmt.contract(key.contract)
    own = [
        trade
        for trade in state.trades.values()
        if (trade.account, trade.product, trade.contract) == (key.account, key.product, key.contract)
    ]
    if not own:
        return f"{contract}: no trade of today moved it; it was brought in from before."
    trade = max(own, key=lambda each: each.at)
    order = state.orders.get(trade.order_id)
    deal = f"{trade.side.value} {fmt.lots(trade.qty, position.lot)} @ {fmt.price(trade.price)}"
    asked = f", asked by {fmt.text(order.actor)}" if order is not None and order.actor else ""
    reason = f": {fmt.text(order.reason)}" if order is not None and order.reason else ""
    return f"{contract}: {fmt.text(trade.order_id)} {deal} at {fmt.clock(trade.at)} moved it last{asked}{reason}"


def traded_basis(position: Position) -> int:
    """Paise of premium that a position was opened with, what has been closed since included.

    Profit shown against it counts what is realised, so the base must count what that was made on.
    """
    if position.qty == 0:
        return max(position.bought_value, position.sold_value)
    return max(abs(position.cost), position.bought_value if position.qty > 0 else position.sold_value)


def position_greeks(position: Position, deck: Deck) -> tuple[float | None, float | None]:
    """Delta in units of the underlying and theta in rupees a day of the whole position, once a chain was solved."""
    found = deck.greeks.get(position.key.contract)
    if found is None:
        return None, None
    return round(found[0] * position.qty, 1), round(found[1] * position.qty / 100)
