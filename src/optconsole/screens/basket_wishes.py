"""What was typed or chosen of baskets and runs: told before, and carried out."""

from __future__ import annotations

from typing import Final

from optconsole.engine.commands import RunAction
from optconsole.engine.model.baskets import BasketStatus
from optconsole.screens import steering
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck
from optconsole.screens.wishes import BasketWish, RunWish, Signal

STATUS: Final = {
    "start": BasketStatus.ACTIVE,
    "pause": BasketStatus.PAUSED,
    "stop": BasketStatus.STOPPED,
    "archive": BasketStatus.ARCHIVED,
}
_TOLD: Final = {
    "start": "Starts {name}: its strategies run by their schedule.",
    "pause": "Pauses {name}: nothing new begins, what runs goes on.",
    "stop": "Stops {name}: nothing of it begins any more, what is open stays guarded.",
    "archive": "Puts {name} out of sight.",
    "exit": "Asks, then closes everything {name} holds and stops it.",
    "edit": "Opens the builder on {name}.",
    "show": "Shows the baskets.",
    "clone": "Saves {name} once more as {to}, stopped.",
    "export": "Writes {name} to {to}.",
    "import": "Reads {to}, checks it and saves its basket.",
    "new": "Opens the builder on a new {to}.",
}
_RUN_TOLD: Final = {
    "now": "Asks, then begins {name} before its time.",
    "skip": "Asks, then lets {name} go.",
    "approve": "Lets {name} enter.",
    "exit": "Asks, then closes {name}.",
    "halt": "Halts {name}: it enters nothing more, its stops go on.",
    "resume": "Lets {name} enter again.",
    "edit": "Opens the builder on the rules of {name}.",
    "why": "Tells what was decided about {name}, and on what.",
}


def preview_automation(wish: BasketWish | RunWish | Signal, deck: Deck) -> str:
    """One sentence on what Enter will do."""
    match wish:
        case BasketWish(verb=verb, name=name, to=to):
            return _TOLD[verb].format(name=name, to=to or "basket")
        case RunWish(verb=verb, run_id=run_id, leg=leg):
            run = deck.mirror.state.runs.get(run_id)
            name = run_id if run is None else f"{run.strategy.name} ({run_id})"
            return _RUN_TOLD[verb].format(name=f"leg {leg} of {name}" if leg else name)
        case Signal(name=name):
            return f"Tells the runs that wait for {name} that it has come."


async def automate(wish: BasketWish | RunWish | Signal, screen: ConsoleScreen, actor: str) -> None:
    """Carry it out on the screen it was asked over."""
    match wish:
        case BasketWish():
            await _with_basket(wish, screen, actor)
        case RunWish():
            _with_run(wish, screen, actor)
        case Signal(name=name):
            steering.signal(screen, name, actor)


async def _with_basket(wish: BasketWish, screen: ConsoleScreen, actor: str) -> None:
    # reading and writing files needs much that no other command does
    from optconsole.screens import basket_files

    book = screen.deck.mirror.state.baskets.get(wish.name)
    match wish.verb:
        case "import":
            basket_files.import_file(screen, wish.to, actor)
        case "new":
            from optconsole.screens.building import new_basket

            new_basket(screen, wish.to)
        case "show":
            await screen.app.run_action("show_screen('baskets')")
        case _ if book is None:
            screen.say(f"There is no basket {wish.name!r} any more.", "bad")
        case "exit":
            steering.exit_basket(screen, wish.name, actor)
        case "edit":
            from optconsole.screens.building import edit_basket

            edit_basket(screen, book)
        case "clone":
            basket_files.clone(screen, book, wish.to, actor)
        case "export":
            basket_files.export_file(screen, book, wish.to)
        case _:
            steering.set_status(screen, wish.name, STATUS[wish.verb], actor)


def _with_run(wish: RunWish, screen: ConsoleScreen, actor: str) -> None:
    run = screen.deck.mirror.state.runs.get(wish.run_id)
    if run is None:
        screen.say(f"There is no run {wish.run_id} any more.", "bad")
        return
    match wish.verb:
        case "edit":
            from optconsole.screens.building import edit_run

            edit_run(screen, run)
        case "why":
            from optconsole.screens.run_why import RunWhy

            screen.app.push_screen(RunWhy(screen.deck, run.id, wish.leg))
        case "exit":
            steering.exit_run(screen, run, actor, wish.leg)
        case _:
            steering.steer(screen, run, RunAction(wish.verb), actor)
