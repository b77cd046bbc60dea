"""The book: every value the facts have built up, as one structure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec

from optconsole.engine.model.accounts import Account
from optconsole.engine.model.bars import DayBar
from optconsole.engine.model.baskets import BasketBook
from optconsole.engine.model.groups import Bracket, Group, Reversal
from optconsole.engine.model.limits import Exit, Limit, LimitDay, Reserved, ScopeState, Tally
from optconsole.engine.model.orders import Order, Trade
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.positions import Base, Position, PositionKey
from optconsole.engine.model.protection import Protection
from optconsole.engine.model.runs import Run
from optconsole.engine.model.shares import Parts
from optconsole.engine.model.trigger_state import Candle


class AccountBook(msgspec.Struct, frozen=True, kw_only=True):
    """An account with the profit and charges of earlier days, in paise."""

    account: Account
    realised_before: int = 0
    charges_before: int = 0


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice with its place in the journal and its time."""

    seq: int
    level: str
    code: str
    text: str
    subject: str
    at: datetime | None = None


BY_SOURCE: Final = "strategy"
"""The kind of a wish that closes what one strategy holds."""


class Flattening(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be flat in a scope. It lives until that is so, with nothing of ours working or in doubt there.

    ``targets`` are the open quantities (signed units, by position key) that a part exit leaves, by source for the part
    of one leg of a run; ``apart`` says that the part is left also where others hold against it, so that the account's
    net position opens; ``after`` is the count of orders when it began, ``begun`` when; ``held`` says what keeps it from
    going on, empty while nothing does.
    """

    id: str
    kind: str
    name: str
    percent: int
    why: str
    actor: str
    begun: datetime
    targets: dict[str, int] = {}
    apart: bool = False
    after: int = 0
    held: str = ""

    @property
    def whole(self) -> bool:
        """Whether everything in the scope goes, as opposed to a part of each position."""
        return self.percent == 100 and not self.source

    @property
    def source(self) -> str:
        """The strategy or basket whose own units go, whatever others hold of the same contracts; empty for others."""
        return self.name if self.kind == BY_SOURCE else ""

    @property
    def parted(self) -> bool:
        """Whether a leg of a run keeps a part of what it holds."""
        return bool(self.source and self.targets)

    @property
    def kept(self) -> int:
        """Units, unsigned, that a leg of a run keeps."""
        return abs(self.targets.get(self.source, 0)) if self.source else 0


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A contract of which our book and the broker's hold different net quantities (signed units)."""

    key: PositionKey
    ours: int
    theirs: int
    since: datetime


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A broker's row, as JSON, that could not be taken into the book. ``tries`` counts how often it failed."""

    id: str
    account: str
    kind: str
    row: str
    why: str
    at: datetime
    tries: int = 1


class TradingState(msgspec.Struct, kw_only=True):
    """Everything the facts say. Values are immutable; only ``apply`` puts them in place.

    ``positions`` and ``protections`` are keyed by ``str(PositionKey)``, ``trades`` by account, day and trade number,
    ``books`` (parts of positions that strategies trade) by position, ``limits`` and ``limit_days`` by ``Limit.key``;
    ``bases`` (what carried contracts were worth as the day before ended) and ``closes`` (what they are worth as this
    one ends) by contract; ``scopes``, ``peaks`` (the day's highest profit) and ``unseen`` (scopes whose profit is
    unknown, and whether that blocks) by ``scope_key``; ``tallies`` by account and source, ``reserved`` (what may still
    trade) by position and source. ``killed_after`` is the count of orders at the kill, ``strangers`` the units that
    others traded since then. ``exits`` (what was closed today, the latest last) are keyed by order, or parent, and
    source.
    """

    seq: int = 0
    world: str = ""
    epoch: int = 0
    day: date | None = None
    ready: bool = False
    killed: bool = False
    kill_reason: str = ""
    killed_at: datetime | None = None
    order_count: int = 0
    acknowledged: int = 0
    accounts: dict[str, AccountBook] = {}
    orders: dict[str, Order] = {}
    positions: dict[str, Position] = {}
    trades: dict[str, Trade] = {}
    notices: tuple[Notice, ...] = ()
    flattening: dict[str, Flattening] = {}
    drifts: dict[str, Drift] = {}
    letters: dict[str, Letter] = {}
    parent_count: int = 0
    parents: dict[str, Parent] = {}
    group_count: int = 0
    groups: dict[str, Group] = {}
    brackets: dict[str, Bracket] = {}
    reversals: dict[str, Reversal] = {}
    session_open: bool = True
    killed_after: int = 0
    strangers: dict[str, int] = {}
    protections: dict[str, Protection] = {}
    protection_count: int = 0
    books: dict[str, Parts] = {}
    limits_seeded: bool = False
    limits: dict[str, Limit] = {}
    limit_days: dict[str, LimitDay] = {}
    scopes: dict[str, ScopeState] = {}
    peaks: dict[str, int] = {}
    unseen: dict[str, bool] = {}
    tallies: dict[str, Tally] = {}
    reserved: dict[str, Reserved] = {}
    baskets: dict[str, BasketBook] = {}
    run_count: int = 0
    runs: dict[str, Run] = {}
    candles: dict[str, tuple[Candle, ...]] = {}
    bars: dict[str, DayBar] = {}
    bars_before: dict[str, tuple[DayBar, ...]] = {}
    bases: dict[str, Base] = {}
    closes: dict[str, int] = {}
    exits: dict[str, Exit] = {}

    def copy(self) -> TradingState:
        """An independent state: containers are copied, the immutable values in them shared."""
        return msgspec.structs.replace(
            self,
            accounts=dict(self.accounts),
            orders=dict(self.orders),
            positions=dict(self.positions),
            trades=dict(self.trades),
            flattening=dict(self.flattening),
            drifts=dict(self.drifts),
            letters=dict(self.letters),
            parents=dict(self.parents),
            groups=dict(self.groups),
            brackets=dict(self.brackets),
            reversals=dict(self.reversals),
            strangers=dict(self.strangers),
            protections=dict(self.protections),
            books=dict(self.books),
            limits=dict(self.limits),
            limit_days=dict(self.limit_days),
            scopes=dict(self.scopes),
            peaks=dict(self.peaks),
            unseen=dict(self.unseen),
            tallies=dict(self.tallies),
            reserved=dict(self.reserved),
            baskets=dict(self.baskets),
            runs=dict(self.runs),
            candles=dict(self.candles),
            bars=dict(self.bars),
            bars_before=dict(self.bars_before),
            bases=dict(self.bases),
            closes=dict(self.closes),
            exits=dict(self.exits),
        )
