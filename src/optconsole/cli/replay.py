"""``optconsole replay``: recordings made of other files, and the time of a played market."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, UsageError, day, speed, time_of_day
from optconsole.cli.output import DONE, Output
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.clock import WallClock
from optconsole.engine.commands import SteerReplay
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.model.vitals import Vitals
from optconsole.engine.queries import GetVitals, VitalsAnswer

POLL_SECONDS = 0.05
STUCK_POLLS = 100


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    imports = verbs.add_parser("import", help="make a recording of a market data file, or of a cut-off recording")
    imports.add_argument("source", metavar="SOURCE")
    imports.add_argument("target", nargs="?", metavar="TARGET", help="the recording to write")
    imports.add_argument("--out", metavar="TARGET", help="the same, as an option")
    imports.add_argument("--symbol", metavar="NAME", help="the index, where the file does not say or holds several")
    imports.add_argument("--day", type=day, metavar="DATE", help="one day of several, such as 2026-08-18")
    imports.add_argument("--replace", action="store_true", help="overwrite a recording that exists")
    verbs.add_parser("status", help="market time, speed, whether it is held")
    verbs.add_parser("pause", help="hold the market")
    resume = verbs.add_parser("resume", help="play on")
    resume.add_argument("--speed", type=speed, metavar="N", help="market seconds per second, or max")
    to = verbs.add_parser("to", help="play to a market time, then hold")
    to.add_argument("until", type=time_of_day, metavar="HH:MM")
    to.add_argument("--speed", type=speed, metavar="N", help="market seconds per second, or max")
    to.add_argument("--no-wait", action="store_true", help="return at once instead of when the time is reached")


def run(args: argparse.Namespace, out: Output) -> int:
    """Import, or steer and tell where the market stands."""
    if args.verb == "import":
        return _import(args, out)

    async def work(engine: Engine) -> Vitals:
        if args.verb != "status":
            until, pace = getattr(args, "until", None), getattr(args, "speed", None)
            command = SteerReplay(id=command_id(), actor=ACTOR, action=args.verb, until=until, speed=pace)
            await engine.submit(command)
            if args.verb == "to" and not args.no_wait:
                return await _reached(engine, args.until)
        return await _vitals(engine)

    vitals = visit(args.home, work)
    document: shapes.Shape = {
        "world": vitals.world,
        "now": vitals.now.isoformat(),
        "phase": vitals.phase.value,
        "paused": vitals.paused,
        "speed": vitals.speed,
    }
    pace = "held" if vitals.paused else "speed max" if vitals.speed == 0 else f"speed {vitals.speed or 1:g}"
    out.document(document, f"{vitals.world}  {out.formats.calendar(vitals.now)}  {vitals.phase.value}  {pace}")
    return DONE


def _import(args: argparse.Namespace, out: Output) -> int:
    if (args.target is None) == (args.out is None):
        raise UsageError("Name the recording to write once: `optconsole replay import SOURCE TARGET`.")
    source, target = Path(args.source), Path(args.target or args.out)
    if target.exists() and not args.replace:
        raise Refusal("FILE_EXISTS", f"{target} exists; choose another name, or overwrite it with --replace.")
    from optconsole.brokers.replay.importer import import_file  # numpy and pyarrow: only an import needs them here

    progress = _show_progress if sys.stderr.isatty() else None
    report = import_file(source, target, symbol=args.symbol, day=args.day, progress=progress)
    lines = [
        f"{report.target}: {', '.join(report.underlyings)} of {report.day}, {report.first:%H:%M:%S} to "
        f"{report.last:%H:%M:%S}",
        f"{report.quotes_written} quotes of {report.instruments} contracts in {report.frames} moments, "
        f"from {report.rows_read} rows ({report.shape})",
        *(f"dropped {rows} rows: {display(reason)}" for reason, rows in report.dropped.items() if rows),
        *(f"gap of {gap.seconds:.0f} s from {gap.since:%H:%M:%S}" for gap in report.gaps),
        *map(display, report.notes),
    ]
    out.document({"ok": True, **shapes.fields(report)}, *lines)
    return DONE


def _show_progress(done: int, total: int) -> None:
    end = "\n" if done >= total else ""
    sys.stderr.write(f"\rimporting {done * 100 // max(total, 1)} %{end}")
    sys.stderr.flush()


async def _vitals(engine: Engine) -> Vitals:
    return (await engine.ask(GetVitals(), VitalsAnswer)).vitals


async def _reached(engine: Engine, until: str) -> Vitals:
    """Wait until the market holds at its goal. Raises Refusal(REPLAY_ENDED) when it stops short of it."""
    clock, last, stuck = WallClock(), None, 0
    while True:
        vitals = await _vitals(engine)
        if vitals.paused and vitals.now >= _moment(vitals.now, until):
            return vitals
        stuck = stuck + 1 if vitals.paused and vitals.now == last else 0
        if stuck > STUCK_POLLS:
            raise Refusal("REPLAY_ENDED", f"The market stopped at {vitals.now:%H:%M:%S}, short of {until}.")
        last = vitals.now
        await clock.sleep(POLL_SECONDS)


def _moment(now: datetime, text: str) -> datetime:
    hour, minute, second = (int(part) for part in (*text.split(":"), "0")[:3])
    return now.replace(hour=hour, minute=minute, second=second, microsecond=0)
