"""What a trader sees of strategies before anything is sent: values. Money and prices are paise, None is unknown."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side


class PayoffPoint(msgspec.Struct, frozen=True):
    """Paise made with the underlying ``at``: once the first leg expires, and if it were there now."""

    at: int
    at_expiry: int
    now: int | None


class Move(msgspec.Struct, frozen=True):
    """Between which prices the underlying is expected to be at the first expiry, so many deviations wide."""

    sigmas: int
    low: int
    high: int


class PayoffPicture(msgspec.Struct, frozen=True, kw_only=True):
    """What legs make, as of ``until``, when the first of them expires.

    ``max_profit`` and ``max_loss`` (positive) are None with ``endless_profit`` or ``endless_loss`` where nothing bounds
    them, and while unknown. ``chance`` of a profit and ``vol`` are fractions, ``carry`` a fraction a year;
    ``reward_to_risk`` is the most that can be made to the most that can be lost. ``missing`` says what could not be
    priced.
    """

    spot: int
    until: datetime | None
    carry: float
    vol: float | None
    points: tuple[PayoffPoint, ...] = ()
    break_evens: tuple[int, ...] = ()
    max_profit: int | None = None
    endless_profit: bool = False
    max_loss: int | None = None
    endless_loss: bool = False
    reward_to_risk: float | None = None
    chance: float | None = None
    moves: tuple[Move, ...] = ()
    missing: tuple[str, ...] = ()


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the worst case: what it is of, which legs, and paise lost; ``text`` says how it was reckoned.

    ``what`` is leg, reentry, lazy or gap; where ``loss`` is None it is endless, or unknown for want of a price.
    """

    what: str
    leg: str
    loss: int | None
    text: str


class LedgerLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit next to the worst case: paise that may be lost, and what would be left of them; negative is beyond."""

    name: str
    allowed: int
    left: int | None


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The worst that a run, or a strategy before it runs, may come to (features 1.14).

    ``mtm`` is what it has made so far, ``open_stops`` what goes if every open leg is stopped, ``reentries`` what all
    re-entries left would lose at their stops, ``gap`` what a jump takes beyond the stops. ``total`` is ``mtm`` less
    the three, bounded by the overall stop; None while a part is unknown or ``endless`` (those legs).
    ``capped`` is the loss at which the overall stop ends it, with its cycles, None without one.
    """

    mtm: int | None
    open_stops: int | None
    reentries: int | None
    gap: int | None
    total: int | None
    endless: tuple[str, ...] = ()
    capped: int | None = None
    rows: tuple[LedgerRow, ...] = ()
    limits: tuple[LedgerLimit, ...] = ()


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """One second with more requests than may leave at once: how many, of whom, and when the last has left."""

    at: datetime
    entries: int
    exits: int
    seconds: float
    names: tuple[str, ...]


class Stagger(msgspec.Struct, frozen=True, kw_only=True):
    """A later entry that would leave at once."""

    name: str
    at: datetime
    instead: datetime


class RateForecast(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to brokers over a day against what may leave (features SC-7).

    ``busiest`` is the most due in one second; ``slowest`` the longest that an entry waits, in seconds. ``late`` names
    whose entries would wait longer than ``patience`` seconds: those are held back and tried again while they may enter.
    """

    requests: int
    busiest: int
    slowest: float
    patience: float
    late: tuple[str, ...] = ()
    delays: tuple[Delay, ...] = ()
    staggered: tuple[Stagger, ...] = ()


class LegPick(msgspec.Struct, frozen=True, kw_only=True):
    """The contract a leg means now, with its premium and why; or a ``code`` and a sentence why there is none.

    ``lots`` are those written; ``lazy`` legs are entered only when another one arms them.
    """

    leg: str
    side: Side
    lots: int
    lazy: bool
    contract: str = ""
    lot: int = 0
    expiry: date | None = None
    strike: int | None = None
    right: Right | None = None
    premium: int | None = None
    vol: float | None = None
    code: str = ""
    why: str = ""


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """Paise by who takes them. ``total`` is rounded once an order, so that the parts may miss it by a paisa or two."""

    brokerage: int
    stt: int
    exchange: int
    sebi: int
    stamp: int
    gst: int
    total: int


class LegCost(msgspec.Struct, frozen=True, kw_only=True):
    """Charges of one leg: ``units`` at ``price`` in so many ``orders``, entered and left again at the same price."""

    leg: str
    contract: str
    side: Side
    units: int
    price: int
    orders: int
    entry: Charges
    exit: Charges


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one account would trade of a strategy; ``code`` and ``text`` where it would not.

    ``lots`` by leg. ``orders`` are those of the entry, as the exchange takes them. ``paid`` is the premium paid less
    that received. ``charges`` are those of entry and of an exit at the same prices, None where no rates are known.
    """

    account: str
    text: str
    code: str = ""
    lots: dict[str, int] = {}
    orders: int = 0
    paid: int | None = None
    charges: int | None = None
    costs: tuple[LegCost, ...] = ()
    max_profit: int | None = None
    max_loss: int | None = None
    endless_loss: bool = False
    worst: Ledger | None = None


class StrategyView(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy as it would be entered now. ``picture`` is of one times the lots as written.

    ``code`` and ``text`` say when it enters today, or why it does not.
    """

    name: str
    underlying: str
    legs: tuple[LegPick, ...]
    picture: PayoffPicture | None
    shares: tuple[Share, ...]
    code: str = ""
    text: str = ""


class MarginView(msgspec.Struct, frozen=True, kw_only=True):
    """Margin of one account around a basket: what is held ties up ``before``; all of it together ``after``.

    ``peak`` is the most on the way there, leg by leg in the order in which they leave; ``apart`` the orders each for
    itself, beside what is held. ``premium`` is what bought options cost in cash. ``free`` is the broker's last word;
    ``short`` what is missing of the peak and the premium, 0 when nothing is. ``broker`` is what the broker itself asks
    for everything, None where it was not asked or did not say.
    """

    account: str
    before: int | None
    after: int | None
    peak: int | None
    apart: int | None
    span: int | None = None
    exposure: int | None = None
    expiry_extra: int | None = None
    premium: int | None = None
    free: int | None = None
    short: int | None = None
    broker: int | None = None
    steps: tuple[tuple[str, int], ...] = ()
    code: str = ""
    text: str = ""
