"""What the engine asks of the world. Brokers, feeds, stores and links meet the engine here and nowhere else."""

from __future__ import annotations

from optconsole.engine.ports.brokers import (
    LOGIN_LOST,
    Accepted,
    Broker,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    BrokerUnreachable,
    BrokerUpdate,
    Doubtful,
    LoginLost,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
    UpdateSink,
)
from optconsole.engine.ports.consoles import Beat, EnginePort, Snapshot, Tap
from optconsole.engine.ports.feeds import Feed, Playback, QuoteSink
from optconsole.engine.ports.stores import Journal, JournalBroken
from optconsole.engine.ports.strategists import StrategyHost

__all__ = [
    "LOGIN_LOST",
    "Accepted",
    "Beat",
    "Broker",
    "BrokerOrder",
    "BrokerPosition",
    "BrokerTrade",
    "BrokerUnreachable",
    "BrokerUpdate",
    "Doubtful",
    "EnginePort",
    "Feed",
    "Journal",
    "JournalBroken",
    "LoginLost",
    "ModifyRequest",
    "NotSent",
    "PlaceOutcome",
    "PlaceRequest",
    "Playback",
    "QuoteSink",
    "Rejected",
    "Settlement",
    "Snapshot",
    "StrategyHost",
    "Tap",
    "UpdateSink",
]
