"""What travels between the exchange's process, an engine's, and the test: length-prefixed JSON frames over loopback."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.quotes import Quote
from optconsole.engine.ports import (
    Accepted,
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    Doubtful,
    ModifyRequest,
    NotSent,
    PlaceOutcome,
    PlaceRequest,
    Rejected,
    Settlement,
)
from optconsole.link.wire import MAX_FRAME, read_body


class Frame(msgspec.Struct, frozen=True, tag=True):
    """Base of everything on this wire; ``rid`` ties an answer to its request."""


class Hello(Frame, frozen=True):
    """First words of an engine: from now on it hears quotes and rows. ``life`` numbers the engine's processes."""

    life: int


class Place(Frame, frozen=True):
    rid: int
    request: PlaceRequest


class Modify(Frame, frozen=True):
    rid: int
    request: ModifyRequest


class Cancel(Frame, frozen=True):
    rid: int
    broker_id: str


class Read(Frame, frozen=True):
    rid: int


class Margin(Frame, frozen=True):
    rid: int
    requests: tuple[PlaceRequest, ...]


class Reached(Frame, frozen=True):
    """An engine has taken in all that came before barrier ``number``."""

    number: int


class Told(Frame, frozen=True):
    """The outcome of an order call by the name of its class; ``Lost`` means that the call's connection broke."""

    rid: int
    word: str
    values: tuple[str, ...] = ()


class Books(Frame, frozen=True):
    """One look at the exchange."""

    rid: int
    orders: tuple[BrokerOrder, ...]
    trades: tuple[BrokerTrade, ...]
    positions: tuple[BrokerPosition, ...]
    settlements: tuple[Settlement, ...]
    funds: Funds


class Amount(Frame, frozen=True):
    rid: int
    paise: int


class OrderRow(Frame, frozen=True):
    row: BrokerOrder


class TradeRow(Frame, frozen=True):
    row: BrokerTrade


class SettledRow(Frame, frozen=True):
    row: Settlement


class Quoted(Frame, frozen=True):
    quotes: tuple[Quote, ...]


class Barrier(Frame, frozen=True):
    number: int


class Show(Frame, frozen=True):
    """The market looks like this from now on, for the exchange and for engines that listen."""

    rid: int
    quotes: tuple[Quote, ...]


class Arm(Frame, frozen=True):
    """The next call of ``verb`` meets this fault; an empty verb takes all faults away."""

    rid: int
    verb: str
    fault: str = ""
    seconds: float = 0.0


class Trap(Frame, frozen=True):
    """The engine that listens gets ``signal`` at the next point of this name."""

    rid: int
    point: str
    signal: int


class Settle(Frame, frozen=True):
    """Answered once calls that are late have arrived and the engine has taken in everything; ``gone`` without one."""

    rid: int


class Tell(Frame, frozen=True):
    rid: int


class Call(msgspec.Struct, frozen=True):
    """One order call as it reached the exchange. ``room`` is what a closing order could still close then."""

    life: int
    verb: str
    tag: str
    broker_id: str
    qty: int
    durable: bool
    room: int
    at: float
    price: int = 0


class Truth(Frame, frozen=True):
    """All that the exchange knows."""

    rid: int
    calls: tuple[Call, ...]
    books: Books


class Done(Frame, frozen=True):
    rid: int
    text: str = ""


Any = (
    Hello
    | Place
    | Modify
    | Cancel
    | Read
    | Margin
    | Reached
    | Told
    | Books
    | Amount
    | OrderRow
    | TradeRow
    | SettledRow
    | Quoted
    | Barrier
    | Show
    | Arm
    | Trap
    | Settle
    | Tell
    | Truth
    | Done
)
_DECODER: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(Any)
_OUTCOMES: Final = {kind.__name__: kind for kind in (Accepted, Rejected, Doubtful, NotSent)}


def pack(message: Frame) -> bytes:
    """The bytes of a message, prefix included."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(4, "big") + body


async def take(reader: asyncio.StreamReader) -> Any:
    """The next message. Raises IncompleteReadError or OSError at the end."""
    return _DECODER.decode(await read_body(reader, MAX_FRAME))


def told(rid: int, outcome: PlaceOutcome) -> Told:
    """An outcome as a message."""
    return Told(rid, type(outcome).__name__, msgspec.structs.astuple(outcome))


def outcome_of(message: Told) -> PlaceOutcome:
    """The outcome a message carries."""
    if message.word == "Lost":
        return Doubtful("the connection broke before the answer came")
    return _OUTCOMES[message.word](*message.values)
