"""Facts: frozen, typed, in the past tense. The journal is a sequence of these and nothing else.

A stored type name never changes meaning; a new shape is a new type. Money is paise, quantity units.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from optconsole.engine.model.accounts import Account
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.baskets import Basket, BasketStatus
from optconsole.engine.model.groups import GroupKind, ReversalLeg
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing, Sweep
from optconsole.engine.model.orders import OrderTerms, Product, RiskClass, Role, Side
from optconsole.engine.model.parents import Pace, ParentStatus
from optconsole.engine.model.positions import Basis, PositionKey
from optconsole.engine.model.protection import Guard, Repair, StopMode, guard_name
from optconsole.engine.model.runs import LegRun, Run, RunStatus, RunWatch
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.trigger_state import Candle


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Base of all facts. ``stream`` names the thing whose history the fact belongs to."""

    @property
    def stream(self) -> str:
        """Stream key, e.g. ``order:O12``."""
        return "engine"


class EngineStarted(Event, frozen=True, kw_only=True):
    """An engine took the store. ``epoch`` grows by one with each start."""

    version: str
    world: str
    epoch: int


class EngineReady(Event, frozen=True, kw_only=True):
    """The book agrees with the broker's; entries are allowed."""

    orders_checked: int
    fills_adopted: int


class EngineStopped(Event, frozen=True, kw_only=True):
    """The engine let go of the store in good order."""

    reason: str


class SessionOpened(Event, frozen=True, kw_only=True):
    """A trading day began."""

    day: date


class SessionClosed(Event, frozen=True, kw_only=True):
    """A trading day ended; DAY orders are gone."""

    day: date


class AccountOpened(Event, frozen=True, kw_only=True):
    """An account became known, with its opening cash."""

    account: Account

    @property
    def stream(self) -> str:
        return f"account:{self.account.id}"


class OrderEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one order."""

    order_id: str

    @property
    def stream(self) -> str:
        return f"order:{self.order_id}"


class OrderDenied(OrderEvent, frozen=True, kw_only=True):
    """Our own pre-trade rules refused the order; nothing left."""

    terms: OrderTerms
    code: str
    reason: str


class OrderIntended(OrderEvent, frozen=True, kw_only=True):
    """The order passed the rules and may now be sent once, under ``tag``."""

    terms: OrderTerms
    tag: str
    risk: RiskClass
    lot: int
    parent: str = ""
    role: Role = Role.ENTRY


class OrderAdopted(OrderEvent, frozen=True, kw_only=True):
    """An order at the broker that this engine did not send, such as its own square-off. Counted, not touched."""

    terms: OrderTerms
    tag: str
    broker_id: str
    risk: RiskClass
    lot: int


class OrderClaimed(OrderEvent, frozen=True, kw_only=True):
    """The trader took over an order that this engine did not send: it is changed and cancelled like ours now."""


class OrderSent(OrderEvent, frozen=True, kw_only=True):
    """Durable before the first byte left. From here on silence means UNKNOWN."""

    attempt: int


class OrderAcknowledged(OrderEvent, frozen=True, kw_only=True):
    """The broker holds the order under ``broker_id``."""

    broker_id: str


class OrderConfirmed(OrderEvent, frozen=True, kw_only=True):
    """The broker's own book shows the order at work; an answer alone is no proof of that."""


class OrderTriggered(OrderEvent, frozen=True, kw_only=True):
    """A stop's trigger was reached; it now works as its child."""


class OrderFilled(OrderEvent, frozen=True, kw_only=True):
    """One execution. ``trade_id`` is the exchange's, ``charges`` what this fill adds to the order's bill."""

    trade_id: str
    account: str
    contract: str
    product: Product
    side: Side
    qty: int
    price: int
    charges: int
    traded_at: datetime


class OrderChangeAsked(OrderEvent, frozen=True, kw_only=True):
    """A modification is durable and about to leave."""

    terms: OrderTerms


class OrderChanged(OrderEvent, frozen=True, kw_only=True):
    """The broker works the order on new terms."""

    terms: OrderTerms


class OrderChangeRefused(OrderEvent, frozen=True, kw_only=True):
    """The broker kept the old terms."""

    code: str
    reason: str


class OrderCancelAsked(OrderEvent, frozen=True, kw_only=True):
    """A cancellation is durable and about to leave."""

    why: str = ""


class OrderCancelRefused(OrderEvent, frozen=True, kw_only=True):
    """The broker did not cancel."""

    code: str
    reason: str


class OrderCancelled(OrderEvent, frozen=True, kw_only=True):
    """What was unfilled is gone."""

    reason: str = ""


class OrderRejected(OrderEvent, frozen=True, kw_only=True):
    """The broker or exchange provably refused the order."""

    code: str
    reason: str


class OrderExpired(OrderEvent, frozen=True, kw_only=True):
    """The order's time ended: day over, IOC remainder, or an intent too old to send."""

    reason: str


class OrderDoubted(OrderEvent, frozen=True, kw_only=True):
    """Sent, but what became of it cannot be proven."""

    cause: str


class OrderPresumedAbsent(OrderEvent, frozen=True, kw_only=True):
    """``reads`` usable books, one of them newer than the order, do not show it. It stays watched and reserved."""

    reads: int


class OrderReleasable(OrderEvent, frozen=True, kw_only=True):
    """Probably absent, without the proof: the trader may release what the doubt holds back."""

    reads: int


class OrderDoubtReleased(OrderEvent, frozen=True, kw_only=True):
    """The trader let entries go on in spite of this order. The watch and the reservation stay."""

    why: str


class ParentEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to an order that leaves in parts."""

    parent_id: str

    @property
    def stream(self) -> str:
        return f"parent:{self.parent_id}"


class ParentOpened(ParentEvent, frozen=True, kw_only=True):
    """An order passed the rules as a whole and leaves in ``parts`` (units each); their fills never exceed its own."""

    terms: OrderTerms
    risk: RiskClass
    lot: int
    largest: int
    parts: tuple[int, ...]
    pace: Pace = Pace.AT_ONCE
    every: float = 0.0
    drift: int = 0
    reference: int | None = None


class ParentChanged(ParentEvent, frozen=True, kw_only=True):
    """Parts that leave from now on have new terms; those that work are changed by facts of their own."""

    terms: OrderTerms


class ParentEnded(ParentEvent, frozen=True, kw_only=True):
    """No further part leaves. ``cancel``: those that work are cancelled too."""

    status: ParentStatus
    why: str = ""
    cancel: bool = False


class GroupEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to a group of dependent orders."""

    group_id: str

    @property
    def stream(self) -> str:
        return f"group:{self.group_id}"


class GroupOpened(GroupEvent, frozen=True, kw_only=True):
    """Orders were tied together. ``lots`` are the units in a lot of each.

    ``closes``: all of them close one position; ``alone``: only one may rest at a time.
    """

    kind: GroupKind
    orders: tuple[OrderTerms, ...]
    lots: tuple[int, ...]
    closes: bool = False
    alone: bool = False


class GroupMemberSent(GroupEvent, frozen=True, kw_only=True):
    """An order left for a member of the group, counted from 0."""

    member: int
    order_id: str


class GroupSwitched(GroupEvent, frozen=True, kw_only=True):
    """The price of a member that waited was reached: it takes the place of the resting one once that is gone."""

    member: int


class GroupRaced(GroupEvent, frozen=True, kw_only=True):
    """More was filled than the group was to allow, before the peers could be cancelled."""

    text: str


class GroupEnded(GroupEvent, frozen=True, kw_only=True):
    """The group acts no more. ``cancel``: its orders that work are cancelled."""

    why: str = ""
    cancel: bool = False


class BracketEvent(Event, frozen=True, kw_only=True):
    """Base of what happens to the guard that waits for an entry, an order or a parent."""

    entry_id: str

    @property
    def stream(self) -> str:
        return f"{'parent' if self.entry_id.startswith('P') else 'order'}:{self.entry_id}"


class BracketAttached(BracketEvent, frozen=True, kw_only=True):
    """The position that the entry opens is to be guarded from its first fill on; prices in paise."""

    account: str
    product: Product
    contract: str
    side: Side
    stop: int | None = None
    target: int | None = None


class BracketGuarded(BracketEvent, frozen=True, kw_only=True):
    """So many more of the filled units have their guard."""

    qty: int


class BracketEnded(BracketEvent, frozen=True, kw_only=True):
    """The entry fills no more: what is filled has its guard, or ``why`` says what came between."""

    why: str = ""


class ReversalBegun(Event, frozen=True, kw_only=True):
    """The trader wants the opposite of what is open; the flatten of the same id comes first."""

    reversal_id: str
    kind: str
    name: str
    legs: tuple[ReversalLeg, ...]


class ReversalEnded(Event, frozen=True, kw_only=True):
    """All was flat and ``orders`` were opened the other way, or nothing was, and why."""

    reversal_id: str
    orders: tuple[str, ...] = ()
    text: str = ""


class PositionAdopted(Event, frozen=True, kw_only=True):
    """The trader took the broker's figure for ours: ``qty`` signed units (the difference) at ``price`` each."""

    account: str
    product: Product
    contract: str
    lot: int
    qty: int
    price: int

    @property
    def stream(self) -> str:
        return f"account:{self.account}"


class DriftSeen(Event, frozen=True, kw_only=True):
    """Our book and the broker's hold different net quantities of a contract, twice in a row."""

    account: str
    product: Product
    contract: str
    ours: int
    theirs: int

    @property
    def stream(self) -> str:
        return f"account:{self.account}"


class DriftEnded(Event, frozen=True, kw_only=True):
    """The books agree on the contract again."""

    account: str
    product: Product
    contract: str

    @property
    def stream(self) -> str:
        return f"account:{self.account}"


class PositionSettled(Event, frozen=True, kw_only=True):
    """Expiry closed a position in cash at ``price``. ``qty`` is the signed quantity that was open."""

    account: str
    product: Product
    contract: str
    qty: int
    price: int
    charges: int

    @property
    def stream(self) -> str:
        return f"account:{self.account}"


class NoticeRaised(Event, frozen=True, kw_only=True):
    """Something the trader must know. ``level`` is info, warning or alarm."""

    level: str
    code: str
    text: str
    subject: str = ""


class NoticeAcknowledged(Event, frozen=True, kw_only=True):
    """The trader has seen every notice up to ``upto`` (a journal sequence number)."""

    upto: int


class InputSetAside(Event, frozen=True, kw_only=True):
    """A broker's row could not be taken into the book; ``row`` is its JSON. The same id again is one more failure."""

    letter_id: str
    account: str
    kind: str
    row: str
    why: str


class InputReplayed(Event, frozen=True, kw_only=True):
    """A row that was set aside was heard again, and now it could be taken in."""

    letter_id: str


class InputDropped(Event, frozen=True, kw_only=True):
    """The trader put a row away that was set aside."""

    letter_id: str


class FlattenBegun(Event, frozen=True, kw_only=True):
    """A wish to be flat in a scope, kept until it is so.

    A part exit (``percent`` below 100) fixes what it leaves open: ``targets`` in signed units by position key.
    """

    flatten_id: str
    kind: str
    name: str
    percent: int
    why: str
    targets: dict[str, int] = {}


class FlattenHeld(Event, frozen=True, kw_only=True):
    """A flatten cannot go on just now, and why; an empty ``text`` says that it goes on."""

    flatten_id: str
    text: str


class FlattenEnded(Event, frozen=True, kw_only=True):
    """A flatten is over: nothing is left to close and nothing works, unless ``text`` says what is left.

    ``orders`` were sent for it, ``cancelled`` orders and ``closed`` positions counted.
    """

    flatten_id: str
    orders: tuple[str, ...]
    text: str = ""
    cancelled: int = 0
    closed: int = 0


class ProtectionEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to the guard of one position, or of what one ``source`` holds of it."""

    key: PositionKey
    source: str = ""

    @property
    def stream(self) -> str:
        return f"position:{self.key}"

    @property
    def name(self) -> str:
        """How the guard is called in the book."""
        return guard_name(self.key, self.source)


class ProtectionSet(ProtectionEvent, frozen=True, kw_only=True):
    """A position is guarded at these levels from now on. ``sign`` is +1 for a long position, -1 for a short."""

    protection_id: str
    sign: int
    stop: int | None
    target: int | None
    mode: StopMode
    wide: int | None


class ProtectionMoved(ProtectionEvent, frozen=True, kw_only=True):
    """The stop at the exchange came into another state."""

    state: Guard
    reason: Repair = Repair.NONE


class ProtectionCrossed(ProtectionEvent, frozen=True, kw_only=True):
    """A first quote at or beyond a level (``crossing`` is stop or target): one quote alone proves nothing.

    An empty ``crossing`` says that the price came back. ``ts`` is the quote's time, ``price`` paise.
    """

    crossing: str
    price: int
    ts: int


class ProtectionSight(ProtectionEvent, frozen=True, kw_only=True):
    """The guard lost sight of its price, or has it again."""

    blind: bool


class ProtectionTriggered(ProtectionEvent, frozen=True, kw_only=True):
    """The guard acts: the position is closed because of its ``why`` (stop or target), seen at ``price`` paise."""

    why: str
    price: int | None


class ProtectionEnded(ProtectionEvent, frozen=True, kw_only=True):
    """The position is guarded no longer: flat, turned, cleared, or under the kill switch."""

    reason: str


class KillEngaged(Event, frozen=True, kw_only=True):
    """The kill switch is latched: no order that adds risk may leave."""

    why: str


class KillReleased(Event, frozen=True, kw_only=True):
    """The kill switch was released by typed text."""


class LimitEvent(Event, frozen=True, kw_only=True):
    """Base of facts about one limit."""

    level: Level
    name: str
    kind: LimitKind

    @property
    def stream(self) -> str:
        return "risk"


class LimitsSeeded(Event, frozen=True, kw_only=True):
    """The first start took its limits from the configuration; from here on the journal says what holds."""

    limits: tuple[Limit, ...]

    @property
    def stream(self) -> str:
        return "risk"


class LimitSet(Event, frozen=True, kw_only=True):
    """A limit holds from now on. ``before`` is what it replaces; ``loosened`` that it allows more than that."""

    limit: Limit
    before: Limit | None = None
    loosened: bool = False
    why: str = ""

    @property
    def stream(self) -> str:
        return "risk"


class LimitRemoved(LimitEvent, frozen=True, kw_only=True):
    """A limit holds no more. ``before`` is what held."""

    before: Limit
    why: str


class LimitWarned(LimitEvent, frozen=True, kw_only=True):
    """``step`` per cent of a limit are used; once a step and day. ``used`` is in the limit's unit."""

    step: int
    used: int


class LimitBroken(LimitEvent, frozen=True, kw_only=True):
    """A limit was reached, and its action follows. ``used`` is in the limit's unit."""

    used: int
    action: LimitAction


class ContractsMarked(Event, frozen=True, kw_only=True):
    """What open contracts are worth a unit, in paise, where one day's profit ends and the next one's begins.

    CLOSE marks are this day's last prices; PREVIOUS and FIRST ones say what the day before is taken to have ended at.
    """

    basis: Basis
    prices: dict[str, int]

    @property
    def stream(self) -> str:
        return "risk"


class ProfitPeaked(Event, frozen=True, kw_only=True):
    """The day's profit of a scope reached a new height, in paise; told in steps, not by the tick."""

    level: Level
    name: str
    profit: int

    @property
    def stream(self) -> str:
        return "risk"


class ProfitLost(Event, frozen=True, kw_only=True):
    """The profit of a scope cannot be known, since a price is missing; its loss limit cannot be watched."""

    level: Level
    name: str
    contract: str
    blocks: bool

    @property
    def stream(self) -> str:
        return "risk"


class ProfitSeen(Event, frozen=True, kw_only=True):
    """The profit of a scope is known again."""

    level: Level
    name: str

    @property
    def stream(self) -> str:
        return "risk"


class TradingStateChanged(Event, frozen=True, kw_only=True):
    """What orders of a scope may leave. ``until`` ends a lock by itself, ``daily`` states end with the day.

    ``rearms`` says that a person allowed trading again: the scope's limits act anew.
    """

    level: Level
    name: str
    standing: Standing
    why: str
    until: datetime | None = None
    daily: bool = False
    sweep: Sweep = Sweep.NONE
    rearms: bool = False

    @property
    def stream(self) -> str:
        return "risk"


class BasketEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one basket."""

    name: str

    @property
    def stream(self) -> str:
        return f"basket:{self.name}"


class BasketSaved(BasketEvent, frozen=True, kw_only=True):
    """A basket was written down. ``source`` and ``pin`` are a publisher's bundle and version, empty for one's own."""

    basket: Basket
    version: int
    source: str = ""
    pin: str = ""


class BasketStatusChanged(BasketEvent, frozen=True, kw_only=True):
    """What a basket may do changed."""

    status: BasketStatus
    why: str = ""


class BarsMarked(Event, frozen=True, kw_only=True):
    """What a day's prices have been so far, by contract."""

    bars: dict[str, DayBar]


class CandleClosed(Event, frozen=True, kw_only=True):
    """A candle of so many minutes that a strategy looks at was closed."""

    name: str
    minutes: int
    candle: Candle

    @property
    def stream(self) -> str:
        return f"candles:{self.name}"


class RunEvent(Event, frozen=True, kw_only=True):
    """Base of everything that happens to one run. ``why`` holds the values the decision was made on."""

    run_id: str
    why: dict[str, Any] = {}

    @property
    def stream(self) -> str:
        return f"run:{self.run_id}"


class RunPlanned(RunEvent, frozen=True, kw_only=True):
    """A run of a strategy was planned for a day, or the day was found not to be one of its days."""

    run: Run


class RunMoved(RunEvent, frozen=True, kw_only=True):
    """A run went on to another status. ``lag_ms`` is given when it begins."""

    status: RunStatus
    code: str = ""
    text: str = ""
    lag_ms: int | None = None


class RunWatched(RunEvent, frozen=True, kw_only=True):
    """What a run remembers changed; ``what`` in one word."""

    what: str
    watch: RunWatch


class RunEdited(RunEvent, frozen=True, kw_only=True):
    """The rules of a run were changed while it was under way."""

    strategy: Strategy
    exit_at: datetime


class LegMoved(RunEvent, frozen=True, kw_only=True):
    """A leg of a run went on, or one of its levels moved; ``what`` in one word."""

    what: str
    leg: LegRun


class CommandRefused(Event, frozen=True, kw_only=True):
    """A command was understood and not done."""

    command: str
    code: str
    reason: str


class CommandNoted(Event, frozen=True, kw_only=True):
    """A command was carried out and there was nothing to change; that it was asked stays on record."""

    command: str
    text: str


AnyEvent = (
    EngineStarted
    | EngineReady
    | EngineStopped
    | SessionOpened
    | SessionClosed
    | AccountOpened
    | OrderDenied
    | OrderIntended
    | OrderAdopted
    | OrderClaimed
    | OrderSent
    | OrderAcknowledged
    | OrderConfirmed
    | OrderTriggered
    | OrderFilled
    | OrderChangeAsked
    | OrderChanged
    | OrderChangeRefused
    | OrderCancelAsked
    | OrderCancelRefused
    | OrderCancelled
    | OrderRejected
    | OrderExpired
    | OrderDoubted
    | OrderPresumedAbsent
    | OrderReleasable
    | OrderDoubtReleased
    | ParentOpened
    | ParentChanged
    | ParentEnded
    | GroupOpened
    | GroupMemberSent
    | GroupSwitched
    | GroupRaced
    | GroupEnded
    | BracketAttached
    | BracketGuarded
    | BracketEnded
    | ReversalBegun
    | ReversalEnded
    | PositionAdopted
    | DriftSeen
    | DriftEnded
    | PositionSettled
    | NoticeRaised
    | NoticeAcknowledged
    | InputSetAside
    | InputReplayed
    | InputDropped
    | FlattenBegun
    | FlattenHeld
    | FlattenEnded
    | ProtectionSet
    | ProtectionMoved
    | ProtectionCrossed
    | ProtectionSight
    | ProtectionTriggered
    | ProtectionEnded
    | KillEngaged
    | KillReleased
    | LimitsSeeded
    | LimitSet
    | LimitRemoved
    | LimitWarned
    | LimitBroken
    | ContractsMarked
    | ProfitPeaked
    | ProfitLost
    | ProfitSeen
    | TradingStateChanged
    | BasketSaved
    | BasketStatusChanged
    | BarsMarked
    | CandleClosed
    | RunPlanned
    | RunMoved
    | RunWatched
    | RunEdited
    | LegMoved
    | CommandRefused
    | CommandNoted
)
"""The closed set of facts; the decoder knows exactly these."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact with its place in the journal.

    ``seq`` is global and gapless from 1; ``at`` the engine's IST time; ``actor`` who caused it (``key:…``, ``cli``,
    ``engine``, ``broker:paper``); ``cause`` the command id or the seq it follows from.
    """

    seq: int
    at: datetime
    actor: str
    cause: str
    event: AnyEvent
