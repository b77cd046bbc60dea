"""The worst that everything open and everything that may still trade could come to, before anything of it happens.

Open quantity, working orders, orders in doubt and orders presumed absent all count (reliability I-16): for each
contract, the most that could be held either way if every order of one side filled and none of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.groups import Group, GroupKind
from optconsole.engine.model.instruments import ContractName, Right, parse_contract
from optconsole.engine.model.limits import Level
from optconsole.engine.model.orders import Order, OrderTerms, Product, Side
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.positions import Position
from optconsole.engine.rules.contingency import alike, closes_first, committed

Mark = Callable[[str], int | None]


@dataclass(slots=True)
class Line:
    """One contract: signed units open, units that may still be bought and sold, and the dearest price among them.

    ``price`` is paise a unit for the notional of a future whose market price is unknown.
    """

    account: str
    contract: str
    lot: int
    open: int = 0
    buys: int = 0
    sells: int = 0
    price: int = 0

    @property
    def high(self) -> int:
        """The most that could be held."""
        return self.open + self.buys

    @property
    def low(self) -> int:
        """The least, negative for a short."""
        return self.open - self.sells

    @property
    def worst(self) -> int:
        """Units of the larger side, never negative."""
        return max(abs(self.high), abs(self.low))

    @property
    def lots(self) -> int:
        """The worst in lots, a broken one counted whole."""
        return -(-self.worst // max(self.lot, 1))


def reach(state: TradingState, level: Level, name: str) -> Callable[[str, str, str], bool]:
    """Whether a scope takes in what is held or ordered: asked with account, contract and source."""
    match level:
        case Level.ORDER | Level.GLOBAL:
            return lambda _account, _contract, _source: True
        case Level.ACCOUNT:
            return lambda account, _contract, _source: account == name
        case Level.GROUP:
            members = grouped(state, name)
            return lambda account, _contract, _source: account in members
        case Level.LEG:
            return lambda _account, contract, _source: contract == name
        case Level.STRATEGY | Level.BASKET:
            return lambda _account, _contract, source: below(name, source)


def below(path: str, source: str) -> bool:
    """Whether a source is a strategy or basket itself, or within it."""
    return source == path or source.startswith(f"{path}/")


def grouped(state: TradingState, name: str) -> frozenset[str]:
    """The accounts of a group."""
    return frozenset(book.account.id for book in state.accounts.values() if book.account.group == name)


def groups_of(state: TradingState) -> frozenset[str]:
    """Every group that an account is in."""
    return frozenset(book.account.group for book in state.accounts.values() if book.account.group)


def by_source(level: Level) -> bool:
    """Whether a level is judged on what its source holds rather than on whole positions."""
    return level in (Level.STRATEGY, Level.BASKET)


def held(state: TradingState, level: Level, name: str) -> list[Position]:
    """What a scope holds: whole positions, or the parts of its sources."""
    within = reach(state, level, name)
    if by_source(level):
        return [
            part.held
            for parts in state.books.values()
            for part in parts
            if within(part.held.key.account, part.held.key.contract, part.source)
        ]
    return [each for each in state.positions.values() if within(each.key.account, each.key.contract, "")]


@dataclass(frozen=True, slots=True)
class Change:
    """An order that would be sent: ``units`` of ``terms`` are added, ``without`` is the order they replace.

    ``parent`` is what it is a part of, and what has kept risk for it already.
    """

    terms: OrderTerms
    units: int
    lot: int
    without: Order | None = None
    parent: str = ""


def lines(state: TradingState, level: Level, name: str, *changes: Change, waiting: bool = True) -> list[Line]:
    """The lines of a scope, one for each account, product and contract, as they would be with ``changes``.

    Without ``waiting`` orders that a fill of another one releases are left out: what covers them is not held yet.
    """
    within = reach(state, level, name)
    found: dict[tuple[str, bool, str], Line] = {}

    def at(account: str, product: Product, contract: str, lot: int) -> Line:
        key = (account, product is Product.MIS, contract)
        line = found.get(key)
        if line is None:
            line = found[key] = Line(account=account, contract=contract, lot=lot)
        return line

    for position in held(state, level, name):
        if position.qty:
            where = position.key
            line = at(where.account, where.product, where.contract, position.lot)
            line.open += position.qty
            line.price = max(line.price, abs(position.cost // position.qty))
    for kept in state.reserved.values():
        if within(kept.account, kept.contract, kept.source):
            line = at(kept.account, kept.product, kept.contract, kept.lot)
            line.buys += kept.buys
            line.sells += kept.sells
            line.price = max(line.price, kept.value // (kept.buys + kept.sells))
    for terms, lot, units in _to_come(state, changes, waiting):
        if within(terms.account, terms.contract, terms.source):
            line = at(terms.account, terms.product, terms.contract, lot)
            line.price = max(line.price, terms.limit or 0)
            line.buys += units if terms.side is Side.BUY else 0
            line.sells += units if terms.side is Side.SELL else 0
    return list(found.values())


def _to_come(state: TradingState, changes: tuple[Change, ...], waiting: bool) -> Iterator[tuple[OrderTerms, int, int]]:
    """Terms, lot and units of what has not been sent: rests of parents, what waits in groups, what is asked for."""
    for parent in state.parents.values():
        if parent.status is not ParentStatus.WORKING:
            continue
        rest = parent.terms.qty - committed([order for order in state.orders.values() if order.parent == parent.id])
        rest -= sum(change.units for change in changes if change.parent == parent.id)
        if rest > 0:
            yield parent.terms, parent.lot, rest
    for group in state.groups.values() if waiting else ():
        yield from _waiting(state, group, changes)
    for change in changes:
        yield change.terms, change.lot, change.units - (0 if change.without is None else change.without.may_trade)


def _waiting(state: TradingState, group: Group, changes: tuple[Change, ...]) -> Iterator[tuple[OrderTerms, int, int]]:
    """What fills of a group's first order may still release (features OE-7)."""
    if group.kind is not GroupKind.OTO or group.ended:
        return
    for terms, lot, sent in zip(group.orders, group.lots, group.sent, strict=True):
        if closes_first(group.orders, terms):
            continue
        rest = terms.qty - committed([state.orders[name] for name in sent if name in state.orders])
        rest -= sum(change.units for change in changes if change.parent == group.id and alike(change.terms, terms))
        if rest > 0:
            yield terms, lot, rest


def most_lots(found: Iterable[Line]) -> int:
    """Lots of the contract of which there could be most."""
    sums: dict[str, int] = {}
    for line in found:
        sums[line.contract] = sums.get(line.contract, 0) + line.lots
    return max(sums.values(), default=0)


def all_lots(found: Iterable[Line]) -> int:
    """Lots of all contracts together."""
    return sum(line.lots for line in found)


def legs(found: Iterable[Line]) -> int:
    """Contracts that could be open, counted per account."""
    return len({(line.account, line.contract) for line in found if line.worst})


def notional(found: Iterable[Line], mark: Mark) -> int:
    """Paise of what all contracts are about: units times strike, for a future times its price."""
    return sum(line.worst * unit_value(line.contract, mark(line.contract), line.price) for line in found)


def unit_value(contract: str, mark: int | None, otherwise: int) -> int:
    """Paise that one unit of a contract is about. ``otherwise`` stands in for the unknown price of a future."""
    strike = _parts(contract).strike
    if strike is not None:
        return strike
    return max(mark or 0, otherwise)


def naked(found: Iterable[Line]) -> dict[str, int]:
    """Units sold short that nothing covers, by account and direction, once all that works to sell has sold.

    A sold call or future needs a bought call or future of the same underlying that lasts as long; a sold put a
    bought put. What only works to be bought covers nothing yet.
    """
    sides: dict[tuple[str, str, bool], list[tuple[ContractName, int]]] = {}
    for line in found:
        parts = _parts(line.contract)
        up = parts.right is not Right.PUT
        sides.setdefault((line.account, parts.underlying, up), []).append((parts, min(line.low, line.open)))
    bare: dict[str, int] = {}
    for (account, underlying, up), legs_there in sides.items():
        left = _uncovered(legs_there)
        if left:
            word = "calls or futures" if up else "puts"
            bare[f"{underlying} {word} on {account}"] = left
    return bare


def _uncovered(legs_there: list[tuple[ContractName, int]]) -> int:
    """Short units without cover. The longest-lived shorts choose first among what lasts as long."""
    longs = sorted(((parts.expiry, units) for parts, units in legs_there if units > 0 and parts.expiry), reverse=True)
    shorts = sorted(((parts.expiry, -units) for parts, units in legs_there if units < 0 and parts.expiry), reverse=True)
    left, pool, place = 0, 0, 0
    for expiry, units in shorts:
        while place < len(longs) and longs[place][0] >= expiry:
            pool += longs[place][1]
            place += 1
        covered = min(pool, units)
        pool -= covered
        left += units - covered
    return left


@lru_cache(maxsize=4096)
def _parts(contract: str) -> ContractName:
    return parse_contract(contract)
