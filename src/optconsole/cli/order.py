"""``optconsole order place|modify|cancel|show|group|release|adopt``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from optconsole.cli import doubt, order_group, shapes, together
from optconsole.cli.arguments import Parser, UsageError, count, price, seconds
from optconsole.cli.following import UNANSWERED, answered, follow
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.cli.terms import Wish, read_wish
from optconsole.cli.wording import describe
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceGroup, PlaceOrder
from optconsole.engine.events import OrderCancelRefused, OrderChangeRefused, Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.groups import GroupKind
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, Pending


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    place = verbs.add_parser("place", help="place one order", epilog=_PLACE_HELP)
    _describe(place)
    place.add_argument("--stop", type=price, metavar="P", help="guard what fills with a stop at this price")
    place.add_argument("--target", type=price, metavar="P", help="and take the profit at this one")
    place.add_argument(
        "--parts", type=count, default=0, metavar="N", help="leave in N parts, each once those before fill"
    )
    place.add_argument("--every", type=seconds, default=0.0, metavar="S", help="or one part every S seconds")
    place.add_argument(
        "--drift", type=count, default=0, metavar="T", help="give up the rest when the price moves T ticks"
    )
    place.add_argument("--again", action="store_true", help="mean it, though the same order left a moment ago")
    group = verbs.add_parser("group", help="place orders that depend on one another", epilog=order_group.HELP)
    order_group.arguments(group)
    modify = verbs.add_parser("modify", help="change a working order, or all parts of one")
    modify.add_argument("id", metavar="ID")
    modify.add_argument("--limit", type=price, metavar="P")
    modify.add_argument("--trigger", type=price, metavar="T")
    total = modify.add_mutually_exclusive_group()
    total.add_argument("--lots", type=count, metavar="N", help="new total in lots")
    total.add_argument("--qty", type=count, metavar="N", help="new total in units")
    cancel = verbs.add_parser("cancel", help="cancel what is unfilled of an order, a parent or a group")
    cancel.add_argument("id", metavar="ID")
    for verb in (place, group, modify, cancel):
        verb.add_waiting(5.0, "for the broker's answer")
    show = verbs.add_parser("show", help="one order, parent or group")
    show.add_argument("id", metavar="ID")
    doubt.arguments(verbs)


def _describe(parser: Parser) -> None:
    """What says one order: its words and its options."""
    parser.add_argument("words", nargs="+", metavar="WORD", help="SIDE CONTRACT [MARKET | LIMIT P | SL T P | SL-M T]")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--lots", type=count, metavar="N")
    size.add_argument("--qty", type=count, metavar="N", help="units instead of lots")
    parser.add_argument("--limit", type=price, metavar="P", help="limit price in rupees")
    parser.add_argument("--market", action="store_true", help="at the market, protected by a worst price")
    parser.add_argument("--sl", type=price, metavar="T", help="stop with this trigger; with --limit SL, without SL-M")
    parser.add_argument("--product", type=str.upper, choices=("NRML", "MIS"), default="NRML")
    parser.add_argument("--ioc", action="store_true", help="fill at once or cancel")
    parser.add_argument("--account", metavar="A", help="needed where there are several")
    parser.add_argument("--note", default="", metavar="TEXT", help="kept with the order")


_PLACE_HELP = """examples:
  optconsole order place SELL NIFTY 25NOV26 24500 CE --lots 2 --limit 101.25
  optconsole order place BUY NIFTY 25NOV26 24500 CE MARKET --lots 2
  optconsole order place BUY NIFTY 25NOV26 24500 CE SL 126.60 128 --lots 2
  optconsole order place SELL NIFTY 25NOV26 24500 CE LIMIT 101.25 --lots 2 --stop 126.60 --target 60
  optconsole order place SELL NIFTY 25NOV26 24500 CE MARKET --lots 40 --parts 4 --every 30 --drift 40

An order larger than the exchange takes leaves in parts of whole lots that together never fill more than was asked."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb and tell what became of the order."""
    match args.verb:
        case "place":
            wish = read_wish(args)
            state, name = visit(args.home, lambda engine: _place(engine, wish, args))
        case "group":
            members = order_group.read_orders(order_group.read_lines(args.lines), _describe)
            wishes = [(read_wish(each), each) for each in members]
            state, name = visit(args.home, lambda engine: _group(engine, wishes, args))
        case "modify":
            if (args.limit, args.trigger, args.lots, args.qty) == (None, None, None, None):
                raise UsageError("Say what to change: --limit, --trigger, --lots or --qty.")
            state, name = visit(args.home, lambda engine: _modify(engine, args))
        case "cancel":
            state, name = visit(args.home, lambda engine: _cancel(engine, args))
        case "release" | "adopt":
            reply = visit(args.home, lambda engine: doubt.carry_out(engine, args))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
            return DONE
        case _:
            state, name = visit(args.home, lambda engine: _show(engine, args.id))
            return _tell(state, name, 0.0, out, shown=True)
    return _tell(state, name, args.wait, out)


async def _place(engine: Engine, wish: Wish, args: argparse.Namespace) -> tuple[TradingState, str]:
    state = (await engine.snapshot()).state
    terms = await _terms(engine, state, wish, args)
    command = PlaceOrder(
        id=command_id(),
        actor=ACTOR,
        terms=terms,
        parts=args.parts,
        every=args.every,
        drift=args.drift,
        stop=args.stop,
        target=args.target,
        again=args.again,
    )
    return state, await _sent(engine, state, command, args.wait)


async def _group(
    engine: Engine, wishes: Sequence[tuple[Wish, argparse.Namespace]], args: argparse.Namespace
) -> tuple[TradingState, str]:
    state = (await engine.snapshot()).state
    orders = [await _terms(engine, state, wish, each) for wish, each in wishes]
    command = PlaceGroup(id=command_id(), actor=ACTOR, kind=GroupKind(args.kind.upper()), orders=tuple(orders))
    return state, await _sent(engine, state, command, args.wait)


async def _sent(engine: Engine, state: TradingState, command: PlaceOrder | PlaceGroup, wait: float) -> str:
    """Submit, and follow what was placed until it is answered. Returns its id."""
    reply = await engine.submit(command)
    placed = reply.ids[0]
    await follow(engine, state, lambda now: now.seq >= reply.seq, 5.0)
    await follow(engine, state, lambda now: _answered(now, placed), wait)
    return placed


def _answered(state: TradingState, name: str) -> bool:
    if name in state.parents or name in state.groups:
        return together.answered(state, name)
    return answered(state.orders.get(name))


async def _terms(engine: Engine, state: TradingState, wish: Wish, args: argparse.Namespace) -> OrderTerms:
    instrument = await engine.instrument(wish.contract)
    lots = wish.lots
    return OrderTerms(
        account=_account(state, args.account),
        contract=instrument.name,
        side=wish.side,
        qty=wish.qty if lots is None else lots * instrument.lot,
        type=wish.type,
        price=wish.price,
        trigger=wish.trigger,
        product=wish.product,
        validity=wish.validity,
        note=args.note,
    )


async def _modify(engine: Engine, args: argparse.Namespace) -> tuple[TradingState, str]:
    state = (await engine.snapshot()).state
    name = _known(state, args.id)
    known = state.orders.get(name) or state.parents.get(name)
    qty = args.qty if args.lots is None else args.lots * (known.lot if known is not None else 0)
    command = ModifyOrder(id=command_id(), actor=ACTOR, order_id=name, qty=qty, price=args.limit, trigger=args.trigger)
    return await _change(engine, state, command, args.wait)


async def _cancel(engine: Engine, args: argparse.Namespace) -> tuple[TradingState, str]:
    state = (await engine.snapshot()).state
    command = CancelOrder(id=command_id(), actor=ACTOR, order_id=_known(state, args.id))
    return await _change(engine, state, command, args.wait)


async def _change(
    engine: Engine, state: TradingState, command: ModifyOrder | CancelOrder, wait: float
) -> tuple[TradingState, str]:
    """Send the change and wait until it is answered. Raises Refusal with the broker's reason when it is refused."""
    refused: list[OrderChangeRefused | OrderCancelRefused] = []

    def touched(now: TradingState) -> list[Order]:
        order = now.orders.get(command.order_id)
        return [order] if order is not None else together.orders_of(now, command.order_id)

    def seen(fact: Recorded) -> None:
        ours = {order.id for order in touched(state)}
        if isinstance(fact.event, OrderChangeRefused | OrderCancelRefused) and fact.event.order_id in ours:
            refused.append(fact.event)

    reply = await engine.submit(command)

    def done(now: TradingState) -> bool:
        return now.seq >= reply.seq and all(order.pending is Pending.NONE for order in touched(now))

    await follow(engine, state, done, max(wait, 1.0) if wait else 0.5, seen)
    if refused:
        raise Refusal(refused[-1].code, f"{refused[-1].order_id} keeps its terms: {refused[-1].reason}")
    return state, command.order_id


async def _show(engine: Engine, order_id: str) -> tuple[TradingState, str]:
    state = (await engine.snapshot()).state
    return state, _known(state, order_id)


def _known(state: TradingState, given: str) -> str:
    """The id of an order, a parent or a group of today. Raises Refusal(NO_SUCH_ORDER)."""
    for name in (given, given.upper()):
        if name in state.orders or name in state.parents or name in state.groups:
            return name
    raise Refusal("NO_SUCH_ORDER", f"There is no order {given} today; `optconsole orders` lists them.")


def _account(state: TradingState, asked: str | None) -> str:
    known = ", ".join(state.accounts) or "none"
    if asked is None:
        if len(state.accounts) != 1:
            raise Refusal("WHICH_ACCOUNT", f"Say which account with --account; known: {known}.")
        return next(iter(state.accounts))
    if asked not in state.accounts:
        raise Refusal("UNKNOWN_ACCOUNT", f"No account is called {asked!r}; known: {known}.")
    return asked


def _tell(state: TradingState, name: str, wait: float, out: Output, shown: bool = False) -> int:
    """Print what was placed; a bad or a missing answer is a failure with its code. ``shown``: it is only looked at."""
    order = state.orders.get(name)
    if order is None and name not in state.parents and name not in state.groups:
        out.document({"ok": True, "id": name}, f"{name} guards the position with this stop and this target.")
        return DONE
    if order is not None:
        shape, lines = shapes.order(order), describe(order, out.formats)
        failure = failure_of(order, wait)
    else:
        shape, lines, failure = _together(state, name, wait, out)
    if shown:
        out.document(shape, *lines)
        return DONE
    if failure is None:
        out.document({"ok": True, **shape}, *lines)
        return DONE
    code, text = failure
    out.document({"ok": False, "code": code, "text": text, **shape}, *lines[:1])
    error(code, text, as_json=False)
    return FAILED


def _together(
    state: TradingState, name: str, wait: float, out: Output
) -> tuple[shapes.Shape, list[str], tuple[str, str] | None]:
    """JSON, lines and the first failure of a parent or a group with its orders."""
    orders = together.orders_of(state, name)
    lines = [line for order in orders for line in describe(order, out.formats)]
    failure = next(filter(None, (failure_of(order, wait) for order in orders)), None)
    parent = state.parents.get(name)
    if parent is None:
        group = state.groups[name]
        shape = {**shapes.group(group), "sent": [shapes.order(order) for order in orders]}
        return shape, [together.group_line(group), *lines], failure
    parts = together.parts_of(state, name)
    return together.parent_shape(state, parent), [together.parent_line(parent, parts, out.formats), *lines], failure


def failure_of(order: Order, wait: float) -> tuple[str, str] | None:
    """Code and sentence when an order ended badly or is unanswered after ``wait`` seconds; None when all is well."""
    if order.status is OrderStatus.UNKNOWN:
        return "UNKNOWN", f"{order.id} left, and nothing proves what became of it; do not send it again, it is watched."
    if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
        return order.reason_code or order.status.value, f"{order.id} was refused: {order.reason}"
    if wait and (order.status in UNANSWERED or order.pending is not Pending.NONE):
        return "UNANSWERED", f"The broker has not answered {order.id} within {wait:g} s; do not send it again."
    return None
