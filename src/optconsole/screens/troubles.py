"""What is lost or in doubt, as sentences: what it stops and what goes on all the same (reliability 4.9). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from optconsole.engine.model.book import TradingState
from optconsole.engine.model.limits import Level, Standing, scope_key
from optconsole.engine.model.protection import Guard
from optconsole.engine.model.vitals import BrokerVitals, LinkState, Vitals
from optconsole.screens.closing_words import progress, scope_name
from optconsole.screens.formats import Formats
from optconsole.screens.order_words import freezes

LONG_WAIT: Final = 3.0
"""Seconds an entry would wait for its turn from which it is refused (the rules' own figure)."""
NAMED: Final = 3
STANDS: Final = "exits, stops and cancels go on"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One lost part; ``why`` where there is more to say.

    ``stops`` is empty where nothing does; ``frozen`` when no entry can leave somewhere.
    """

    what: str
    stops: str
    goes_on: str
    why: str = ""
    role: str = "bad"
    frozen: bool = False


def troubles(state: TradingState, vitals: Vitals, fmt: Formats) -> list[Trouble]:
    """All of them, the gravest first."""
    return [
        *_engine(vitals, fmt),
        *_closings(state, fmt),
        *(trouble for broker in vitals.brokers for trouble in _broker(broker, fmt)),
        *_standings(state, fmt),
        *_doubts(state, fmt),
        *_guards(state, fmt),
        *_feed(vitals, fmt),
        *_books(state, fmt),
        *_budget(vitals, fmt),
    ]


def _engine(vitals: Vitals, fmt: Formats) -> Iterator[Trouble]:
    why = fmt.text(vitals.guard_why)
    if vitals.store is LinkState.DEAD:
        yield Trouble(
            "STORE FAILED", "no order is taken", "what works stays at the broker: act there", why, frozen=True
        )
    elif vitals.guard:
        yield Trouble(fmt.text(vitals.guard), "entries stop", "guards and exits go on", why, frozen=True)


def _closings(state: TradingState, fmt: Formats) -> Iterator[Trouble]:
    """What is being closed, how far it is, and what it waits for."""
    for wish in state.flattening.values():
        found = progress(state, wish)
        why = f" because of {fmt.text(wish.why)}" if wish.why in ("kill", "stop", "target") else ""
        waits = f"waits: {fmt.text(wish.held)}" if wish.held else ""
        role = "bad" if wish.held else "warn"
        yield Trouble(f"CLOSING {scope_name(wish, fmt)}{why}", found.words(fmt), waits or "shorts first", role=role)


def _guards(state: TradingState, fmt: Formats) -> Iterator[Trouble]:
    """Promises that are broken: a stop that the exchange does not hold, a price that cannot be watched."""
    for guard in state.protections.values():
        name = fmt.contract(guard.key.contract)
        if guard.blind:
            rest = "the stop at the exchange stands alone" if guard.state is Guard.WORKING else "nothing else guards it"
            yield Trouble(f"STOP of {name} is BLIND", "", rest)
        elif guard.state is Guard.REPAIR:
            what = guard.reason.value.lower().replace("_", " ") or "broken"
            yield Trouble(f"STOP of {name}: {what} at the exchange", "", "watched here; it is placed anew")


def _broker(broker: BrokerVitals, fmt: Formats) -> Iterator[Trouble]:
    name = fmt.text(broker.account or broker.name)
    if broker.lost:
        yield Trouble(
            f"LOGIN LOST, {name}",
            "entries stop",
            "exits are tried, stops at the exchange go on: log in again",
            fmt.text(broker.lost),
            frozen=True,
        )
    elif broker.order_read is LinkState.DEAD:
        known = "never read" if broker.book_age is None else f"not read for {fmt.age(broker.book_age)}"
        yield Trouble(f"BOOK of {name} {known}", "entries stop", f"{STANDS}; it is tried again", frozen=True)
    if broker.order_write is LinkState.DEAD and not broker.lost:
        yield Trouble(
            f"ORDERS of {name} fail",
            "entries stop",
            "stops at the exchange go on: act there",
            fmt.text(broker.note),
            frozen=True,
        )
    if broker.refusing_for > 0:
        yield Trouble(
            f"{broker.failures} requests to {name} failed",
            f"entries wait {fmt.age(broker.refusing_for)}",
            STANDS,
            role="warn",
            frozen=True,
        )


def _standings(state: TradingState, fmt: Formats) -> Iterator[Trouble]:
    """Levels on which not every order may leave."""
    for scope in state.scopes.values():
        if scope.standing is Standing.ACTIVE:
            continue
        until = "" if scope.until is None else f" until {scope.until:%H:%M}"
        yield Trouble(
            f"{scope.standing.value.upper()}{until}: {fmt.text(scope_key(scope.level, scope.name))}",
            "entries stop",
            "exits and guards go on; Risk lets it go",
            fmt.text(scope.why),
            frozen=scope.level in (Level.GLOBAL, Level.GROUP, Level.ACCOUNT),
        )


def _doubts(state: TradingState, fmt: Formats) -> Iterator[Trouble]:
    held: dict[str, list[str]] = {}
    for order in state.orders.values():
        if freezes(order):
            held.setdefault(order.terms.account, []).append(fmt.text(order.id))
    for account, ids in held.items():
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        yield Trouble(
            f"UNKNOWN {', '.join(ids[:NAMED])}{more}",
            f"entries on {fmt.text(account)} stop",
            f"{STANDS}; u on Orders leads through it",
            frozen=True,
        )


def _feed(vitals: Vitals, fmt: Formats) -> Iterator[Trouble]:
    if vitals.feed is LinkState.DEAD:
        age = "has said nothing yet" if vitals.feed_age is None else f"silent for {fmt.age(vitals.feed_age)}"
        yield Trouble(f"FEED {age}", "entries stop", "stops at the exchange go on; prices here are old", frozen=True)
    elif vitals.feed is LinkState.STALE:
        yield Trouble(f"Feed silent for {fmt.age(vitals.feed_age)}", "", "prices here are old", role="warn")


def _books(state: TradingState, fmt: Formats) -> Iterator[Trouble]:
    if count := len(state.drifts):
        contract = fmt.contract(next(iter(state.drifts.values())).key.contract)
        what = contract if count == 1 else f"{count} positions"
        yield Trouble(
            f"{what} {'differs' if count == 1 else 'differ'} from the broker", "", "A on Positions adopts", role="warn"
        )
    if count := len(state.letters):
        rows = "1 row" if count == 1 else f"{count} rows"
        yield Trouble(f"{rows} of the broker not taken in", "", "Health keeps what was said", role="warn")


def _budget(vitals: Vitals, fmt: Formats) -> Iterator[Trouble]:
    if vitals.entry_wait > LONG_WAIT:
        yield Trouble(
            f"Orders that go first need {fmt.age(vitals.entry_wait)}", "entries wait", STANDS, role="warn", frozen=True
        )
