"""``optconsole status``: is it alive, what is the day's result, what is open."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output
from optconsole.cli.session import Engine, visit
from optconsole.cli.view import view
from optconsole.engine.model.text import display
from optconsole.engine.model.vitals import LinkState, Vitals
from optconsole.engine.ports import Snapshot
from optconsole.screens.formats import Formats
from optconsole.screens.mirror import Mirror


def arguments(parser: Parser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Show one page of health and figures."""

    async def work(engine: Engine) -> tuple[Mirror, Snapshot]:
        return await view(engine)

    mirror, taken = visit(args.home, work)
    out.document(_shape(mirror, taken), *_lines(mirror, taken.vitals, out.formats))
    return DONE


def _shape(mirror: Mirror, taken: Snapshot) -> shapes.Shape:
    state, figures = mirror.state, mirror.figures()
    return {
        "version": taken.version,
        "ready": state.ready,
        "killed": state.killed,
        "kill_reason": state.kill_reason,
        "seq": state.seq,
        "day": shapes.plain(state.day),
        "gross_paise": figures.gross,
        "net_paise": figures.net,
        "charges_paise": figures.charges,
        "unpriced_positions": figures.unpriced,
        "open_positions": figures.open,
        "working_orders": len(mirror.working()),
        "unacknowledged_notices": mirror.unseen(),
        "vitals": shapes.fields(taken.vitals),
    }


def _lines(mirror: Mirror, vitals: Vitals, formats: Formats) -> list[str]:
    state, figures = mirror.state, mirror.figures()
    unpriced = f"  ({figures.unpriced} positions without a price left out)" if figures.unpriced else ""
    play = "  paused" if vitals.paused else "" if vitals.speed is None else f"  speed {_speed(vitals.speed)}"
    brokers = "  ".join(f"{broker.name} orders {broker.order_write.value}" for broker in vitals.brokers)
    return [
        f"{display(vitals.world)}  {formats.calendar(vitals.now)}  {vitals.phase.value}{play}",
        f"engine   {_readiness(state.ready, vitals)}  fact {state.seq}  up {formats.age(vitals.uptime)}"
        f"  consoles {vitals.consoles}",
        f"feed     {vitals.feed.value}  last quote {formats.age(vitals.feed_age)} ago"
        f"  {vitals.quotes_per_second:.0f} quotes/s",
        f"store    {vitals.store.value}  commit p99 {formats.latency(vitals.commit_p99)}",
        f"broker   {display(brokers) or formats.unknown}",
        f"P&L      {formats.pnl(figures.gross)} gross  {formats.pnl(figures.net)} net"
        f"  charges {formats.amount(figures.charges)}{unpriced}",
        f"open     {figures.open} positions  {len(mirror.working())} working orders"
        f"  {mirror.unseen()} unacknowledged notices",
        f"kill     {'ENGAGED: ' + display(state.kill_reason) if state.killed else 'ready'}",
    ]


def _readiness(ready: bool, vitals: Vitals) -> str:
    if vitals.store is LinkState.DEAD:
        return f"TAKES NO ORDERS: the store has failed ({vitals.guard})"
    if vitals.guard:
        return f"{vitals.guard}: only guards and exits act; see the alarms in `optconsole journal list --text alarm`"
    return "ready" if ready else "not ready"


def _speed(speed: float) -> str:
    return "max" if speed == 0 else f"{speed:g}x"
