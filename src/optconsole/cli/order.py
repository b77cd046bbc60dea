"""``optconsole order place|modify|cancel|show|release|adopt``."""

from __future__ import annotations

import argparse

from optconsole.cli import doubt, shapes
from optconsole.cli.arguments import Parser, UsageError, count, price
from optconsole.cli.following import UNANSWERED, answered, follow
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.cli.session import ACTOR, Engine, command_id, visit
from optconsole.cli.terms import Wish, read_wish
from optconsole.cli.wording import describe
from optconsole.engine.commands import CancelOrder, ModifyOrder, PlaceOrder
from optconsole.engine.events import OrderCancelRefused, OrderChangeRefused, Recorded
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, Pending


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    place = verbs.add_parser("place", help="place one order", epilog=_PLACE_HELP)
    place.add_argument("words", nargs="+", metavar="WORD", help="SIDE CONTRACT [MARKET | LIMIT P | SL T P | SL-M T]")
    size = place.add_mutually_exclusive_group(required=True)
    size.add_argument("--lots", type=count, metavar="N")
    size.add_argument("--qty", type=count, metavar="N", help="units instead of lots")
    place.add_argument("--limit", type=price, metavar="P", help="limit price in rupees")
    place.add_argument("--market", action="store_true", help="at the market, protected by a worst price")
    place.add_argument("--sl", type=price, metavar="T", help="stop with this trigger; with --limit SL, without SL-M")
    place.add_argument("--product", type=str.upper, choices=("NRML", "MIS"), default="NRML")
    place.add_argument("--ioc", action="store_true", help="fill at once or cancel")
    place.add_argument("--account", metavar="A", help="needed where there are several")
    place.add_argument("--note", default="", metavar="TEXT", help="kept with the order")
    modify = verbs.add_parser("modify", help="change a working order")
    modify.add_argument("id", metavar="ID")
    modify.add_argument("--limit", type=price, metavar="P")
    modify.add_argument("--trigger", type=price, metavar="T")
    total = modify.add_mutually_exclusive_group()
    total.add_argument("--lots", type=count, metavar="N", help="new total in lots")
    total.add_argument("--qty", type=count, metavar="N", help="new total in units")
    cancel = verbs.add_parser("cancel", help="cancel what is unfilled")
    cancel.add_argument("id", metavar="ID")
    for verb in (place, modify, cancel):
        verb.add_waiting(5.0, "for the broker's answer")
    show = verbs.add_parser("show", help="one order")
    show.add_argument("id", metavar="ID")
    doubt.arguments(verbs)


_PLACE_HELP = """examples:
  optconsole order place SELL NIFTY 25NOV26 24500 CE --lots 2 --limit 101.25
  optconsole order place BUY NIFTY 25NOV26 24500 CE MARKET --lots 2
  optconsole order place BUY NIFTY 25NOV26 24500 CE SL 126.60 128 --lots 2"""


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one verb and tell what became of the order."""
    match args.verb:
        case "place":
            wish = read_wish(args)
            order = visit(args.home, lambda engine: _place(engine, wish, args))
        case "modify":
            if (args.limit, args.trigger, args.lots, args.qty) == (None, None, None, None):
                raise UsageError("Say what to change: --limit, --trigger, --lots or --qty.")
            order = visit(args.home, lambda engine: _modify(engine, args))
        case "cancel":
            order = visit(args.home, lambda engine: _cancel(engine, args))
        case "release" | "adopt":
            reply = visit(args.home, lambda engine: doubt.carry_out(engine, args))
            out.document({"ok": True, "code": reply.code, "text": reply.text}, reply.text)
            return DONE
        case _:
            order = visit(args.home, lambda engine: _show(engine, args.id))
            out.document(shapes.order(order), *describe(order, out.formats))
            return DONE
    return _tell(order, args, out)


async def _place(engine: Engine, wish: Wish, args: argparse.Namespace) -> Order:
    state = (await engine.snapshot()).state
    instrument = await engine.instrument(wish.contract)
    lots = wish.lots
    terms = OrderTerms(
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
    reply = await engine.submit(PlaceOrder(id=command_id(), actor=ACTOR, terms=terms))
    placed = reply.ids[0]
    await _catch_up(engine, state, reply.seq)
    await follow(engine, state, lambda now: answered(now.orders.get(placed)), args.wait)
    return _order(state, placed)


async def _modify(engine: Engine, args: argparse.Namespace) -> Order:
    state = (await engine.snapshot()).state
    before = _order(state, args.id)
    qty = args.qty if args.lots is None else args.lots * before.lot
    command = ModifyOrder(
        id=command_id(), actor=ACTOR, order_id=before.id, qty=qty, price=args.limit, trigger=args.trigger
    )
    return await _change(engine, state, command, args.wait)


async def _cancel(engine: Engine, args: argparse.Namespace) -> Order:
    state = (await engine.snapshot()).state
    command = CancelOrder(id=command_id(), actor=ACTOR, order_id=_order(state, args.id).id)
    return await _change(engine, state, command, args.wait)


async def _change(engine: Engine, state: TradingState, command: ModifyOrder | CancelOrder, wait: float) -> Order:
    """Send the change and wait until it is answered. Raises Refusal with the broker's reason when it is refused."""
    refused: list[OrderChangeRefused | OrderCancelRefused] = []

    def seen(fact: Recorded) -> None:
        if isinstance(fact.event, OrderChangeRefused | OrderCancelRefused) and fact.event.order_id == command.order_id:
            refused.append(fact.event)

    reply = await engine.submit(command)

    def done(now: TradingState) -> bool:
        order = now.orders.get(command.order_id)
        return now.seq >= reply.seq and (order is None or order.pending is Pending.NONE)

    await follow(engine, state, done, max(wait, 1.0) if wait else 0.5, seen)
    if refused:
        raise Refusal(refused[-1].code, f"{command.order_id} keeps its terms: {refused[-1].reason}")
    return _order(state, command.order_id)


async def _show(engine: Engine, order_id: str) -> Order:
    return _order((await engine.snapshot()).state, order_id)


async def _catch_up(engine: Engine, state: TradingState, seq: int) -> None:
    await follow(engine, state, lambda now: now.seq >= seq, 5.0)


def _order(state: TradingState, order_id: str) -> Order:
    order = state.orders.get(order_id) or state.orders.get(order_id.upper())
    if order is None:
        raise Refusal("NO_SUCH_ORDER", f"There is no order {order_id} today; `optconsole orders` lists them.")
    return order


def _account(state: TradingState, asked: str | None) -> str:
    known = ", ".join(state.accounts) or "none"
    if asked is None:
        if len(state.accounts) != 1:
            raise Refusal("WHICH_ACCOUNT", f"Say which account with --account; known: {known}.")
        return next(iter(state.accounts))
    if asked not in state.accounts:
        raise Refusal("UNKNOWN_ACCOUNT", f"No account is called {asked!r}; known: {known}.")
    return asked


def _tell(order: Order, args: argparse.Namespace, out: Output) -> int:
    """Print the order; a bad or a missing answer is a failure with its code."""
    failure = failure_of(order, args.wait)
    if failure is None:
        out.document({"ok": True, **shapes.order(order)}, *describe(order, out.formats))
        return DONE
    code, text = failure
    out.document({"ok": False, "code": code, "text": text, **shapes.order(order)}, *describe(order, out.formats)[:1])
    error(code, text, as_json=False)
    return FAILED


def failure_of(order: Order, wait: float) -> tuple[str, str] | None:
    """Code and sentence when an order ended badly or is unanswered after ``wait`` seconds; None when all is well."""
    if order.status is OrderStatus.UNKNOWN:
        return "UNKNOWN", f"{order.id} left, and nothing proves what became of it; do not send it again, it is watched."
    if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED):
        return order.reason_code or order.status.value, f"{order.id} was refused: {order.reason}"
    if wait and (order.status in UNANSWERED or order.pending is not Pending.NONE):
        return "UNANSWERED", f"The broker has not answered {order.id} within {wait:g} s; do not send it again."
    return None
