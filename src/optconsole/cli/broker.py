"""``optconsole broker login|logout|status|simulate``: the day's login, and what of each broker works."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from optconsole.cli import broker_simulate, broker_status
from optconsole.cli.arguments import Parser, nearest
from optconsole.cli.asking import Asker
from optconsole.cli.opening import add_stdin, opened, vault_of
from optconsole.cli.output import DONE, Output
from optconsole.cli.vault import life, tell_engine
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.text import display
from optconsole.paths import home_dir
from optconsole.sections import BrokerAccount

if TYPE_CHECKING:
    from optconsole.brokers.transport.gateway import Credentials
    from optconsole.runtime.logins import Door


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    login = verbs.add_parser(
        "login",
        help="log in for the day and seal the tokens",
        description="Log in as the broker wants it. What it needs and is not stored yet is asked for and stored; the "
        "tokens are sealed and counted down. A running engine takes them over at once.",
    )
    logout = verbs.add_parser("logout", help="have the day's tokens die now, and take them out of the vault")
    for verb in (login, logout):
        verb.add_argument("account", metavar="ACCOUNT", help="an account of config.toml, or its broker")
        add_stdin(verb)
    broker_status.arguments(verbs.add_parser("status", help="each account's login and what of its broker works"))
    broker_simulate.arguments(verbs.add_parser("simulate", help="rehearse a broker: its own wire on this machine"))


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb. Raises Refusal."""
    match args.verb:
        case "login":
            return _login(args, out)
        case "logout":
            return _logout(args, out)
        case "simulate":
            return broker_simulate.run(args, out)
        case _:
            return broker_status.run(args, out)


def _login(args: argparse.Namespace, out: Output) -> int:
    from optconsole.engine.store.credentials import VaultCredentials
    from optconsole.runtime.logins import Typed, door_of, log_in

    home = home_dir(args.home, os.environ)
    name, account = account_of(home, args.account)
    door = door_of(account)
    vault, asker, clock = vault_of(args), Asker(args.stdin), WallClock()
    with opened(vault, asker) as passphrase:
        stored = VaultCredentials(vault, name)
        typed = _missing(door, stored, asker)
        login = asyncio.run(log_in(account, Typed(stored, typed), asker.ask, clock))
        if typed:
            vault.put(name, typed)
        vault.put(name, login.secrets, login.expires_at)
    told, user = tell_engine(home, passphrase), display(login.user, 40)
    note = {
        None: "",
        True: " The running engine has the tokens.",
        False: " The running engine did not open its vault: optconsole unlock",
    }[told]
    out.document(
        {
            "ok": True,
            "account": name,
            "broker": account.broker,
            "user": user,
            "expires": login.expires_at.isoformat(),
            "engine_unlocked": told,
        },
        f"{name} is logged in at {door.title} as {user}: {life(login.expires_at, clock.now())}.{note}",
    )
    return DONE


def _missing(door: Door, stored: Credentials, asker: Asker) -> dict[str, Secret]:
    """What the broker needs and the vault has not, typed."""
    typed = {name: asker.secret(f"{title}: ") for name, title in door.needs.items() if not stored.get(name)}
    empty = next((name for name, secret in typed.items() if not secret), None)
    if empty is not None:
        raise Refusal("NO_ANSWER", f"{empty} is needed to log in; nothing was changed.")
    return typed


def _logout(args: argparse.Namespace, out: Output) -> int:
    from optconsole.engine.store.credentials import VaultCredentials
    from optconsole.runtime.logins import door_of

    name, account = account_of(home_dir(args.home, os.environ), args.account)
    door = door_of(account)
    vault, asker = vault_of(args), Asker(args.stdin)
    with opened(vault, asker):
        tokens = [entry.name for entry in vault.names() if entry.account == name and entry.expires is not None]
        if not tokens:
            raise Refusal("NO_SESSION", f"{name} has no tokens here; there is nothing to log out of.")
        # first at the broker: a token that cannot be ended there must not be forgotten here
        asyncio.run(door.log_out(account, VaultCredentials(vault, name), WallClock()))
        vault.forget(name, *tokens)
    document = {"ok": True, "account": name, "broker": account.broker, "forgotten": tokens}
    out.document(document, f"{name} is logged out of {door.title}; its tokens are gone.")
    return DONE


def account_of(home: Path, word: str) -> tuple[str, BrokerAccount]:
    """The account that is meant, by its name or by its broker's where that has one. Raises Refusal(NO_ACCOUNT)."""
    accounts = load(home).accounts
    if word in accounts:
        return word, accounts[word]
    theirs = [name for name, account in accounts.items() if account.broker == word]
    if len(theirs) == 1:
        return theirs[0], accounts[theirs[0]]
    if theirs:
        raise Refusal("WHICH_ACCOUNT", f"{word} has the accounts {', '.join(theirs)}; name one of them.")
    near = nearest(word, accounts)
    hint = f"did you mean {near}?" if near else f'add a section [accounts.NAME] with broker = "{display(word, 20)}".'
    raise Refusal("NO_ACCOUNT", f"{display(word, 40)} is no account of {home / 'config.toml'}; {hint}")
