"""The paper broker's order desk: what a client asks, checked as a broker and an exchange would. Synchronous."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from optconsole.brokers.paper import checks
from optconsole.brokers.paper.account import Claim, claim_of, filled_requirement, requirement
from optconsole.brokers.paper.exchange import Exchange
from optconsole.brokers.paper.matching import converted
from optconsole.brokers.paper.orders import AUTO_SQUARE_OFF, Batch, PaperOrder
from optconsole.brokers.paper.rules import Exposure
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.orders import OrderStatus, OrderType, Product
from optconsole.engine.ports import Accepted, ModifyRequest, PlaceRequest, Rejected

Answer = Accepted | Rejected


class Desk:
    """Answers order calls for one account. Raises LedgerBroken when an answer cannot be made durable."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._books = exchange.books

    def place(self, request: PlaceRequest) -> Answer:
        """Take an order or say why not; what is marketable trades at once."""
        if request.account != self._books.account.id:
            return Rejected("WRONG_ACCOUNT", f"{request.account!r} is not the account {self._books.account.id!r}.")
        if request.tag and self._books.knows_tag(request.tag):
            return Rejected("DUPLICATE_TAG", f"An order with tag {request.tag} exists already.")
        refused = self._refused(request)
        if refused is not None:
            return refused
        batch = Batch(contracts=[self._exchange.listed[request.instrument.name]])
        order = self._exchange.enter(batch, request)
        self._exchange.run(order.contract, batch)
        return Accepted(order.broker_id)

    def modify(self, request: ModifyRequest) -> Answer:
        """Put a working order on new terms. Fills stay; time priority is lost by a new price or a larger size."""
        order = self._changeable(request.broker_id, "changed")
        if isinstance(order, Rejected):
            return order
        if request.qty <= order.filled:
            return Rejected(
                "BELOW_FILLED", f"{order.filled} of {order.broker_id} are filled; the new quantity must be more."
            )
        waits = order.waiting and request.trigger is not None
        if request.trigger is not None and order.type is OrderType.LIMIT:
            return Rejected("TRIGGER_NOT_ALLOWED", "A LIMIT order takes no trigger price.")
        asked = PlaceRequest(
            tag=order.tag,
            account=order.account,
            instrument=self._exchange.contract(order.contract),
            side=order.side,
            qty=request.qty,
            type=OrderType.SL if waits else OrderType.LIMIT,
            price=request.price,
            trigger=request.trigger if waits else None,
            product=order.product,
            validity=order.validity,
        )
        refused = self._refused(asked, order)
        if refused is not None:
            return refused
        batch = Batch()
        moved = request.price != order.price or request.qty > order.qty
        base = converted(order) if order.waiting and not waits else order
        batch.orders.append(
            msgspec.structs.replace(
                base,
                qty=request.qty,
                price=request.price,
                trigger=request.trigger if waits else base.trigger,
                rank=self._books.number(batch, "rank") if moved else order.rank,
                updated_at=self._exchange.now(),
            )
        )
        self._exchange.run(order.contract, batch)
        return Accepted(order.broker_id)

    def cancel(self, broker_id: str) -> Answer:
        """Withdraw what is unfilled, or say why there is nothing to withdraw."""
        order = self._changeable(broker_id, "cancelled")
        if isinstance(order, Rejected):
            return order
        self._exchange.close_orders([order], OrderStatus.CANCELLED, "", "Cancelled on request.")
        return Accepted(broker_id)

    def convert(self, name: str, held: Product, wanted: Product, qty: int) -> Answer:
        """Carry signed units of an open position under another product, at what they cost."""
        batch = Batch()
        units, cost = self._books.held(batch, (name, held))
        if not qty or held is wanted or qty * units <= 0 or abs(qty) > abs(units):
            return Rejected("NOT_HELD", f"{abs(qty)} of {name} are not held in {held.value}; {units} are.")
        moved = cost * qty // units
        there, paid = self._books.held(batch, (name, wanted))
        batch.positions[name, held] = (units - qty, cost - moved)
        batch.positions[name, wanted] = (there + qty, paid + moved)
        self._books.keep(batch)
        return Accepted("")

    def _changeable(self, broker_id: str, verb: str) -> PaperOrder | Rejected:
        order = self._books.find(broker_id)
        if order is None:
            return Rejected("UNKNOWN_ORDER", f"No order {broker_id} is known.")
        if order.status is OrderStatus.FILLED:
            return Rejected("ORDER_FILLED", f"{broker_id} is filled completely and cannot be {verb}.")
        if order.status.final:
            return Rejected("ORDER_FINAL", f"{broker_id} is {order.status.value.lower()} and cannot be {verb}.")
        if order.code == AUTO_SQUARE_OFF:
            return Rejected("BROKER_ORDER", f"{broker_id} is the broker's own square-off and cannot be {verb}.")
        return order

    def _refused(self, request: PlaceRequest, replaced: PaperOrder | None = None) -> Rejected | None:
        name = request.instrument.name
        listed = self._exchange.listed.get(name)
        now = self._exchange.now()
        resting = tuple(
            order for order in self._books.resting(name) if replaced is None or order.broker_id != replaced.broker_id
        )
        quote = self._exchange.tape.latest.get(name)
        scene = checks.Scene(
            now=now,
            hours=self._exchange.rules.trading(listed, now.date()) if listed else None,
            last=None if quote is None or quote.ltp is None else quote.mark,
            band=self._exchange.band(listed) if listed and listed.tradable else None,
            held=self._books.net(name, request.product),
            resting=resting,
            filled=replaced.filled if replaced else 0,
            mis_cutoff_minutes=self._exchange.settings.mis_cutoff_minutes,
        )
        refused = checks.refusal(request, listed, scene)
        return refused if refused is not None or listed is None else self._margin_refused(request, listed, replaced)

    def _margin_refused(
        self, request: PlaceRequest, listed: Instrument, replaced: PaperOrder | None
    ) -> Rejected | None:
        """Refused when the account cannot carry it; never when it asks for nothing more than is tied up already."""
        working = self.claims()
        others = self.claims(ignoring=replaced.broker_id) if replaced else working
        rest = request.qty - (replaced.filled if replaced else 0)
        asked = Claim(listed, request.product, request.side, rest, request.price)
        try:
            before, after = self.required(working), self.required([*others, asked])
            cost = self._exchange.rules.charges(self._exchange.now().date(), listed, request.side, rest * request.price)
        except Refusal as unknown:
            return Rejected(unknown.code, unknown.text)
        if after <= before or after + cost <= self._books.cash:
            return None
        return checks.margin_refusal(after + cost - before, self._books.cash - before)

    def claims(self, ignoring: str = "") -> list[Claim]:
        """What the working orders may still do."""
        return [
            claim_of(order, self._exchange.contract(order.contract))
            for order in self._books.all_working()
            if order.broker_id != ignoring
        ]

    def required(self, claims: Sequence[Claim], filled: bool = False) -> int:
        """Paise tied up by what is open and ``claims``; with ``filled``, once they are done. Raises Refusal."""
        measure = filled_requirement if filled else requirement
        return measure(self._books.holdings, claims, self._exchange.contract, self._mark, self._margin)

    def _margin(self, exposures: Sequence[Exposure]) -> int:
        """Bought options alone tie up nothing beyond their premium, so they need no price of their index."""
        if all(held.qty > 0 and held.instrument.kind is Kind.OPTION for held in exposures):
            return 0
        exchange = self._exchange
        return exchange.rules.margin(exposures, exchange.tape.latest.get, exchange.now())

    def _mark(self, name: str) -> int | None:
        quote = self._exchange.tape.latest.get(name)
        return None if quote is None else quote.mark
