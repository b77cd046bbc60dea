"""``optconsole panic-revoke``: every session ended, every token wiped, and what only a person can still revoke."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Mapping
from typing import Final

from optconsole.cli.arguments import Parser
from optconsole.cli.asking import Asker
from optconsole.cli.opening import add_stdin, opened, vault_of
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.credentials import VaultCredentials
from optconsole.engine.store.files import sync_folder
from optconsole.engine.store.vault import Vault
from optconsole.paths import home_dir
from optconsole.runtime.standby import Standby
from optconsole.sections import BrokerAccount

LOGOUT_SECONDS: Final = 10.0
"""All sessions are ended at once: the whole drill takes half a minute at most."""
CLOSE_BY_HAND: Final = (
    "The engine can no longer reach these brokers: look at open positions in their own apps and close them there."
)


def arguments(parser: Parser) -> None:
    parser.epilog = (
        "Keys and seeds stay in the vault, the day's tokens do not. --destroy needs no passphrase and removes the "
        "vault itself; sessions at the brokers are then not ended, only forgotten."
    )
    parser.add_argument("--destroy", action="store_true", help="remove the whole vault, without its passphrase")
    add_stdin(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Revoke. 1 where a broker did not confirm that its session ended; the tokens are gone all the same."""
    vault = vault_of(args)
    accounts = load(home_dir(args.home, os.environ)).accounts
    if args.destroy:
        vault.path.unlink()
        sync_folder(vault.path.parent)
        Standby(vault.path.parent, WallClock()).clear()
        outcomes: dict[str, str] = {}
        wiped: list[str] = []
    else:
        with opened(vault, Asker(args.stdin)):
            outcomes, wiped = _revoke(vault, accounts)
    failed = {name: why for name, why in outcomes.items() if why}
    steps = _steps(accounts)
    document = {
        "ok": not failed,
        "sessions": {name: {"ended": not why, "why": why} for name, why in outcomes.items()},
        "wiped": wiped,
        "destroyed": args.destroy,
        "steps": steps,
    }
    said = [f"{name}: {why or 'logged out'}" for name, why in outcomes.items()]
    gone = "The vault is removed." if args.destroy else f"Tokens wiped: {', '.join(wiped) or 'there were none'}."
    todo = [f"  {name}: {step}" for name, each in steps.items() for step in each]
    if not failed:
        out.document(document, *said, gone, "Now, by hand:", *todo, CLOSE_BY_HAND)
        return DONE
    text = f"{', '.join(failed)} did not confirm the logout; the tokens are wiped here and may live there."
    out.document(
        document | {"code": "NOT_LOGGED_OUT", "text": text}, *said, gone, "Now, by hand:", *todo, CLOSE_BY_HAND
    )
    error("NOT_LOGGED_OUT", text, as_json=False)
    return FAILED


def _revoke(vault: Vault, accounts: Mapping[str, BrokerAccount]) -> tuple[dict[str, str], list[str]]:
    """End what can be ended, then wipe every token whether that went well or not."""
    tokens: dict[str, list[str]] = {}
    for entry in vault.names():
        if entry.expires is not None:
            tokens.setdefault(entry.account, []).append(entry.name)
    try:
        outcomes = asyncio.run(_log_out(vault, {name: accounts[name] for name in tokens if name in accounts}))
    finally:
        for account, names in tokens.items():
            vault.forget(account, *names)
    return outcomes, [f"{account} {name}" for account, names in tokens.items() for name in names]


async def _log_out(vault: Vault, accounts: Mapping[str, BrokerAccount]) -> dict[str, str]:
    """By account why its session may live on; empty where it ended."""
    ends = await asyncio.gather(*(_end(vault, name, account) for name, account in accounts.items()))
    return dict(zip(accounts, ends, strict=True))


async def _end(vault: Vault, name: str, account: BrokerAccount) -> str:
    from optconsole.runtime.logins import door_of

    try:
        async with asyncio.timeout(LOGOUT_SECONDS):
            await door_of(account).log_out(account, VaultCredentials(vault, name), WallClock())
    except Refusal as refusal:
        return refusal.text
    except TimeoutError:
        return "the broker did not answer."
    except Exception as fault:  # one broker's fault must not keep another's session alive
        return f"the logout failed ({type(fault).__name__})."
    return ""


def _steps(accounts: Mapping[str, BrokerAccount]) -> dict[str, list[str]]:
    from optconsole.runtime.logins import DOORS

    return {name: list(DOORS[each.broker].revoke) for name, each in accounts.items() if each.broker in DOORS}
