"""``optconsole strategy lint|show|templates|new|plugins``: strategies as text, checked without an engine."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from optconsole.cli.arguments import Parser
from optconsole.cli.output import BAD_USAGE, DONE, FAILED, Output, error, table
from optconsole.engine.model.baskets import Allocation, Basket
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.plugins import FormField, PluginCard
from optconsole.engine.model.text import display
from optconsole.engine.rules.faults import Fault
from optconsole.engine.strategies.files import FileFault, read_with_lines, write_basket
from optconsole.engine.strategies.linting import Checked, check_text, located
from optconsole.engine.strategies.templates import TEMPLATES, from_template
from optconsole.paths import home_dir

if TYPE_CHECKING:
    from optconsole.runtime.plugins import Plugins

_HELP = """A basket's file is TOML; `optconsole strategy new "iron condor" NIFTY` prints one to begin with.

examples:
  optconsole strategy templates
  optconsole strategy new "short straddle" NIFTY --account PAPER1 > straddle.toml
  optconsole strategy lint straddle.toml"""


def arguments(parser: Parser) -> None:
    parser.epilog = _HELP
    verbs = parser.verbs()
    lint = verbs.add_parser("lint", help="everything that is wrong with a file, with its line")
    lint.add_argument("files", nargs="+", metavar="FILE")
    show = verbs.add_parser("show", help="a file as the program understands it")
    show.add_argument("file", metavar="FILE")
    verbs.add_parser("plugins", help="registered strategies, their parameters and where each came from")
    verbs.add_parser("templates", help="the named structures")
    new = verbs.add_parser("new", help="print a basket with one of the named structures")
    new.add_argument("template", metavar="STRUCTURE")
    new.add_argument("underlying", metavar="UNDERLYING")
    new.add_argument("--account", metavar="ID", help="the account that runs it")
    new.add_argument("--lots", type=int, default=1, metavar="N", help="lots of each leg, times the structure's own (1)")
    new.add_argument("--name", metavar="NAME", help="what the basket is called")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb. Exit code 1 where a file is faulty."""
    match args.verb:
        case "lint":
            return _lint(args, out)
        case "show":
            return _show(args, out)
        case "templates":
            rows = [(each.name, each.outlook.value, each.text) for each in TEMPLATES.values()]
            shapes = [{"name": name, "outlook": outlook, "legs": legs} for name, outlook, legs in rows]
            out.document({"templates": shapes}, *table(("structure", "earns by", "legs"), rows, left=3))
        case "plugins":
            _plugins(args, out)
        case _:
            return _new(args, out)
    return DONE


def read_text(path: str) -> str:
    """A file's text. Raises Refusal(NO_FILE, NOT_TEXT)."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as failed:
        raise Refusal("NO_FILE", f"{path} cannot be read: {failed.strerror}.") from None
    except UnicodeDecodeError:
        raise Refusal("NOT_TEXT", f"{path} is no text in UTF-8.") from None


def fault_shape(fault: FileFault) -> dict[str, object]:
    """A fault as JSON."""
    return {"code": fault.code, "where": fault.where, "line": fault.line, "text": fault.text}


def complain(path: str, checked: Checked, out: Output) -> None:
    """One line on standard error for each fault."""
    for fault in checked.faults:
        place = f"{path}:{fault.line}: " if fault.line else f"{path}: "
        error(fault.code, f"{place}{fault.where}: {fault.text}", as_json=False)


def _lint(args: argparse.Namespace, out: Output) -> int:
    found = [(path, checked_whole(args.home, read_text(path))) for path in args.files]
    shapes = [
        {"file": path, "ok": checked.sound, "faults": [fault_shape(each) for each in checked.faults]}
        for path, checked in found
    ]
    good = [f"{path}: {_told(checked.basket)}" for path, checked in found if checked.basket and checked.sound]
    out.document({"files": shapes}, *good)
    if not out.json:
        for path, checked in found:
            complain(path, checked, out)
    return DONE if all(checked.sound for _, checked in found) else FAILED


def checked_whole(home: str | None, text: str) -> Checked:
    """A file checked together with the registered strategies that it names, whose code runs in processes of its own."""
    checked = check_text(text)
    if checked.basket is None or not any(each.plugin for each in checked.basket.strategies):
        return checked
    lines = read_with_lines(text)[2]
    wrong = asyncio.run(_plugin_faults(home, checked.basket))
    return Checked(checked.basket, (*checked.faults, *(located(fault, lines) for fault in wrong)))


async def _plugin_faults(home: str | None, basket: Basket) -> list[Fault]:
    # what starts processes is loaded only where a file names a plug-in
    from optconsole.engine.trading.baskets import plugin_faults

    async with _plugins_of(home) as plugins:
        await plugins.vet(basket.strategies)
        return plugin_faults(basket, plugins.faults)


@asynccontextmanager
async def _plugins_of(home: str | None) -> AsyncIterator[Plugins]:
    from optconsole.config import load
    from optconsole.runtime.plugins import plugins_of

    folder = home_dir(home, os.environ)
    plugins = plugins_of(folder, load(folder))
    try:
        yield plugins
    finally:
        await plugins.close()


async def plugin_cards(home: str | None) -> Sequence[PluginCard]:
    """All registered strategies of a home."""
    async with _plugins_of(home) as plugins:
        return await plugins.cards()


def _plugins(args: argparse.Namespace, out: Output) -> None:
    cards = asyncio.run(plugin_cards(args.home))
    lines = [line for card in cards for line in _card(card)]
    out.document({"plugins": [msgspec.to_builtins(card) for card in cards]}, *lines)


def _card(card: PluginCard) -> list[str]:
    if card.fault:
        return [f"{card.name}  ({display(card.origin)})  cannot be used: {card.fault}."]
    rows = [(f"  {each.name}", kind_of(each), _default(each), each.text) for each in card.fields]
    parameters = table(("  parameter", "is", "default", ""), rows, left=4) if rows else []
    return [f"{card.name}  ({display(card.origin)})  {card.text}", *parameters]


def kind_of(field: FormField) -> str:
    """What a parameter may be: ``int 1 to 9``, ``up or down``."""
    if field.choices:
        return " or ".join(field.choices)
    ends = [
        "" if field.low is None else f"from {field.low:g}",
        "" if field.above is None else f"above {field.above:g}",
        "" if field.high is None else f"to {field.high:g}",
        "" if field.below is None else f"below {field.below:g}",
    ]
    return " ".join([field.kind, *(each for each in ends if each)])


def _default(field: FormField) -> str:
    return "must be given" if field.required else str(field.default)


def _told(basket: Basket) -> str:
    strategies, legs = len(basket.strategies), sum(len(each.legs) for each in basket.strategies)
    return f"{basket.name}: {strategies} strategies, {legs} legs, nothing wrong."


def _show(args: argparse.Namespace, out: Output) -> int:
    text = read_text(args.file)
    checked = check_text(text)
    if checked.basket is None:
        if out.json:
            out.document({"ok": False, "faults": [fault_shape(each) for each in checked.faults]})
        else:
            complain(args.file, checked, out)
        return FAILED
    written = write_basket(checked.basket)
    out.document({"ok": checked.sound, "toml": written}, written.rstrip("\n"))
    complain(args.file, checked, out)
    return DONE if checked.sound else FAILED


def _new(args: argparse.Namespace, out: Output) -> int:
    if not 1 <= args.lots <= 1000:
        error("BAD_LOTS", f"{args.lots} lots will not do; give 1 to 1000.", out.json)
        return BAD_USAGE
    strategy = from_template(args.template, args.underlying, args.lots)
    accounts = (Allocation(account=args.account),) if args.account else ()
    basket = Basket(name=args.name or strategy.name, strategies=(strategy,), allocations=accounts)
    text = write_basket(basket)
    out.document({"toml": text}, text.rstrip("\n"))
    return DONE
