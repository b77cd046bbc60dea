"""``optconsole letters list|show|replay|drop``: what a broker said that could not be taken into the book."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import DropLetter, ReplayLetter, Reply
from optconsole.engine.model.book import Letter
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.screens.letter_words import pretty

WIDTH = 100
HEAD = ("letter", "account", "kind", "since", "tries", "why")


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    verbs.add_parser("list", help="all of them")
    for verb, does in (
        ("show", "one with the whole row"),
        ("replay", "have its row taken in once more"),
        ("drop", "put it away; the journal keeps it"),
    ):
        verbs.add_parser(verb, help=does).add_argument("id", metavar="ID")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    match args.verb:
        case "list":
            letters = visit(args.home, _letters)
            rows = [_row(each, out) for each in letters.values()]
            lines = table(HEAD, rows, left=3) if rows else ["Everything the brokers said is in the book."]
            out.document({"letters": [shapes.fields(each) for each in letters.values()]}, *lines)
        case "show":
            letter = visit(args.home, lambda engine: _one(engine, args.id))
            out.document(shapes.fields(letter), *_page(letter, out))
        case _:
            reply = visit(args.home, lambda engine: _command(engine, args))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
    return DONE


async def _letters(engine: Engine) -> dict[str, Letter]:
    return (await engine.snapshot()).state.letters


async def _one(engine: Engine, letter_id: str) -> Letter:
    letters = await _letters(engine)
    letter = letters.get(letter_id) or letters.get(letter_id.upper())
    if letter is None:
        known = ", ".join(letters) or "none"
        raise Refusal("NO_SUCH_LETTER", f"No dead letter is called {letter_id!r}; there are: {known}.")
    return letter


async def _command(engine: Engine, args: argparse.Namespace) -> Reply:
    name = (await _one(engine, args.id)).id
    if args.verb == "replay":
        return await engine.submit(ReplayLetter(id=command_id(), actor=ACTOR, letter_id=name))
    return await engine.submit(DropLetter(id=command_id(), actor=ACTOR, letter_id=name))


def _row(letter: Letter, out: Output) -> tuple[str, ...]:
    since = out.formats.clock(letter.at)
    return letter.id, letter.account, letter.kind, since, str(letter.tries), letter.why


def _page(letter: Letter, out: Output) -> list[str]:
    head = f"{letter.id}  {display(letter.account)} {display(letter.kind)}  {out.formats.clock(letter.at)}"
    return [f"{head}  tried {letter.tries}", f"  {display(letter.why)}", *pretty(letter.row, WIDTH)]
