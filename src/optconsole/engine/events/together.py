"""Orders that belong together: parents, groups, brackets, reversals."""

from __future__ import annotations

from optconsole.engine.events.base import Event
from optconsole.engine.model.groups import GroupKind, ReversalLeg
from optconsole.engine.model.orders import OrderTerms, Product, RiskClass, Side
from optconsole.engine.model.parents import Pace, ParentStatus


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
