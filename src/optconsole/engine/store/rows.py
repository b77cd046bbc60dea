"""Rows of the read tables, from the values of the state."""

from __future__ import annotations

from typing import NamedTuple

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import AccountBook
from optconsole.engine.model.limits import Limit, LimitDay, ScopeState
from optconsole.engine.model.orders import Order, trade_key
from optconsole.engine.model.positions import Position
from optconsole.engine.store.moments import stamp

Value = str | int | bool | None


class Upsert(NamedTuple):
    """A whole row of a read table; it replaces the row with the same key."""

    table: str
    key: tuple[Value, ...]
    row: dict[str, Value]


def order_row(order: Order, seq: int) -> Upsert:
    """The row of table ``orders``."""
    terms = order.terms
    row: dict[str, Value] = {
        "id": order.id,
        "tag": order.tag,
        "account": terms.account,
        "contract": terms.contract,
        "side": str(terms.side),
        "qty": terms.qty,
        "type": str(terms.type),
        "price": terms.price,
        "trigger_price": terms.trigger,
        "protection": terms.protection,
        "product": str(terms.product),
        "validity": str(terms.validity),
        "note": terms.note,
        "status": str(order.status),
        "pending": str(order.pending),
        "risk": str(order.risk),
        "role": str(order.role),
        "parent": order.parent,
        "source": terms.source,
        "lot": order.lot,
        "broker_id": order.broker_id,
        "triggered": order.triggered,
        "filled": order.filled,
        "filled_value": order.filled_value,
        "charges": order.charges,
        "reason_code": order.reason_code,
        "reason": order.reason,
        "actor": order.actor,
        "intended_at": stamp(order.intended_at),
        "sent_at": stamp(order.sent_at) if order.sent_at else None,
        "updated_at": stamp(order.updated_at),
        "seq": seq,
    }
    return Upsert("orders", (order.id,), row)


def fill_row(event: ev.OrderFilled, seq: int) -> Upsert:
    """The row of table ``fills``."""
    day = event.traded_at.date()
    key = trade_key(event.account, day, event.trade_id)
    row: dict[str, Value] = {
        "id": key,
        "order_id": event.order_id,
        "trade_id": event.trade_id,
        "day": day.isoformat(),
        "account": event.account,
        "contract": event.contract,
        "product": str(event.product),
        "side": str(event.side),
        "qty": event.qty,
        "price": event.price,
        "charges": event.charges,
        "traded_at": stamp(event.traded_at),
        "seq": seq,
    }
    return Upsert("fills", (key,), row)


def position_row(held: Position, day: str, seq: int) -> Upsert:
    """The row of table ``positions``."""
    key = held.key
    row: dict[str, Value] = {
        "day": day,
        "account": key.account,
        "product": str(key.product),
        "contract": key.contract,
        "lot": held.lot,
        "qty": held.qty,
        "cost": held.cost,
        "realised": held.realised,
        "charges": held.charges,
        "bought": held.bought,
        "bought_value": held.bought_value,
        "sold": held.sold,
        "sold_value": held.sold_value,
        "seq": seq,
    }
    return Upsert("positions", (day, key.account, str(key.product), key.contract), row)


def account_row(book: AccountBook, seq: int) -> Upsert:
    """The row of table ``accounts``."""
    account = book.account
    row: dict[str, Value] = {
        "id": account.id,
        "broker": account.broker,
        "mode": str(account.mode),
        "capital": account.capital,
        "realised_before": book.realised_before,
        "charges_before": book.charges_before,
        "seq": seq,
    }
    return Upsert("accounts", (account.id,), row)


def notice_row(fact: Recorded, event: ev.NoticeRaised) -> Upsert:
    """The row of table ``notices``."""
    row: dict[str, Value] = {
        "seq": fact.seq,
        "at": stamp(fact.at),
        "level": event.level,
        "code": event.code,
        "text": event.text,
        "subject": event.subject,
    }
    return Upsert("notices", (fact.seq,), row)


def limit_row(limit: Limit, day: LimitDay, removed: bool, seq: int) -> Upsert:
    """The row of table ``limits``."""
    row: dict[str, Value] = {
        "level": limit.level.value,
        "name": limit.name,
        "kind": limit.kind.value,
        "unit": limit.unit.value,
        "value": limit.value,
        "second": limit.second,
        "action": limit.action.value,
        "until": limit.until,
        "warned": day.warned,
        "broken": day.broken,
        "removed": removed,
        "seq": seq,
    }
    return Upsert("limits", (limit.level.value, limit.name, limit.kind.value), row)


def scope_row(scope: ScopeState, seq: int) -> Upsert:
    """The row of table ``trading_states``."""
    row: dict[str, Value] = {
        "level": scope.level.value,
        "name": scope.name,
        "state": scope.standing.value,
        "why": scope.why,
        "set_by": scope.by,
        "since": stamp(scope.since),
        "until": stamp(scope.until) if scope.until else None,
        "daily": scope.daily,
        "seq": seq,
    }
    return Upsert("trading_states", (scope.level.value, scope.name), row)


def day_row(day: str, account: str, realised: int, charges: int, fills: int, seq: int) -> Upsert:
    """The row of table ``day_figures``."""
    row: dict[str, Value] = {
        "day": day,
        "account": account,
        "realised": realised,
        "charges": charges,
        "fills": fills,
        "seq": seq,
    }
    return Upsert("day_figures", (day, account), row)
