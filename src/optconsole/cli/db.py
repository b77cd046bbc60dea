"""``optconsole db backup|restore|check``: copies of the journal, and what is wrong with the store."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.cli.session import visit
from optconsole.config import load
from optconsole.engine.clock import WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.ports import JournalBroken
from optconsole.engine.queries import BackupJournal, JournalCopied, JournalVerdict, VerifyJournal
from optconsole.engine.store.lock import HomeLock
from optconsole.paths import home_dir

if TYPE_CHECKING:
    from optconsole.runtime.places import Place

PRACTICE: Final = "practice"
COPY_SECONDS: Final = 600.0
FOLDER: Final = "backups"
T = TypeVar("T")


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    backup = verbs.add_parser(
        "backup",
        help="copy the journal to a file, also while the engine runs",
        description="Copy the journal to one file. The copy is opened and checked from the first fact to the last "
        "before this command says done. Safe while the engine trades; a running file copied by hand is not.",
    )
    backup.add_argument("target", nargs="?", metavar="TO", help=f"a new file, or a folder (HOME/{FOLDER})")
    restore = verbs.add_parser(
        "restore",
        help="put a copy in the place of the store; the engine must be stopped",
        description="Put a copy made by `db backup` in the place of the store. A copy that is not whole is refused and "
        "nothing changes; what was there before is kept beside it under a dated name. The next start agrees the book "
        "with the broker's.",
    )
    restore.add_argument("source", metavar="FROM", help="the copy")
    check = verbs.add_parser(
        "check",
        help="is the store whole, and what to do if it is not",
        description="Check pages, hash chain, replay, read tables, and that the store did not go back. While an engine "
        "runs it checks chain and replay itself. Exit code 1 when something is wrong.",
    )
    for verb in (backup, restore, check):
        verb.add_argument(
            "--world", metavar="W", help="practice (the default), practice-SEED, or replay/NAME/RUN; engine stopped"
        )


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    home = home_dir(args.home, os.environ)
    match args.verb:
        case "backup":
            return _backup(args, home, out)
        case "restore":
            return _restore(args, home, out)
        case _:
            return _check(args, home, out)


def _backup(args: argparse.Namespace, home: Path, out: Output) -> int:
    world = args.world or PRACTICE
    name = f"{world.replace('/', '-')}-{_stamp()}.db"
    target = Path(args.target).absolute() if args.target else home.absolute() / FOLDER / name
    if target.is_dir():
        target = target / name

    async def alone(place: Place) -> JournalCopied:
        from optconsole.engine.store.journal import open_journal

        journal = await open_journal(place.url, place.world)
        try:
            return await journal.backup(str(target))
        finally:
            await journal.close()

    asked = BackupJournal(target=str(target))
    copied = _by_engine(
        args, lambda: visit(args.home, lambda engine: engine.ask(asked, JournalCopied, COPY_SECONDS))
    ) or _at_rest(args, home, alone)
    out.document(
        {"ok": True, "file": copied.file, "events": copied.events, "head_hash": copied.head_hash},
        f"{copied.events} facts copied to {copied.file} and read back, head {copied.head_hash[:16]}.",
    )
    return DONE


def _restore(args: argparse.Namespace, home: Path, out: Output) -> int:
    source = Path(args.source).absolute()

    async def work(place: Place) -> tuple[int, str, str]:
        from optconsole.engine.store.restore import restore

        done = await restore(source, place.url, place.world, place.folder, _stamp())
        return done.events, done.head_hash, done.kept

    events, head, kept = _at_rest(args, home, work, known=False)
    tail = f" What was there is kept in {kept}." if kept else ""
    out.document(
        {"ok": True, "events": events, "head_hash": head, "kept": kept},
        f"The store now ends at fact {events}, head {head[:16]}.{tail}",
        "Start the engine: it agrees the book with the broker's.",
    )
    return DONE


def _check(args: argparse.Namespace, home: Path, out: Output) -> int:
    verdict = _by_engine(
        args, lambda: visit(args.home, lambda engine: engine.ask(VerifyJournal(), JournalVerdict, COPY_SECONDS))
    )
    if verdict is not None:
        advice = "Stop the engine and run `optconsole db check` again: at rest it looks deeper."
        findings = [] if verdict.ok else [("CHAIN_BROKEN", verdict.text, advice)]
        return _tell(out, verdict.events, verdict.head_hash, 0, findings)

    async def work(place: Place) -> tuple[int, str, int, list[tuple[str, str, str]]]:
        from optconsole.engine.store.examine import examine

        found = await examine(place.url, place.world, place.folder)
        return found.events, found.head_hash, found.waiting, [(x.code, x.text, x.advice) for x in found.findings]

    return _tell(out, *_at_rest(args, home, work))


def _tell(out: Output, events: int, head: str, waiting: int, findings: list[tuple[str, str, str]]) -> int:
    document: dict[str, object] = {
        "ok": not findings,
        "events": events,
        "head_hash": head,
        "waiting": waiting,
        "findings": [{"code": code, "text": text, "advice": advice} for code, text, advice in findings],
    }
    lines = [f"{display(text, 500)}\n  → {advice}" for _, text, advice in findings]
    tail = f" {waiting} facts of the emergency journal wait for the next start." if waiting else ""
    whole = f"{events} facts, head {head[:16]}: the store is whole.{tail}"
    if findings:
        code = findings[0][0]
        text = f"{len(findings)} faults found: see what to do."
        out.document(document | {"code": code, "text": text}, *lines)
        error(code, text, as_json=False)
        return FAILED
    out.document(document, whole)
    return DONE


def _by_engine(args: argparse.Namespace, ask: Callable[[], T]) -> T | None:
    """What a running engine answers; None where none runs. Its world is the only one it has."""
    try:
        answer = ask()
    except Refusal as refusal:
        if refusal.code == "NO_ENGINE":
            return None
        raise
    if args.world is not None:
        raise Refusal("ENGINE_RUNNING", "An engine runs here; leave --world out, or stop the engine first.")
    return answer


def _at_rest(args: argparse.Namespace, home: Path, work: Callable[[Place], Awaitable[T]], known: bool = True) -> T:
    """Work on the store of a world while no engine can start. Raises Refusal."""
    from optconsole.runtime import places  # asking an engine needs none of it

    async def locked() -> T:
        with HomeLock(home):
            settings = load(home)
            place = places.named(home, args.world or PRACTICE, settings.store.url, settings.practice.seed)
            if known and place.is_new:
                raise Refusal("NO_STORE", f"The world {place.world!r} has no store in {home} yet.")
            return await work(place)

    try:
        return asyncio.run(locked())
    except JournalBroken as broken:
        raise Refusal(broken.code, f"{broken.text} `optconsole db check` says more.") from broken


def _stamp() -> str:
    return f"{WallClock().now():%Y%m%d-%H%M%S}"
