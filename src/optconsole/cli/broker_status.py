"""``optconsole broker status``: each account's login counted down, and its broker by capability."""

from __future__ import annotations

import argparse
import os
import socket
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.cli.vault import life
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.vitals import BrokerVitals
from optconsole.engine.store.vault import Vault
from optconsole.paths import home_dir
from optconsole.sections import BrokerAccount

HEAD: Final = ("account", "broker", "mode", "quotes", "order read", "order write", "login")
UNKNOWN: Final = "unknown"
_ELSEWHERE: Final = ("192.0.2.1", 9)
"""An address that is nobody's: a datagram socket aimed there tells the way out and sends nothing."""


def arguments(parser: Parser) -> None:
    parser.epilog = (
        "Quotes, order read and order write are what a running engine has seen of each broker; without one, only the "
        "logins are known. The egress address is the one this machine sends from; brokers see your router's instead "
        "where it is a private one."
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Show every account. A broker that is down is no failure of this command."""
    home = home_dir(args.home, os.environ)
    accounts, seen = load(home).accounts, _seen(args.home)
    ends, now = _ends(home), WallClock().now()
    rows = [_row(name, account, seen, ends.get(name), now) for name, account in accounts.items()]
    address = egress()
    lines = [tuple(str(row[key]) for key in _COLUMNS) for row in rows]
    notes = [f"{row['account']}: {row['note']}" for row in rows if row["note"]]
    private = address is not None and ip_address(address).is_private
    said = f"Egress address: {address or UNKNOWN}{' (private: brokers see your router)' if private else ''}."
    shown = table(HEAD, lines, left=7) if rows else ["No accounts at brokers; add [accounts.NAME] to config.toml."]
    document = {"engine": seen is not None, "egress_ip": address, "egress_private": private, "accounts": rows}
    engine = [] if seen is not None else ["No engine runs here: what the brokers do now is unknown."]
    out.document(document, *shown, *notes, said, *engine)
    return DONE


_COLUMNS: Final = ("account", "broker", "mode", "quotes", "order_read", "order_write", "login")


def _row(
    name: str,
    account: BrokerAccount,
    seen: dict[str, BrokerVitals] | None,
    end: datetime | None,
    now: datetime,
) -> dict[str, object]:
    found = (seen or {}).get(name)
    note = "" if found is None else found.lost or found.note
    return {
        "account": name,
        "broker": account.broker,
        "mode": account.mode,
        "data_rank": account.rank,
        "quotes": UNKNOWN if found is None else found.quotes.value.lower(),
        "order_read": UNKNOWN if found is None else found.order_read.value.lower(),
        "order_write": UNKNOWN if found is None else found.order_write.value.lower(),
        "latency_p50_ms": None if found is None else found.latency_p50,
        "latency_p99_ms": None if found is None else found.latency_p99,
        "logged_in": account.broker == "paper" or (end is not None and end > now),
        "expires": None if end is None else end.isoformat(),
        "seconds_left": None if end is None else max(0, int((end - now).total_seconds())),
        "login": _login(account, end, now),
        "note": note,
    }


def _login(account: BrokerAccount, end: datetime | None, now: datetime) -> str:
    if account.broker == "paper":
        return "needs none"
    return "none" if end is None else life(end, now)


def _ends(home: Path) -> dict[str, datetime]:
    """When each account's tokens die, the first of them; told by a locked vault too."""
    vault = Vault(home, WallClock())
    ends: dict[str, datetime] = {}
    for entry in vault.names() if vault.exists else ():
        if entry.expires is not None:
            ends[entry.account] = min(entry.expires, ends.get(entry.account, entry.expires))
    return ends


def _seen(home: str | None) -> dict[str, BrokerVitals] | None:
    """What the running engine knows of its brokers, by account; None where none runs."""

    async def work(engine: Engine) -> dict[str, BrokerVitals]:
        return {each.account: each for each in (await engine.snapshot()).vitals.brokers}

    try:
        return visit(home, work)
    except Refusal as refusal:
        if refusal.code == "NO_ENGINE":
            return None
        raise


def egress() -> str | None:
    """The IPv4 address this machine sends from; None where it has no way out."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
    except OSError:
        return None
