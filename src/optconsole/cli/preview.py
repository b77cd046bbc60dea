"""What a file's or a saved basket's strategies would do now: asked of the engine, told in words or as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from optconsole.cli import preview_words as words
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, FAILED, Output
from optconsole.cli.preview_shapes import shape
from optconsole.cli.session import visit
from optconsole.cli.strategy import complain, fault_shape, read_text
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.previews import StrategyView
from optconsole.engine.queries import BasketPreview, PreviewBasket, PreviewRun, RunOutlook
from optconsole.engine.strategies.linting import check_text

SECONDS: Final = 30.0
"""How long a preview may take: every chain is looked at, and brokers are asked."""
FILE_HELP: Final = """FILE is a basket's file, of which accounts may be left out: strategies with their legs, such as

  format = 1
  [basket]
  name = "condor"
  [[strategy]]
  name = "condor"
  underlying = "NIFTY"
  entry = "09:20"
  exit = "15:15"
  [[strategy.leg]]
  id = "ce"
  side = "sell"
  right = "CE"
  strike = "OTM 3"      # or 24500, premium 100, delta 0.30, ...; see `optconsole strategy --help`

`optconsole strategy new "iron condor" NIFTY` prints one to begin with. The running engine prices it as of now."""


class Faulty(Exception):
    """A file that is no sound basket; its faults have been told."""


def add_file(parser: Parser) -> None:
    """``FILE`` and ``--strategy``."""
    parser.add_argument("file", metavar="FILE", help="a basket's file")
    parser.add_argument("--strategy", default="", metavar="NAME", help="only this strategy of it")


def of_file(args: argparse.Namespace, out: Output) -> BasketPreview:
    """The preview of a file's basket. Raises Refusal, and Faulty where the file is not sound."""
    return _asked(args, _read(args.file, args.strategy, out))


def of_name_or_file(args: argparse.Namespace, out: Output) -> BasketPreview:
    """The preview of a saved basket, or of a file where there is one of that name. Raises as ``of_file``."""
    if Path(args.name).is_file():
        return _asked(args, _read(args.name, args.strategy, out))
    return _asked(args, PreviewBasket(name=args.name, strategy=args.strategy))


def _asked(args: argparse.Namespace, query: PreviewBasket) -> BasketPreview:
    return visit(args.home, lambda engine: engine.ask(query, BasketPreview, SECONDS))


def _read(path: str, strategy: str, out: Output) -> PreviewBasket:
    checked = check_text(read_text(path))
    if checked.basket is None or not checked.sound:
        if out.json:
            faults = [fault_shape(each) for each in checked.faults]
            out.document({"ok": False, "code": "LINT", "faults": faults})
        else:
            complain(path, checked, out)
        raise Faulty
    return PreviewBasket(written=checked.basket, strategy=strategy)


def whole(found: BasketPreview, out: Output) -> int:
    """All of a preview: legs, payoff, shares, worst cases, margin, order rate."""
    formats, lines = out.formats, list[str]()
    for view in found.strategies:
        lines += [words.title(view), *words.legs(view, formats)]
        if view.picture is not None:
            lines += words.picture(view.picture, formats, curve=False)
        lines += words.shares(view.shares, formats)
        for share in view.shares:
            if share.worst is not None:
                lines += [
                    f"worst case of {share.account or 'the lots as written'}:",
                    *words.ledger(share.worst, formats),
                ]
        lines.append("")
    lines += ["margin", *words.margins(found.margins, formats), ""]
    lines += ["order rate", *words.rate(found.rate, formats)]
    out.document(shape(found), *lines)
    return priced(found.strategies)


def outlook(home: str | None, run_id: str, out: Output) -> int:
    """Where a run stands: the payoff of what it holds and its worst case."""
    found = visit(home, lambda engine: engine.ask(PreviewRun(run_id=run_id), RunOutlook, SECONDS))
    drawn = ["It holds nothing."] if found.picture is None else words.picture(found.picture, out.formats)
    out.document(shape(found), *drawn, "", "worst case:", *words.ledger(found.worst, out.formats))
    return DONE


def priced(views: tuple[StrategyView, ...]) -> int:
    """The exit code: 1 where a leg has no contract or no price."""
    unpriced = [view for view in views if view.picture is None]
    return FAILED if unpriced else DONE


def require_strategies(found: BasketPreview) -> None:
    """Raises Refusal(NO_STRATEGY) where a basket holds none."""
    if not found.strategies:
        raise Refusal("NO_STRATEGY", f"{found.basket} holds no strategy, so there is nothing to look at.")
