"""Effects: what leaves once its facts are durable, and what may not leave any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import RiskClass
from optconsole.engine.model.plugins import PluginFault, StrategyAnswer, StrategyRequest
from optconsole.engine.observe.log import incident
from optconsole.engine.ports import NotSent, PlaceOutcome
from optconsole.engine.requests import Request, Requests, urgency
from optconsole.engine.rules.limits import restriction
from optconsole.engine.shell.inbox import Answered, Heard, Inbox, StrategyAnswered
from optconsole.engine.trading.decision import (
    AskStrategy,
    Effect,
    HearAgain,
    ReadBook,
    SendCancel,
    SendModify,
    SendPlace,
    WatchQuotes,
)
from optconsole.engine.trading.parents import standing_order
from optconsole.engine.watching import BookWatch
from optconsole.engine.world import World


def account_of(request: Request) -> str:
    """The account a request is for."""
    return request.request.account if isinstance(request, SendPlace) else request.account


class Effects:
    """Carries effects out. ``latched`` says why a kill that is not stored yet forbids new risk, empty without one."""

    def __init__(
        self,
        world: World,
        inbox: Inbox,
        watches: Mapping[str, BookWatch],
        book: Callable[[], TradingState],
        latched: Callable[[], str],
    ) -> None:
        self._world = world
        self._inbox = inbox
        self._watches = watches
        self._book = book
        self._latched = latched
        self.requests = Requests(world.clock, world.brokers, self.answered, inbox.spawn, self._barred)

    def act(self, effect: Effect, decided: float) -> None:
        """Carry out one effect, decided at that monotonic second."""
        match effect:
            case ReadBook(account):
                if account in self._watches:
                    self._watches[account].want()
            case HearAgain(account, row, letter_id):
                self._inbox.put(Heard(account, row, letter_id))
            case WatchQuotes(names):
                self._world.feed.watch(names)
            case SendPlace(_, request):
                self._world.feed.watch([request.instrument.name])
                self._send(effect, decided)
            case SendModify() | SendCancel():
                self._send(effect, decided)
            case AskStrategy(request):
                # named as a request is: a replay waits for the answer before it plays on
                self._inbox.spawn(self._ask(request), f"send-ask-{request.run_id}")

    async def _ask(self, request: StrategyRequest) -> None:
        host = self._world.strategies
        if host is None:
            fault = PluginFault("NOT_REGISTERED", f"No strategy is registered as {request.plugin!r}.")
            answer = StrategyAnswer(run_id=request.run_id, kind=request.kind, fault=fault)
        else:
            try:
                answer = await host.ask(request)
            except Exception as error:  # without an answer the run would never be asked again
                fault = PluginFault("NO_START", f"it could not be asked (incident {incident('strategy', error)})")
                answer = StrategyAnswer(run_id=request.run_id, kind=request.kind, fault=fault)
        self._inbox.put(StrategyAnswered(answer))

    def stored(self, facts: Iterable[AnyEvent]) -> None:
        """What is about to be closed is sized by what the brokers hold now, not by what they last showed."""
        if any(isinstance(event, ev.FlattenBegun) for event in facts):
            for watch in self._watches.values():
                watch.hurry()

    def _send(self, request: Request, decided: float) -> None:
        """Queue a request. One on an account that no broker serves any more must not keep the others from leaving."""
        account = account_of(request)
        if account in self._world.brokers:
            order = self._book().orders[request.order_id]
            self.requests.put(request, account, urgency(request, order), decided)
        else:
            self._inbox.put(Answered(request, NotSent(f"no broker serves the account {account}")))

    def _barred(self, request: Request) -> str:
        """Why an order that adds risk, decided a moment ago, may not leave now: a kill, a flatten, a limit, a sleep."""
        latched = self._latched()
        if latched:
            return latched
        if self._watches[account_of(request)].health().book_age is None:
            return "the engine stood still; the broker's book is read again first"
        state = self._book()
        terms = state.orders[request.order_id].terms
        why = standing_order(state, terms, RiskClass.INCREASE)
        scope = restriction(state, terms.account, terms.contract, terms.source)
        return why or ("" if scope is None else f"{scope.level.value} is {scope.standing.value}")

    def answered(self, request: Request, outcome: PlaceOutcome) -> None:
        """Take the outcome of a request in."""
        self._watches[account_of(request)].answered(outcome)
        self._inbox.put(Answered(request, outcome))
