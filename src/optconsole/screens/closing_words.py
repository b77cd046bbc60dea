"""How far a closing has come: counted on the live book, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.orders import Order, Role
from optconsole.engine.model.positions import Position
from optconsole.screens.formats import Formats


@dataclass(frozen=True, slots=True)
class Progress:
    """``closed`` of ``total`` positions; ``moved`` is how often its most patient order was moved towards the market."""

    closed: int
    total: int
    working: int
    moved: int
    held: str

    def words(self, fmt: Formats) -> str:
        """``3 of 5 closed, 2 orders work, moved 1 time; waits: …``."""
        parts = [f"{self.closed} of {self.total} closed"]
        if self.working:
            parts.append(f"{self.working} order{'s' if self.working > 1 else ''} at work")
        if self.moved:
            parts.append(f"step {self.moved + 1} of the ladder")
        return ", ".join(parts)


def progress(state: TradingState, wish: Flattening) -> Progress:
    """Where a closing stands now."""
    left = {str(position.key) for position in state.positions.values() if to_close(wish, position)}
    orders = [order for order in state.orders.values() if _closes_for(wish, order)]
    touched = {_key(order) for order in orders if order.filled}
    at_work = [order for order in orders if order.status.working]
    return Progress(
        closed=len(touched - left),
        total=len(touched | left),
        working=len(at_work),
        moved=max((order.changes for order in at_work), default=0),
        held=wish.held,
    )


def to_close(wish: Flattening, position: Position) -> bool:
    """Whether the wish still has something of this position to close."""
    if not position.qty or not _covers(wish, position.key.account, position.key.contract, str(position.key)):
        return False
    target = wish.targets.get(str(position.key))
    if wish.percent == 100:
        return True
    return target is not None and abs(position.qty) > abs(target)


def _closes_for(wish: Flattening, order: Order) -> bool:
    if order.parent == wish.id:
        return True
    # a stop of the scope that the closing has turned into its own order
    return order.role is Role.STOP and order.changes > 0 and order.updated_at >= wish.begun and _in(wish, order)


def _in(wish: Flattening, order: Order) -> bool:
    return _covers(wish, order.terms.account, order.terms.contract, _key(order))


def _key(order: Order) -> str:
    terms = order.terms
    return f"{terms.account}/{terms.product.value}/{terms.contract}"


def _covers(wish: Flattening, account: str, contract: str, key: str) -> bool:
    words = contract.split(" ")
    match wish.kind:
        case "all":
            return True
        case "account":
            return account == wish.name
        case "underlying":
            return words[0] == wish.name
        case "expiry":
            return contract.startswith(f"{wish.name} ") or words[1:2] == [wish.name]
        case "position":
            return key == wish.name
        case _:
            return contract == wish.name


def scope_name(wish: Flattening, fmt: Formats) -> str:
    """What is closed: ``everything``, ``NIFTY``, ``NIFTY 25Nov 24500 CE``."""
    if wish.kind == "all":
        return "everything"
    if wish.kind == "position":
        return fmt.contract(wish.name.split("/", 2)[-1])
    return fmt.contract(wish.name)
