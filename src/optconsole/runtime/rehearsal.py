"""A rehearsed broker as a program: its market, its wire, one ready line, then silence until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from optconsole.brokers.paper.practice.feed import DEFAULT_RATE
from optconsole.brokers.paper.rules import PaperRules
from optconsole.brokers.rehearsal.certificates import loopback_context
from optconsole.brokers.rehearsal.dialect import Dialect
from optconsole.brokers.rehearsal.faults import FaultFile, read_faults
from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.opening import LEDGER, Hooks, open_market, played_market
from optconsole.brokers.rehearsal.serve import Served, serve
from optconsole.engine.clock import MarketClock, WallClock
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.contracts import listing
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.timeline import time_of_day
from optconsole.engine.store.lock import HomeLock
from optconsole.runtime.practice import first_practice_moment
from optconsole.runtime.rates import paper_rules

FOLDER: Final = "rehearsal"
FIRST_QUOTES_SECONDS: Final = 2.0
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """One rehearsal. ``port`` 0 is any free one; ``speed`` is market seconds a second; ``day``, ``seed`` and ``rate``
    belong to the practice market, ``replay`` is a recording to play instead."""

    home: Path
    broker: str
    port: int = 0
    tls: bool = False
    faults: Path | None = None
    replay: Path | None = None
    speed: float = 1.0
    start_at: str | None = None
    day: date | None = None
    seed: int = 1
    rate: float | None = None
    redirect: str | None = None
    postback: str | None = None


Opener = Callable[[Market, RehearsalOptions], Awaitable[Dialect]]


async def _zerodha(market: Market, options: RehearsalOptions) -> Dialect:
    from optconsole.brokers.rehearsal.kite.wire import REDIRECT, KiteSettings, open_kite

    settings = KiteSettings(postback_url=options.postback or "", redirect_url=options.redirect or REDIRECT)
    return await open_kite(market, settings)


async def _angelone(market: Market, options: RehearsalOptions) -> Dialect:
    from optconsole.brokers.rehearsal.smartapi.dialect import SmartApi

    return SmartApi(market, seed=options.seed)


async def _shoonya(market: Market, options: RehearsalOptions) -> Dialect:
    from optconsole.brokers.rehearsal.noren.dialect import open_noren
    from optconsole.brokers.rehearsal.noren.door import REDIRECT

    return await open_noren(market, redirect=options.redirect or REDIRECT, seed=options.seed)


BROKERS: Final[dict[str, tuple[str, Opener]]] = {
    "zerodha": ("AB1234", _zerodha),
    "angelone": ("R123456", _angelone),
    "shoonya": ("FA1234", _shoonya),
}
"""The rehearsed account's id, in the broker's manner, and how its wire is opened."""


def run_rehearsal(options: RehearsalOptions) -> int:
    """Serve until SIGINT or SIGTERM. Raises Refusal when it cannot start."""
    return asyncio.run(_run(options))


async def _run(options: RehearsalOptions) -> int:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in _ENDING:
        loop.add_signal_handler(number, ending.set)
    async with AsyncExitStack() as stack:
        served = await open_rehearsal(stack, options)
        sys.stdout.write(f"ready {json.dumps(served.ready)}\n")
        sys.stdout.flush()
        await ending.wait()
    return 0


async def open_rehearsal(stack: AsyncExitStack, options: RehearsalOptions) -> Served:
    """A rehearsed broker that answers, closed with ``stack``. Every rehearsal begins with an empty book.

    Raises Refusal: BAD_FAULTS, BAD_HABITS, REHEARSAL_RUNNING, PORT_TAKEN, NO_SESSION, and what a recording raises.
    """
    account, opener = BROKERS[options.broker]
    faults = read_faults(options.faults) if options.faults is not None else FaultFile()
    folder = options.home / FOLDER / options.broker
    stack.callback(_alone(folder, options.broker).release)
    for old in folder.glob(f"{LEDGER}*"):
        old.unlink()
    calendar = Calendar.load()
    rules = paper_rules(calendar)
    market = await _market(options, folder, account, calendar, rules)
    stack.push_async_callback(market.close)
    await market.opened(FIRST_QUOTES_SECONDS)
    dialect = await opener(market, options)
    context, trusted = loopback_context(folder, WallClock().now()) if options.tls else (None, None)
    served = await _serve(dialect, market, options.port, context, faults)
    stack.push_async_callback(served.close)
    if trusted is not None:
        served.ready["ca"] = str(trusted)
    return served


def _alone(folder: Path, broker: str) -> HomeLock:
    lock = HomeLock(folder)
    try:
        lock.acquire()
    except Refusal as held:
        if held.code != "ENGINE_RUNNING":
            raise
        text = f"A rehearsal of {broker} already runs in this home; stop it first, or choose another --home."
        raise Refusal("REHEARSAL_RUNNING", text) from None
    return lock


async def _serve(
    dialect: Dialect, market: Market, port: int, context: ssl.SSLContext | None, faults: FaultFile
) -> Served:
    try:
        return await serve(
            dialect, market, port=port, tls=context, faults=faults.faults, habits=faults.habits, seed=faults.seed
        )
    except Refusal:
        await dialect.close()
        raise
    except OSError as taken:
        await dialect.close()
        why = "is taken" if taken.errno == errno.EADDRINUSE else f"cannot be listened on: {taken.strerror}"
        raise Refusal("PORT_TAKEN", f"Port {port} {why}; choose another with --port, or leave it out.") from None


async def _market(
    options: RehearsalOptions, folder: Path, account: str, calendar: Calendar, rules: PaperRules
) -> Market:
    if options.replay is not None:
        return await _recorded(options, options.replay, folder, account, rules)
    start = first_practice_moment(options.day, calendar)
    if options.start_at is not None:
        start = time_of_day(start, options.start_at)
    return await open_market(
        folder,
        calendar=calendar,
        rules=rules,
        listing=listing,
        seed=options.seed,
        start=start,
        speed=options.speed,
        rate=options.rate or DEFAULT_RATE,
        account=account,
    )


async def _recorded(options: RehearsalOptions, source: Path, folder: Path, account: str, rules: PaperRules) -> Market:
    # pyarrow takes a quarter of a second to import and only a replay needs it
    from optconsole.brokers.replay.feed import ReplayFeed
    from optconsole.brokers.replay.session import open_session

    recording = open_session(source, options.home)
    start = recording.begins
    if options.start_at is not None:
        start = max(start, time_of_day(start, options.start_at))
    if start > recording.ends:
        recording.close()
        raise Refusal("TIME_PASSED", f"The recording ends at {recording.ends:%H:%M:%S}; choose an earlier --from.")

    def build(clock: MarketClock, hooks: Hooks) -> ReplayFeed:
        return ReplayFeed(
            recording,
            clock=clock,
            on_open=hooks.on_open,
            on_close=hooks.on_close,
            settled=hooks.settled,
            speed=options.speed,
        )

    return await played_market(folder, build, rules=rules, start=start, account=account, seed=options.seed)
