"""What a trader, a schedule or a script may ask. Imperative, frozen, one handler each; may be refused."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from optconsole.engine.model.access import Access
from optconsole.engine.model.adjustments import AnyAdjust
from optconsole.engine.model.baskets import Basket, BasketStatus
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.limits import Level, Limit, LimitKind, Standing
from optconsole.engine.model.orders import OrderTerms, Product
from optconsole.engine.model.protection import StopMode
from optconsole.engine.model.strategies import Strategy


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base. ``id`` is the asker's unique id (a repeated id is answered, not repeated); ``actor`` who asks.

    ``asked`` is the machine's monotonic second at which it was asked, by which a command that waited too long is known.
    ``access`` is that of the console it came over, which the link sets whatever the console says.
    """

    id: str
    actor: str
    asked: float | None = None
    access: Access = Access.ADMIN


class PlaceOrder(Command, frozen=True, kw_only=True):
    """Place one order; one that is too large for the exchange leaves in parts.

    ``parts`` above 1 asks for so many parts: each leaves once those before it are filled, or ``every`` seconds; the
    rest is given up when the price moves more than ``drift`` ticks. ``stop`` and ``target`` (paise) guard the position
    from the first fill on. ``again`` says that one like a moment ago is meant, and not pressed twice.
    """

    terms: OrderTerms
    parts: int = 0
    every: float = 0.0
    drift: int = 0
    stop: int | None = None
    target: int | None = None
    again: bool = False


class ModifyOrder(Command, frozen=True, kw_only=True):
    """Change a working order or all parts of a parent. ``None`` keeps a value. ``qty`` is the new total in units."""

    order_id: str
    qty: int | None = None
    price: int | None = None
    trigger: int | None = None


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel what is unfilled of one order, of all parts of a parent, or of a group."""

    order_id: str


class ScopeKind(StrEnum):
    """What cancel-all and flatten act on."""

    ALL = "all"
    ACCOUNT = "account"
    UNDERLYING = "underlying"
    EXPIRY = "expiry"
    CONTRACT = "contract"
    POSITION = "position"
    STRATEGY = "strategy"


class Scope(msgspec.Struct, frozen=True):
    """A set of orders or positions.

    ``name`` is the account, the underlying, the expiry (``NIFTY 01DEC26``, or ``01DEC26`` for all underlyings), the
    contract, the position (``account/product/contract``), or the path of a strategy or basket; empty for all.
    """

    kind: ScopeKind = ScopeKind.ALL
    name: str = ""


class CancelAll(Command, frozen=True, kw_only=True):
    """Cancel every working order in the scope."""

    scope: Scope = Scope()


class Flatten(Command, frozen=True, kw_only=True):
    """Cancel what works and close what is open in the scope, shorts first. ``percent`` of each position."""

    scope: Scope = Scope()
    percent: int = 100


class PlaceGroup(Command, frozen=True, kw_only=True):
    """Place orders that depend on one another. Of an OTO the first releases the others."""

    kind: GroupKind
    orders: tuple[OrderTerms, ...]


class Reverse(Command, frozen=True, kw_only=True):
    """Close what is open in the scope and, once it is flat, open the same quantities the other way."""

    scope: Scope


class AbandonFlatten(Command, frozen=True, kw_only=True):
    """Give up a flatten: its closing orders are cancelled, what is open stays open. A kill is not given up."""

    flatten_id: str


class SetStop(Command, frozen=True, kw_only=True):
    """Guard a position: out at ``stop``, out at ``target`` (paise; at least one of them).

    ``wide`` is the trigger of the stop at the exchange where ``mode`` is both; None leaves it to the engine.
    """

    account: str
    product: Product
    contract: str
    stop: int | None = None
    target: int | None = None
    mode: StopMode = StopMode.BOTH
    wide: int | None = None


class ClearStop(Command, frozen=True, kw_only=True):
    """Guard a position no longer; its stop at the exchange is cancelled."""

    account: str
    product: Product
    contract: str


class EngageKill(Command, frozen=True, kw_only=True):
    """Latch the kill switch: cancel everything, flatten, refuse new risk."""

    why: str = ""


class ReleaseKill(Command, frozen=True, kw_only=True):
    """Release the kill switch. ``typed`` must be UNLOCK."""

    typed: str


class ReleaseDoubt(Command, frozen=True, kw_only=True):
    """Let entries go on in spite of an order in doubt that is probably not at the broker."""

    order_id: str
    why: str = ""


class AdoptOrder(Command, frozen=True, kw_only=True):
    """Take over an order at the broker that this engine did not send."""

    order_id: str


class AdoptPosition(Command, frozen=True, kw_only=True):
    """Take the broker's quantity for ours where the books differ. ``key`` is account/product/contract."""

    key: str


class ReadBookNow(Command, frozen=True, kw_only=True):
    """Read the broker's book of an account now, without waiting for its turn."""

    account: str


class ReplayLetter(Command, frozen=True, kw_only=True):
    """Hear a broker's row again that could not be taken into the book."""

    letter_id: str


class DropLetter(Command, frozen=True, kw_only=True):
    """Put such a row away."""

    letter_id: str


class AcknowledgeNotices(Command, frozen=True, kw_only=True):
    """Mark notices up to a sequence number as seen."""

    upto: int


class SetLimit(Command, frozen=True, kw_only=True):
    """Set or replace a limit. ``why`` is needed where it allows more than the one before."""

    limit: Limit
    why: str = ""


class RemoveLimit(Command, frozen=True, kw_only=True):
    """Take a limit away. ``why`` is needed."""

    level: Level
    kind: LimitKind
    name: str = ""
    why: str = ""


class SetTradingState(Command, frozen=True, kw_only=True):
    """Set what orders of a scope may leave. ``why`` is needed to become ACTIVE again."""

    level: Level
    standing: Standing
    name: str = ""
    why: str = ""


class SaveBasket(Command, frozen=True, kw_only=True):
    """Write a basket down. ``over`` is the version it was made from, None for a new one; another is refused."""

    basket: Basket
    over: int | None = None
    source: str = ""
    pin: str = ""


class SetBasketStatus(Command, frozen=True, kw_only=True):
    """Say what a basket may do. STOPPED starts nothing any more; what is open stays guarded."""

    name: str
    status: BasketStatus
    why: str = ""


class RunAction(StrEnum):
    """What a person may do with a run: begin it now, let it go, approve it, close it, stop or resume its entries."""

    NOW = "now"
    SKIP = "skip"
    APPROVE = "approve"
    EXIT = "exit"
    HALT = "halt"
    RESUME = "resume"


class SteerRun(Command, frozen=True, kw_only=True):
    """Do something with a run, or with one leg of it where ``action`` is EXIT and ``leg`` is given."""

    run_id: str
    action: RunAction
    leg: str = ""
    why: str = ""


class ExitBasket(Command, frozen=True, kw_only=True):
    """Close all runs of a basket, and start none of it any more until it is started again."""

    name: str
    why: str = ""


class EditRun(Command, frozen=True, kw_only=True):
    """Change the rules of a run that is under way: stops, targets, trails, times. Its legs stay as they are.

    A change that would close something at once is refused unless ``fire`` says that this is meant (features SX-10).
    """

    run_id: str
    strategy: Strategy
    fire: bool = False


def strategies_of(command: SaveBasket | EditRun) -> tuple[Strategy, ...]:
    """The strategies that a command brings."""
    return command.basket.strategies if isinstance(command, SaveBasket) else (command.strategy,)


class AdjustRun(Command, frozen=True, kw_only=True):
    """Change the legs of a run that is under way (features BK-8).

    ``expect`` are the contracts of the moves as a preview showed them; others are refused. Empty takes what comes.
    """

    run_id: str
    how: AnyAdjust
    expect: tuple[str, ...] = ()


class AdoptIntoRun(Command, frozen=True, kw_only=True):
    """Give units that the hand holds to a leg of a run, at what they cost (features BK-7).

    ``key`` is account/product/contract, ``units`` without sign, 0 for all. The leg is watched from then on.
    """

    run_id: str
    leg: str
    key: str
    units: int = 0


class ReleaseFromRun(Command, frozen=True, kw_only=True):
    """Give units of an open leg back to the hand, at what they cost; the run watches them no longer. 0 is all."""

    run_id: str
    leg: str
    units: int = 0


class SendSignal(Command, frozen=True, kw_only=True):
    """Tell the runs that wait for a signal of this name that it has come (features EN-8)."""

    name: str


class SteerReplay(Command, frozen=True, kw_only=True):
    """Drive a replay or the practice clock.

    ``action`` is pause, resume or to; ``until`` is ``HH:MM[:SS]``; ``speed`` 0 is as fast as it goes.
    """

    action: str
    until: str | None = None
    speed: float | None = None


AnyCommand = (
    PlaceOrder
    | ModifyOrder
    | CancelOrder
    | CancelAll
    | Flatten
    | PlaceGroup
    | Reverse
    | AbandonFlatten
    | SetStop
    | ClearStop
    | EngageKill
    | ReleaseKill
    | ReleaseDoubt
    | AdoptOrder
    | AdoptPosition
    | ReadBookNow
    | ReplayLetter
    | DropLetter
    | AcknowledgeNotices
    | SetLimit
    | RemoveLimit
    | SetTradingState
    | SaveBasket
    | SetBasketStatus
    | SteerRun
    | ExitBasket
    | EditRun
    | AdjustRun
    | AdoptIntoRun
    | ReleaseFromRun
    | SendSignal
    | SteerReplay
)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command. ``ok`` False carries a stable ``code`` and a sentence; ``ids`` names what it touched."""

    ok: bool
    code: str = "DONE"
    text: str = ""
    ids: tuple[str, ...] = ()
    seq: int = 0
