"""A trading day in which every text field of every fact is hostile, as if no adapter had cleaned anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import cycle

from optconsole.engine import events as ev
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side


def hostile_day(texts: Iterable[str], account: str, contracts: tuple[str, ...], at: datetime) -> Iterator[ev.AnyEvent]:
    """Facts of every kind that carries text; each text of ``texts`` stands in some field, in turn."""
    given = tuple(texts)
    say = cycle(given)
    for number, contract in enumerate((*contracts, next(say), next(say)), start=1):
        yield from _order(f"O{number}", account, contract, say, at)
    yield ev.OrderDenied(order_id="D1", terms=_terms(account, contracts[0], say), code=next(say), reason=next(say))
    yield ev.FlattenBegun(flatten_id="F1", kind="ALL", name=next(say), percent=100, why=next(say))
    yield ev.FlattenEnded(flatten_id="F1", orders=(next(say),), text=next(say))
    yield ev.CommandRefused(command=next(say), code=next(say), reason=next(say))
    yield ev.CommandNoted(command=next(say), text=next(say))
    yield ev.InputSetAside(letter_id=next(say), account=account, kind=next(say), row=next(say), why=next(say))
    yield ev.DriftSeen(account=account, product=Product.NRML, contract=next(say), ours=65, theirs=-65)
    for text in given:
        yield ev.NoticeRaised(level="alarm", code=next(say), text=text, subject=next(say))


def _order(order_id: str, account: str, contract: str, say: Iterator[str], at: datetime) -> Iterator[ev.AnyEvent]:
    """Four orders: filled in part, rejected, its change refused, in doubt."""
    terms = _terms(account, contract, say)
    for end in ("", "R", "C", "X"):
        name = order_id + end
        yield ev.OrderIntended(order_id=name, terms=terms, tag=next(say), risk=RiskClass.INCREASE, lot=65)
        yield ev.OrderSent(order_id=name, attempt=1)
        if end == "R":
            yield ev.OrderRejected(order_id=name, code=next(say), reason=next(say))
        elif end == "X":
            yield ev.OrderDoubted(order_id=name, cause=next(say))
        else:
            yield ev.OrderAcknowledged(order_id=name, broker_id=next(say))
        if end == "C":
            yield ev.OrderChangeAsked(order_id=name, terms=terms)
            yield ev.OrderChangeRefused(order_id=name, code=next(say), reason=next(say))
            yield ev.OrderCancelAsked(order_id=name, why=next(say))
            yield ev.OrderCancelRefused(order_id=name, code=next(say), reason=next(say))
    yield ev.OrderFilled(
        order_id=order_id,
        trade_id=f"{order_id}{next(say)}",
        account=account,
        contract=contract,
        product=Product.NRML,
        side=Side.BUY,
        qty=65,
        price=100_00,
        charges=12_00,
        traded_at=at,
    )


def _terms(account: str, contract: str, say: Iterator[str]) -> OrderTerms:
    return OrderTerms(
        account=account,
        contract=contract,
        side=Side.BUY,
        qty=130,
        type=OrderType.LIMIT,
        price=100_00,
        note=next(say),
    )
