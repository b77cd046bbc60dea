"""Strategies of every kind, drawn from a tape: structures, strike methods, waits, exits and re-entries."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import msgspec

from optconsole.engine.model.instruments import Right
from optconsole.engine.model.leg_rules import (
    Breakout,
    Edge,
    EntryWait,
    LegStop,
    LockStep,
    Measure,
    Reentry,
    ReentryMode,
    SpikeGuard,
    StopKind,
    Trail,
    TrailKind,
    Watch,
    WatchKind,
)
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.model.overall_rules import (
    Again,
    Band,
    Basis,
    Greeks,
    Level,
    Overall,
    OverallReentry,
    OverallTrail,
    ProfitLock,
    Rung,
)
from optconsole.engine.model.strategies import (
    CostShift,
    Execution,
    ExitOnExpiry,
    Holding,
    Leg,
    Misfire,
    OnFailure,
    Schedule,
    SquareOff,
    Strategy,
)
from optconsole.engine.model.strikes import (
    Liquidity,
    PriceKind,
    Reference,
    StepStrike,
)
from optconsole.engine.model.triggers import (
    Entry,
    Range,
)
from optconsole.engine.strategies.templates import from_template
from tests.simulation.kernel import TapeRandom
from tests.simulation.market import MONTHLY
from tests.simulation.vocabulary import DISTANCES, ENTRIES, EXPIRIES, MODES, NAMES, SECOND, STRIKES


class Author:
    """Writes strategies. On a quiet tape each is the first structure of the list, kept for a day."""

    def __init__(self, choices: TapeRandom) -> None:
        self._choices = choices

    def strategy(self, name: str, now: datetime) -> Strategy:
        """One strategy that enters within seconds of ``now``."""
        choices = self._choices
        lots = choices.pick((1, 1, 1, 2, 1, 5))
        if choices.happens(0.5):
            found = from_template(choices.pick(NAMES), "NIFTY", lots, choices.pick(EXPIRIES))
            legs = [self._ruled(leg) for leg in found.legs]
        else:
            legs = self._own(lots)
        legs = self._armed(legs)
        whole = self._whole(name, now, legs)
        return self._ranged(whole) if choices.happens(0.1) else whole

    def schedule(self, now: datetime) -> Schedule:
        """Entry within seconds; exit within a minute, in the last minutes of the day, or on the next day."""
        choices = self._choices
        entry = now + timedelta(seconds=choices.randint(8, 45))
        out = entry + timedelta(seconds=choices.randint(8, 60))
        holding, exit_at = Holding.INTRADAY, min(out.time(), time(9, 21, 40)) if out.hour == 9 else out.time()
        kind = choices.byte() % 8
        if kind == 1:
            exit_at = time(15, 30, choices.randint(7, 12))
        elif kind == 2:
            holding, exit_at = Holding.OVERNIGHT, time(9, 20, choices.randint(5, 50))
        elif kind == 3:
            holding, exit_at = Holding.POSITIONAL, time(9, 20, choices.randint(5, 50))
        positional = holding is Holding.POSITIONAL
        return Schedule(
            entry_at=entry.time(),
            exit_at=exit_at,
            holding=holding,
            grace=choices.pick((60, 60, 10, 30)),
            misfire=choices.pick((Misfire.RUN_WITHIN_GRACE, Misfire.SKIP, Misfire.RUN_WITHIN_GRACE, Misfire.ASK)),
            entry_dte=choices.pick((1, 9, 8, 7)) if positional else None,
            exit_dte=choices.pick((0, 1)) if positional else None,
            exit_on_expiry=choices.pick(tuple(ExitOnExpiry)),
            no_reentry_after=time(9, 21, 20) if choices.happens(0.1) and not positional else None,
        )

    def edited(self, strategy: Strategy) -> Strategy:
        """The same legs under other rules: what a trader may change while it runs."""
        legs = tuple(
            msgspec.structs.replace(leg, stop=self._stop(), target=self._some(0.3, self._far)) for leg in strategy.legs
        )
        return msgspec.structs.replace(strategy, legs=legs, overall=self._overall())

    # ------------------------------------------------------------ legs

    def _own(self, lots: int) -> list[Leg]:
        """One to four legs, each with a strike method of its own."""
        choices, legs = self._choices, list[Leg]()
        for place in range(choices.pick((2, 1, 3, 4))):
            strike = choices.pick(SECOND) if place and choices.happens(0.2) else choices.pick(STRIKES)
            legs.append(
                self._ruled(
                    Leg(
                        id="abcd"[place],
                        side=choices.pick((Side.SELL, Side.BUY)),
                        right=choices.pick((Right.CALL, Right.PUT)),
                        lots=lots,
                        strike=strike,
                        expiry=choices.pick(EXPIRIES),
                        price=choices.pick((PriceKind.LTP, PriceKind.LTP, PriceKind.MID)),
                        liquidity=Liquidity(max_spread=500) if choices.happens(0.1) else Liquidity(),
                    )
                )
            )
        return legs

    def _ruled(self, leg: Leg) -> Leg:
        """The leg with what ends it and what follows."""
        choices = self._choices
        stop = self._stop()
        rules: dict[str, Any] = {
            "stop": stop,
            "target": self._some(0.3, self._far),
            "trail": self._trail(stop) if choices.happens(0.3) else None,
            "breakeven": self._some(0.1, self._near),
            "locks": (LockStep(Measure(10_00), Measure(3_00)), LockStep(Measure(25_00), Measure(15_00)))
            if choices.happens(0.1)
            else (),
            "watch": Watch(kind=choices.pick(tuple(WatchKind)), twice=choices.happens(0.3)),
            "spike": SpikeGuard(disagree=1_000) if choices.happens(0.2) else None,
        }
        if stop is not None and choices.happens(0.5):
            rules["on_stop"] = self._again()
        if rules["target"] is not None and choices.happens(0.4):
            rules["on_target"] = self._again()
        if choices.happens(0.08):
            rules["wait"] = EntryWait(move=Measure(choices.pick((-3_00, 2_00, 5_00))), first_only=choices.happens(0.2))
        return msgspec.structs.replace(leg, **rules)

    def _stop(self) -> LegStop | None:
        choices = self._choices
        if choices.happens(0.25):
            return None
        if choices.happens(0.1):
            kind = choices.pick((StopKind.DAY_HIGH, StopKind.DAY_LOW))
            return LegStop(kind=kind, of_underlying=choices.happens(0.5))
        return LegStop(move=self._near())

    def _near(self) -> Measure:
        return self._choices.pick(DISTANCES)

    def _far(self) -> Measure:
        near = self._near()
        return msgspec.structs.replace(near, amount=near.amount * 2)

    def _trail(self, stop: LegStop | None) -> Trail:
        choices = self._choices
        if stop is None or choices.happens(0.4):
            after = Measure(3_00) if choices.happens(0.5) else None
            return Trail(kind=TrailKind.PEAK, move=Measure(10_00), after=after, interval=choices.pick((0, 0, 5)))
        return Trail(move=Measure(2_00), every=Measure(3_00))

    def _again(self) -> Reentry:
        choices = self._choices
        mode = choices.pick(MODES)
        momentum = mode is ReentryMode.MOMENTUM
        return Reentry(
            mode=mode,
            times=choices.pick((1, 2, 3)),
            delay=choices.pick((0, 0, 3)),
            reverse=choices.happens(0.2),
            wait=Measure(choices.pick((2_00, -2_00))) if momentum else None,
            square_off_all=mode is ReentryMode.EXECUTE and choices.happens(0.2),
        )

    def _armed(self, legs: list[Leg]) -> list[Leg]:
        """Now and then the first leg's stop arms a lazy one."""
        choices = self._choices
        first = legs[0]
        if first.stop is None or not choices.happens(0.2):
            return legs
        lazy = Leg(
            id="lazy",
            side=choices.pick((Side.BUY, Side.SELL)),
            right=Right.PUT,
            strike=StepStrike(steps=1),
            lazy=True,
            stop=LegStop(move=self._near()),
        )
        again = Reentry(mode=ReentryMode.LAZY, times=choices.pick((1, 2)), arms=("lazy",))
        return [msgspec.structs.replace(first, on_stop=again), *legs[1:], lazy]

    def _some(self, chance: float, make: Any) -> Any:
        return make() if self._choices.happens(chance) else None

    # ------------------------------------------------------------ the whole

    def _whole(self, name: str, now: datetime, legs: list[Leg]) -> Strategy:
        choices = self._choices
        schedule, entry = self.schedule(now), choices.pick(ENTRIES) if choices.happens(0.3) else Entry()
        if entry.momentum is not None:
            legs = [msgspec.structs.replace(leg, wait=None) for leg in legs]
        if schedule.holding is not Holding.INTRADAY and entry.approve_within is not None:
            entry = Entry()
        square_off = choices.pick((SquareOff.PARTIAL, SquareOff.PARTIAL, SquareOff.COMPLETE))
        shifts = square_off is SquareOff.PARTIAL and any(leg.stop for leg in legs) and choices.happens(0.4)
        product = Product.MIS if schedule.holding is Holding.INTRADAY and choices.happens(0.15) else Product.NRML
        return Strategy(
            name=name,
            underlying="NIFTY",
            legs=tuple(legs),
            schedule=schedule,
            entry=entry,
            overall=self._overall(),
            reference=choices.pick((Reference.SPOT, Reference.SPOT, Reference.SYNTHETIC, Reference.FUTURE)),
            product=product,
            square_off=square_off,
            move_to_cost=choices.pick(tuple(CostShift)[1:]) if shifts else CostShift.NONE,
            execution=Execution(
                patience=choices.pick((10, 3, 5)),
                retries=choices.pick((2, 1, 0)),
                on_failure=choices.pick((OnFailure.ROLLBACK, OnFailure.HOLD, OnFailure.COMPLETE, OnFailure.RATIO)),
                hedge_first=not choices.happens(0.1),
            ),
            reentry_shared_max=2 if choices.happens(0.1) else None,
        )

    def _ranged(self, strategy: Strategy) -> Strategy:
        """The first leg waits for the break of the first seconds' range (EN-4)."""
        schedule = strategy.schedule
        if schedule.holding is not Holding.INTRADAY or strategy.entry.momentum is not None:
            return strategy
        begins = datetime.combine(MONTHLY, schedule.entry_at)
        span = Range(start=schedule.entry_at, end=(begins + timedelta(seconds=5)).time())
        breakout = Breakout(self._choices.pick((Edge.HIGH, Edge.LOW)), self._choices.happens(0.5))
        first = msgspec.structs.replace(strategy.legs[0], wait=None, breakout=breakout)
        entry = msgspec.structs.replace(strategy.entry, range=span)
        return msgspec.structs.replace(strategy, legs=(first, *strategy.legs[1:]), entry=entry)

    def _overall(self) -> Overall:
        choices = self._choices
        stop = Level(choices.pick((1_500_00, 600_00))) if choices.happens(0.4) else None
        if stop is not None and choices.happens(0.2):
            stop = Level(1_500, Basis.GROSS_PREMIUM)
        target = Level(choices.pick((1_500_00, 500_00))) if choices.happens(0.3) else None
        again = OverallReentry(
            how=choices.pick((Again.RUN, Again.REVERSE, Again.MOMENTUM)), times=choices.pick((1, 2)), delay=2, move=-100
        )
        return Overall(
            stop=stop,
            target=target,
            trail=OverallTrail(200_00, 100_00) if stop is not None and choices.happens(0.3) else None,
            lock=ProfitLock(at=500_00, keep=200_00, every=200_00, move=100_00) if choices.happens(0.2) else None,
            ladder=(Rung(300_00, 50),) if choices.happens(0.1) else (),
            band=choices.pick((Band(move=40), Band(break_even=True), Band(low=24_900_00, high=25_200_00)))
            if choices.happens(0.2)
            else None,
            greeks=Greeks(decayed=2_000) if choices.happens(0.1) else None,
            on_stop=again if stop is not None and choices.happens(0.4) else None,
            on_target=again if target is not None and choices.happens(0.4) else None,
            net=choices.happens(0.3),
            settle=choices.pick((30, 5)),
        )
