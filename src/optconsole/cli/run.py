"""``optconsole run …``: the runs of the day's strategies, and what a person may do with one."""

from __future__ import annotations

import argparse
from typing import Any, Final

from optconsole.cli import preview, run_adjust, shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.cli.strategy import complain, fault_shape, read_text
from optconsole.engine.commands import EditRun, Reply, RunAction, SendSignal, SteerRun
from optconsole.engine.model.book import Drift, TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import rupees
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.model.shares import whose
from optconsole.engine.strategies.linting import check_text

HEAD: Final = ("run", "basket", "strategy", "account", "state", "enters", "leaves", "lag", "why")
LEG_HEAD: Final = ("leg", "stage", "contract", "side", "lots", "entry", "stop", "target", "why")
PART_HEAD: Final = ("leg", "contract", "units", "average", "position")
_HELP = """A run is one strategy at work for one account on one day.

examples:
  optconsole run list
  optconsole run show R3
  optconsole run exit R3 --leg ce
  optconsole run edit R3 straddle.toml
  optconsole run shift R3 ce 2 --preview
  optconsole run roll R3 ce --expiry weekly+1
  optconsole run adopt R3 pe paper/NRML/NIFTY 25NOV26 24500 PE"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP
    verbs = parser.verbs()
    verbs.add_parser("list", help="the day's runs")
    verbs.add_parser("show", help="one run with its legs").add_argument("id", metavar="ID")
    for verb, does in (
        ("now", "begin it at once"),
        ("skip", "let it go before it has begun"),
        ("approve", "let it enter"),
        ("exit", "close it, or one leg of it"),
        ("halt", "enter nothing more; its stops go on"),
        ("resume", "let it enter again"),
    ):
        found = verbs.add_parser(verb, help=does)
        found.add_argument("id", metavar="ID")
        found.add_argument("--why", default="", metavar="TEXT", help="kept with it in the journal")
        if verb == "exit":
            found.add_argument("--leg", default="", metavar="LEG", help="this leg only")
    verbs.add_parser("outlook", help="what it may still make and lose").add_argument("id", metavar="ID")
    edit = verbs.add_parser("edit", help="give it the rules of a file, its legs as they are")
    edit.add_argument("id", metavar="ID")
    edit.add_argument("file", metavar="FILE")
    edit.add_argument("--fire", action="store_true", help="though it would close something at once")
    run_adjust.arguments(verbs)
    verbs.add_parser("signal", help="tell the runs that wait for it").add_argument("name", metavar="NAME")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    match args.verb:
        case "list":
            state = visit(args.home, _state)
            rows = [_row(each) for each in state.runs.values()]
            lines = table(HEAD, rows, left=5) if rows else ["No run today; `optconsole basket start NAME` plans some."]
            out.document({"runs": [shape(each) for each in state.runs.values()]}, *lines)
        case "show":
            _show(args, out)
        case verb if verb in run_adjust.ADJUSTS or verb in run_adjust.HANDS:
            run_adjust.run(args, out)
        case "outlook":
            return preview.outlook(args.home, args.id.upper(), out)
        case "edit":
            return _edit(args, out)
        case "signal":
            reply = visit(args.home, lambda engine: engine.submit(_signal(args.name)))
            _told(reply, out)
        case _:
            _told(visit(args.home, lambda engine: engine.submit(_steer(args))), out)
    return DONE


def _show(args: argparse.Namespace, out: Output) -> None:
    """One run: its legs, what each holds by our book, and where the broker shows something else."""

    async def work(engine: Engine) -> tuple[Run, TradingState]:
        return await _one(engine, args.id), await _state(engine)

    found, state = visit(args.home, work)
    parts = parts_of(state, found)
    drifts = [each for key, each in state.drifts.items() if key in {part["position"] for part in parts}]
    head = f"{found.id} {found.basket} / {found.strategy.name} on {found.account}: {found.status.value}"
    change = [] if found.adjusting is None else [f"  Being adjusted: {found.adjusting.text}"]
    rows = [_leg_row(leg) for leg in found.legs.values()]
    held = [
        (
            part["leg"],
            part["contract"],
            str(part["units"]),
            str(rupees(part["average_paise"])),
            str(part["position_units"]),
        )
        for part in parts
    ]
    out.document(
        {**shape(found), "parts": parts, "drifts": [shapes.fields(each) for each in drifts]},
        head,
        f"  {found.text}",
        *change,
        *table(LEG_HEAD, rows, left=4),
        *(["", *table(PART_HEAD, held, left=2)] if held else []),
        *(_drift_line(state, each) for each in drifts),
    )


def parts_of(state: TradingState, found: Run) -> list[dict[str, Any]]:
    """What each leg of a run holds, beside the whole position of its contract. Average in paise."""
    prefix = found.path + "/"
    return [
        {
            "leg": part.source.removeprefix(prefix),
            "position": key,
            "contract": part.held.key.contract,
            "units": part.held.qty,
            "average_paise": round(part.held.cost / part.held.qty),
            "position_units": state.positions[key].qty,
        }
        for key, parts in state.books.items()
        for part in parts
        if part.held.qty and part.source.startswith(prefix)
    ]


def _drift_line(state: TradingState, drift: Drift) -> str:
    held = whose(state.books.get(str(drift.key), ()), drift.ours - drift.theirs)
    return f"differs: {drift.key}: our book {drift.ours}, the broker {drift.theirs}; {held}"


def _told(reply: Reply, out: Output) -> None:
    out.document({"ok": True, "code": reply.code, "text": reply.text, "ids": list(reply.ids)}, reply.text)


def _steer(args: argparse.Namespace) -> SteerRun:
    return SteerRun(
        id=command_id(),
        actor=ACTOR,
        run_id=args.id,
        action=RunAction(args.verb),
        leg=getattr(args, "leg", ""),
        why=args.why,
    )


def _signal(name: str) -> SendSignal:
    return SendSignal(id=command_id(), actor=ACTOR, name=name)


async def _state(engine: Engine) -> TradingState:
    return (await engine.snapshot()).state


async def _one(engine: Engine, run_id: str) -> Run:
    runs = (await _state(engine)).runs
    found = runs.get(run_id.upper())
    if found is None:
        raise Refusal("NO_SUCH_RUN", f"No run is called {run_id!r}; there are: {', '.join(runs) or 'none'}.")
    return found


def _edit(args: argparse.Namespace, out: Output) -> int:
    checked = check_text(read_text(args.file))
    if checked.basket is None or not checked.sound:
        if out.json:
            out.document({"ok": False, "code": "LINT", "faults": [fault_shape(each) for each in checked.faults]})
        else:
            complain(args.file, checked, out)
        return FAILED
    basket = checked.basket

    async def work(engine: Engine) -> Reply:
        found = await _one(engine, args.id)
        strategy = basket.strategy(found.strategy.name)
        if strategy is None:
            raise Refusal("NO_STRATEGY", f"{args.file} holds no strategy called {found.strategy.name!r}.")
        return await engine.submit(
            EditRun(id=command_id(), actor=ACTOR, run_id=found.id, strategy=strategy, fire=args.fire)
        )

    _told(visit(args.home, work), out)
    return DONE


def shape(found: Run) -> dict[str, object]:
    """A run as JSON, its strategy by name."""
    return {
        "id": found.id,
        "basket": found.basket,
        "version": found.version,
        "strategy": found.strategy.name,
        "account": found.account,
        "mode": found.mode.value,
        "trade_date": found.trade_date.isoformat(),
        "entry_at": found.entry_at.isoformat(),
        "exit_at": found.exit_at.isoformat(),
        "status": found.status.value,
        "code": found.code,
        "text": found.text,
        "lag_ms": found.lag_ms,
        "cycle": found.watch.cycle,
        "legs": [shapes.fields(leg) for leg in found.legs.values()],
    }


def _row(found: Run) -> tuple[str, ...]:
    lag = "" if found.lag_ms is None else f"{found.lag_ms} ms"
    enters, leaves = f"{found.entry_at:%H:%M:%S}", f"{found.exit_at:%d %b %H:%M}"
    why = f"{found.code} {found.text}".strip()
    return found.id, found.basket, found.strategy.name, found.account, found.status.value, enters, leaves, lag, why


def _leg_row(leg: LegRun) -> tuple[str, ...]:
    track = None if leg.levels is None else leg.levels.leg
    stop = "" if track is None or track.stop is None else str(rupees(track.stop))
    target = "" if track is None or track.target is None else str(rupees(track.target))
    entry = "" if leg.entry is None else str(rupees(leg.entry))
    why = f"{leg.code} {leg.text}".strip()
    return leg.id, leg.stage.value, leg.contract or "–", leg.side.value, str(leg.lots), entry, stop, target, why
