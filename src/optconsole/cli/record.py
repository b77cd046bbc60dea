"""``optconsole record``: the market of a running engine, written to a file that `--replay` plays."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Final, NamedTuple

from optconsole import __version__
from optconsole.cli.arguments import Parser, expiry, time_of_day
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.cli.session import Engine, visit
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.recorder import Recorder
from optconsole.engine.market.recording import Extent, Header
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.ports import Beat, Tap
from optconsole.engine.queries import FindInstruments, InstrumentList
from optconsole.link.protocol import LinkLost

HZ: Final = 10.0
"""States of the market kept a second: a contract that changes more often is kept as it was at each beat."""


class Recorded(NamedTuple):
    """A finished recording; ``lost`` says why it ended early, empty otherwise."""

    extent: Extent
    first: datetime
    last: datetime
    lost: str


def arguments(parser: Parser) -> None:
    parser.epilog = (
        "Records until SIGINT or SIGTERM, the end of the day, or --until. Whatever ends it, the file is whole."
    )
    parser.add_argument("file", metavar="FILE", help="such as 2026-11-23.parquet; never overwritten")
    parser.add_argument("--underlying", action="append", type=str.upper, metavar="U", help="only U; may be repeated")
    parser.add_argument("--expiry", action="append", type=expiry, metavar="D", help="only D; may be repeated")
    parser.add_argument("--until", type=time_of_day, metavar="HH:MM", help="stop at this market time")


def run(args: argparse.Namespace, out: Output) -> int:
    """Record. What was written before the engine went away is kept, and the exit code is then 1."""
    done = visit(args.home, lambda engine: _record(engine, args))
    document = {
        "ok": not done.lost,
        "file": args.file,
        "quotes": done.extent.rows,
        "moments": done.extent.frames,
        "first": done.first.isoformat(),
        "last": done.last.isoformat(),
    }
    line = (
        f"{done.extent.rows} quotes of {done.extent.frames} moments, {done.first:%H:%M:%S} to {done.last:%H:%M:%S}, "
        f"in {args.file}."
    )
    if not done.lost:
        out.document(document, line)
        return DONE
    out.document(document | {"code": "LINK_LOST", "text": done.lost}, line)
    error("LINK_LOST", f"{done.lost} The recording holds what came before.", as_json=False)
    return FAILED


async def _record(engine: Engine, args: argparse.Namespace) -> Recorded:
    # before the file is begun: from then on a signal must end it whole
    stopped = _stop_signal()
    vitals = (await engine.snapshot()).vitals
    chosen = await _chosen(engine, args.underlying, args.expiry)
    recorder = Recorder(Path(args.file), _header(chosen, vitals.now.date(), vitals.world))
    tap = engine.link.tap(HZ)
    tap.watch([instrument.name for instrument in chosen])
    seen: list[datetime] = []
    lost = ""
    try:
        async with aclosing(_until_stopped(tap, stopped, args.until)) as beats:
            async for beat in beats:
                if not recorder.write(beat.vitals.now, beat.quotes):
                    break
                if beat.quotes:
                    seen[1:] = [beat.vitals.now]
    except LinkLost as gone:
        lost = str(gone)
    finally:
        extent = recorder.close()
    return Recorded(extent, seen[0], seen[-1], lost)


async def _chosen(engine: Engine, underlyings: list[str] | None, expiries: list[date] | None) -> tuple[Instrument, ...]:
    """The contracts to record: the indices always, and what the filters leave of the rest."""
    listed = (await engine.ask(FindInstruments(), InstrumentList)).instruments
    known = sorted({each.underlying for each in listed})
    for name in underlyings or ():
        if name not in known:
            raise Refusal("NOT_LISTED", f"{name} is not an underlying here; listed: {', '.join(known) or 'none'}.")
    found = tuple(
        each
        for each in listed
        if (not underlyings or each.underlying in underlyings)
        and (not expiries or each.expiry is None or each.expiry in expiries)
    )
    if not any(each.tradable for each in found):
        raise Refusal("NOTHING_TO_RECORD", "No listed contract is left by --underlying and --expiry.")
    return found


def _header(chosen: tuple[Instrument, ...], day: date, world: str) -> Header:
    session = Calendar.load().session(day, chosen[0].exchange)
    if session is None:
        raise Refusal("NO_SESSION", f"{day:%d %b %Y} has no session to record.")
    return Header(
        day=day,
        opens=session.opens,
        closes=session.closes,
        source=f"{world}, recorded by optconsole {__version__}",
        booked=True,
        instruments=chosen,
    )


def _stop_signal() -> asyncio.Event:
    """Set by SIGINT and SIGTERM from now on."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _until_stopped(tap: Tap, stopped: asyncio.Event, until: str | None) -> AsyncGenerator[Beat, None]:
    """Beats until a signal to stop or the market time ``until``."""
    beats, stopping = aiter(tap), asyncio.create_task(stopped.wait())
    coming: asyncio.Task[Beat] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(beats))
            await asyncio.wait((coming, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                return
            beat = coming.result()
            if until is not None and f"{beat.vitals.now:%H:%M:%S}" > (until if len(until) > 5 else f"{until}:00"):
                return
            yield beat
    finally:
        for task in (coming, stopping):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration, LinkLost):
                    await task
        with suppress(LinkLost):
            await tap.close()
