"""What a typed command asks for, as values; and the names it may speak of. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from optconsole.engine.commands import Scope
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing
from optconsole.engine.model.orders import OrderType, Product, Side, Validity


@dataclass(frozen=True, slots=True)
class Trade:
    """Open the ticket with these terms. Prices in paise; None leaves the ticket's own first price."""

    side: Side
    contract: str
    lots: int = 1
    type: OrderType = OrderType.LIMIT
    price: int | None = None
    trigger: int | None = None
    product: Product | None = None
    validity: Validity = Validity.DAY


@dataclass(frozen=True, slots=True)
class Close:
    """Flatten a scope, after a question."""

    scope: Scope
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel one order, or with an empty id all of the scope."""

    order_id: str = ""
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class Modify:
    """Open the ticket on a working order."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Show:
    """Show a screen; the chain with an underlying and an expiry."""

    screen: str
    underlying: str = ""
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class UseTheme:
    """Change the theme."""

    name: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Engage the kill switch."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Release the kill switch by typed text."""

    typed: str


@dataclass(frozen=True, slots=True)
class Steer:
    """Drive the practice clock or a replay: ``pause``, ``resume`` at a speed, ``to`` a time."""

    action: str
    until: str | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Quit the console."""


@dataclass(frozen=True, slots=True)
class PutLimit:
    """Set a limit. ``why`` is asked for where it allows more than the one before and none was written."""

    limit: Limit
    why: str = ""


@dataclass(frozen=True, slots=True)
class DropLimit:
    """Take a limit away."""

    level: Level
    kind: LimitKind
    name: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """Say what orders of a level may leave."""

    level: Level
    standing: Standing
    name: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class BasketWish:
    """Do something with a basket; ``to`` is a new name, a file or a structure."""

    verb: str
    name: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class RunWish:
    """Do something with a run, or with one leg of it."""

    verb: str
    run_id: str
    leg: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """Tell the runs that wait for a signal that it has come."""

    name: str


Automation = BasketWish | RunWish | Signal
Restraint = PutLimit | DropLimit | Stand
Wish = Automation | Restraint | Trade | Close | Cancel | Modify | Show | UseTheme | Kill | Release | Steer | Leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What names may be completed and checked against. ``expiries`` by underlying, nearest first."""

    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    contracts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    screens: tuple[str, ...] = ()
    baskets: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
