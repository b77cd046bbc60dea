"""``optconsole secrets init|set|list|forget|rotate``: the vault, whose values are put in and never shown."""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.asking import Asker
from optconsole.cli.opening import add_stdin, opened, vault_at, vault_of
from optconsole.cli.output import DONE, Output, table
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.store.vault_entries import Entry, require_names
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.link.protocol import LinkLost
from optconsole.paths import home_dir

SEED: Final = "totp_seed"
"""The authenticator's secret: stored only by who wants the engine to log in alone."""


def arguments(parser: Parser) -> None:
    parser.epilog = (
        "Values and passphrases are typed, or with --stdin read from standard input, the passphrase first, a line "
        "each. They are never arguments."
    )
    verbs = parser.verbs()
    init = verbs.add_parser("init", help="make the vault")
    put = verbs.add_parser("set", help="store one secret of an account, such as api_key or api_secret")
    put.add_argument("account", metavar="ACCOUNT")
    put.add_argument("name", metavar="NAME")
    put.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    put.add_argument("--expires", type=_moment, metavar="WHEN", help="when it dies, such as 2026-11-24T06:00 (IST)")
    verbs.add_parser("list", help="which secrets there are and when they die; never their values")
    forget = verbs.add_parser("forget", help="take secrets of an account away")
    forget.add_argument("account", metavar="ACCOUNT")
    forget.add_argument("words", nargs="*", metavar="NAME")
    forget.add_argument("--all", action="store_true", help="every secret of the account")
    rotate = verbs.add_parser("rotate", help="take another passphrase and seal everything under another key")
    for verb in (init, put, forget, rotate):
        add_stdin(verb)


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb. Raises Refusal."""
    match args.verb:
        case "init":
            return _init(args, out)
        case "set":
            return _set(args, out)
        case "forget":
            return _forget(args, out)
        case "rotate":
            return _rotate(args, out)
        case _:
            return _list(args, out)


def _init(args: argparse.Namespace, out: Output) -> int:
    home = home_dir(args.home, os.environ)
    vault, asker = vault_at(home), Asker(args.stdin)
    vault.require_none()
    vault.create(asker.fresh("New passphrase (14 characters or 5 words at least): "))
    vault.lock()
    out.document(
        {"ok": True, "file": str(vault.path)},
        f"The vault {vault.path} is made. Nobody can open it without the passphrase, nor recover that.",
    )
    return DONE


def _set(args: argparse.Namespace, out: Output) -> int:
    if args.words:  # not said again: it may be the secret itself
        raise UsageError(
            "A secret is no argument: the shell's history and every user's `ps` show it. Type it when asked."
        )
    require_names(args.account, args.name)
    if args.expires is not None and args.expires <= WallClock().now():
        raise Refusal("EXPIRED", f"--expires {args.expires:%Y-%m-%d %H:%M} is past; give a time to come.")
    vault, asker = vault_of(args), Asker(args.stdin)
    with opened(vault, asker):
        value = asker.secret(f"{args.name} of {args.account}: ")
        vault.put(args.account, {args.name: value}, args.expires)
    known = args.account in load(vault.path.parent).accounts
    note = "" if known else f" No [accounts.{args.account}] is in config.toml yet."
    if args.name == SEED:
        note += " Whoever opens this vault now has both factors: leave it out to type the six digits each morning."
    out.document(
        {"ok": True, "account": args.account, "name": args.name, "configured": known},
        f"{args.name} of {args.account} is sealed.{note}",
    )
    return DONE


def _list(args: argparse.Namespace, out: Output) -> int:
    now, entries = WallClock().now(), vault_of(args).names()
    document = {"secrets": [_shape(entry, now) for entry in entries]}
    rows = [
        (entry.account, entry.name, f"{entry.written.astimezone(IST):%Y-%m-%d %H:%M}", life(entry.expires, now))
        for entry in entries
    ]
    out.document(document, *(table(("account", "name", "written", "life"), rows, left=4) if rows else ("No secrets.",)))
    return DONE


def _forget(args: argparse.Namespace, out: Output) -> int:
    if bool(args.words) == args.all:
        raise Refusal("WHICH", "Name the secrets to take away, or say --all.")
    vault, asker = vault_of(args), Asker(args.stdin)
    with opened(vault, asker):
        gone = vault.forget(args.account, *args.words)
    if not gone:
        raise Refusal("NO_SECRET", f"{args.account} has no such secret; see `optconsole secrets list`.")
    document = {"ok": True, "account": args.account, "forgotten": list(gone)}
    out.document(document, f"Taken away of {args.account}: {', '.join(gone)}.")
    return DONE


def _rotate(args: argparse.Namespace, out: Output) -> int:
    vault, asker = vault_of(args), Asker(args.stdin)
    with opened(vault, asker):
        fresh = asker.fresh("New passphrase (14 characters or 5 words at least): ")
        vault.rotate(fresh)
    told = tell_engine(vault.path.parent, fresh)
    note = {
        None: "",
        True: " The running engine goes on with it.",
        False: " The running engine does not have it yet: optconsole unlock",
    }[told]
    out.document({"ok": True, "engine_unlocked": told}, f"Everything is sealed anew under the new passphrase.{note}")
    return DONE


def tell_engine(home: Path, passphrase: Secret) -> bool | None:
    """Give the running engine the passphrase; None where none runs, False where it could not take it."""

    async def tell() -> bool:
        link = await SocketLink.connect(socket_path(home))
        try:
            return await link.unlock(passphrase)
        finally:
            await link.close()

    try:
        return asyncio.run(tell())
    except LinkLost:
        return False
    except Refusal as refusal:
        return None if refusal.code == "NO_ENGINE" else False


def life(expires: datetime | None, now: datetime) -> str:
    """How long a secret still lives, in words."""
    if expires is None:
        return "does not expire"
    left = expires - now
    if left <= timedelta(0):
        return f"expired {expires.astimezone(IST):%Y-%m-%d %H:%M}"
    minutes = int(left.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min, until {expires.astimezone(IST):%Y-%m-%d %H:%M}"


def _shape(entry: Entry, now: datetime) -> dict[str, object]:
    return {
        "account": entry.account,
        "name": entry.name,
        "version": entry.version,
        "written": entry.written.isoformat(),
        "expires": None if entry.expires is None else entry.expires.isoformat(),
        "seconds_left": None if entry.expires is None else max(0, int((entry.expires - now).total_seconds())),
    }


def _moment(text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write it as 2026-11-24T06:00, Indian time unless it names a zone."
        ) from None
    return given if given.tzinfo is not None else given.replace(tzinfo=IST)
