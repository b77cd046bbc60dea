"""Rules that wait for a price, a year at most, and then send one order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi.asked import paise, text, units
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.habits import rupees, stamp
from optconsole.brokers.rehearsal.smartapi.sessions import Denied
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.engine.model.orders import Side
from optconsole.engine.model.quotes import Quote

SEGMENTS: Final = frozenset({"NSE", "BSE"})
"""Where rules are taken: shares, not contracts."""
PRODUCTS: Final = frozenset({"DELIVERY", "MARGIN"})
WIDER_PRODUCTS: Final = PRODUCTS | {"CARRYFORWARD", "INTRADAY"}
STATUSES: Final = frozenset({"NEW", "CANCELLED", "ACTIVE", "SENTTOEXCHANGE", "FORALL"})
_YEAR: Final = timedelta(days=365)
Body = Mapping[str, Any]
Send = Callable[[dict[str, str]], Awaitable[object]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Prices in paise; ``rises`` says from which side the price must come to its trigger."""

    id: int
    scrip: Scrip
    side: Side
    producttype: str
    price: int
    trigger: int
    qty: int
    disclosed: int
    status: str
    rises: bool
    created_at: datetime
    updated_at: datetime


class RuleBook:
    """Keeps rules. ``wide`` takes contracts too, which the documents deny and some clients try."""

    def __init__(self, market: Market, catalogue: Catalogue, wide: bool = False) -> None:
        self._market, self._catalogue = market, catalogue
        self._segments = SEGMENTS | {"NFO", "BFO"} if wide else SEGMENTS
        self._products = WIDER_PRODUCTS if wide else PRODUCTS
        self._rules: dict[int, Rule] = {}

    def create(self, body: Body) -> dict[str, Any]:
        """Raises Denied."""
        scrip = self._scrip(body)
        if scrip.symbol != text(body, "tradingsymbol"):
            raise Denied("AB9012", "Invalid trading symbol")
        side, product = text(body, "transactiontype").upper(), text(body, "producttype").upper()
        if side not in Side.__members__:
            raise Denied("AB9014", "Invalid order side")
        if product not in self._products:
            raise Denied("AB9015", "Invalid product type")
        number, now = len(self._rules) + 1, self._market.now()
        quote = self._market.quote(scrip.instrument.name)
        last = quote.ltp if quote is not None and quote.ltp is not None else 0
        rule = Rule(
            id=number,
            scrip=scrip,
            side=Side(side),
            producttype=product,
            status="NEW",
            rises=_figures(body)["trigger"] >= last,
            created_at=now,
            updated_at=now,
            **_figures(body),
        )
        self._rules[number] = rule
        return {"id": str(number)}

    def modify(self, body: Body) -> dict[str, Any]:
        """Raises Denied."""
        rule = self._live(body)
        self._put(rule, **_figures(body))
        return {"id": str(rule.id)}

    def cancel(self, body: Body) -> dict[str, Any]:
        """Raises Denied."""
        rule = self._live(body)
        self._put(rule, status="CANCELLED")
        return {"id": str(rule.id)}

    def details(self, body: Body) -> dict[str, Any]:
        """Raises Denied."""
        return _row(self._known(body))

    def listed(self, body: Body) -> list[dict[str, Any]] | None:
        """One page of the rules in some states; None for none. Raises Denied."""
        wanted = body.get("status")
        if not isinstance(wanted, list) or not {str(each) for each in wanted} <= STATUSES:
            raise Denied("AB9004", "Invalid status array size")
        page, count = units(body, "page"), units(body, "count")
        if not page:
            raise Denied("AB9017", "Invalid page value")
        if not count:
            raise Denied("AB9018", "Invalid count value")
        found = [rule for rule in self._rules.values() if "FORALL" in wanted or rule.status in wanted]
        return [_row(rule) for rule in found[(page - 1) * count : page * count]] or None

    def struck(self, quotes: Sequence[Quote]) -> list[Rule]:
        """Rules whose price has come; they count as sent from now on."""
        if not any(rule.status in ("NEW", "ACTIVE") for rule in self._rules.values()):
            return []
        last = {quote.name: quote.ltp for quote in quotes if quote.ltp is not None}
        due = []
        for rule in list(self._rules.values()):
            price = last.get(rule.scrip.instrument.name)
            if price is None or rule.status not in ("NEW", "ACTIVE"):
                continue
            if (price >= rule.trigger) if rule.rises else (price <= rule.trigger):
                due.append(self._put(rule, status="SENTTOEXCHANGE"))
        return due

    def _put(self, rule: Rule, **changes: Any) -> Rule:
        after = msgspec.structs.replace(rule, updated_at=self._market.now(), **changes)
        self._rules[rule.id] = after
        return after

    def _scrip(self, body: Body) -> Scrip:
        segment = text(body, "exchange").upper()
        if segment not in self._segments:
            raise Denied("AB9010", "Invalid exchange segment")
        scrip = self._catalogue.at(segment, text(body, "symboltoken"))
        if scrip is None or not scrip.instrument.tradable:
            raise Denied("AB9011", "Invalid symbol token")
        return scrip

    def _known(self, body: Body) -> Rule:
        given = text(body, "id")
        rule = self._rules.get(int(given)) if given.isascii() and given.isdecimal() else None
        if rule is None:
            raise Denied("AB9013", "Invalid rule id")
        return rule

    def _live(self, body: Body) -> Rule:
        rule = self._known(body)
        if rule.status not in ("NEW", "ACTIVE"):
            raise Denied("AB9013", "Invalid rule id")
        return rule


def order_of(rule: Rule) -> dict[str, str]:
    """The order a rule sends, as a client would have placed it."""
    return {
        "variety": "NORMAL",
        "tradingsymbol": rule.scrip.symbol,
        "symboltoken": rule.scrip.token,
        "transactiontype": rule.side.value,
        "exchange": rule.scrip.segment,
        "ordertype": "LIMIT",
        "producttype": rule.producttype,
        "duration": "DAY",
        "price": rupees(rule.price),
        "quantity": str(rule.qty),
        "disclosedquantity": str(rule.disclosed),
    }


def _figures(body: Body) -> dict[str, int]:
    """Raises Denied."""
    wanted = {"price": "AB9008", "triggerprice": "AB9009"}
    for name, code in wanted.items():
        if paise(body, name) <= 0:
            raise Denied(code, f"Invalid {name}")
    if units(body, "qty") <= 0:
        raise Denied("AB9006", "Invalid order quantity")
    return {
        "price": paise(body, "price"),
        "trigger": paise(body, "triggerprice"),
        "qty": units(body, "qty"),
        "disclosed": units(body, "disclosedqty"),
    }


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "status": rule.status,
        "createddate": stamp(rule.created_at),
        "updateddate": stamp(rule.updated_at),
        "expirydate": stamp(rule.created_at + _YEAR),
        "clientid": "",
        "tradingsymbol": rule.scrip.symbol,
        "symboltoken": rule.scrip.token,
        "exchange": rule.scrip.segment,
        "producttype": rule.producttype,
        "transactiontype": rule.side.value,
        "price": rupees(rule.price),
        "qty": str(rule.qty),
        "triggerprice": rupees(rule.trigger),
        "disclosedqty": str(rule.disclosed),
    }
