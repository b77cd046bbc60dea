"""``optconsole health``: what is lost, what goes on all the same, and how each account can be reached."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.engine.model.vitals import BrokerVitals
from optconsole.engine.ports import Snapshot
from optconsole.screens.formats import Formats
from optconsole.screens.troubles import Trouble, troubles

HEAD = ("account", "broker", "quotes", "order read", "order write", "book", "entries")


def arguments(parser: Parser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Show every trouble with what it stops, then the accounts."""

    async def work(engine: Engine) -> Snapshot:
        return await engine.snapshot()

    taken = visit(args.home, work)
    found = troubles(taken.state, taken.vitals, out.formats)
    document = {
        "troubles": [
            {"what": each.what, "stops": each.stops, "goes_on": each.goes_on, "why": each.why} for each in found
        ],
        "brokers": [shapes.fields(each) for each in taken.vitals.brokers],
        "doubts": [shapes.fields(each) for each in taken.vitals.doubts],
        "letters": len(taken.state.letters),
        "drifts": len(taken.state.drifts),
        "guard": taken.vitals.guard,
        "orders_last_second": taken.vitals.orders_last_second,
        "orders_per_second_cap": taken.vitals.orders_per_second_cap,
        "entry_wait": taken.vitals.entry_wait,
    }
    lines = [_line(each) for each in found]
    rows = [_row(each, out.formats) for each in taken.vitals.brokers]
    out.document(document, *(lines or ["All is well."]), "", *table(HEAD, rows, left=5))
    return DONE


def _line(trouble: Trouble) -> str:
    why = f" ({trouble.why})" if trouble.why else ""
    return f"{trouble.what}: {trouble.stops or 'nothing stops'}; {trouble.goes_on}{why}"


def _row(each: BrokerVitals, formats: Formats) -> tuple[str, ...]:
    entries = f"in {each.refusing_for:.0f}s" if each.refusing_for else "stopped" if each.lost else "open"
    return (
        each.account,
        each.name,
        each.quotes.value.lower(),
        each.order_read.value.lower(),
        each.order_write.value.lower(),
        formats.age(each.book_age),
        entries,
    )
