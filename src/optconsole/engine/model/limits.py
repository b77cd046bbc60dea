"""Limits a trader sets: on what, of which kind, and what happens when one is reached."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from optconsole.engine.model.orders import Product


class OrderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one order is measured by.

    ``max_lots`` an order; ``deviation_percent`` of a limit price from the market before it is refused as a slip;
    ``duplicate_seconds`` in which the same order by hand counts as pressed twice, None is two on live accounts only;
    ``mis_cutoff_minutes`` before the session's end in which MIS only closes; ``expiry_cutoff_minutes`` before a
    contract's very last trade in which no new risk is taken in it.
    """

    max_lots: int = 200
    deviation_percent: int = 60
    duplicate_seconds: int | None = None
    mis_cutoff_minutes: int = 15
    expiry_cutoff_minutes: int = 0


class Level(StrEnum):
    """What a limit is for.

    ``LEG`` is a contract; ``STRATEGY`` and ``BASKET`` are paths of ``OrderTerms.source``; ``GROUP`` is all
    accounts that name the group.
    """

    ORDER = "order"
    LEG = "leg"
    STRATEGY = "strategy"
    BASKET = "basket"
    ACCOUNT = "account"
    GROUP = "group"
    GLOBAL = "global"

    @property
    def named(self) -> bool:
        """Whether the level needs a name: which contract, strategy, basket, account or group."""
        return self not in (Level.ORDER, Level.GLOBAL)


class LimitKind(StrEnum):
    """What is limited. The first group watches what has happened, the second what an order could lead to."""

    MAX_LOSS = "max-loss"
    MAX_LOSS_PERCENT = "max-loss-percent"
    PROFIT_LOCK = "profit-lock"
    PROFIT_TRAIL = "profit-trail"
    TRADES = "trades-a-day"
    REJECTS = "rejects-in-a-row"
    COOL_OFF = "cool-off"
    ORDERS = "orders-a-day"
    RATE = "orders-a-second"
    LOTS = "lots"
    OPEN_LOTS = "open-lots"
    OPEN_LEGS = "open-legs"
    NOTIONAL = "notional"
    NET_DELTA = "net-delta"
    NET_VEGA = "net-vega"
    MARGIN_PERCENT = "margin-percent"
    NAKED_SHORT = "no-naked-short"
    HOURS = "hours"
    ORDER_LOTS = "lots-per-order"
    ORDER_VALUE = "order-value"
    DEVIATION = "price-deviation"


class Unit(StrEnum):
    """How a limit's value is written."""

    PAISE = "paise"
    PERCENT = "percent"
    LOTS = "lots"
    COUNT = "count"
    SWITCH = "switch"
    MINUTES = "minutes"


class LimitAction(StrEnum):
    """What reaching a limit does, from mild to harsh."""

    ALERT = "alert"
    BLOCK_NEW = "block-new"
    REDUCE_ONLY = "reduce-only"
    CANCEL_WORKING = "cancel-working"
    LOCK_UNTIL = "lock-until"
    EXIT_SCOPE = "exit-scope"


class Standing(StrEnum):
    """What orders may leave: all, those that reduce, only exits by hand and by the engine's guards."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    @property
    def severity(self) -> int:
        """0 for ACTIVE, more for stricter."""
        return (Standing.ACTIVE, Standing.REDUCING, Standing.HALTED).index(self)


class Sweep(StrEnum):
    """Which working orders a state cancels for as long as it stands; stops and closing orders are never among them."""

    NONE = ""
    ENTRIES = "entries"
    ALL = "all"


PROFITS: Final = frozenset(
    {LimitKind.MAX_LOSS, LimitKind.MAX_LOSS_PERCENT, LimitKind.PROFIT_LOCK, LimitKind.PROFIT_TRAIL}
)
"""Kinds that need the day's profit, and block new risk while it is unknown."""
DAILY: Final = PROFITS | {LimitKind.TRADES, LimitKind.REJECTS, LimitKind.ORDERS, LimitKind.COOL_OFF}
"""Kinds whose states end with the day."""
CAPS: Final = frozenset({LimitKind.LOTS, LimitKind.OPEN_LOTS, LimitKind.OPEN_LEGS, LimitKind.NOTIONAL})
"""Kinds counted on the worst case: all that is open with all that may still trade."""
SENSITIVE: Final = frozenset({LimitKind.NET_DELTA, LimitKind.NET_VEGA})
"""Caps on what the market's moves do to the worst case, either way: they need a volatility of every contract."""
GATED: Final = CAPS | SENSITIVE | {LimitKind.ORDERS, LimitKind.NAKED_SHORT, LimitKind.MARGIN_PERCENT}
"""Kinds that each order is measured against anew before it leaves."""
SINGLE: Final = frozenset({LimitKind.ORDER_LOTS, LimitKind.ORDER_VALUE, LimitKind.DEVIATION})
"""Kinds that judge one order by itself."""
JUDGING: Final = SINGLE | {LimitKind.HOURS, LimitKind.RATE}
"""Kinds that say something only of an order as it comes: nothing is used of them between two orders."""

UNITS: Final[dict[LimitKind, Unit]] = {
    LimitKind.MAX_LOSS: Unit.PAISE,
    LimitKind.MAX_LOSS_PERCENT: Unit.PERCENT,
    LimitKind.PROFIT_LOCK: Unit.PAISE,
    LimitKind.PROFIT_TRAIL: Unit.PAISE,
    LimitKind.TRADES: Unit.COUNT,
    LimitKind.REJECTS: Unit.COUNT,
    LimitKind.COOL_OFF: Unit.COUNT,
    LimitKind.ORDERS: Unit.COUNT,
    LimitKind.RATE: Unit.COUNT,
    LimitKind.LOTS: Unit.LOTS,
    LimitKind.OPEN_LOTS: Unit.LOTS,
    LimitKind.OPEN_LEGS: Unit.COUNT,
    LimitKind.NOTIONAL: Unit.PAISE,
    LimitKind.NET_DELTA: Unit.PAISE,
    LimitKind.NET_VEGA: Unit.PAISE,
    LimitKind.MARGIN_PERCENT: Unit.PERCENT,
    LimitKind.NAKED_SHORT: Unit.SWITCH,
    LimitKind.HOURS: Unit.MINUTES,
    LimitKind.ORDER_LOTS: Unit.LOTS,
    LimitKind.ORDER_VALUE: Unit.PAISE,
    LimitKind.DEVIATION: Unit.PERCENT,
}


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. ``value`` is in the unit of the kind.

    ``second`` is the other end of a pair: the profit kept by a lock, the profit at which a trail begins, the last
    minute of the day for hours, the minutes that a cool-off lasts. ``until`` is the minute of the day at which
    LOCK_UNTIL lets go.
    """

    level: Level
    kind: LimitKind
    value: int
    name: str = ""
    second: int | None = None
    action: LimitAction = LimitAction.BLOCK_NEW
    until: int | None = None

    @property
    def scope(self) -> str:
        """``account:paper``, ``global``: the key of what it is for."""
        return scope_key(self.level, self.name)

    @property
    def key(self) -> str:
        """Key of the limit itself."""
        return limit_key(self.level, self.name, self.kind)

    @property
    def unit(self) -> Unit:
        """The unit of ``value``."""
        return UNITS[self.kind]


def scope_key(level: Level, name: str) -> str:
    """Key of what limits and states are for."""
    return f"{level.value}:{name}" if name else level.value


def limit_key(level: Level, name: str, kind: LimitKind) -> str:
    """Key of a limit."""
    return f"{scope_key(level, name)}/{kind.value}"


class LimitDay(msgspec.Struct, frozen=True, kw_only=True):
    """What a limit has done today: the highest step told, and whether it was reached and acted on."""

    warned: int = 0
    broken: bool = False


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one level and name, since when, why and by whom.

    ``until`` is when a lock lets go, None for what only a person ends; ``daily`` states end when the next day opens.
    """

    level: Level
    name: str
    standing: Standing
    why: str
    by: str
    since: datetime
    until: datetime | None = None
    daily: bool = False
    sweep: Sweep = Sweep.NONE


class Tally(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Orders sent today by one source on one account, and how many of them traded."""

    account: str
    source: str
    orders: int = 0
    trades: int = 0


class Exit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one order, or the parts of one, has closed today for one source, and the paise it made before charges."""

    account: str
    contract: str
    source: str
    profit: int
    at: datetime


class Reserved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units that may still be bought and sold in one contract on behalf of one source, and their value in paise."""

    account: str
    product: Product
    contract: str
    source: str
    lot: int
    buys: int = 0
    sells: int = 0
    value: int = 0
