"""The paper account: what is held, what a trade does to cash, what margin is needed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from optconsole.brokers.paper.orders import PaperOrder
from optconsole.brokers.paper.rules import Exposure
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.positions import Position, PositionKey

Holding = tuple[int, int]
"""(signed units, signed paise paid for them)."""
Holdings = Mapping[tuple[str, Product], Holding]


@dataclass(frozen=True, slots=True)
class Claim:
    """What an order, working or asked for, may still do."""

    instrument: Instrument
    product: Product
    side: Side
    qty: int
    price: int


def traded(held: Holding, instrument: Instrument, side: Side, qty: int, price: int) -> tuple[Holding, int]:
    """The holding after a fill, and the cash it moved in paise.

    An option's premium changes hands in full; a future moves only the profit or loss that the fill realises.
    """
    before = Position(key=PositionKey("", Product.NRML, instrument.name), lot=1, qty=held[0], cost=held[1])
    after = before.traded(side.sign * qty, price)
    cash = after.realised if instrument.kind is Kind.FUTURE else -side.sign * qty * price
    return (after.qty, after.cost), cash


def claim_of(order: PaperOrder, instrument: Instrument) -> Claim:
    """What a working order may still do."""
    return Claim(instrument, order.product, order.side, order.remaining, order.price)


PriceOf = Callable[[str], int | None]
MarginOf = Callable[[Sequence[Exposure]], int]


def requirement(
    holdings: Holdings,
    claims: Sequence[Claim],
    contract_of: Callable[[str], Instrument],
    price_of: PriceOf,
    margin: MarginOf,
) -> int:
    """Paise that open positions and orders tie up.

    Orders count with what they would open: sells and futures by their margin, bought options by their premium.
    Orders that only close free nothing before they are filled; a sale of a held option counts as done where
    that asks for more, since a short may have been leaning on it. Otherwise a working order could spend the
    same rupee twice.
    """
    opening, closing, premium = _split(holdings, claims)
    certain = margin(_exposures(holdings, opening, contract_of, price_of))
    leaning = margin(_exposures(holdings, [*opening, *closing], contract_of, price_of)) if closing else certain
    return max(certain, leaning) + premium + _owed(holdings, contract_of, price_of)


def filled_requirement(
    holdings: Holdings,
    claims: Sequence[Claim],
    contract_of: Callable[[str], Instrument],
    price_of: PriceOf,
    margin: MarginOf,
) -> int:
    """Paise needed once ``claims`` are filled on top of what is held, the premium of bought options included."""
    _opening, _closing, premium = _split(holdings, claims)
    needed = margin(_exposures(holdings, claims, contract_of, price_of))
    return needed + premium + _owed(holdings, contract_of, price_of)


def _owed(holdings: Holdings, contract_of: Callable[[str], Instrument], price_of: PriceOf) -> int:
    """Open losses of futures: no cash has moved for them yet, and it must be there when they close."""
    owed = 0
    for (name, _product), (qty, cost) in holdings.items():
        price = price_of(name)
        if price is not None and contract_of(name).kind is Kind.FUTURE:
            owed += max(0, cost - qty * price)
    return owed


def _split(holdings: Holdings, claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim], int]:
    """(what opens and needs margin, sales of held options, premium of what is bought to open)."""
    left = {key: qty for key, (qty, _cost) in holdings.items()}
    opening: list[Claim] = []
    closing: list[Claim] = []
    premium = 0
    for claim in claims:
        key = (claim.instrument.name, claim.product)
        held = left.get(key, 0)
        closes = min(claim.qty, abs(held)) if held * claim.side.sign < 0 else 0
        left[key] = held + claim.side.sign * closes
        opens = claim.qty - closes
        option = claim.instrument.kind is Kind.OPTION
        if opens and option and claim.side is Side.BUY:
            premium += opens * claim.price
        elif opens:
            opening.append(_part(claim, opens))
        if closes and option and claim.side is Side.SELL:
            closing.append(_part(claim, closes))
    return opening, closing, premium


def _part(claim: Claim, qty: int) -> Claim:
    return Claim(claim.instrument, claim.product, claim.side, qty, claim.price)


def _exposures(
    holdings: Holdings, claims: Iterable[Claim], contract_of: Callable[[str], Instrument], price_of: PriceOf
) -> list[Exposure]:
    """What is held with ``claims`` filled, net by contract, at the market's price or else the order's or the cost."""
    units: dict[str, int] = {}
    for (name, _product), (qty, _cost) in holdings.items():
        units[name] = units.get(name, 0) + qty
    known = {name: contract_of(name) for name in units}
    asked: dict[str, int] = {}
    for claim in claims:
        name = claim.instrument.name
        units[name] = units.get(name, 0) + claim.side.sign * claim.qty
        known[name], asked[name] = claim.instrument, claim.price
    found: list[Exposure] = []
    for name, qty in units.items():
        if not qty:
            continue
        price = price_of(name)
        if price is None:
            price = asked.get(name) or _average(holdings, name)
        found.append(Exposure(known[name], qty, price))
    return found


def _average(holdings: Holdings, name: str) -> int:
    """What the open units cost each, where no market price is known."""
    rows = [holding for (contract, _product), holding in holdings.items() if contract == name and holding[0]]
    return abs(sum(cost for _qty, cost in rows)) // max(1, abs(sum(qty for qty, _cost in rows)))
