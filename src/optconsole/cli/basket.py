"""``optconsole basket …``: baskets in the book, brought in from files and taken out to files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import msgspec

from optconsole.cli import preview
from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.output import DONE, FAILED, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.cli.strategy import complain, fault_shape, read_text
from optconsole.engine.commands import ExitBasket, Reply, SaveBasket, SetBasketStatus
from optconsole.engine.model.baskets import Basket, BasketBook, BasketStatus
from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.files import write_basket
from optconsole.engine.strategies.linting import check_text

HEAD: Final = ("basket", "state", "version", "strategies", "legs", "accounts")
STATUS: Final = {
    "start": BasketStatus.ACTIVE,
    "pause": BasketStatus.PAUSED,
    "stop": BasketStatus.STOPPED,
    "archive": BasketStatus.ARCHIVED,
}
_HELP = """A basket holds strategies and the accounts that run them; see `optconsole strategy --help` for its file.

examples:
  optconsole basket import straddle.toml
  optconsole basket start "short straddle"
  optconsole basket export "short straddle" straddle.toml"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP
    verbs = parser.verbs()
    listed = verbs.add_parser("list", help="all baskets")
    listed.add_argument("--all", action="store_true", help="archived ones too")
    verbs.add_parser("show", help="one basket as text").add_argument("name", metavar="NAME")
    bring = verbs.add_parser("import", help="save a file's basket as its next version")
    bring.add_argument("file", metavar="FILE")
    take = verbs.add_parser("export", help="write a basket to a file")
    take.add_argument("name", metavar="NAME")
    take.add_argument("file", metavar="FILE", nargs="?", help="a new file; standard output without it")
    take.add_argument("--force", action="store_true", help="write over a file that is there")
    look = verbs.add_parser("preview", help="what it would do now: contracts, money, margin, worst case, order rate")
    look.add_argument("name", metavar="NAME|FILE")
    look.add_argument("--strategy", default="", metavar="NAME", help="only this strategy of it")
    clone = verbs.add_parser("clone", help="save a basket once more under another name, stopped")
    clone.add_argument("name", metavar="NAME")
    clone.add_argument("new", metavar="NEW")
    leave = verbs.add_parser("exit", help="close everything it holds, and stop it")
    leave.add_argument("name", metavar="NAME")
    leave.add_argument("--why", default="", metavar="TEXT", help="kept with it in the journal")
    for verb, does in (
        ("start", "run its strategies by their schedules"),
        ("pause", "start nothing new; what runs goes on"),
        ("stop", "start nothing any more; what runs goes on until it is out"),
        ("archive", "put it out of sight"),
    ):
        named = verbs.add_parser(verb, help=does)
        named.add_argument("name", metavar="NAME")
        named.add_argument("--why", default="", metavar="TEXT", help="kept with it in the journal")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    match args.verb:
        case "list":
            _list(args, out)
        case "show":
            book = visit(args.home, lambda engine: one(engine, args.name))
            text = write_basket(book.basket)
            out.document({**shape(book), "toml": text}, *_head(book), "", text.rstrip("\n"))
        case "preview":
            return _preview(args, out)
        case "import":
            return _import(args, out)
        case "export":
            _export(args, out)
        case "clone":
            reply = visit(args.home, lambda engine: _clone(engine, args.name, args.new))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
        case "exit":
            leave = ExitBasket(id=command_id(), actor=ACTOR, name=args.name, why=args.why)
            reply = visit(args.home, lambda engine: engine.submit(leave))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
        case _:
            reply = visit(args.home, lambda engine: _set(engine, args))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE


def _preview(args: argparse.Namespace, out: Output) -> int:
    try:
        found = preview.of_name_or_file(args, out)
    except preview.Faulty:
        return FAILED
    preview.require_strategies(found)
    return preview.whole(found, out)


def shape(book: BasketBook) -> dict[str, object]:
    """A basket as JSON, without its text."""
    basket = book.basket
    return {
        "name": basket.name,
        "status": book.status.value,
        "version": book.version,
        "saved_at": book.saved_at.isoformat(),
        "by": book.by,
        "source": book.source,
        "pin": book.pin,
        "strategies": [
            {"name": each.name, "underlying": each.underlying, "legs": [leg.id for leg in each.legs]}
            for each in basket.strategies
        ],
        "accounts": [{"account": each.account, "multiplier": each.multiplier} for each in basket.allocations],
    }


def _list(args: argparse.Namespace, out: Output) -> None:
    books = visit(args.home, _books)
    shown = [each for each in books.values() if args.all or each.status is not BasketStatus.ARCHIVED]
    rows = [
        (
            book.basket.name,
            book.status.value,
            str(book.version),
            str(len(book.basket.strategies)),
            str(sum(len(each.legs) for each in book.basket.strategies)),
            ", ".join(each.account for each in book.basket.allocations) or "–",
        )
        for book in shown
    ]
    lines = table(HEAD, rows, left=2) if rows else ["No basket yet; `optconsole basket import FILE` brings one in."]
    out.document({"baskets": [shape(each) for each in shown]}, *lines)


async def _books(engine: Engine) -> dict[str, BasketBook]:
    return (await engine.snapshot()).state.baskets


async def one(engine: Engine, name: str) -> BasketBook:
    """The basket of that name. Raises Refusal(NO_SUCH_BASKET)."""
    books = await _books(engine)
    found = books.get(name)
    if found is None:
        known = ", ".join(sorted(books)) or "none"
        raise Refusal("NO_SUCH_BASKET", f"No basket is called {name!r}; there are: {known}.")
    return found


def _head(book: BasketBook) -> list[str]:
    origin = f", from {book.source} {book.pin}" if book.source else ""
    return [f"{book.basket.name}: {book.status.value}, version {book.version} of {book.saved_at:%d %b %H:%M}{origin}"]


def _import(args: argparse.Namespace, out: Output) -> int:
    checked = check_text(read_text(args.file))
    if checked.basket is None or not checked.sound:
        if out.json:
            faults = [fault_shape(each) for each in checked.faults]
            out.document({"ok": False, "code": "LINT", "faults": faults})
        else:
            complain(args.file, checked, out)
        return FAILED
    basket = checked.basket
    reply = visit(args.home, lambda engine: _save(engine, basket))
    out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE


async def _save(engine: Engine, basket: Basket) -> Reply:
    known = (await _books(engine)).get(basket.name)
    over = None if known is None else known.version
    return await engine.submit(SaveBasket(id=command_id(), actor=ACTOR, basket=basket, over=over))


async def _clone(engine: Engine, name: str, new: str) -> Reply:
    book = await one(engine, name)
    if new in await _books(engine):
        raise Refusal("NAME_TAKEN", f"A basket is called {new!r} already; choose another name.")
    copy = msgspec.structs.replace(book.basket, name=new)
    checked = check_text(write_basket(copy))
    if not checked.sound:
        raise Refusal("BAD_NAME", f"{new!r} will not do: {checked.faults[0].text}")
    return await engine.submit(SaveBasket(id=command_id(), actor=ACTOR, basket=copy))


async def _set(engine: Engine, args: argparse.Namespace) -> Reply:
    status = STATUS[args.verb]
    return await engine.submit(
        SetBasketStatus(id=command_id(), actor=ACTOR, name=args.name, status=status, why=args.why)
    )


def _export(args: argparse.Namespace, out: Output) -> None:
    book = visit(args.home, lambda engine: one(engine, args.name))
    text = write_basket(book.basket)
    if args.file is None:
        out.document({"name": book.basket.name, "toml": text}, text.rstrip("\n"))
        return
    target = Path(args.file)
    if target.exists() and not args.force:
        raise UsageError(f"{args.file} is there already; give --force to write over it.")
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as failed:
        raise Refusal("NO_FILE", f"{args.file} cannot be written: {failed.strerror}.") from None
    out.document({"name": book.basket.name, "file": args.file}, f"{book.basket.name} is in {args.file}.")
