"""``optconsole journal list|show|why|verify|anchor|export``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from optconsole.cli import shapes
from optconsole.cli.anchors import AnchorLine, append, of_world
from optconsole.cli.arguments import Parser, count, number
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.cli.session import Engine, visit
from optconsole.cli.wording import narrate
from optconsole.engine.clock import WallClock
from optconsole.engine.events import Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.queries import JournalPage, JournalVerdict, ReadJournal, VerifyJournal
from optconsole.screens.why_words import lines

PAGE: Final = 1000
VERIFY_SECONDS: Final = 600.0


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    lists = verbs.add_parser("list", help="the newest facts, or those after a number")
    lists.add_argument("--after", type=number, metavar="SEQ", help="facts above this number, oldest first")
    lists.add_argument("--limit", type=count, default=50, metavar="N", help="at most N (50)")
    lists.add_argument("--stream", metavar="S", help="one history, such as order:O12 or account:paper")
    lists.add_argument("--text", metavar="T", help="facts that contain this text")
    lists.add_argument("--follow", action="store_true", help="go on with every new fact; JSON Lines with --json")
    show = verbs.add_parser("show", help="one fact with what followed from it")
    show.add_argument("seq", type=count, metavar="SEQ")
    why = verbs.add_parser("why", help="why a run, a leg or an order did what it did: R3, R3/ce, O12")
    why.add_argument("id", metavar="ID")
    verify = verbs.add_parser("verify", help="check the hash chain, and that replay equals the live state")
    verify.add_argument("--anchor", metavar="FILE", help="and that it leads through the heads that FILE holds")
    anchor = verbs.add_parser("anchor", help="verify, then add the journal's head to a file to be kept elsewhere")
    anchor.add_argument("file", metavar="FILE")
    export = verbs.add_parser("export", help="every fact as JSON Lines")
    export.add_argument("--after", type=number, default=0, metavar="SEQ")
    export.add_argument("--output", metavar="FILE", help="a file instead of standard output; never overwritten")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    match args.verb:
        case "list" if args.follow:
            return visit(args.home, lambda engine: _follow(engine, args, out))
        case "list":
            return _list(args, out)
        case "show":
            return _show(args, out)
        case "why":
            return _why(args, out)
        case "verify":
            return _verify(args, out)
        case "anchor":
            return _anchor(args, out)
        case _:
            return _export(args, out)


def _list(args: argparse.Namespace, out: Output) -> int:
    page = visit(args.home, lambda engine: engine.ask(_wanted(args), JournalPage))
    document = {"facts": [shapes.fact(each) for each in page.facts], "head": page.head}
    out.document(document, *([narrate(each, out.formats) for each in page.facts] or ["No such fact."]))
    return DONE


def _wanted(args: argparse.Namespace) -> ReadJournal:
    return ReadJournal(
        after=args.after or 0, limit=args.limit, stream=args.stream, text=args.text, last=args.after is None
    )


async def _follow(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    if args.stream or args.text:
        raise Refusal("BAD_FILTER", "--follow shows every fact; leave --stream and --text out.")
    page = await engine.ask(_wanted(args), JournalPage)
    after = page.facts[0].seq - 1 if page.facts else args.after or 0
    async for fact in engine.link.facts(after):
        out.item(shapes.fact(fact), narrate(fact, out.formats))
    return DONE


def _show(args: argparse.Namespace, out: Output) -> int:
    async def work(engine: Engine) -> tuple[Recorded, list[Recorded]]:
        page = await engine.ask(ReadJournal(after=args.seq - 1, limit=1), JournalPage)
        if not page.facts:
            raise Refusal("NO_SUCH_FACT", f"There is no fact {args.seq}; the newest is {page.head}.")
        fact = page.facts[0]
        history = await engine.ask(ReadJournal(stream=fact.event.stream, limit=PAGE), JournalPage)
        return fact, [each for each in history.facts if each.seq != fact.seq]

    fact, others = visit(args.home, work)
    document = {"fact": shapes.fact(fact), "stream": fact.event.stream, "history": [each.seq for each in others]}
    lines = [narrate(fact, out.formats), f"        cause {fact.cause or 'none'}, stream {fact.event.stream}"]
    out.document(document, *lines, *(narrate(each, out.formats) for each in others))
    return DONE


def _why(args: argparse.Namespace, out: Output) -> int:
    async def work(engine: Engine) -> tuple[str, list[Recorded]]:
        stream, leg = await _asked(engine, args.id)
        page = await engine.ask(ReadJournal(stream=stream, limit=PAGE), JournalPage)
        if not page.facts:
            raise Refusal("NO_SUCH_FACT", f"The journal says nothing of {args.id!r}; name a run, R3/ce, or an order.")
        return leg, list(page.facts)

    leg, facts = visit(args.home, work)
    runs = facts[0].event.stream.startswith("run:")
    told = lines(facts, leg) if runs else [narrate(each, out.formats) for each in facts]
    out.document({"id": args.id, "facts": [shapes.fact(each) for each in facts]}, *told)
    return DONE


async def _asked(engine: Engine, name: str) -> tuple[str, str]:
    """The stream, and the leg of a run, that an id means. An order of a run is told as its leg."""
    run_id, _, leg = name.partition("/")
    if run_id.upper().startswith("R") and run_id[1:].isdigit():
        return f"run:{run_id.upper()}", leg
    order = (await engine.snapshot()).state.orders.get(name.upper())
    parts = order.terms.source.split("/") if order is not None else []
    if len(parts) == 4:
        return f"run:{parts[2]}", parts[3]
    return f"order:{name.upper()}", ""


def _verify(args: argparse.Namespace, out: Output) -> int:
    verdict, _state = visit(args.home, lambda engine: _verdict(engine, args.anchor))
    return _told(verdict, out)


async def _verdict(engine: Engine, anchor: str | None = None) -> tuple[JournalVerdict, TradingState]:
    state = (await engine.snapshot()).state
    known = of_world(anchor, state.world) if anchor else ()
    return await engine.ask(VerifyJournal(anchors=known), JournalVerdict, VERIFY_SECONDS), state


def _anchor(args: argparse.Namespace, out: Output) -> int:
    verdict, state = visit(args.home, _verdict)
    if not verdict.ok:
        return _told(verdict, out)
    now = f"{WallClock().now():%Y-%m-%dT%H:%M:%S%z}"
    append(args.file, AnchorLine(world=state.world, seq=verdict.events, hash=verdict.head_hash, at=now))
    out.document(
        {"ok": True, "seq": verdict.events, "hash": verdict.head_hash, "file": args.file},
        f"Fact {verdict.events} with hash {verdict.head_hash[:16]} noted in {args.file}; keep it on another machine.",
    )
    return DONE


def _told(verdict: JournalVerdict, out: Output) -> int:
    out.document(
        shapes.fields(verdict) | ({} if verdict.ok else {"code": "JOURNAL_BROKEN"}),
        f"{verdict.events} facts, head {verdict.head_hash[:16]}: {verdict.text}",
    )
    if not verdict.ok:
        error("JOURNAL_BROKEN", verdict.text, as_json=False)
        return FAILED
    return DONE


def _export(args: argparse.Namespace, out: Output) -> int:
    async def work(engine: Engine) -> int:
        written = 0
        with _target(args.output) as target:
            async for fact in _all(engine, args.after):
                target.write(json.dumps(shapes.fact(fact)) + "\n")
                written += 1
        return written

    written = visit(args.home, work)
    if args.output:
        out.document({"ok": True, "facts": written, "file": args.output}, f"{written} facts written to {args.output}.")
    return DONE


async def _all(engine: Engine, after: int) -> AsyncIterator[Recorded]:
    """Every stored fact up to the head of this moment, page by page."""
    head = None
    while head is None or after < head:
        page = await engine.ask(ReadJournal(after=after, limit=PAGE), JournalPage)
        head = page.head if head is None else head
        if not page.facts:
            return
        for fact in page.facts:
            yield fact
        after = page.facts[-1].seq


@contextmanager
def _target(name: str | None) -> Iterator[TextIO]:
    if name is None:
        yield sys.stdout
        return
    path = Path(name)
    try:
        # a file that appears under its name only when it is whole: an export that broke off must not look like one
        draft = path.with_name(path.name + ".part")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            try:
                yield file
            except BaseException:
                draft.unlink()
                raise
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError as found:
        raise Refusal("FILE_EXISTS", f"{found.filename2 or found.filename} exists; choose another name.") from None
    except OSError as failed:
        raise Refusal("NOT_WRITABLE", f"{path} cannot be written: {failed.strerror}.") from None
