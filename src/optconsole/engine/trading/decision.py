"""What a rule decides: facts to store, then effects to carry out once they are durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from optconsole.engine.commands import Reply
from optconsole.engine.events import AnyEvent
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order
from optconsole.engine.model.plugins import StrategyRequest
from optconsole.engine.ports import BrokerUpdate, ModifyRequest, PlaceRequest
from optconsole.engine.rules.pretrade import Situation


@dataclass(frozen=True, slots=True)
class SendPlace:
    """POST one order, once."""

    order_id: str
    request: PlaceRequest


@dataclass(frozen=True, slots=True)
class SendModify:
    """Ask the broker for new terms."""

    order_id: str
    account: str
    request: ModifyRequest


@dataclass(frozen=True, slots=True)
class SendCancel:
    """Ask the broker to cancel."""

    order_id: str
    account: str
    broker_id: str


@dataclass(frozen=True, slots=True)
class ReadBook:
    """Read the broker's order and trade book and hear every row."""

    account: str


@dataclass(frozen=True, slots=True)
class HearAgain:
    """Take a broker's row in again that failed before."""

    account: str
    row: BrokerUpdate
    letter_id: str


@dataclass(frozen=True, slots=True)
class WatchQuotes:
    """Ask the feed for quotes of these contracts, on top of what is watched already."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskStrategy:
    """Call a registered strategy once; what it answers comes back as an input."""

    request: StrategyRequest


Effect = SendPlace | SendModify | SendCancel | ReadBook | HearAgain | WatchQuotes | AskStrategy


@dataclass(slots=True)
class Decision:
    """Facts and effects in order, each fact with who caused it. ``reply`` answers the command, if there was one."""

    actor: str
    cause: str
    facts: list[AnyEvent] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    reply: Reply | None = None
    orders_added: int = 0

    def next_order_id(self, state: TradingState) -> str:
        """The id of the next order this decision adds: a count that only facts move, so replay gives the same."""
        self.orders_added += 1
        return f"O{state.order_count + self.orders_added}"


Duty = Callable[[TradingState, InstrumentMaster, Situation, str], Decision | None]
"""Looks at the state and says the next step that is due now, None when none is. The last argument is the install."""


def working_orders(state: TradingState) -> list[Order]:
    """Orders that may still trade, oldest first."""
    return [order for order in state.orders.values() if order.status.working]
