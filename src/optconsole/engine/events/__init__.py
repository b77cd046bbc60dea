"""Facts: frozen, typed, in the past tense. The journal is a sequence of these and nothing else.

A stored type name never changes meaning; a new shape is a new type. Money is paise, quantity units.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from optconsole.engine.events.base import (
    Event,
)
from optconsole.engine.events.days import (
    AccountOpened,
    EngineReady,
    EngineStarted,
    EngineStopped,
    SessionClosed,
    SessionOpened,
)
from optconsole.engine.events.limits import (
    ContractsMarked,
    LimitBroken,
    LimitEvent,
    LimitRemoved,
    LimitSet,
    LimitsSeeded,
    LimitWarned,
    ProfitLost,
    ProfitPeaked,
    ProfitSeen,
    TradingStateChanged,
)
from optconsole.engine.events.notices import (
    CommandNoted,
    CommandRefused,
    InputDropped,
    InputReplayed,
    InputSetAside,
    NoticeAcknowledged,
    NoticeRaised,
)
from optconsole.engine.events.orders import (
    OrderAcknowledged,
    OrderAdopted,
    OrderCancelAsked,
    OrderCancelled,
    OrderCancelRefused,
    OrderChangeAsked,
    OrderChanged,
    OrderChangeRefused,
    OrderClaimed,
    OrderConfirmed,
    OrderDenied,
    OrderDoubted,
    OrderDoubtReleased,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderPresumedAbsent,
    OrderRejected,
    OrderReleasable,
    OrderSent,
    OrderTriggered,
)
from optconsole.engine.events.positions import (
    DriftEnded,
    DriftSeen,
    PositionAdopted,
    PositionSettled,
    ProtectionCrossed,
    ProtectionEnded,
    ProtectionEvent,
    ProtectionMoved,
    ProtectionSet,
    ProtectionSight,
    ProtectionTriggered,
    UnitsMoved,
)
from optconsole.engine.events.strategies import (
    BarsMarked,
    BasketEvent,
    BasketSaved,
    BasketStatusChanged,
    CandleClosed,
    LegMoved,
    LegsGiven,
    RunAdjusted,
    RunEdited,
    RunEvent,
    RunMoved,
    RunPlanned,
    RunWatched,
)
from optconsole.engine.events.together import (
    BracketAttached,
    BracketEnded,
    BracketEvent,
    BracketGuarded,
    GroupEnded,
    GroupEvent,
    GroupMemberSent,
    GroupOpened,
    GroupRaced,
    GroupSwitched,
    ParentChanged,
    ParentEnded,
    ParentEvent,
    ParentOpened,
    ReversalBegun,
    ReversalEnded,
)
from optconsole.engine.events.wishes import (
    FlattenBegun,
    FlattenEnded,
    FlattenHeld,
    KillEngaged,
    KillReleased,
)

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
    | UnitsMoved
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
    | RunAdjusted
    | LegMoved
    | LegsGiven
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


__all__ = [
    "AccountOpened",
    "AnyEvent",
    "BarsMarked",
    "BasketEvent",
    "BasketSaved",
    "BasketStatusChanged",
    "BracketAttached",
    "BracketEnded",
    "BracketEvent",
    "BracketGuarded",
    "CandleClosed",
    "CommandNoted",
    "CommandRefused",
    "ContractsMarked",
    "DriftEnded",
    "DriftSeen",
    "EngineReady",
    "EngineStarted",
    "EngineStopped",
    "Event",
    "FlattenBegun",
    "FlattenEnded",
    "FlattenHeld",
    "GroupEnded",
    "GroupEvent",
    "GroupMemberSent",
    "GroupOpened",
    "GroupRaced",
    "GroupSwitched",
    "InputDropped",
    "InputReplayed",
    "InputSetAside",
    "KillEngaged",
    "KillReleased",
    "LegMoved",
    "LegsGiven",
    "LimitBroken",
    "LimitEvent",
    "LimitRemoved",
    "LimitSet",
    "LimitWarned",
    "LimitsSeeded",
    "NoticeAcknowledged",
    "NoticeRaised",
    "OrderAcknowledged",
    "OrderAdopted",
    "OrderCancelAsked",
    "OrderCancelRefused",
    "OrderCancelled",
    "OrderChangeAsked",
    "OrderChangeRefused",
    "OrderChanged",
    "OrderClaimed",
    "OrderConfirmed",
    "OrderDenied",
    "OrderDoubtReleased",
    "OrderDoubted",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderIntended",
    "OrderPresumedAbsent",
    "OrderRejected",
    "OrderReleasable",
    "OrderSent",
    "OrderTriggered",
    "ParentChanged",
    "ParentEnded",
    "ParentEvent",
    "ParentOpened",
    "PositionAdopted",
    "PositionSettled",
    "ProfitLost",
    "ProfitPeaked",
    "ProfitSeen",
    "ProtectionCrossed",
    "ProtectionEnded",
    "ProtectionEvent",
    "ProtectionMoved",
    "ProtectionSet",
    "ProtectionSight",
    "ProtectionTriggered",
    "Recorded",
    "ReversalBegun",
    "ReversalEnded",
    "RunAdjusted",
    "RunEdited",
    "RunEvent",
    "RunMoved",
    "RunPlanned",
    "RunWatched",
    "SessionClosed",
    "SessionOpened",
    "TradingStateChanged",
    "UnitsMoved",
]
