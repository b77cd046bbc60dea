"""Which rule answers which command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.market_days import market_days
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.book import TradingState
from optconsole.engine.ports.strategists import unregistered
from optconsole.engine.rules.market_days import MarketDays
from optconsole.engine.rules.pretrade import Situation
from optconsole.engine.trading import (
    baskets,
    closing,
    groups,
    letters,
    limit_commands,
    placing,
    reversing,
    ruling,
    scopes,
    stops,
)
from optconsole.engine.trading.baskets import Vet
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.runs import adjusting, adopting, steering
from optconsole.engine.trading.runs.scene import RunScene


@dataclass(frozen=True, slots=True)
class View:
    """What a command is decided on. ``vet`` says what is wrong with a strategy's plug-in."""

    state: TradingState
    master: InstrumentMaster
    situation: Situation
    install: str
    days: MarketDays | None = None
    vet: Vet = unregistered

    def scene(self) -> RunScene:
        """What commands about runs look at."""
        days = self.days or market_days(Calendar.load())
        return RunScene(self.state, self.master, self.situation, self.install, days, Minutes())


def decide(view: View, command: cmd.AnyCommand) -> Decision:
    """The facts and effects of a command. Raises Refusal."""
    return HANDLERS[type(command)](view, command)


def _acknowledge(view: View, command: cmd.AcknowledgeNotices) -> Decision:
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.NoticeAcknowledged(upto=min(command.upto, view.state.seq)))
    return decision


def _cancel_all(view: View, command: cmd.CancelAll) -> Decision:
    def decided() -> Decision:
        return closing.cancel_all(view.state, command)

    return placing.halting(view.state, command.actor, command.id, command.scope, decided, "cancel all")


def _flatten(view: View, command: cmd.Flatten) -> Decision:
    def decided() -> Decision:
        return closing.flatten(view.state, command)

    if command.percent != 100:
        return decided()
    return placing.halting(view.state, command.actor, command.id, command.scope, decided, "flatten")


def _engage_kill(view: View, command: cmd.EngageKill) -> Decision:
    def decided() -> Decision:
        return closing.engage_kill(view.state, command)

    return placing.halting(view.state, command.actor, command.id, scopes.ALL, decided, "kill")


HANDLERS: Final[dict[type[cmd.Command], Callable[[View, Any], Decision]]] = {
    cmd.PlaceOrder: lambda view, command: placing.place(view.state, command, view.master, view.situation, view.install),
    cmd.ModifyOrder: lambda view, command: placing.modify(view.state, command, view.master, view.situation),
    cmd.CancelOrder: lambda view, command: placing.cancel(view.state, command),
    cmd.PlaceGroup: lambda view, command: groups.open_group(view.state, command, view.master, view.situation),
    cmd.Reverse: lambda view, command: reversing.reverse(view.state, command, view.master, view.situation),
    cmd.CancelAll: _cancel_all,
    cmd.Flatten: _flatten,
    cmd.EngageKill: _engage_kill,
    cmd.AbandonFlatten: lambda view, command: closing.abandon(view.state, command),
    cmd.SetStop: lambda view, command: stops.set_stop(view.state, command, view.master, view.situation),
    cmd.ClearStop: lambda view, command: stops.clear_stop(view.state, command),
    cmd.ReleaseKill: lambda view, command: closing.release_kill(view.state, command, view.situation.since),
    cmd.ReleaseDoubt: lambda view, command: ruling.release_doubt(view.state, command),
    cmd.AdoptOrder: lambda view, command: ruling.adopt_order(view.state, command),
    cmd.AdoptPosition: lambda view, command: ruling.adopt_position(view.state, command, view.master, view.situation),
    cmd.ReadBookNow: lambda _view, command: ruling.read_book(command),
    cmd.ReplayLetter: lambda view, command: letters.replay(view.state, command),
    cmd.DropLetter: lambda view, command: letters.drop(view.state, command),
    cmd.SetLimit: lambda view, command: limit_commands.set_limit(view.state, command),
    cmd.RemoveLimit: lambda view, command: limit_commands.remove_limit(view.state, command),
    cmd.SetTradingState: lambda view, command: limit_commands.set_trading_state(view.state, command, view.situation),
    cmd.SaveBasket: lambda view, command: baskets.save(view.state, command, view.master, view.vet),
    cmd.SetBasketStatus: lambda view, command: baskets.set_status(view.state, command),
    cmd.SteerRun: lambda view, command: steering.steer(view.scene(), command),
    cmd.ExitBasket: lambda view, command: steering.exit_basket(view.scene(), command),
    cmd.EditRun: lambda view, command: steering.edit(view.scene(), command, view.vet),
    cmd.AdjustRun: lambda view, command: adjusting.adjust(view.scene(), command),
    cmd.AdoptIntoRun: lambda view, command: adopting.adopt(view.scene(), command),
    cmd.ReleaseFromRun: lambda view, command: adopting.release(view.scene(), command),
    cmd.SendSignal: lambda view, command: steering.send_signal(view.scene(), command),
    cmd.AcknowledgeNotices: _acknowledge,
}
"""Every command but the steering of a replay, which is the world's business and not the book's."""
