"""What `doctor` looks at where accounts at brokers are concerned: the vault's file and the logins in it."""

from __future__ import annotations

from pathlib import Path

from optconsole.cli.checkup import FAIL, OK, WARN, Finding
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.vault import Vault


def vault(home: Path) -> Finding:
    """Whether the vault can be used; never opened here."""
    kept = Vault(home, WallClock())
    needed = _at_brokers(home)
    if not kept.exists:
        if needed:
            return Finding("vault", WARN, f"none, and {', '.join(needed)} need one", "Run: optconsole secrets init")
        return Finding("vault", OK, "none, and no account needs one")
    try:
        entries = kept.names()
    except Refusal as refusal:
        return Finding("vault", FAIL, refusal.text, "Nothing is read from it until then.")
    wait = kept.lockout.wait()
    if wait:
        return Finding("vault", WARN, f"{kept.lockout.failures} wrong passphrases were tried", f"Wait {wait:.0f} s.")
    return Finding("vault", OK, f"{len(entries)} secrets of {len({entry.account for entry in entries})} accounts")


def logins(home: Path) -> Finding:
    """Which accounts at brokers have no living token."""
    needed, now = _at_brokers(home), WallClock().now()
    try:
        entries = Vault(home, WallClock()).names() if needed else ()
    except Refusal:  # the vault's own check has said so already
        entries = ()
    alive = {entry.account for entry in entries if entry.expires is not None and entry.expires > now}
    missing = [name for name in needed if name not in alive]
    if missing:
        advice = f"Run: optconsole broker login {missing[0]}"
        return Finding("logins", WARN, f"{', '.join(missing)} not logged in for today", advice)
    return Finding("logins", OK, f"{len(needed)} accounts logged in" if needed else "no account at a broker")


def _at_brokers(home: Path) -> list[str]:
    try:
        return [name for name, account in load(home).accounts.items() if account.broker != "paper"]
    except Refusal:  # the configuration's own check has said so already
        return []
