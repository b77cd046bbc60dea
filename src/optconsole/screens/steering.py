"""What is done with baskets and runs: how it is asked, what it sends; the same whether pressed or typed."""

from __future__ import annotations

from collections.abc import Callable

from optconsole.engine.commands import AnyCommand, ExitBasket, RunAction, SendSignal, SetBasketStatus, SteerRun
from optconsole.engine.model.baskets import BasketStatus
from optconsole.engine.model.positions import Position
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.beside import beside
from optconsole.screens.closing import SHOWN, counted
from optconsole.screens.confirmation import TYPED_LOTS
from optconsole.screens.deck import Deck
from optconsole.screens.dialogs import Confirm
from optconsole.screens.run_figures import asks_person, parts_by_source
from optconsole.screens.widgets.cells import Part
from optconsole.screens.widgets.ribbon import Line


def set_status(screen: ConsoleScreen, name: str, status: BasketStatus, actor: str) -> None:
    """Start, pause, stop or archive a basket; starting one on a live account is asked first."""
    deck = screen.deck
    command = SetBasketStatus(id=deck.fresh_id(), actor=actor, name=name, status=status)
    if status is not BasketStatus.ACTIVE or deck.mode not in ("live", "halted"):
        send(screen, command)
        return
    book = deck.mirror.state.baskets.get(name)
    strategies = () if book is None else book.basket.strategies
    lines: list[Line] = [
        ([Part(f"{each.schedule.entry_at:%H:%M:%S}  ", "dim"), Part(deck.fmt.text(each.name))], [])
        for each in strategies[:SHOWN]
    ]
    accounts = [] if book is None else [each.account for each in book.basket.allocations if each.enabled]
    _asked(screen, f"Start {deck.fmt.text(name)}?", [*lines, *_where(deck, accounts)], lambda: send(screen, command))


def exit_basket(screen: ConsoleScreen, name: str, actor: str) -> None:
    """Ask, then close all runs of a basket and start none of it any more."""
    deck = screen.deck
    runs = [run for run in deck.mirror.state.runs.values() if run.basket == name and not run.status.over]
    if not runs:
        screen.say(f"Nothing of {deck.fmt.text(name)} runs; o stops it.", "dim")
        return
    command = ExitBasket(id=deck.fresh_id(), actor=actor, name=name)
    _ask_exit(screen, f"Exit {deck.fmt.text(name)}", runs, "", command)


def exit_run(screen: ConsoleScreen, run: Run, actor: str, leg: str = "") -> None:
    """Ask, then close a run, or one leg of it."""
    deck = screen.deck
    command = SteerRun(id=deck.fresh_id(), actor=actor, run_id=run.id, action=RunAction.EXIT, leg=leg)
    what = f"leg {leg} of {run.strategy.name}" if leg else run.strategy.name
    _ask_exit(screen, f"Exit {deck.fmt.text(what)} ({run.id})", [run], leg, command)


def steer(screen: ConsoleScreen, run: Run, action: RunAction, actor: str) -> None:
    """Begin, skip, approve, halt or resume a run. What enters or gives up something is asked first."""
    deck = screen.deck
    if action is RunAction.EXIT:
        exit_run(screen, run, actor)
        return
    command = SteerRun(id=deck.fresh_id(), actor=actor, run_id=run.id, action=action)
    live = deck.mode in ("live", "halted")
    if action is RunAction.HALT or (action in (RunAction.APPROVE, RunAction.RESUME) and not live):
        send(screen, command)
        return
    legs = [each for each in run.strategy.legs if not each.lazy]
    lines: list[Line] = [
        (
            [
                Part(f"{each.side.value:<5}", "buy" if each.side.sign > 0 else "sell"),
                Part(f"{run.legs[each.id].lots if each.id in run.legs else each.lots}L "),
                Part("FUT" if each.right is None else each.right.value, "title"),
                Part(f"  {deck.fmt.text(each.id)}", "dim"),
            ],
            [],
        )
        for each in legs[:SHOWN]
    ]
    told = {
        RunAction.NOW: f"Begin {run.strategy.name} now, before its time?",
        RunAction.SKIP: f"Skip {run.strategy.name} today?",
        RunAction.APPROVE: f"Let {run.strategy.name} enter?",
        RunAction.RESUME: f"Let {run.strategy.name} enter again?",
    }
    easy = action is RunAction.SKIP or not live
    _asked(
        screen,
        deck.fmt.text(f"{told[action]} ({run.id})"),
        [*lines, *_where(deck, [run.account])],
        lambda: send(screen, command),
        easy=easy,
    )


def may(run: Run, action: RunAction) -> bool:
    """Whether the engine would hear of it now."""
    match action:
        case RunAction.NOW:
            return run.status is RunStatus.SCHEDULED
        case RunAction.SKIP:
            return run.status in (RunStatus.SCHEDULED, RunStatus.WAITING)
        case RunAction.APPROVE:
            return asks_person(run)
        case RunAction.RESUME:
            return run.status is RunStatus.HALTED
        case _:
            return not run.status.over and run.status is not RunStatus.EXITING


def signal(screen: ConsoleScreen, name: str, actor: str) -> None:
    """Tell the runs that wait for a signal of this name that it has come."""
    send(screen, SendSignal(id=screen.deck.fresh_id(), actor=actor, name=name))


def send(screen: ConsoleScreen, command: AnyCommand, done: str = "") -> None:
    """Ask the engine beside the keys."""

    async def work() -> None:
        await screen.ask(command, done)

    beside(screen, work, group="ask")


def held_by(deck: Deck, run: Run, leg: str = "") -> list[Position]:
    """What a run, or one leg of it, holds now."""
    parts = parts_by_source(deck.mirror.state)
    return [
        held
        for each in run.legs.values()
        if leg in ("", each.id)
        for held in parts.get(run.source(each.id), ())
        if held.qty
    ]


def _ask_exit(screen: ConsoleScreen, title: str, runs: list[Run], leg: str, command: AnyCommand) -> None:
    """What it holds in words; a large one on a live account wants its lots typed."""
    deck, fmt = screen.deck, screen.deck.fmt
    held = [each for run in runs for each in held_by(deck, run, leg)]
    lines: list[Line] = [
        (
            [
                Part(fmt.lots(each.qty, each.lot).rjust(14), "buy" if each.qty > 0 else "sell"),
                Part("  " + fmt.contract(each.key.contract)),
            ],
            [Part(fmt.pnl(each.unrealised(deck.mirror.mark(each.key.contract))))],
        )
        for each in held[:SHOWN]
    ]
    if len(held) > SHOWN:
        lines.append(([Part(f"{fmt.ellipsis} and {len(held) - SHOWN} more", "dim")], []))
    if not held:
        lines.append(([Part("Nothing of it is open; what waits is given up.", "dim")], []))
    lots = sum(abs(each.qty) // max(each.lot, 1) for each in held)
    word = str(lots) if deck.mode in ("live", "halted") and lots > TYPED_LOTS else ""
    lines += _where(deck, sorted({run.account for run in runs}))
    _asked(screen, f"{title}: {counted(lots, 'lot')}", lines, lambda: send(screen, command), easy=not word, word=word)


def _where(deck: Deck, accounts: list[str]) -> list[Line]:
    named = ", ".join(deck.fmt.text(account) for account in accounts) or "no account"
    return [([], []), ([Part(f" {deck.mode.upper()} ", deck.mode), Part(f" {named}", "dim")], [])]


def _asked(
    screen: ConsoleScreen,
    title: str,
    lines: list[Line],
    then: Callable[[], None],
    *,
    easy: bool = False,
    word: str = "",
) -> None:
    def answered(yes: bool | None) -> None:
        if yes:
            then()

    screen.app.push_screen(Confirm(title, lines, easy=easy, word=word), answered)
