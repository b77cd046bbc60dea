"""Pre-trade checks: every rule an order must pass before its intent is written. Pure; each verdict is a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.health import WELL, AccountHealth
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.model.limits import OrderLimits
from optconsole.engine.model.money import rupees
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Product, RiskClass, Role, Side
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.quotes import Quote
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.queries import Check
from optconsole.engine.rules.bands import nearest_ticks, on_tick, price_band, protected_limit
from optconsole.engine.rules.exposure import Change
from optconsole.engine.rules.limit_gate import Asked, gate
from optconsole.engine.rules.limits import FundsSeen
from optconsole.engine.rules.slicing import largest_order, parts

REFUSE: Final = "refuse"
WARN: Final = "warn"
OK: Final = "ok"
FREEZE_QUANTITY: Final = "FREEZE_QUANTITY"
PRICE_OLD: Final = 5.0
"""Seconds of silence after which a price no longer tells what a position is worth."""
DOUBLE_PRESS: Final = 2
"""Seconds in which the same order on a live account is one key pressed twice (SEC 15c3-5's duplicates; P02).

Two orders meant apart are farther apart than that. Paper and replay accounts ask only if they are told to: a doubled
order costs nothing there, and their time may stand still or run sixty times as fast.
"""
LARGEST: Final = 10**12
"""Units, and paise, beyond which a number is no order but a mistake."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules may know of the world at one instant.

    ``age`` gives machine seconds since a contract's price was last known to be true, None when it never was;
    ``patience`` is the silence that is usual for the source; ``watched_for`` how long this market was watched without
    a break. ``queued`` is how many seconds an entry would wait for its turn to leave.
    ``guard_only`` says why only guards and exits may act, empty when all is well; ``stops`` are other refusals of risk.
    ``tick`` is the machine's monotonic second; ``closes`` when the session ends, None outside one; ``funds`` the
    broker's last word on an account's money.
    """

    now: datetime
    phase: MarketPhase
    quote: Callable[[str], Quote | None]
    limits: OrderLimits
    health: Callable[[str], AccountHealth] = lambda _account: WELL
    age: Callable[[str], float | None] = lambda _name: 0.0
    patience: float = 0.0
    queued: float = 0.0
    guard_only: str = ""
    stops: tuple[Check, ...] = ()
    tick: float = 0.0
    closes: datetime | None = None
    funds: Callable[[str], FundsSeen | None] = lambda _account: None
    watched_for: float = float("inf")

    def price(self, name: str) -> int | None:
        """What open quantity is valued at; None when no price is known or the last one is too old to be true."""
        quote, age = self.quote(name), self.age(name)
        return None if quote is None or age is None or age > PRICE_OLD + 2 * self.patience else quote.mark


def price_in(amount: int) -> str:
    """Paise as ``101.25`` for sentences."""
    return f"{rupees(amount):.2f}"


def reference_price(quote: Quote | None, side: Side) -> int | None:
    """What a marketable order is measured from: the opposite best price, else the last trade."""
    if quote is None:
        return None
    opposite = quote.ask if side is Side.BUY else quote.bid
    return opposite if opposite is not None else quote.mark


def with_protection(terms: OrderTerms, instrument: Instrument, quote: Quote | None) -> OrderTerms:
    """MARKET and SL-M with the limit price they really travel at (features OE-1); other types unchanged.

    Where the spread is wide the opposite price may lie outside the price band; the limit then stops at its edge
    (OE-3). A market order without any known price stays without protection, which ``checks`` refuses.
    """
    if terms.type is OrderType.MARKET:
        base = reference_price(quote, terms.side)
    elif terms.type is OrderType.SL_M:
        base = terms.trigger
    else:
        return terms
    limit = None if base is None else protected_limit(terms.side, base, instrument.tick)
    mark = None if quote is None else quote.mark
    if limit is not None and mark is not None and terms.type is OrderType.MARKET and instrument.tradable:
        low, high = price_band(instrument, mark)
        limit = min(limit, high) if terms.side is Side.BUY else max(limit, low)
    return msgspec.structs.replace(terms, protection=limit)


def risk_class(state: TradingState, terms: OrderTerms, replacing: Order | None = None) -> RiskClass:
    """REDUCE when the order, on top of all that already works to close, cannot go past flat; else INCREASE.

    ``replacing`` is the order a change is for: it counts as ``terms`` less what it has filled.
    """
    held = state.positions.get(str(PositionKey(terms.account, terms.product, terms.contract)))
    if held is None or held.qty * terms.side.sign >= 0:
        return RiskClass.INCREASE
    ignored, filled = ("", 0) if replacing is None else (replacing.id, replacing.filled)
    closing = sum(
        order.remaining for order in working_on(state, terms) if order.terms.side is terms.side and order.id != ignored
    )
    return RiskClass.REDUCE if closing + terms.qty - filled <= abs(held.qty) else RiskClass.INCREASE


def working_on(state: TradingState, terms: OrderTerms) -> Iterator[Order]:
    """Orders that may still trade in the same account, product and contract."""
    for order in state.orders.values():
        if order.status.working and (
            order.terms.account == terms.account
            and order.terms.contract == terms.contract
            and order.terms.product == terms.product
        ):
            yield order


def checks(
    state: TradingState,
    terms: OrderTerms,
    instrument: Instrument,
    situation: Situation,
    replacing: Order | None = None,
    role: Role = Role.ENTRY,
    parent: str = "",
    beside: tuple[Change, ...] = (),
) -> tuple[Check, ...]:
    """All rules on one order. ``terms`` carry their protection; ``replacing`` is the order a change is for.

    ``parent`` is the id of what the order is a part of, ``beside`` what is asked for together with it.
    """
    found: list[Check] = []
    risk = risk_class(state, terms, replacing)
    found.extend(_account_rules(state, terms, risk, situation))
    found.extend(_contract_rules(instrument, situation))
    # a stop beside a target is more than the position, and still no order to open one
    opens = risk is RiskClass.INCREASE and not role.guards
    if opens:
        found.extend(_product_rules(terms, instrument, situation))
    if not instrument.tradable:
        return tuple(found)
    found.extend(_size_rules(terms, instrument, situation.limits, replacing))
    triggered = replacing is not None and replacing.triggered
    found.extend(_price_rules(terms, instrument, situation, risk, triggered))
    if not role.closes and role is not Role.STOP and not (terms.type.has_trigger and not triggered):
        found.extend(_cross_rule(state, terms, replacing, risk))
    if terms.qty > 0:
        order = Asked(
            terms=terms,
            instrument=instrument,
            risk=risk if opens or risk is not RiskClass.INCREASE else RiskClass.PROTECT,
            role=role,
            now=situation.now,
            mark=situation.price,
            funds=situation.funds,
            replacing=replacing,
            parent=parent,
            beside=beside,
        )
        found.extend(gate(state, order))
        if opens and replacing is None:
            found.extend(_money_rule(state, terms, instrument, situation))
    return tuple(found)


def checks_in_parts(
    state: TradingState, terms: OrderTerms, instrument: Instrument, situation: Situation, wanted: int = 0
) -> tuple[Check, ...]:
    """All rules on an order as a whole, which may leave in parts: being too large for one order does not refuse it."""
    found = [check for check in checks(state, terms, instrument, situation) if check.code != FREEZE_QUANTITY]
    if refusal(found) is not None:
        return tuple(found)
    try:
        cut = parts(terms.qty, max(instrument.lot, 1), largest_order(instrument), wanted)
    except Refusal as refused:
        return (*found, _refuse(refused.code, refused.text))
    if len(cut) > 1:
        text = f"{terms.qty} leave in {len(cut)} parts of at most {max(cut)}; together they never fill more."
        found.append(Check(code="IN_PARTS", severity=OK, text=text))
    return tuple(found)


def refusal(found: Iterable[Check]) -> Check | None:
    """The first rule that refuses."""
    return next((check for check in found if check.severity == REFUSE), None)


def require_sane(*numbers: object) -> None:
    """Raises Refusal(BAD_NUMBER) for what is no whole number, or too large to be one of an order (reliability O21).

    Such a number is not even written into the journal as what was asked.
    """
    for number in numbers:
        if number is not None and (type(number) is not int or abs(number) > LARGEST):
            raise Refusal("BAD_NUMBER", f"{str(number)[:40]} is not a quantity or price; give a whole number of units.")


def pressed_twice(state: TradingState, terms: OrderTerms, situation: Situation) -> Check | None:
    """The guard against a key pressed twice: the same account, contract, side, quantity and source a moment ago.

    An order that failed may be repeated at once, and one that reduces a position always.
    """
    account = state.accounts.get(terms.account)
    seconds = situation.limits.duplicate_seconds
    if seconds is None:
        seconds = DOUBLE_PRESS if account is not None and account.account.mode is Mode.LIVE else 0
    if not seconds or risk_class(state, terms) is not RiskClass.INCREASE:
        return None
    for name, gone in _like(state, terms, situation.now):
        if gone < seconds:
            return _refuse(
                "DUPLICATE",
                f"{name} is the same order, {gone:.1f} s old; wait {seconds - gone:.1f} s or say it is meant again.",
            )
    return None


def _like(state: TradingState, terms: OrderTerms, now: datetime) -> Iterator[tuple[str, float]]:
    """The newest order and the newest parent like the terms that did not fail, with their age in seconds."""
    for order in reversed(state.orders.values()):
        if not order.parent and order.status not in _FAILED and _alike(order.terms, terms):
            yield order.id, (now - order.intended_at).total_seconds()
            break
    for parent in reversed(state.parents.values()):
        if _alike(parent.terms, terms):
            yield parent.id, (now - parent.opened_at).total_seconds()
            break


_FAILED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


def _alike(one: OrderTerms, other: OrderTerms) -> bool:
    return (one.account, one.contract, one.side, one.qty, one.source) == (
        other.account,
        other.contract,
        other.side,
        other.qty,
        other.source,
    )


def _refuse(code: str, text: str) -> Check:
    return Check(code=code, severity=REFUSE, text=text)


def _account_rules(state: TradingState, terms: OrderTerms, risk: RiskClass, situation: Situation) -> Iterator[Check]:
    if terms.account not in state.accounts:
        known = ", ".join(sorted(state.accounts)) or "none"
        yield _refuse("UNKNOWN_ACCOUNT", f"No account is called {terms.account!r}; known: {known}.")
        return
    if not state.ready:
        yield _refuse("NOT_READY", "The engine is still agreeing its book with the broker; try again when it is ready.")
    if state.killed and risk is RiskClass.INCREASE:
        yield _refuse(
            "KILLED", "The kill switch is on: only orders that reduce a position may leave. Release it first."
        )

    if risk is RiskClass.INCREASE:
        yield from _doubt_rule(state, terms.account)
        yield from _ability_rules(terms, situation)


def _doubt_rule(state: TradingState, account: str) -> Iterator[Check]:
    """No new risk on an account while it is not known what risk there is (reliability 4.7)."""
    for order in state.orders.values():
        if (
            order.status is OrderStatus.UNKNOWN
            and not order.released
            and order.terms.account == account
            and order.risk is RiskClass.INCREASE
        ):
            yield _refuse(
                "ORDER_IN_DOUBT",
                f"What became of {order.id} is unknown; until it is, only orders that reduce a position may leave. "
                + ("Release it on the Orders screen if it is not at the broker." if order.releasable else ""),
            )
            return


BOOK_OLD: Final = 60.0
"""Seconds after which a book that was not read again is no ground to take risk on."""
QUEUE_LIMIT: Final = 3.0
"""Seconds an entry may wait for its turn before it is refused instead."""
FEED_SILENT: Final = 15.0


def _ability_rules(terms: OrderTerms, situation: Situation) -> Iterator[Check]:
    """No new risk on a broker, a feed or a store that could not guard it (reliability 4.9)."""
    if situation.guard_only:
        yield _refuse("GUARD_ONLY", f"Only guards and exits act: {situation.guard_only}")
    yield from situation.stops
    health = situation.health(terms.account)
    if health.lost:
        yield _refuse("LOGIN_LOST", f"The login of {terms.account} is gone: {health.lost} Log in again to take risk.")
    elif health.refusing_for > 0:
        yield _refuse(
            "BREAKER_OPEN",
            f"{health.failures} requests to {terms.account} failed in a row; entries are tried again in "
            f"{health.refusing_for:.0f} s. Exits, stops and cancels go on.",
        )
    elif health.book_age is None or health.book_age > BOOK_OLD:
        known = "never" if health.book_age is None else f"{health.book_age:.0f} s ago"
        yield _refuse(
            "BOOK_UNSEEN",
            f"The book of {terms.account} was last read {known}; risk is taken only on one younger than "
            f"{BOOK_OLD:.0f} s.",
        )
    if situation.queued > QUEUE_LIMIT:
        yield _refuse(
            "RATE_BUDGET",
            f"Orders that are due first need {situation.queued:.1f} s of the 10 a second; try again after that.",
        )
    age = situation.age(terms.contract)
    if age is not None and age > FEED_SILENT + 3 * situation.patience:
        yield _refuse(
            "STALE_PRICE",
            f"The price of {terms.contract} is {age:.0f} s old; risk is taken only on prices younger than "
            f"{FEED_SILENT + 3 * situation.patience:.0f} s.",
        )


def _contract_rules(instrument: Instrument, situation: Situation) -> Iterator[Check]:
    if not instrument.tradable:
        yield _refuse("NOT_TRADABLE", f"{instrument.name} is an index; trade its futures or options.")
        return
    if instrument.last_trade is not None and situation.now >= instrument.last_trade:
        ended = instrument.last_trade.strftime("%d %b %H:%M")
        yield _refuse("EXPIRED_CONTRACT", f"{instrument.name} stopped trading on {ended}; choose a later expiry.")
    elif situation.phase is not MarketPhase.OPEN:
        yield _refuse(
            "SESSION_CLOSED",
            f"The market is {situation.phase.value.lower()}; orders are taken while the session is open.",
        )


def _product_rules(terms: OrderTerms, instrument: Instrument, situation: Situation) -> Iterator[Check]:
    """What may not be opened so late in the day, or in the contract's life. Closing is always allowed."""
    now, own, rules = situation.now, instrument.last_trade, situation.limits
    ends = [moment for moment in (situation.closes, own) if moment is not None]
    if terms.product is Product.MIS and ends:
        cutoff = min(ends) - timedelta(minutes=rules.mis_cutoff_minutes)
        if now >= cutoff:
            yield _refuse(
                "MIS_CUTOFF",
                f"MIS is opened until {cutoff:%H:%M}, since the broker squares it off after that; NRML would pass.",
            )
    if own is not None and rules.expiry_cutoff_minutes:
        cutoff = own - timedelta(minutes=rules.expiry_cutoff_minutes)
        if now >= cutoff:
            yield _refuse(
                "EXPIRY_CUTOFF",
                f"{instrument.name} expires at {own:%H:%M}; new risk in it was taken until {cutoff:%H:%M} "
                "(risk.expiry_cutoff_minutes). A later expiry would pass.",
            )


def _cross_rule(state: TradingState, terms: OrderTerms, replacing: Order | None, risk: RiskClass) -> Iterator[Check]:
    """Nobody may trade with himself. The engine's own exits and stops are exempt: they cancel first what they meet.

    An exit by hand waits for no order that perhaps does not exist.
    """
    limit, buys = terms.limit, terms.side is Side.BUY
    there = (kept for kept in state.reserved.values() if kept.contract == terms.contract)
    if limit is None or not any(kept.sells if buys else kept.buys for kept in there):
        return
    for order in state.orders.values():
        other = order.terms
        if (
            other.contract != terms.contract
            or other.side is terms.side
            or other.account != terms.account
            or not order.status.working
            or (risk is not RiskClass.INCREASE and order.broker_id is None)
            or (replacing is not None and order.id == replacing.id)
            or (other.type.has_trigger and not order.triggered)
            or other.limit is None
            or (limit - other.limit) * terms.side.sign < 0
        ):
            continue
        yield _refuse(
            "SELF_CROSS",
            f"It would trade with your own {other.side.value} {order.id} at {price_in(other.limit)}; cancel it, or "
            f"stay {'below' if terms.side is Side.BUY else 'above'} it.",
        )
        return


def _money_rule(
    state: TradingState, terms: OrderTerms, instrument: Instrument, situation: Situation
) -> Iterator[Check]:
    """A bought option costs its premium; what a short needs, and what a hedge frees, only the broker can say.

    Money that is not known refuses nothing: the broker judges margin itself before it takes an order, and a report
    that is late would otherwise stop all trading.
    """
    seen = situation.funds(terms.account)
    limit = terms.limit
    if seen is None:
        yield Check(code="FUNDS_UNKNOWN", severity=WARN, text=f"The money on {terms.account} was not read yet.")
        return
    if limit is None:
        return
    free = seen.funds.free - _spent_since(state, terms.account, seen.at)
    bought = instrument.kind is Kind.OPTION and terms.side is Side.BUY
    need = terms.qty * limit if bought else 0
    if free >= need and (bought or free > 0):
        return
    lot = max(instrument.lot, 1)
    affordable = max(free, 0) // max(limit * lot, 1)
    # with a short on the account the premium may buy margin back, so that the broker has the last word
    certain = bought and not any(
        each.qty < 0 and each.key.account == terms.account for each in state.positions.values()
    )
    would = f"; {affordable} lots would pass" if bought else ""
    yield Check(
        code="MARGIN",
        severity=REFUSE if certain else WARN,
        text=f"The order needs {price_in(need)} rupees or more, {price_in(free)} are free on {terms.account}{would}.",
    )


def _spent_since(state: TradingState, account: str, moment: datetime) -> int:
    """Paise of premium in orders that were sent after the money was read."""
    spent = 0
    for order in reversed(state.orders.values()):
        if order.intended_at <= moment:
            break
        terms = order.terms
        if terms.account == account and terms.side is Side.BUY and order.risk is RiskClass.INCREASE:
            spent += order.filled_value + order.may_trade * (terms.limit or 0)
    return spent


def _size_rules(
    terms: OrderTerms, instrument: Instrument, own: OrderLimits, replacing: Order | None
) -> Iterator[Check]:
    lot = max(instrument.lot, 1)
    if terms.qty <= 0:
        yield _refuse("BAD_QUANTITY", f"{terms.qty} is not a quantity; one lot of {instrument.name} is {lot}.")
        return
    if terms.qty % lot:
        below, above = terms.qty // lot * lot, (terms.qty // lot + 1) * lot
        near = f"{above}" if below == 0 else f"{below} or {above}"
        yield _refuse("LOT_MULTIPLE", f"{terms.qty} is not whole lots of {lot}; {near} would pass.")
    if terms.qty > own.max_lots * lot:
        yield _refuse(
            "MAX_LOTS",
            f"{terms.qty // lot} lots is above your limit of {own.max_lots} an order; "
            "`optconsole risk set order lots-per-order … --why …` changes it.",
        )
    largest = largest_order(instrument)
    if not largest:
        yield _refuse(
            "NO_FREEZE",
            f"The largest order of {instrument.underlying} is unknown or below one lot (freeze {instrument.freeze}); "
            "nothing can be sent until the contract file tells it.",
        )
    elif terms.qty > largest:
        yield _refuse(
            FREEZE_QUANTITY,
            f"{terms.qty} is above the freeze quantity {instrument.freeze} of {instrument.underlying}; "
            f"send at most {largest // lot} lots ({largest}) an order.",
        )
    if replacing is not None and terms.qty <= replacing.filled:
        yield _refuse("BELOW_FILLED", f"{replacing.filled} are filled already; the new quantity must be more.")


def _price_rules(
    terms: OrderTerms, instrument: Instrument, situation: Situation, risk: RiskClass, triggered: bool
) -> Iterator[Check]:
    """A stop that was ``triggered`` is a limit order by now: its trigger has done its work."""
    if terms.type in (OrderType.LIMIT, OrderType.SL) and terms.price is None:
        yield _refuse("PRICE_MISSING", f"A {terms.type.value} order needs a limit price.")
        return
    if terms.type.has_trigger and terms.trigger is None:
        yield _refuse("TRIGGER_MISSING", f"A {terms.type.value} order needs a trigger price.")
        return
    if terms.trigger is not None and not terms.type.has_trigger:
        yield _refuse(
            "TRIGGER_NOT_ALLOWED", f"A {terms.type.value} order takes no trigger price; SL and SL-M wait for one."
        )
        return
    for label, price in (("price", terms.limit), ("trigger", terms.trigger)):
        if price is not None and (price <= 0 or not on_tick(price, instrument.tick)):
            lower, upper = nearest_ticks(price, instrument.tick)
            yield _refuse(
                "TICK_SIZE",
                f"The {label} {price_in(price)} is not a multiple of {price_in(instrument.tick)}; "
                f"{price_in(lower)} or {price_in(upper)} would pass.",
            )
            return
    if terms.limit is None:
        yield _refuse("NO_PRICE", f"{instrument.name} has no price to protect a market order with; use a limit.")
        return
    waits = terms.type.has_trigger and not triggered
    if waits:
        yield from _trigger_rules(terms, situation)
    yield from _band_rules(terms, instrument, situation, risk, waits)


def _trigger_rules(terms: OrderTerms, situation: Situation) -> Iterator[Check]:
    if terms.trigger is None:
        return
    limit = terms.limit
    if limit is not None and (limit - terms.trigger) * terms.side.sign < 0:
        word = "below" if terms.side is Side.BUY else "above"
        yield _refuse(
            "TRIGGER_LIMIT",
            f"The limit {price_in(limit)} of a {terms.side.value} stop may not be {word} "
            f"its trigger {price_in(terms.trigger)}.",
        )
    quote = situation.quote(terms.contract)
    market = None if quote is None else quote.mark
    if market is not None and (terms.trigger - market) * terms.side.sign <= 0:
        word = "above" if terms.side is Side.BUY else "below"
        yield _refuse(
            "TRIGGER_PASSED",
            f"The trigger {price_in(terms.trigger)} of a {terms.side.value} stop must be {word} the market, "
            f"now {price_in(market)}.",
        )


def _band_rules(
    terms: OrderTerms, instrument: Instrument, situation: Situation, risk: RiskClass, waits: bool
) -> Iterator[Check]:
    """A waiting stop is judged when it triggers. The deviation guards against slips, never against getting out."""
    quote = situation.quote(terms.contract)
    reference = None if quote is None else quote.mark
    limit = terms.limit
    if reference is None or limit is None:
        yield Check(
            code="NO_QUOTE", severity=WARN, text=f"No price of {instrument.name} is known; the band is unchecked."
        )
        return
    low, high = price_band(instrument, reference)
    outside = limit > high if terms.side is Side.BUY else limit < low
    if outside and not waits:
        yield _refuse(
            "PRICE_BAND",
            f"{price_in(limit)} is beyond the price band {price_in(low)} to {price_in(high)} "
            f"around {price_in(reference)}.",
        )
        return
    gap = abs(limit - reference) * 100
    passive = (limit - reference) * terms.side.sign < 0
    slip = risk is RiskClass.INCREASE and not passive and not waits
    if slip and gap > situation.limits.deviation_percent * reference:
        yield _refuse(
            "PRICE_DEVIATION",
            f"{price_in(limit)} is more than {situation.limits.deviation_percent} % through the market "
            f"at {price_in(reference)}; `optconsole risk set order price-deviation … --why …` changes that.",
        )
