"""A strategy as a run of this instant, with the contracts that its legs mean now, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from optconsole.engine.model.accounts import Mode
from optconsole.engine.model.instruments import expiry_code
from optconsole.engine.model.previews import LegPick
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.model.strategies import Leg, Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.rules.schedules import NotToday, Planned, plan
from optconsole.engine.rules.strike_rows import strike_text
from optconsole.engine.rules.strike_targets import Aim
from optconsole.engine.rules.strikes import Choice
from optconsole.engine.rules.verdicts import price_in
from optconsole.engine.strategies.strike_text import write_expiry, write_strike
from optconsole.engine.trading.previews.still import StillScene
from optconsole.engine.trading.runs.choosing import NotPicked, Picked, pick_leg

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A strategy looked at now: its run, when it would enter, and each leg's contract or why it has none."""

    run: Run
    when: Planned | NotToday
    picks: dict[str, Picked | NotPicked]

    @property
    def strategy(self) -> Strategy:
        return self.run.strategy

    def picked(self, leg: str) -> Picked | None:
        """A leg's contract, if it has one."""
        found = self.picks.get(leg)
        return found if isinstance(found, Picked) else None

    def entered(self) -> dict[str, Picked]:
        """The contracts of the legs that are entered at the start; lazy ones are armed by others."""
        return {
            leg.id: found
            for leg in self.strategy.legs
            if not leg.lazy and isinstance(found := self.picks[leg.id], Picked)
        }


def sketch(scene: StillScene, basket: str, strategy: Strategy) -> Sketch:
    """The strategy as if it entered at this instant. Its legs are chosen in their order, as at an entry."""
    run = _run(scene, basket, strategy)
    found: dict[str, Picked | NotPicked] = {}
    chosen: dict[str, Picked] = {}
    for leg in run.legs.values():
        answer = found[leg.id] = pick_leg(scene, run, leg, chosen)
        if isinstance(answer, Picked):
            chosen[leg.id] = answer
    return Sketch(run=run, when=_when(scene, strategy), picks=found)


def _when(scene: StillScene, strategy: Strategy) -> Planned | NotToday:
    listed = scene.master.expiries(strategy.underlying)
    if not listed:
        return NotToday("NOT_LISTED", f"{strategy.underlying} has no contracts here today.")
    rules = [leg.expiry for leg in strategy.legs]
    return plan(strategy.schedule, scene.now.date(), scene.days, listed, rules, strategy.underlying)


def _run(scene: StillScene, basket: str, strategy: Strategy) -> Run:
    now = scene.now
    return Run(
        id="preview",
        basket=basket,
        version=0,
        strategy=strategy,
        account="",
        mode=Mode.PAPER,
        trade_date=now.date(),
        entry_at=now,
        entry_until=now,
        triggers_until=now,
        exit_at=now,
        expiry=now.date(),
        dte=0,
        since=now,
        legs={leg.id: LegRun(id=leg.id, account=leg.account, side=leg.side, lots=leg.lots) for leg in strategy.legs},
    )


def entry_time(sketched: Sketch) -> datetime:
    """When the strategy enters on its days: today's moment, or its time of day where it does not enter today."""
    when = sketched.when
    if isinstance(when, Planned):
        return when.entry_at
    return datetime.combine(sketched.run.trade_date, sketched.strategy.schedule.entry_at, IST)


def exit_time(sketched: Sketch) -> datetime:
    """When it is out at the latest, as ``entry_time``."""
    when = sketched.when
    if isinstance(when, Planned):
        return when.exit_at
    return datetime.combine(sketched.run.trade_date, sketched.strategy.schedule.exit_at, IST)


def leg_pick(scene: StillScene, leg: Leg, found: Picked | NotPicked, vol: float | None) -> LegPick:
    """A leg as the trader sees it."""
    if isinstance(found, NotPicked):
        return LegPick(leg=leg.id, side=leg.side, lots=leg.lots, lazy=leg.lazy, code=found.code, why=found.text)
    contract = found.instrument
    return LegPick(
        leg=leg.id,
        side=leg.side,
        lots=leg.lots,
        lazy=leg.lazy,
        contract=contract.name,
        lot=contract.lot,
        expiry=contract.expiry,
        strike=contract.strike,
        right=contract.right,
        premium=premium_of(scene, found),
        vol=vol,
        why=_why(found),
    )


def premium_of(scene: StillScene, found: Picked) -> int | None:
    """What a contract costs now, in paise."""
    return found.premium if found.premium is not None else scene.look(found.instrument.name).ltp


def _why(found: Picked) -> str:
    rule, day = write_expiry(found.expiry.rule), expiry_code(found.expiry.expiry)
    expiry = f"{rule} is {day}, {found.expiry.dte} trading days off"
    if found.expiry.rolled:
        expiry += f" (past {', '.join(map(expiry_code, found.expiry.rolled))})"
    choice = found.choice
    if choice is None:
        return f"{expiry}."
    chosen = strike_text(choice.strike)
    met = (
        f"is {chosen}"
        if (choice.aim, choice.target) == (Aim.STRIKE, choice.strike)
        else f"meets {_aim(choice)} at {chosen}"
    )
    money = f"the money is {strike_text(choice.atm)} with {price_in(choice.reference)}, of {choice.listed} strikes"
    return f"{write_strike(choice.rule)} {met}; {money}; {expiry}."


def _aim(choice: Choice) -> str:
    match choice.aim:
        case Aim.STRIKE:
            return strike_text(choice.target)
        case Aim.PREMIUM:
            return price_in(choice.target)
        case Aim.DELTA:
            return f"{choice.target / 1000:.3f}"
