"""What a broker and an exchange refuse, in their words, under stable codes. Pure; margin is judged last, elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from optconsole.brokers.paper.matching import Band, beyond, beyond_words, crosses
from optconsole.brokers.paper.orders import PaperOrder
from optconsole.brokers.paper.rules import Hours
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import OrderType, Product, Side
from optconsole.engine.ports import PlaceRequest, Rejected


@dataclass(frozen=True, slots=True)
class Scene:
    """What the checks may know. ``held`` is the net quantity in the order's contract and product.

    ``band`` and ``last`` are None while no price is known; ``resting`` are our other orders in the contract;
    ``filled`` is what a changed order has done already.
    """

    now: datetime
    hours: Hours | None
    last: int | None
    band: Band | None
    held: int
    resting: tuple[PaperOrder, ...]
    filled: int
    mis_cutoff_minutes: int


def refusal(request: PlaceRequest, listed: Instrument | None, scene: Scene) -> Rejected | None:
    """The first reason not to take the order."""
    return next(_reasons(request, listed, scene), None)


def margin_refusal(required: int, available: int) -> Rejected:
    """The risk desk's sentence for too little money."""
    return Rejected(
        "MARGIN",
        f"RMS: Margin exceeds; required Rs {rupees(required)}, available Rs {rupees(available)}.",
    )


def _reasons(request: PlaceRequest, listed: Instrument | None, scene: Scene) -> Iterator[Rejected]:
    name = request.instrument.name
    if listed is None:
        yield Rejected("NOT_LISTED", f"{name} is not in today's list of contracts.")
        return
    if not listed.tradable:
        yield Rejected("NOT_TRADABLE", f"{name} is an index; trade its futures or options.")
        return
    yield from _session(request, listed, scene)
    yield from _size(request, listed)
    yield from _prices(request, listed)
    yield from _stop(request, scene)
    yield from _band(request, scene)
    yield from _self_trade(request, scene.resting)
    yield from _intraday(request, scene)


def _session(request: PlaceRequest, listed: Instrument, scene: Scene) -> Iterator[Rejected]:
    name = listed.name
    if listed.last_trade is not None and scene.now >= listed.last_trade:
        yield Rejected("EXPIRED_CONTRACT", f"{name} stopped trading on {listed.last_trade:%d %b %Y at %H:%M}.")
    elif scene.hours is None:
        yield Rejected("SESSION_CLOSED", f"{listed.exchange} does not trade on {scene.now:%d %b %Y}.")
    elif not scene.hours[0] <= scene.now < scene.hours[1]:
        opens, closes = scene.hours
        yield Rejected("SESSION_CLOSED", f"The session of {name} is {opens:%H:%M} to {closes:%H:%M}; it is closed now.")


def _size(request: PlaceRequest, listed: Instrument) -> Iterator[Rejected]:
    qty, lot = request.qty, listed.lot
    if qty <= 0:
        yield Rejected("BAD_QUANTITY", f"Quantity must be positive; one lot of {listed.name} is {lot}.")
    elif qty % lot:
        yield Rejected("LOT_MULTIPLE", f"Quantity {qty} is not a multiple of the lot size {lot}.")
    elif qty > listed.freeze:
        yield Rejected(
            "FREEZE_QUANTITY",
            f"Quantity {qty} exceeds the freeze quantity {listed.freeze}; send at most {listed.freeze // lot * lot}.",
        )


def _prices(request: PlaceRequest, listed: Instrument) -> Iterator[Rejected]:
    if request.type not in (OrderType.LIMIT, OrderType.SL):
        yield Rejected("ORDER_TYPE", f"{request.type.value} orders are blocked; send LIMIT or SL with a price.")
    if request.type is OrderType.LIMIT and request.trigger is not None:
        yield Rejected("TRIGGER_NOT_ALLOWED", "A LIMIT order takes no trigger price.")
    if request.type is OrderType.SL and request.trigger is None:
        yield Rejected("TRIGGER_MISSING", "An SL order needs a trigger price.")
    for word, price in (("Price", request.price), ("Trigger price", request.trigger)):
        if price is not None and (price <= 0 or price % listed.tick):
            yield Rejected(
                "TICK_SIZE",
                f"{word} {rupees(price)} is not a positive multiple of the tick size {rupees(listed.tick)}.",
            )


def _stop(request: PlaceRequest, scene: Scene) -> Iterator[Rejected]:
    if request.trigger is None:
        return
    trigger, side = request.trigger, request.side
    if not crosses(side, request.price, trigger):
        word = "lower" if side is Side.BUY else "higher"
        yield Rejected(
            "TRIGGER_LIMIT",
            f"Limit {rupees(request.price)} of a {side.value} stop is {word} than its trigger {rupees(trigger)}.",
        )
    if scene.last is not None and (trigger - scene.last) * side.sign <= 0:
        word = "higher" if side is Side.BUY else "lower"
        yield Rejected(
            "TRIGGER_PASSED",
            f"Trigger {rupees(trigger)} of a {side.value} stop must be {word} than the last {rupees(scene.last)}.",
        )


def _band(request: PlaceRequest, scene: Scene) -> Iterator[Rejected]:
    """A stop's limit is judged when it triggers, as the exchange does."""
    if request.trigger is None and scene.band is not None and beyond(request.side, request.price, scene.band):
        yield Rejected("LPP", beyond_words(request.price, scene.band))


def _self_trade(request: PlaceRequest, resting: Iterable[PaperOrder]) -> Iterator[Rejected]:
    """A waiting stop trades with nobody yet."""
    if request.trigger is not None:
        return
    for other in resting:
        if other.side is request.side or other.waiting or not crosses(request.side, request.price, other.price):
            continue
        yield Rejected(
            "SELF_TRADE",
            f"The order would trade with your own {other.side.value} at {rupees(other.price)} ({other.broker_id}).",
        )


def _intraday(request: PlaceRequest, scene: Scene) -> Iterator[Rejected]:
    """After the cut-off the broker takes MIS orders only to close, and no more than is open."""
    if request.product is not Product.MIS or scene.hours is None:
        return
    cutoff = scene.hours[1] - timedelta(minutes=scene.mis_cutoff_minutes)
    rest = request.qty - scene.filled
    if scene.now < cutoff or reduces(request.side, rest, request.product, scene.held, scene.resting):
        return
    yield Rejected("MIS_CUTOFF", f"MIS orders are blocked after {cutoff:%H:%M}, except to close what is open.")


def reduces(side: Side, qty: int, product: Product, held: int, resting: Iterable[PaperOrder]) -> bool:
    """Whether the order, behind all that already works to close, cannot go past flat."""
    if held * side.sign >= 0:
        return False
    closing = sum(other.remaining for other in resting if other.side is side and other.product is product)
    return closing + qty <= abs(held)
