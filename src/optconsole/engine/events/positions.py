"""Positions, their differences from the broker's, and the guards that keep them."""

from __future__ import annotations

from optconsole.engine.events.base import Event
from optconsole.engine.model.orders import Product
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import Guard, Repair, StopMode, guard_name


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


class UnitsMoved(Event, frozen=True, kw_only=True):
    """``qty`` signed units of a position changed hands between its sources, at what they had cost."""

    account: str
    product: Product
    contract: str
    qty: int
    source: str
    to: str

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
