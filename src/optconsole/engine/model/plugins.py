"""What is said between the engine and a registered strategy: what it is shown, what it may ask for, how it failed.

Prices and money are whole paise, quantities units, deltas thousandths, times aware IST. A registered strategy never
sends an order: what it answers is a wish that goes through the same rules as everything else.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side

Param = str | int | float | bool
MOST_MEMORY: Final = 16_384
"""Characters of JSON that a registered strategy may keep between two calls."""
MOST_ACTIONS: Final = 20
"""Actions of one answer."""


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter as a form asks for it. ``kind`` is int, float, bool, text or choice; bounds are inclusive.

    ``above`` and ``below`` are bounds that the value itself may not have.
    """

    name: str
    kind: str
    text: str = ""
    default: Param | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()


class PluginCard(msgspec.Struct, frozen=True, kw_only=True):
    """A registered strategy as it is listed. ``fault`` says why it cannot be used; empty when it can."""

    name: str
    origin: str
    text: str = ""
    every: int = 60
    fields: tuple[FormField, ...] = ()
    fault: str = ""


class ParamFault(msgspec.Struct, frozen=True):
    """What is wrong with ``plugin`` (an empty field) or with one of its parameters."""

    code: str
    field: str
    text: str


class PluginFault(msgspec.Struct, frozen=True):
    """How a registered strategy failed.

    ``code`` is RAISED, TOO_SLOW, OUT_OF_MEMORY, DIED, GARBAGE, NO_START, NOT_REGISTERED, BAD_PARAMS or BAD_LEGS.
    """

    code: str
    text: str


class PluginWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a run knows of the strategy that decides in it.

    ``given`` once it gave the legs; ``memory`` is its own JSON, handed back with every call; ``every`` the seconds
    between two calls; ``down`` and ``text`` say why it is not asked any more.
    """

    given: bool = False
    memory: str = "{}"
    every: int = 60
    down: str = ""
    text: str = ""


# ---------------------------------------------------------------- what it is shown


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of the chain. What is unknown or too old is None."""

    contract: str
    strike: int
    right: Right
    ltp: int | None = None
    bid: int | None = None
    ask: int | None = None
    oi: int | None = None
    delta: int | None = None
    """Without its sign."""


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of the run. ``units`` are signed; ``mtm`` is of what is open."""

    id: str
    side: Side
    stage: str
    contract: str = ""
    lots: int = 0
    units: int = 0
    entry: int | None = None
    price: int | None = None
    mtm: int | None = None
    stop: int | None = None
    target: int | None = None
    lazy: bool = False
    entries: int = 0


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A run and its market at one instant. ``chain`` is of ``expiry``, around the strike nearest to ``spot``.

    ``opened``, ``high`` and ``low`` are the underlying's so far today; ``mtm`` is what the run made, realised and open.
    """

    now: datetime
    underlying: str
    spot: int | None = None
    opened: int | None = None
    high: int | None = None
    low: int | None = None
    expiry: date
    dte: int = 0
    entry_at: datetime
    exit_at: datetime
    chain: tuple[QuoteView, ...] = ()
    legs: tuple[LegView, ...] = ()
    mtm: int | None = None

    def leg(self, name: str) -> LegView | None:
        """The leg of that name."""
        return next((each for each in self.legs if each.id == name), None)

    def quote(self, strike: int, right: Right) -> QuoteView | None:
        """The chain's row of a strike in paise."""
        return next((each for each in self.chain if (each.strike, each.right) == (strike, right)), None)


# ---------------------------------------------------------------- what it may ask for


class Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """Base of the actions. ``why`` is kept with what follows."""

    why: str = ""


class ExitLeg(Action, frozen=True, kw_only=True, tag="exit-leg"):
    """Close one open leg."""

    leg: str


class ExitAll(Action, frozen=True, kw_only=True, tag="exit-all"):
    """Close everything and end the run."""


class MoveStop(Action, frozen=True, kw_only=True, tag="move-stop"):
    """Put the stop of an open leg to a price in paise: only nearer to the market, and not past it."""

    leg: str
    price: int


class EnterLeg(Action, frozen=True, kw_only=True, tag="enter-leg"):
    """Enter a leg that was declared lazy and holds nothing."""

    leg: str


class Note(Action, frozen=True, kw_only=True, tag="note"):
    """Tell the trader something."""


AnyAction = ExitLeg | ExitAll | MoveStop | EnterLeg | Note


class Verdict(StrEnum):
    """What a registered strategy says at entry time."""

    ENTER = "enter"
    WAIT = "wait"
    SKIP = "skip"


# ---------------------------------------------------------------- one call


class AskKind(StrEnum):
    """WARM a minute before, ENTRY at the entry time, LOOK while the run is on."""

    WARM = "warm"
    ENTRY = "entry"
    LOOK = "look"


class StrategyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a run's strategy."""

    run_id: str
    kind: AskKind
    plugin: str
    params: dict[str, Param]
    memory: str
    view: View


class StrategyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one call. With a ``fault`` nothing else is meant.

    ``legs`` are tables as in a basket's file; ``memory`` replaces the one that was given.
    """

    run_id: str
    kind: AskKind
    fault: PluginFault | None = None
    verdict: Verdict = Verdict.ENTER
    why: str = ""
    legs: tuple[dict[str, Any], ...] = ()
    actions: tuple[AnyAction, ...] = ()
    memory: str = "{}"
    every: int = 60
