"""``optconsole run roll|shift|hedge|convert|neutral|adopt|release``: what a person changes about a run's legs."""

from __future__ import annotations

import argparse
from typing import Final

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, UsageError, count
from optconsole.cli.output import Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import AdjustRun, AdoptIntoRun, ReleaseFromRun, Reply
from optconsole.engine.model.adjustments import AddHedge, AnyAdjust, Convert, DeltaNeutral, RollLeg, ShiftLeg
from optconsole.engine.model.money import rupees
from optconsole.engine.queries import AdjustmentPreview, PreviewAdjustment
from optconsole.engine.strategies.amounts import BadText
from optconsole.engine.strategies.strike_text import read_expiry, read_strike

ADJUSTS: Final = ("roll", "shift", "hedge", "convert", "neutral")
HANDS: Final = ("adopt", "release")
HEAD: Final = ("step", "leg", "does", "contract", "lots", "units", "price")


def arguments(verbs: argparse._SubParsersAction[Parser]) -> None:
    """The verbs of this module, below ``run``."""
    roll = _adjust(verbs, "roll", "move a leg to another expiry or strike", leg=True)
    roll.add_argument("--expiry", metavar="RULE", help="weekly+1, monthly or 25NOV26; the same without it")
    roll.add_argument("--strike", metavar="RULE", help="ATM, OTM 2, 'premium 100', 24500; the same without it")
    shift = _adjust(verbs, "shift", "move a leg by listed strikes", leg=True)
    shift.add_argument("steps", type=int, metavar="N", help="further out of the money; -N towards and into it")
    hedge = _adjust(verbs, "hedge", "buy protection for a sold leg", leg=True)
    hedge.add_argument("--steps", type=count, default=4, metavar="N", help="listed strikes outside (4)")
    hedge.add_argument("--strike", metavar="RULE", help="by a rule instead, such as 'cheap 5' or 'premium 10'")
    convert = _adjust(verbs, "convert", "make an iron fly or condor of a sold straddle or strangle")
    convert.add_argument("--steps", type=count, default=4, metavar="N", help="strikes from a leg to its wing (4)")
    even = _adjust(verbs, "neutral", "add lots until the net delta is small")
    even.add_argument("--within", type=count, required=True, metavar="UNITS", help="of the underlying, either way")
    even.add_argument("--leg", default="", metavar="LEG", help="add to this leg; without it the fewest lots decide")
    even.add_argument("--most", type=count, default=10, metavar="LOTS", help="that may be added (10)")
    take = verbs.add_parser("adopt", help="give a leg what the hand holds of a contract")
    take.add_argument("id", metavar="ID")
    take.add_argument("leg", metavar="LEG")
    take.add_argument("words", nargs="+", metavar="POSITION", help="account/product/contract")
    give = verbs.add_parser("release", help="give what a leg holds back to the hand")
    give.add_argument("id", metavar="ID")
    give.add_argument("leg", metavar="LEG")
    for each in (take, give):
        each.add_argument("--units", type=count, default=0, metavar="N", help="whole lots of it; all without it")


def _adjust(verbs: argparse._SubParsersAction[Parser], verb: str, does: str, leg: bool = False) -> Parser:
    found = verbs.add_parser(verb, help=does)
    found.add_argument("id", metavar="ID")
    if leg:
        found.add_argument("leg", metavar="LEG")
    found.add_argument("--preview", action="store_true", help="show it and change nothing")
    return found


def run(args: argparse.Namespace, out: Output) -> None:
    """Carry out one of the verbs."""
    if args.verb in ADJUSTS:
        how = wanted(args)
        if args.preview:
            shown = visit(args.home, lambda engine: _preview(engine, args.id, how))
            out.document(shape(shown), *lines(shown))
            return
        command: AdjustRun | AdoptIntoRun | ReleaseFromRun = AdjustRun(
            id=command_id(), actor=ACTOR, run_id=args.id, how=how
        )
    elif args.verb == "adopt":
        key = " ".join(args.words)
        command = AdoptIntoRun(id=command_id(), actor=ACTOR, run_id=args.id, leg=args.leg, key=key, units=args.units)
    else:
        command = ReleaseFromRun(id=command_id(), actor=ACTOR, run_id=args.id, leg=args.leg, units=args.units)
    reply: Reply = visit(args.home, lambda engine: engine.submit(command))
    out.document({"ok": True, "code": reply.code, "text": reply.text, "ids": list(reply.ids)}, reply.text)


async def _preview(engine: Engine, run_id: str, how: AnyAdjust) -> AdjustmentPreview:
    return await engine.ask(PreviewAdjustment(run_id=run_id, how=how), AdjustmentPreview)


def wanted(args: argparse.Namespace) -> AnyAdjust:
    """What the words ask for. Raises UsageError."""
    try:
        match args.verb:
            case "roll":
                return RollLeg(
                    leg=args.leg,
                    expiry=None if args.expiry is None else read_expiry(args.expiry),
                    strike=None if args.strike is None else read_strike(args.strike),
                )
            case "shift":
                return ShiftLeg(leg=args.leg, steps=args.steps)
            case "hedge":
                strike = None if args.strike is None else read_strike(args.strike)
                return AddHedge(leg=args.leg, steps=args.steps, strike=strike)
            case "convert":
                return Convert(steps=args.steps)
            case _:
                return DeltaNeutral(bound=args.within, leg=args.leg, most=args.most)
    except BadText as bad:
        raise UsageError(f"{str(bad)[:1].upper()}{str(bad)[1:]}.") from None


def shape(shown: AdjustmentPreview) -> shapes.Shape:
    """A preview as JSON; the rules of a leg that is opened are those of the one it goes back to."""
    moves = [{name: value for name, value in shapes.fields(each).items() if name != "written"} for each in shown.moves]
    return {**shapes.fields(shown), "moves": moves, "checks": [shapes.fields(each) for each in shown.checks]}


def lines(shown: AdjustmentPreview) -> list[str]:
    """A preview for people: the moves in their order, then what they make of the run."""
    rows = [
        (
            str(move.step),
            move.leg,
            ("open" if move.opens else "close") + f" {move.side.value.lower()}",
            move.contract,
            str(move.lots),
            str(move.units),
            _money(move.price),
        )
        for move in shown.moves
    ]
    loss = [
        "no bound" if unlimited else _money(amount)
        for amount, unlimited in (
            (shown.max_loss_before, shown.unlimited_before),
            (shown.max_loss_after, shown.unlimited_after),
        )
    ]
    return [
        shown.text,
        *table(HEAD, rows, left=4),
        f"brings in {_money(shown.premium)}",
        f"margin    {_money(shown.margin_before)} → {_money(shown.margin_after)}",
        f"max loss  {loss[0]} → {loss[1]}",
        f"delta     {_units(shown.delta_before)} → {_units(shown.delta_after)}",
        *(f"{check.severity}: {check.text} [{check.code}]" for check in shown.checks),
    ]


def _money(paise: int | None) -> str:
    return "–" if paise is None else str(rupees(paise))


def _units(delta: float | None) -> str:
    return "–" if delta is None else f"{delta:+.1f}"
