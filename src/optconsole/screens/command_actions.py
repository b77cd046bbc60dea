"""What a command does: its preview in words, and its carrying out on the screen beneath."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from optconsole.engine.commands import CancelOrder, EngageKill, ReleaseKill, SteerReplay
from optconsole.engine.model.instruments import expiry_code
from optconsole.engine.model.orders import OrderType
from optconsole.screens import closing
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.basket_wishes import automate, preview_automation
from optconsole.screens.deck import Deck
from optconsole.screens.keys import MODE_NUMBERS
from optconsole.screens.restraining import preview_restraint, restrain
from optconsole.screens.ticket import TicketScreen
from optconsole.screens.ticket_model import Draft
from optconsole.screens.ticket_opening import opening
from optconsole.screens.wishes import (
    BasketWish,
    Cancel,
    Close,
    DropLimit,
    Kill,
    Known,
    Modify,
    PutLimit,
    Release,
    RunWish,
    Show,
    Signal,
    Stand,
    Steer,
    Trade,
    UseTheme,
    Wish,
)

ACTOR: Final = "key:command"


def known_to(deck: Deck, themes: tuple[str, ...]) -> Known:
    """The names a line may be completed with at this moment."""
    return Known(
        expiries={underlying.name: underlying.expiries for underlying in deck.underlyings},
        contracts=tuple(deck.instruments),
        orders=(*(order.id for order in deck.mirror.working()), *deck.mirror.working_parents()),
        accounts=tuple(sorted(deck.mirror.state.accounts)),
        themes=themes,
        screens=tuple(MODE_NUMBERS),
        baskets=tuple(sorted(deck.mirror.state.baskets)),
        runs=tuple(deck.mirror.state.runs),
    )


def preview(wish: Wish, deck: Deck) -> str:
    """One sentence on what Enter will do."""
    match wish:
        case Trade():
            return _preview_trade(wish, deck)
        case Close(scope=scope, percent=percent):
            held = closing.open_in(deck, scope)
            part = "" if percent == 100 else f"{percent} % of "
            count = closing.counted(len(held), "open position")
            return f"Asks, then closes {part}{count} in {closing.scope_words(scope)}."
        case Cancel(order_id=order_id) if order_id:
            return f"Cancels {order_id} at once."
        case Cancel(scope=scope):
            count = closing.counted(len(closing.working_in(deck, scope)), "order")
            return f"Asks, then cancels {count} in {closing.scope_words(scope)}."
        case Modify(order_id=order_id):
            return f"Opens the ticket to change {order_id}."
        case PutLimit() | DropLimit() | Stand():
            return preview_restraint(wish, deck)
        case BasketWish() | RunWish() | Signal():
            return preview_automation(wish, deck)
        case _:
            return _preview_console(wish)


def _preview_console(wish: Wish) -> str:
    match wish:
        case Show(screen=screen, underlying=underlying, expiry=expiry):
            what = f" of {underlying}" if underlying else ""
            return f"Shows the {screen}{what}{f' {expiry_code(expiry)}' if expiry else ''}."
        case UseTheme(name=name):
            return f"Changes the colours to {name}."
        case Kill():
            return "KILL at once: cancels everything, flattens, refuses new risk."
        case Release():
            return "Releases the kill switch: new risk is allowed again."
        case Steer(action="to", until=until):
            return f"Plays the market to {until} and holds it there."
        case Steer(action="pause"):
            return "Holds the market's clock."
        case Steer(speed=speed):
            pace = "" if speed is None else " as fast as it goes" if speed == 0 else f" at {speed:g} times real time"
            return f"Lets the market's clock run{pace}."
        case _:
            return "Leaves the console; asks while orders are working."


def _preview_trade(wish: Trade, deck: Deck) -> str:
    fmt = deck.fmt
    lot = deck.lot_of(wish.contract)
    size = fmt.lots(wish.lots * lot, lot) if lot else f"{wish.lots}L"
    match wish.type:
        case OrderType.LIMIT:
            price = f"at {fmt.price(wish.price)}" if wish.price is not None else "at the middle of the spread"
        case OrderType.MARKET:
            price = "at the market"
        case _:
            worst = f" limit {fmt.price(wish.price)}" if wish.price is not None else ""
            price = f"{wish.type.value} trigger {fmt.price(wish.trigger)}{worst}"
    return f"Opens the ticket: {wish.side.value} {size} {fmt.contract(wish.contract)} {price}. Enter there sends it."


async def perform(wish: Wish, screen: ConsoleScreen) -> None:
    """Carry a command out on the screen it was typed over."""
    deck, app = screen.deck, screen.app
    match wish:
        case Trade():
            app.push_screen(TicketScreen(deck, wish.contract, wish.side, draft=_draft(wish, deck)))
        case Close(scope=scope, percent=percent):
            closing.flatten(screen, scope, ACTOR, percent)
        case Cancel(order_id=order_id) if order_id:
            command = CancelOrder(id=deck.fresh_id(), actor=ACTOR, order_id=order_id)
            await screen.ask(command, f"Cancellation of {order_id} is on its way.")
        case Cancel(scope=scope):
            closing.cancel_all(screen, scope, ACTOR)
        case Modify(order_id=order_id):
            state = deck.mirror.state
            order = state.orders.get(order_id) or state.parents[order_id]
            app.push_screen(TicketScreen(deck, order.terms.contract, order.terms.side, order=order))
        case PutLimit() | DropLimit() | Stand():
            restrain(wish, screen, ACTOR)
        case BasketWish() | RunWish() | Signal():
            await automate(wish, screen, ACTOR)
        case _:
            await _perform_console(wish, screen)


async def _perform_console(wish: Wish, screen: ConsoleScreen) -> None:
    deck, app = screen.deck, screen.app
    match wish:
        case Show(screen=name):
            await app.switch_mode(name)
            if wish.underlying:
                from optconsole.screens.chain import ChainPane, ChainScreen

                if isinstance(app.screen, ChainScreen) and isinstance(app.screen.pane, ChainPane):
                    app.screen.pane.open_on(wish.underlying, wish.expiry)
        case UseTheme(name=name):
            app.theme = name
        case Kill(why=why):
            await screen.ask(EngageKill(id=deck.fresh_id(), actor=ACTOR, why=why or "typed"), "KILL engaged.")
        case Release(typed=typed):
            await screen.ask(ReleaseKill(id=deck.fresh_id(), actor=ACTOR, typed=typed), "Released.")
        case Steer():
            steer = SteerReplay(id=deck.fresh_id(), actor=ACTOR, action=wish.action, until=wish.until, speed=wish.speed)
            await screen.ask(steer, preview(wish, deck))
        case _:
            await app.run_action("quit")


def _draft(wish: Trade, deck: Deck) -> Draft:
    draft = opening(deck, wish.contract, wish.side)
    quote = deck.mirror.quote(wish.contract)
    if wish.type is not OrderType.LIMIT:
        draft = draft.with_type(wish.type, quote)
    return replace(
        draft,
        lots=wish.lots,
        price=wish.price if wish.price is not None else draft.price,
        trigger=wish.trigger if wish.trigger is not None else draft.trigger,
        product=wish.product or draft.product,
        validity=wish.validity,
    )
