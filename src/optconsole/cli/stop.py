"""``optconsole stop show|set|clear``: the guards of positions."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, UsageError, price, split_contract
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import ClearStop, Reply, SetStop
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import Protection, StopMode
from optconsole.screens.formats import Formats

HEAD = ("position", "stop", "at exchange", "target", "mode", "state")
_HELP = """examples:
  optconsole stop set NIFTY 25NOV26 24500 CE --at 126.60
  optconsole stop set NIFTY 25NOV26 24500 CE --at 126.60 --target 60 --mode broker
  optconsole stop clear NIFTY 25NOV26 24500 CE

modes: both (tight here, wide at the exchange), broker (at the exchange alone), local (here alone)"""


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    verbs.add_parser("show", help="every guard and how far its promise has come")
    setting = verbs.add_parser("set", help="guard an open position, or move its levels", epilog=_HELP)
    clearing = verbs.add_parser("clear", help="guard a position no longer")
    for verb in (setting, clearing):
        verb.add_argument("words", nargs="+", metavar="CONTRACT", help="such as NIFTY 25NOV26 24500 CE")
        verb.add_argument("--account", metavar="A", help="needed where several hold the contract")
        verb.add_argument("--product", type=str.upper, choices=("NRML", "MIS"), help="needed where both are held")
    setting.add_argument("--at", type=price, metavar="P", help="the stop, in rupees")
    setting.add_argument("--target", type=price, metavar="P", help="where the profit is taken")
    setting.add_argument("--wide", type=price, metavar="P", help="the trigger at the exchange, with mode both")
    setting.add_argument("--mode", choices=[each.value for each in StopMode], default=StopMode.BOTH.value)


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    if args.verb == "show":
        guards = visit(args.home, _guards)
        rows = [_row(each, out.formats) for each in guards.values()]
        lines = table(HEAD, rows) if rows else ["No position is guarded."]
        out.document({"stops": [shapes.fields(each) for each in guards.values()]}, *lines)
        return DONE
    if args.verb == "set" and args.at is None and args.target is None:
        raise UsageError("Say where: --at, --target or both.")
    reply = visit(args.home, lambda engine: _command(engine, args))
    out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE


async def _guards(engine: Engine) -> dict[str, Protection]:
    return (await engine.snapshot()).state.protections


async def _command(engine: Engine, args: argparse.Namespace) -> Reply:
    written, rest = split_contract(args.words)
    if rest:
        raise UsageError(f"{rest[0]!r} is one word too many; name one contract.")
    key = held(
        (await engine.snapshot()).state, await engine.named(written), args.account, args.product, args.verb == "clear"
    )
    if args.verb == "clear":
        return await engine.submit(
            ClearStop(id=command_id(), actor=ACTOR, account=key.account, product=key.product, contract=key.contract)
        )
    return await engine.submit(
        SetStop(
            id=command_id(),
            actor=ACTOR,
            account=key.account,
            product=key.product,
            contract=key.contract,
            stop=args.at,
            target=args.target,
            mode=StopMode(args.mode),
            wide=args.wide,
        )
    )


def held(state: TradingState, contract: str, account: str | None, product: str | None, guarded: bool) -> PositionKey:
    """The one open (or guarded) position that the words mean. Raises Refusal(NO_POSITION | WHICH_POSITION)."""
    keys = (
        [each.key for each in state.protections.values()]
        if guarded
        else [each.key for each in state.positions.values() if each.qty]
    )
    found = [
        key
        for key in keys
        if key.contract == contract and account in (None, key.account) and product in (None, key.product.value)
    ]
    if not found:
        what = "guards" if guarded else "is open in"
        raise Refusal(
            "NO_POSITION", f"Nothing {what} {contract}; see `optconsole {'stop show' if guarded else 'positions'}`."
        )
    if len(found) > 1:
        raise Refusal("WHICH_POSITION", f"Several hold it: {', '.join(map(str, found))}; add --account or --product.")
    return found[0]


def _row(guard: Protection, formats: Formats) -> tuple[str, ...]:
    state = "blind" if guard.blind else guard.state.value.lower()
    reason = f", {guard.reason.value.lower().replace('_', ' ')}" if guard.reason else ""
    levels = (formats.price(level) for level in (guard.stop, guard.wide, guard.target))
    return (str(guard.key), *levels, guard.mode.value, f"{state}{reason}")
