"""``optconsole market …``: baskets published as signed bundles, and those of others that one subscribes to."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec

from optconsole.cli.adopting import save
from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.output import DONE, FAILED, Output, table
from optconsole.cli.session import visit
from optconsole.cli.strategy import complain, fault_shape, plugin_cards, read_text
from optconsole.engine.model.baskets import Allocation
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.strategies.amounts import BadText, hundredths
from optconsole.engine.strategies.bundle_files import read_bundle, write_bundle
from optconsole.engine.strategies.bundles import Bundle, fingerprint_of, publish
from optconsole.engine.strategies.differences import differences
from optconsole.engine.strategies.linting import check_text
from optconsole.engine.strategies.publisher_key import new_key, read_key
from optconsole.engine.strategies.subscriptions import Subscription, Subscriptions
from optconsole.paths import home_dir

HEAD: Final = ("bundle", "newest", "pinned", "basket", "author", "key")
_HELP = """A bundle is data: a basket's text, signed by its publisher. It says nothing of accounts and carries no
program; a strategy that it names as `plugin` must be registered here already. Your accounts, multipliers and limits
stay yours.

examples:
  optconsole market keygen publisher.key
  optconsole market publish straddle.toml --key publisher.key --name short-straddle --version 1.0.0 --out straddle.zip
  optconsole market verify straddle.zip
  optconsole market subscribe straddle.zip --trust FINGERPRINT
  optconsole market pin short-straddle 1.0.0 --account paper --multiplier 2
  optconsole market diff short-straddle straddle-1.1.zip
  optconsole market update short-straddle straddle-1.1.zip"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP
    verbs = parser.verbs()
    keygen = verbs.add_parser("keygen", help="make the key that you sign with, in a new file")
    keygen.add_argument("file", metavar="FILE")
    _publishing(verbs.add_parser("publish", help="sign a basket's file"))
    verify = verbs.add_parser("verify", help="whether a bundle is whole, and whose it is")
    verify.add_argument("bundle", metavar="BUNDLE")
    subscribe = verbs.add_parser("subscribe", help="trust a publisher's key for a bundle, once you have compared it")
    subscribe.add_argument("bundle", metavar="BUNDLE")
    subscribe.add_argument("--trust", default="", metavar="FINGERPRINT", help="of the publisher's key")
    verbs.add_parser("list", help="subscriptions and their versions")
    diff = verbs.add_parser("diff", help="what another version changes, field by field")
    diff.add_argument("name", metavar="NAME")
    diff.add_argument("bundle", metavar="BUNDLE", help="a bundle, or a version that was taken in")
    update = verbs.add_parser("update", help="take a newer version in; where one is pinned, save it in the engine")
    update.add_argument("name", metavar="NAME")
    update.add_argument("bundle", metavar="BUNDLE")
    pin = verbs.add_parser("pin", help="save a version as a basket in the engine, on accounts of your own")
    pin.add_argument("name", metavar="NAME")
    pin.add_argument("version", metavar="VERSION")
    pin.add_argument("--account", metavar="ID", help="who runs it, where the basket is new")
    pin.add_argument("--multiplier", metavar="N", default="1", help="times the published lots (1)")
    pin.add_argument("--as", dest="basket", metavar="BASKET", help="what the basket is called here")
    drop = verbs.add_parser("unsubscribe", help="forget a publisher's key and its versions; the basket stays")
    drop.add_argument("name", metavar="NAME")


def _publishing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the basket")
    parser.add_argument("--key", required=True, metavar="FILE", help="made by keygen")
    parser.add_argument("--name", required=True, metavar="NAME", help="of the bundle: a-z, 0-9 and -")
    parser.add_argument("--version", required=True, metavar="N.N.N")
    parser.add_argument("--author", default="", metavar="TEXT")
    parser.add_argument("--notes", default="", metavar="TEXT", help="what has changed")
    parser.add_argument("--out", required=True, metavar="PATH", help="a new .zip, .toml or folder")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    match args.verb:
        case "keygen":
            made = fingerprint_of(new_key(Path(args.file)).public_key())
            told = f"{args.file} is for you alone; its fingerprint is for those who subscribe:"
            out.document({"file": args.file, "fingerprint": made}, told, made)
        case "publish":
            return _publish(args, out)
        case "list":
            _list(_subscriptions(args).all(), out)
        case "unsubscribe":
            _subscriptions(args).drop(args.name)
            out.document({"ok": True, "name": args.name}, f"{args.name} is forgotten; what was saved of it stays.")
        case "verify":
            bundle = read_bundle(Path(args.bundle))
            missing = _missing(args.home, bundle)
            out.document({**shape(bundle), "missing_plugins": missing}, *_told(bundle), *_lacks(missing))
        case "subscribe":
            _subscribe(args, out)
        case "diff":
            _diff(args, out)
        case "update":
            _update(args, out)
        case _:
            _pin(args, out)
    return DONE


def shape(bundle: Bundle) -> dict[str, object]:
    """A bundle as JSON, without its text."""
    said = bundle.manifest
    return {
        "name": said.name,
        "version": said.version,
        "author": said.author,
        "notes": said.notes,
        "fingerprint": said.fingerprint,
        "basket": bundle.basket.name,
        "strategies": [each.name for each in bundle.basket.strategies],
        "plugins": list(bundle.plugins),
    }


def _told(bundle: Bundle) -> list[str]:
    said = bundle.manifest
    author = f" by {display(said.author, 80)}" if said.author else ""
    lines = [
        f"{said.name} {said.version}{author}: the basket {bundle.basket.name!r}.",
        "Its signature holds. Its publisher's key has the fingerprint",
        said.fingerprint,
    ]
    return [*lines, *(display(line) for line in said.notes.splitlines())]


def _subscriptions(args: argparse.Namespace) -> Subscriptions:
    return Subscriptions(home_dir(args.home, os.environ))


def _publish(args: argparse.Namespace, out: Output) -> int:
    checked = check_text(read_text(args.file))
    if checked.basket is None or not checked.sound:
        faults = [fault_shape(each) for each in checked.faults]
        if out.json:
            out.document({"ok": False, "code": "LINT", "faults": faults})
        else:
            complain(args.file, checked, out)
        return FAILED
    bundle = publish(
        checked.basket,
        read_key(Path(args.key)),
        name=args.name,
        version=args.version,
        author=args.author,
        notes=args.notes,
    )
    write_bundle(bundle, Path(args.out))
    left = ["Accounts, capital and the day's loss are yours and were left out."] if checked.basket.allocations else []
    out.document({"file": args.out, **shape(bundle)}, f"{args.name} {args.version} is in {args.out}.", *left)
    return DONE


def _list(known: list[Subscription], out: Output) -> None:
    rows = [
        (each.name, each.newest, each.pin or "–", each.basket or "–", each.author or "–", each.fingerprint[:16])
        for each in known
    ]
    lines = table(HEAD, rows, left=6) if rows else ["No subscription yet; `optconsole market subscribe` makes one."]
    out.document({"subscriptions": [msgspec.to_builtins(each) for each in known]}, *lines)


# ---------------------------------------------------------------- plug-ins that a bundle needs


def _missing(home: str | None, bundle: Bundle) -> list[str]:
    """Registered strategies that the bundle names and that are not here."""
    if not bundle.plugins:
        return []
    known = {card.name for card in asyncio.run(plugin_cards(home)) if not card.fault}
    return [name for name in bundle.plugins if name not in known]


def _lacks(missing: list[str]) -> list[str]:
    return [f"It needs strategies that are not registered here: {', '.join(missing)}."] if missing else []


def _need_plugins(home: str | None, bundle: Bundle) -> None:
    missing = _missing(home, bundle)
    if missing:
        raise Refusal(
            "PLUGIN_MISSING",
            f"It needs the strategies {', '.join(missing)}, which are not registered here and do not come with it; "
            "see `optconsole strategy plugins`.",
        )


# ---------------------------------------------------------------- taking in


def _subscribe(args: argparse.Namespace, out: Output) -> None:
    bundle = read_bundle(Path(args.bundle))
    _need_plugins(args.home, bundle)
    _subscriptions(args).subscribe(bundle, args.trust)
    said = bundle.manifest
    then = f"`optconsole market pin {said.name} {said.version} --account ID` saves it as a basket."
    out.document({"ok": True, **shape(bundle)}, f"{said.name} is trusted with this key from now on. {then}")


def _diff(args: argparse.Namespace, out: Output) -> None:
    known = _subscriptions(args)
    subscription = known.of(args.name)
    if args.bundle in subscription.versions:
        after = known.bundle(args.name, args.bundle)
    else:
        after = read_bundle(Path(args.bundle))
        known.newer(args.name, after)
    before = known.bundle(args.name, subscription.pin or subscription.newest)
    _show(out, before.manifest.version, after, differences(before.basket, after.basket))


def _show(out: Output, before: str, after: Bundle, changes: tuple[str, ...], *more: str) -> None:
    head = f"{after.manifest.name} {before} → {after.manifest.version}:"
    lines = [f"  {each}" for each in changes] or ["  nothing changes but the version"]
    document = {"from": before, "to": after.manifest.version, "changes": list(changes), "text": " ".join(more)}
    out.document(document, head, *lines, *more)


def _update(args: argparse.Namespace, out: Output) -> None:
    bundle, known = read_bundle(Path(args.bundle)), _subscriptions(args)
    subscription = known.newer(args.name, bundle)
    _need_plugins(args.home, bundle)
    if not subscription.pin:
        known.take(args.name, bundle)
        before = known.bundle(args.name, subscription.newest)
        changes = differences(before.basket, bundle.basket)
        _show(out, subscription.newest, bundle, changes, "It is taken in; none is pinned, so nothing was saved.")
        return
    known.take(args.name, bundle)
    changes, reply = visit(args.home, lambda engine: save(engine, bundle, subscription.basket))
    known.pinned(args.name, bundle.manifest.version, subscription.basket)
    _show(out, subscription.pin, bundle, changes, reply.text)


def _pin(args: argparse.Namespace, out: Output) -> None:
    known = _subscriptions(args)
    bundle = known.bundle(args.name, args.version)
    _need_plugins(args.home, bundle)
    name = args.basket or known.of(args.name).basket or bundle.basket.name
    allocations: tuple[Allocation, ...] = ()
    if args.account:
        allocations = (Allocation(account=args.account, multiplier=_multiplier(args.multiplier)),)
    changes, reply = visit(args.home, lambda engine: save(engine, bundle, name, allocations))
    before = known.of(args.name).pin or "nothing"
    known.pinned(args.name, args.version, name)
    _show(out, before, bundle, changes, reply.text)


def _multiplier(text: str) -> int:
    try:
        return hundredths(text)
    except BadText as wrong:
        raise UsageError(f"--multiplier: {wrong}.") from None
