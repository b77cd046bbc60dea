"""Named structures to begin a strategy with (features BK-2): legs only; times, stops and lots are the trader's.

Each leg is written as in a strategy's file: side, kind, strike, and after a bar the expiry and the leg it hedges.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strategies import Leg, Schedule, Strategy
from optconsole.engine.model.strikes import ExpiryRule, Series, StepStrike
from optconsole.engine.strategies.strike_text import read_expiry, read_strike


class Outlook(StrEnum):
    """What a structure earns by."""

    UP = "rising"
    DOWN = "falling"
    STILL = "a quiet market"
    MOVE = "a large move"
    CHEAP = "cover for what is held"


class Template(msgspec.Struct, frozen=True):
    """A structure: its name, what it earns by, and its legs in words."""

    name: str
    outlook: Outlook
    legs: tuple[str, ...]

    @property
    def text(self) -> str:
        """``SELL CE ATM, SELL PE ATM``."""
        return ", ".join(leg.split(":", 1)[1].split("|")[0].strip() for leg in self.legs)


UP, DOWN, STILL, MOVE, CHEAP = Outlook.UP, Outlook.DOWN, Outlook.STILL, Outlook.MOVE, Outlook.CHEAP
_TABLE: Final = (
    Template("long call", UP, ("ce: buy CE ATM",)),
    Template("long put", DOWN, ("pe: buy PE ATM",)),
    Template("short call", DOWN, ("ce: sell CE OTM 2",)),
    Template("short put", UP, ("pe: sell PE OTM 2",)),
    Template("long future", UP, ("fut: buy FUT",)),
    Template("short future", DOWN, ("fut: sell FUT",)),
    Template("short straddle", STILL, ("ce: sell CE ATM", "pe: sell PE ATM")),
    Template("long straddle", MOVE, ("ce: buy CE ATM", "pe: buy PE ATM")),
    Template("short strangle", STILL, ("ce: sell CE OTM 3", "pe: sell PE OTM 3")),
    Template("long strangle", MOVE, ("ce: buy CE OTM 3", "pe: buy PE OTM 3")),
    Template("short guts", STILL, ("ce: sell CE ITM 2", "pe: sell PE ITM 2")),
    Template("long guts", MOVE, ("ce: buy CE ITM 2", "pe: buy PE ITM 2")),
    Template("strip", MOVE, ("ce: buy CE ATM", "pe: buy 2 PE ATM")),
    Template("strap", MOVE, ("ce: buy 2 CE ATM", "pe: buy PE ATM")),
    Template("bull call spread", UP, ("low: buy CE ATM | hedges high", "high: sell CE OTM 3")),
    Template("bear put spread", DOWN, ("high: buy PE ATM | hedges low", "low: sell PE OTM 3")),
    Template("bear call spread", DOWN, ("high: buy CE OTM 5 | hedges low", "low: sell CE OTM 2")),
    Template("bull put spread", UP, ("low: buy PE OTM 5 | hedges high", "high: sell PE OTM 2")),
    Template(
        "iron fly",
        STILL,
        (
            "hce: buy CE OTM 4 | hedges ce",
            "hpe: buy PE OTM 4 | hedges pe",
            "ce: sell CE ATM",
            "pe: sell PE ATM",
        ),
    ),
    Template(
        "reverse iron fly",
        MOVE,
        (
            "ce: buy CE ATM | hedges hce",
            "pe: buy PE ATM | hedges hpe",
            "hce: sell CE OTM 4",
            "hpe: sell PE OTM 4",
        ),
    ),
    Template(
        "iron condor",
        STILL,
        (
            "hce: buy CE OTM 6 | hedges ce",
            "hpe: buy PE OTM 6 | hedges pe",
            "ce: sell CE OTM 3",
            "pe: sell PE OTM 3",
        ),
    ),
    Template(
        "reverse iron condor",
        MOVE,
        (
            "ce: buy CE OTM 2 | hedges hce",
            "pe: buy PE OTM 2 | hedges hpe",
            "hce: sell CE OTM 5",
            "hpe: sell PE OTM 5",
        ),
    ),
    Template("call butterfly", STILL, ("low: buy CE ITM 3", "high: buy CE OTM 3 | hedges body", "body: sell 2 CE ATM")),
    Template("put butterfly", STILL, ("high: buy PE ITM 3", "low: buy PE OTM 3 | hedges body", "body: sell 2 PE ATM")),
    Template(
        "broken-wing call butterfly",
        UP,
        ("low: buy CE ATM", "high: buy CE OTM 7 | hedges body", "body: sell 2 CE OTM 3"),
    ),
    Template(
        "broken-wing put butterfly",
        DOWN,
        ("high: buy PE ATM", "low: buy PE OTM 7 | hedges body", "body: sell 2 PE OTM 3"),
    ),
    Template(
        "call condor",
        STILL,
        ("low: buy CE ITM 4", "high: buy CE OTM 4 | hedges upper", "lower: sell CE ITM 2", "upper: sell CE OTM 2"),
    ),
    Template(
        "put condor",
        STILL,
        ("high: buy PE ITM 4", "low: buy PE OTM 4 | hedges lower", "upper: sell PE ITM 2", "lower: sell PE OTM 2"),
    ),
    Template("call ratio spread", UP, ("low: buy CE ATM | hedges high", "high: sell 2 CE OTM 4")),
    Template("put ratio spread", DOWN, ("high: buy PE ATM | hedges low", "low: sell 2 PE OTM 4")),
    Template("call back spread", MOVE, ("high: buy 2 CE OTM 3 | hedges low", "low: sell CE ATM")),
    Template("put back spread", MOVE, ("low: buy 2 PE OTM 3 | hedges high", "high: sell PE ATM")),
    Template("call ladder", STILL, ("low: buy CE ATM | hedges mid", "mid: sell CE OTM 2", "high: sell CE OTM 4")),
    Template("put ladder", STILL, ("high: buy PE ATM | hedges mid", "mid: sell PE OTM 2", "low: sell PE OTM 4")),
    Template(
        "batman",
        STILL,
        (
            "ce: buy CE OTM 2 | hedges sce",
            "pe: buy PE OTM 2 | hedges spe",
            "sce: sell 2 CE OTM 4",
            "spe: sell 2 PE OTM 4",
        ),
    ),
    Template(
        "hedged batman",
        STILL,
        (
            "ce: buy CE OTM 2 | hedges sce",
            "pe: buy PE OTM 2 | hedges spe",
            "hce: buy CE OTM 8 | hedges sce",
            "hpe: buy PE OTM 8 | hedges spe",
            "sce: sell 2 CE OTM 4",
            "spe: sell 2 PE OTM 4",
        ),
    ),
    Template("jade lizard", UP, ("hce: buy CE OTM 4 | hedges ce", "ce: sell CE OTM 3", "pe: sell PE OTM 3")),
    Template("reverse jade lizard", DOWN, ("hpe: buy PE OTM 4 | hedges pe", "pe: sell PE OTM 3", "ce: sell CE OTM 3")),
    Template("call calendar", STILL, ("far: buy CE ATM | hedges near | monthly", "near: sell CE ATM")),
    Template("put calendar", STILL, ("far: buy PE ATM | hedges near | monthly", "near: sell PE ATM")),
    Template(
        "double calendar",
        STILL,
        (
            "fce: buy CE OTM 2 | hedges ce | monthly",
            "fpe: buy PE OTM 2 | hedges pe | monthly",
            "ce: sell CE OTM 2",
            "pe: sell PE OTM 2",
        ),
    ),
    Template("call diagonal", UP, ("far: buy CE ATM | hedges near | monthly", "near: sell CE OTM 3")),
    Template("put diagonal", DOWN, ("far: buy PE ATM | hedges near | monthly", "near: sell PE OTM 3")),
    Template(
        "double diagonal",
        STILL,
        (
            "fce: buy CE OTM 4 | hedges ce | monthly",
            "fpe: buy PE OTM 4 | hedges pe | monthly",
            "ce: sell CE OTM 2",
            "pe: sell PE OTM 2",
        ),
    ),
    Template("synthetic long", UP, ("ce: buy CE ATM", "pe: sell PE ATM")),
    Template("synthetic short", DOWN, ("pe: buy PE ATM", "ce: sell CE ATM")),
    Template("risk reversal", UP, ("ce: buy CE OTM 2", "pe: sell PE OTM 2")),
    Template("collar", CHEAP, ("fut: buy FUT", "pe: buy PE OTM 2", "ce: sell CE OTM 2")),
    Template("covered call", UP, ("fut: buy FUT | hedges ce", "ce: sell CE OTM 2")),
    Template("protective put", CHEAP, ("fut: buy FUT", "pe: buy PE OTM 2")),
    Template("covered put", DOWN, ("fut: sell FUT", "pe: sell PE OTM 2")),
    Template("bullish seagull", UP, ("ce: buy CE ATM | hedges sce", "sce: sell CE OTM 3", "spe: sell PE OTM 3")),
    Template("bearish seagull", DOWN, ("pe: buy PE ATM | hedges spe", "spe: sell PE OTM 3", "sce: sell CE OTM 3")),
)
TEMPLATES: Final[dict[str, Template]] = {template.name: template for template in _TABLE}
"""By name, in the order of the builder's list."""
_SERIES: Final = ExpiryRule()


def template(name: str) -> Template:
    """The structure of that name. Raises Refusal(NO_TEMPLATE)."""
    found = TEMPLATES.get(" ".join(name.lower().split()))
    if found is None:
        raise Refusal("NO_TEMPLATE", f"No structure is called {name!r}; `optconsole strategy templates` lists them.")
    return found


def from_template(
    name: str, underlying: str, lots: int = 1, near: ExpiryRule = _SERIES, schedule: Schedule | None = None
) -> Strategy:
    """A strategy with the structure's legs, ``lots`` times each. ``near`` is the expiry of legs that name none.

    Calendars take the expiry after the near one where both would be the same. Raises Refusal(NO_TEMPLATE).
    """
    found = template(name)
    hours = schedule or Schedule(entry_at=time(9, 20), exit_at=time(15, 15))
    legs = tuple(_leg(text, lots, near) for text in found.legs)
    return Strategy(name=found.name, underlying=underlying.upper(), legs=legs, schedule=hours)


def _leg(text: str, lots: int, near: ExpiryRule) -> Leg:
    leg_id, _, rest = text.partition(":")
    order, *more = (part.strip() for part in rest.split("|"))
    side, *words = order.split()
    count = int(words.pop(0)) if words[0].isdigit() else 1
    kind, strike = words[0], " ".join(words[1:])
    hedges = tuple(part.removeprefix("hedges ") for part in more if part.startswith("hedges "))
    series = next((part for part in more if not part.startswith("hedges ")), "")
    return Leg(
        id=leg_id,
        side=Side(side.upper()),
        right=None if kind == "FUT" else Right(kind),
        lots=count * lots,
        strike=read_strike(strike) if strike else StepStrike(),
        expiry=_far(read_expiry(series), near) if series else _of_future(near) if kind == "FUT" else near,
        hedges=hedges,
    )


def _of_future(near: ExpiryRule) -> ExpiryRule:
    """Futures have monthly expiries only."""
    return ExpiryRule(series=Series.MONTHLY) if near.series is Series.WEEKLY else near


def _far(far: ExpiryRule, near: ExpiryRule) -> ExpiryRule:
    if near.series is far.series:
        return ExpiryRule(series=far.series, offset=near.offset + 1)
    return far
