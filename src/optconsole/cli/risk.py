"""``optconsole risk show|set|unset|state``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser, UsageError
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.engine.commands import RemoveLimit, Reply, SetLimit, SetTradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import (
    Level,
    Limit,
    LimitAction,
    LimitKind,
    ScopeState,
    Standing,
    scope_key,
)
from optconsole.engine.model.text import display
from optconsole.engine.queries import GetRisk, LimitRow, RiskAnswer
from optconsole.engine.rules.limits import clock
from optconsole.screens import limit_words
from optconsole.screens.formats import Formats
from optconsole.screens.limit_words import amount, read_scope, value_text

P = ParamSpec("P")
T = TypeVar("T")
HEAD = ("limit of", "kind", "value", "used", "%", "state", "then")
_HELP = """levels: order, global, group:NAME, account:NAME, basket:PATH, strategy:PATH, leg:CONTRACT
kinds:  {kinds}
values: rupees for max-loss, profit-lock, profit-trail, notional and order-value; a pair as 20000:12000;
        hours as 09:20-15:10; cool-off as 3:30 for 30 minutes after 3 losing exits in a row; no-naked-short takes on
examples:
  optconsole risk set global max-loss 25000 --action exit-scope
  optconsole risk set account:paper open-lots 20
  optconsole risk set global max-loss 20000 --action lock-until --until 14:30
  optconsole risk state global halted --why "news at two"
""".format(kinds=", ".join(each.value for each in LimitKind))


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    verbs.add_parser("show", help="every limit with what is used of it, and what is not active")
    limit = verbs.add_parser("set", help="set or change a limit", epilog=_HELP)
    limit.add_argument("scope", type=scope, metavar="LEVEL[:NAME]")
    limit.add_argument("kind", choices=[each.value for each in LimitKind], metavar="KIND")
    limit.add_argument("value", metavar="VALUE")
    limit.add_argument(
        "--action", choices=[each.value for each in LimitAction], help="what reaching it does; block-new without"
    )
    limit.add_argument("--until", metavar="HH:MM", help="when lock-until lets go")
    unset = verbs.add_parser("unset", help="take a limit away")
    unset.add_argument("scope", type=scope, metavar="LEVEL[:NAME]")
    unset.add_argument("kind", choices=[each.value for each in LimitKind], metavar="KIND")
    state = verbs.add_parser("state", help="say what orders may leave: active, reducing or halted")
    state.add_argument("scope", type=scope, metavar="LEVEL[:NAME]")
    state.add_argument("standing", choices=[each.value for each in Standing], metavar="STATE")
    for verb in (limit, unset, state):
        verb.add_argument("--why", default="", metavar="TEXT", help="kept in the journal; needed to allow more")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb."""
    if args.verb == "show":
        return _show(visit(args.home, lambda engine: engine.ask(GetRisk(), RiskAnswer)), out)
    command = _command(args)

    async def work(engine: Engine) -> tuple[Reply, RiskAnswer]:
        reply = await engine.submit(command)
        return reply, await engine.ask(GetRisk(), RiskAnswer)

    reply, after = visit(args.home, work)
    level, name = args.scope
    chosen = [row for row in after.limits if (row.level, row.name) == (level, name)]
    states = [state for state in after.states if (state.level, state.name) == (level, name)]
    out.document({"ok": True, "text": reply.text, **_shape(chosen, states)}, reply.text)
    return DONE


def scope(text: str) -> tuple[Level, str]:
    """``global``, ``account:paper``, ``leg:NIFTY 25NOV26 24500 CE``."""
    try:
        return read_scope(text)
    except Refusal as refused:
        raise argparse.ArgumentTypeError(refused.text) from None


def read_value(kind: LimitKind, text: str) -> tuple[int, int | None]:
    """The value of a limit as it is typed, and its second part. Raises UsageError."""
    return _usable(limit_words.read_value, kind, text)


def _usable(read: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What a reader of typed text makes of it; what it refuses is bad usage here."""
    try:
        return read(*given, **named)
    except Refusal as refused:
        raise UsageError(refused.text) from None


def _command(args: argparse.Namespace) -> SetLimit | RemoveLimit | SetTradingState:
    level, name = args.scope
    made = command_id()
    match args.verb:
        case "set":
            kind = LimitKind(args.kind)
            value, second = read_value(kind, args.value)
            until = None if args.until is None else _usable(limit_words.read_minute, args.until)
            usual = LimitAction.BLOCK_NEW if until is None else LimitAction.LOCK_UNTIL
            action = usual if args.action is None else LimitAction(args.action)
            limit = Limit(level=level, kind=kind, value=value, name=name, second=second, action=action, until=until)
            return SetLimit(limit=limit, why=args.why, id=made, actor=ACTOR)
        case "unset":
            return RemoveLimit(level=level, kind=LimitKind(args.kind), name=name, why=args.why, id=made, actor=ACTOR)
        case _:
            return SetTradingState(
                level=level, standing=Standing(args.standing), name=name, why=args.why, id=made, actor=ACTOR
            )


def _show(answer: RiskAnswer, out: Output) -> int:
    rows = [_row(row, out.formats) for row in answer.limits]
    lines = table(HEAD, rows, left=2) if rows else ["No limit is set."]
    out.document(_shape(answer.limits, answer.states), *lines, *(_state_line(state) for state in answer.states))
    return DONE


def _shape(limits: Sequence[LimitRow], states: Sequence[ScopeState]) -> shapes.Shape:
    return {
        "limits": [shapes.fields(row) for row in limits],
        "states": [shapes.fields(state) for state in states],
    }


def _row(row: LimitRow, formats: Formats) -> tuple[str, ...]:
    until = "" if row.until is None else f" {clock(row.until)}"
    return (
        scope_key(row.level, row.name),
        row.kind.value,
        value_text(row.unit, row.value, row.second, formats, exact=True),
        formats.unknown if row.used is None else amount(row.unit, row.used, formats, exact=True),
        formats.unknown if row.percent is None else f"{row.percent:.0f}",
        ("reached, " if row.broken else "") + row.state.value,
        row.action.value + until,
    )


def _state_line(state: ScopeState) -> str:
    until = "" if state.until is None else f" until {state.until:%H:%M}"
    return (
        f"{scope_key(state.level, state.name)} is {state.standing.value}{until} since {state.since:%d %b %H:%M}, "
        f"by {display(state.by)}: {display(state.why)}"
    )
