"""The single moves of an adjustment: which contract, how many, at about which price (features BK-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from optconsole.engine.model.adjustments import Move
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.orders import Side
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.model.strategies import Leg
from optconsole.engine.model.strikes import AnyStrike, ExactStrike, ExpiryRule, PriceKind, RelativeStrike, Series
from optconsole.engine.rules.expiries import ChosenExpiry
from optconsole.engine.trading.runs.choosing import NotPicked, Picked, pick_leg
from optconsole.engine.trading.runs.scene import RunScene


def contract_of(scene: RunScene, leg: LegRun) -> Instrument:
    """The contract of a leg. Raises Refusal(NOT_LISTED)."""
    found = scene.master.get(leg.contract)
    if found is None:
        raise Refusal("NOT_LISTED", f"{leg.contract} is not listed today.")
    return found


def at_strike(now: Instrument) -> AnyStrike:
    """The rule that finds a contract's strike again."""
    return ExactStrike(now.strike or 0)


def on_day(day: date | None) -> ExpiryRule:
    """The rule that finds an expiry again."""
    return ExpiryRule(series=Series.FIXED, day=day)


def wing(scene: RunScene, run: Run, leg: LegRun, name: str, steps: int, rule: AnyStrike | None) -> Move:
    """Protection for a sold option: the same right, expiry and size, bought further out."""
    now = contract_of(scene, leg)
    if leg.side is not Side.SELL or now.right is None or now.strike is None:
        raise Refusal("NOTHING_TO_HEDGE", f"Leg {leg.id} is no sold option; only those are protected.")
    if rule is None and steps < 1:
        raise Refusal("NO_STEPS", "A hedge lies at least one listed strike further out of the money.")
    strike = RelativeStrike(leg=leg.id, amount=steps) if rule is None else rule
    written = Leg(
        id=name,
        side=Side.BUY,
        right=now.right,
        lots=leg.lots,
        strike=strike,
        expiry=on_day(now.expiry),
        lazy=True,
        hedges=(leg.id,),
    )
    opened = opening(scene, run, written, leg.account, leg.lots)
    far = scene.master.get(opened.contract)
    outward = 1 if now.right is Right.CALL else -1
    if far is None or far.strike is None or (far.strike - now.strike) * outward <= 0:
        raise Refusal("NOT_FURTHER", f"{opened.contract} does not lie outside {leg.contract}, so it protects nothing.")
    return opened


def opening(scene: RunScene, run: Run, written: Leg, account: str, lots: int) -> Move:
    """The move that opens a leg, its contract chosen now. Raises Refusal where there is none.

    It is chosen by the last trade where the rule looks at closes of minutes: a command sees none of those.
    """
    seen = msgspec.structs.replace(written, price=PriceKind.LTP if written.price is PriceKind.MINUTE else written.price)
    probe = msgspec.structs.replace(
        run, strategy=msgspec.structs.replace(run.strategy, legs=(*run.strategy.legs, seen))
    )
    leg = LegRun(id=written.id, account=account, side=written.side, lots=lots)
    picked = pick_leg(scene, probe, leg, _others(scene, run))
    if isinstance(picked, NotPicked):
        raise Refusal(picked.code, picked.text)
    instrument = picked.instrument
    return Move(
        step=0,
        leg=written.id,
        opens=True,
        side=written.side,
        account=account,
        contract=instrument.name,
        lots=lots,
        lot=max(instrument.lot, 1),
        tick=instrument.tick,
        price=_price(scene, instrument.name, written.side),
        written=msgspec.structs.replace(written, expiry=on_day(picked.expiry.expiry)),
    )


def closing(scene: RunScene, leg: LegRun) -> Move:
    """The move that closes an open leg."""
    side = leg.side.opposite
    return Move(
        step=0,
        leg=leg.id,
        opens=False,
        side=side,
        account=leg.account,
        contract=leg.contract,
        lots=leg.qty // leg.lot,
        lot=leg.lot,
        tick=leg.tick,
        price=_price(scene, leg.contract, side),
    )


def _others(scene: RunScene, run: Run) -> dict[str, Picked]:
    """The legs of the run as they stand, for rules that look at another leg."""
    found = {}
    for leg in run.legs.values():
        instrument = scene.master.get(leg.contract) if leg.contract else None
        if instrument is not None and instrument.expiry is not None:
            chosen = ChosenExpiry(expiry=instrument.expiry, dte=0, rule=on_day(instrument.expiry))
            found[leg.id] = Picked(instrument, scene.look(leg.contract).ltp, chosen)
    return found


def _price(scene: RunScene, contract: str, side: Side) -> int | None:
    """What an order of that side meets: the other side of the book, else the last trade."""
    look = scene.look(contract)
    met = look.ask if side is Side.BUY else look.bid
    return met or look.ltp


def tight(scene: RunScene, moves: Sequence[Move]) -> bool:
    """Whether the free money is known not to pay for what is bought."""
    costs: dict[str, int] = {}
    for move in moves:
        if move.opens and move.side is Side.BUY:
            costs[move.account] = costs.get(move.account, 0) + move.units * (move.price or 0)
    for account, cost in costs.items():
        seen = scene.situation.funds(account)
        if seen is not None and seen.funds.free < cost:
            return True
    return False
