"""Position rows: values of each, groups with subtotals, and the pinned total."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import ContractName, expiry_code, parse_contract
from optconsole.engine.model.positions import Position
from optconsole.screens.deck import Deck
from optconsole.screens.mirror import Figures
from optconsole.screens.widgets.columns import BLANK, Row


class Grouping(StrEnum):
    """What rows are gathered by."""

    UNDERLYING = "underlying"
    ACCOUNT = "account"
    EXPIRY = "expiry"

    def of(self, position: Position) -> str:
        """The name of the group a position belongs to."""
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


def group_rows(
    positions: Sequence[Position], deck: Deck, grouping: Grouping, folded: set[str]
) -> tuple[list[Row], list[Row]]:
    """Rows by group, open positions first, by expiry and strike within; and the pinned total."""
    groups: dict[str, list[Position]] = {}
    for position in sorted(positions, key=_rank):
        groups.setdefault(grouping.of(position), []).append(position)
    rows: list[Row] = []
    for name, members in groups.items():
        key = f"group/{name}"
        fold = deck.fmt.glyph("▸", ">") if key in folded else deck.fmt.glyph("▾", "v")
        title = f"{fold} {deck.fmt.text(name)}"
        rows.append(Row(key, _sums(title, deck.mirror.figures(members), members, deck), "group", find=name))
        if key not in folded:
            rows.extend(
                Row(str(position.key), values(position, deck), find=f"{position.key.contract} {position.key.account}")
                for position in members
            )
    if not positions:
        return [], []
    total = _sums("Total", deck.mirror.figures(positions), positions, deck)
    return rows, [Row("total", total, "total")]


def _rank(position: Position) -> tuple[Any, ...]:
    name = read_name(position.key.contract)
    expiry = name.expiry.toordinal() if name.expiry else 0
    return (position.qty == 0, name.underlying, expiry, name.strike or 0, name.right or "", position.key)


def values(position: Position, deck: Deck) -> list[Any]:
    """One value per column; None where it is unknown."""
    mirror = deck.mirror
    quote = mirror.quote(position.key.contract)
    gain = mirror.unrealised(position)
    total = None if gain is None else position.realised + gain
    base = abs(position.cost)
    age = mirror.age(quote)
    flat = position.qty == 0
    delta, theta = position_greeks(position, deck)
    return [
        f"  {deck.fmt.contract(position.key.contract)}",
        deck.fmt.lots(position.qty, position.lot),
        BLANK if flat else position.average,
        quote.ltp if quote else None,
        None if age is None else (round(age, 1) if age < 10 else float(int(age))),
        quote.bid if quote else None,
        quote.ask if quote else None,
        total,
        BLANK if flat else (gain / base if gain is not None and base else None),
        position.realised,
        position.charges,
        BLANK if flat else delta,
        BLANK if flat else theta,
        BLANK if flat else None,
    ]


def position_greeks(position: Position, deck: Deck) -> tuple[float | None, float | None]:
    """Delta in units of the underlying and theta in rupees a day of the whole position, once a chain was solved."""
    found = deck.greeks.get(position.key.contract)
    if found is None:
        return None, None
    return round(found[0] * position.qty, 1), round(found[1] * position.qty / 100)


def _sums(title: str, figures: Figures, members: Sequence[Position], deck: Deck) -> list[Any]:
    base = sum(abs(position.cost) for position in members if position.qty)
    part = deck.fmt.glyph("≈", "~") if figures.unpriced else ""
    ratio: float | str = figures.unrealised / base if base and not figures.unpriced else BLANK
    row: list[Any] = [BLANK] * 14
    row[0] = title
    row[1] = f"{part}{figures.open} open"
    row[7] = figures.gross
    row[8] = ratio
    row[9] = figures.realised
    row[10] = figures.charges
    return row
