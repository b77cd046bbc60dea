"""What belongs to a scope: of the orders those of ours, of the positions those that are open."""

from __future__ import annotations

from typing import Final

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.book import Flattening, TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import expiry_code, parse_contract, parse_expiry
from optconsole.engine.model.limits import Level
from optconsole.engine.model.orders import Order, OrderTerms, Product
from optconsole.engine.model.positions import Position, PositionKey
from optconsole.engine.rules.limit_terms import checked_name
from optconsole.engine.trading.decision import working_orders
from optconsole.engine.trading.portions import belongs, closable

ALL: Final = Scope()


def canonical(scope: Scope) -> Scope:
    """The scope with its name as the engine writes it. Raises Refusal for a name that can be none."""
    name = " ".join(scope.name.split())
    match scope.kind:
        case ScopeKind.ALL:
            name = ""
        case ScopeKind.UNDERLYING:
            name = name.upper()
        case ScopeKind.EXPIRY:
            *underlying, day = name.upper().split()
            name = " ".join((*underlying, expiry_code(parse_expiry(day)))) if day else name
        case ScopeKind.CONTRACT:
            name = str(parse_contract(name))
        case ScopeKind.POSITION:
            name = str(parse_key(name))
        case ScopeKind.STRATEGY:
            name = checked_name(Level.STRATEGY, name, [])
        case ScopeKind.ACCOUNT:
            pass
    return Scope(scope.kind, name)


def parse_key(text: str) -> PositionKey:
    """``account/product/contract``. Raises Refusal(BAD_POSITION)."""
    account, _, rest = text.partition("/")
    product, _, contract = rest.partition("/")
    try:
        return PositionKey(account, Product(product.upper()), str(parse_contract(contract)))
    except ValueError:
        raise Refusal(
            "BAD_POSITION", f"{text!r} is not a position; write it like PAPER1/NRML/NIFTY 25NOV26 24500 CE."
        ) from None


def in_scope(scope: Scope, account: str, contract: str, product: Product | None = None, source: str = "") -> bool:
    """Whether a contract held in an account, or ordered there on behalf of ``source``, belongs to the scope."""
    match scope.kind:
        case ScopeKind.ALL:
            return True
        case ScopeKind.ACCOUNT:
            return account == scope.name
        case ScopeKind.UNDERLYING:
            return parse_contract(contract).underlying == scope.name.upper()
        case ScopeKind.EXPIRY:
            return _expires(contract, scope.name)
        case ScopeKind.CONTRACT:
            return contract == str(parse_contract(scope.name))
        case ScopeKind.POSITION:
            key = parse_key(scope.name)
            return (key.account, key.contract) == (account, contract) and product in (None, key.product)
        case ScopeKind.STRATEGY:
            return belongs(scope.name, source)


def _expires(contract: str, name: str) -> bool:
    """``NIFTY 01DEC26`` or a date alone."""
    parts, (*underlying, day) = parse_contract(contract), name.upper().split()
    return parts.expiry == parse_expiry(day) and (not underlying or parts.underlying == underlying[0])


def scope_of(wish: Flattening) -> Scope:
    """What a wish acts on."""
    return Scope(ScopeKind(wish.kind), wish.name)


def covers(wish: Flattening, terms: OrderTerms) -> bool:
    """Whether an order of these terms would trade where a wish acts.

    A part exit acts on the positions it names, the exit of a strategy on what is done on its behalf.
    """
    if wish.source:
        return belongs(wish.source, terms.source)
    if not wish.whole:
        return str(PositionKey(terms.account, terms.product, terms.contract)) in wish.targets
    return in_scope(scope_of(wish), terms.account, terms.contract, terms.product)


def working_in(state: TradingState, scope: Scope) -> list[Order]:
    """Our working orders; those of others are left alone, and what they close is not closed again."""
    return [order for order in working_orders(state) if not order.foreign and ordered_in(scope, order.terms)]


def ordered_in(scope: Scope, terms: OrderTerms) -> bool:
    """Whether an order of these terms belongs to the scope."""
    return in_scope(scope, terms.account, terms.contract, terms.product, terms.source)


def open_in(state: TradingState, scope: Scope) -> list[Position]:
    """Open positions of the scope; of a strategy those of which it holds something that can be closed."""
    if scope.kind is ScopeKind.STRATEGY:
        return [each for each in state.positions.values() if each.qty and closable(state, scope.name, each)]
    return [
        position
        for position in state.positions.values()
        if position.qty and in_scope(scope, position.key.account, position.key.contract, position.key.product)
    ]
