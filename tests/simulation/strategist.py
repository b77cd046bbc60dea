"""The trader who lets strategies run: writes baskets, starts them, and steers their runs by command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

import msgspec

from optconsole.engine.commands import (
    AnyCommand,
    EditRun,
    ExitBasket,
    RunAction,
    SaveBasket,
    SendSignal,
    SetBasketStatus,
    SteerRun,
)
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.model.baskets import Allocation, Basket, BasketStatus, Pace, Rounding
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.runs import LegStage, Run, RunStatus
from optconsole.engine.rules.lint import NOTHING_KNOWN, lint_basket, lint_strategy
from optconsole.engine.trading.baskets import market_facts
from tests.simulation.kernel import TapeRandom
from tests.simulation.vocabulary import SIGNAL
from tests.simulation.written import Author

MOST: Final = 6
"""Strategies of a day."""
TRIES: Final = 6
"""How often a basket is saved: an engine that dies may not have heard of it, and one that refuses it never will."""
UNSOUND: Final = 0.05
ACTIONS: Final = (
    "exit basket",
    *["exit leg"] * 6,
    *["exit"] * 2,
    *["halt"] * 2,
    *["resume"] * 3,
    *["edit"] * 3,
    *["skip"] * 1,
    *["now"] * 3,
    *["approve"] * 4,
    *["signal"] * 4,
    *["pause"] * 1,
    *["go on"] * 3,
    *["write again"] * 1,
)


class Strategist:
    """Draws baskets and what becomes of their runs from a tape of its own; on a quiet tape there are none."""

    def __init__(self, choices: TapeRandom, accounts: Sequence[str]) -> None:
        self._choices, self._accounts = choices, accounts
        self._author = Author(choices)
        self._written: Basket | None = None
        self._facts = NOTHING_KNOWN
        self._old = ""
        self._days = 0
        self._tries = 0
        self._count = 0
        self.alone = choices.happens(0.5)
        """Whether the trader sends nothing by hand."""

    def new_day(self, now: datetime, listed: list[Instrument]) -> None:
        """Write today's basket, or let yesterday's go on."""
        choices = self._choices
        book = TradingState(day=now.date())
        self._facts = msgspec.structs.replace(
            market_facts(book, InstrumentMaster(listed)), accounts=frozenset(self._accounts)
        )
        if self._written is not None and choices.happens(0.25):
            return
        self._days, self._tries = self._days + 1, 0
        self._old = "" if self._written is None else self._written.name
        self._written = self._basket(f"day{self._days}", now)

    def command(self, state: TradingState) -> AnyCommand | None:
        """What the trader asks now: first that today's basket runs, then now and then something of a run."""
        basket = self._written
        if basket is None or not basket.strategies:
            return None
        book = state.baskets.get(basket.name)
        if self._old in state.baskets and state.baskets[self._old].status is BasketStatus.ACTIVE:
            return SetBasketStatus(id=self._name(), actor="key:sim", name=self._old, status=BasketStatus.STOPPED)
        if book is None:
            self._tries += 1
            if self._tries > TRIES:
                return None
            return SaveBasket(id=self._name(), actor="key:sim", basket=basket)
        if book.status is BasketStatus.STOPPED and not state.runs:
            return SetBasketStatus(id=self._name(), actor="key:sim", name=basket.name, status=BasketStatus.ACTIVE)
        value = self._choices.byte()
        if value < 205:
            return None
        return self._steered(ACTIONS[value % len(ACTIONS)], state, book.version)

    # ------------------------------------------------------------ writing

    def _basket(self, name: str, now: datetime) -> Basket:
        choices = self._choices
        strategies = []
        for place in range(choices.randint(1, MOST)):
            drawn = self._author.strategy(
                f"s{place + 1}", max(now, datetime.combine(now.date(), time(9, 15), now.tzinfo))
            )
            if choices.happens(UNSOUND / MOST) or not lint_strategy(drawn, self._facts):
                strategies.append(drawn)
        pace = choices.pick(tuple(Pace))
        basket = Basket(
            name=name,
            strategies=tuple(strategies),
            allocations=tuple(
                Allocation(
                    account=account,
                    multiplier=choices.pick((100, 200, 100, 150)),
                    priority=place + 1,
                    rounding=choices.pick(tuple(Rounding)),
                )
                for place, account in enumerate(self._accounts)
                if not place or choices.happens(0.5)
            ),
            pace=pace,
            stagger_ms=1_500 if pace is Pace.STAGGERED else 0,
        )
        if not lint_basket(basket, self._facts) or choices.happens(UNSOUND):
            return basket
        plain = tuple(msgspec.structs.replace(each, multiplier=100) for each in basket.allocations)
        return msgspec.structs.replace(basket, allocations=plain)

    # ------------------------------------------------------------ steering

    def _steered(self, action: str, state: TradingState, version: int) -> AnyCommand | None:
        name, actor, basket = self._name(), "key:sim", self._written
        assert basket is not None
        match action:
            case "signal":
                return SendSignal(id=name, actor=actor, name=SIGNAL)
            case "pause":
                return SetBasketStatus(id=name, actor=actor, name=basket.name, status=BasketStatus.PAUSED)
            case "go on":
                return SetBasketStatus(id=name, actor=actor, name=basket.name, status=BasketStatus.ACTIVE)
            case "exit basket":
                traded = any(run.first_fill for run in state.runs.values())
                return ExitBasket(id=name, actor=actor, name=basket.name) if traded else None
            case "write again":
                self._written = msgspec.structs.replace(basket, note=name)
                return SaveBasket(id=name, actor=actor, basket=self._written, over=version)
            case _:
                return self._of_run(action, name, state)

    def _of_run(self, action: str, name: str, state: TradingState) -> AnyCommand | None:
        runs = [run for run in state.runs.values() if not run.status.over and _fits(action, run)]
        if not runs:
            return None
        run = self._choices.pick(runs)
        match action:
            case "exit leg":
                leg = self._choices.pick([leg.id for leg in run.legs.values() if leg.stage is LegStage.OPEN])
                return SteerRun(id=name, actor="key:sim", run_id=run.id, action=RunAction.EXIT, leg=leg)
            case "edit":
                edited, fire = self._author.edited(run.strategy), self._choices.happens(0.5)
                return EditRun(id=name, actor="key:sim", run_id=run.id, strategy=edited, fire=fire)
            case _:
                return SteerRun(id=name, actor="key:sim", run_id=run.id, action=RunAction(action))

    def _name(self) -> str:
        self._count += 1
        return f"s{self._count}"


def _fits(action: str, run: Run) -> bool:
    """Whether a trader who looks at a run would think of this."""
    match action:
        case "exit leg":
            return any(leg.stage is LegStage.OPEN for leg in run.legs.values())
        case "resume":
            return run.status is RunStatus.HALTED
        case "now" | "skip":
            return run.status is RunStatus.SCHEDULED
        case "approve":
            return run.status is RunStatus.WAITING or run.code == "ASK"
        case _:
            return run.status is not RunStatus.SCHEDULED
