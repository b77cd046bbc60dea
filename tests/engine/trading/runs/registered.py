"""The stage for runs with strategies registered in this process; what they say takes the way it takes elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine import commands as cmd
from optconsole.engine.model.plugins import StrategyAnswer, StrategyRequest
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.strategies.calls import answer_of, call_of
from optconsole.engine.strategies.plugin import Plugin
from optconsole.engine.strategies.registry import name_of
from optconsole.engine.strategies.worker import reply_to
from optconsole.engine.trading.decision import AskStrategy, Decision
from optconsole.engine.trading.handlers import View, decide
from tests.engine.trading.runs.stage import Stage, strategy

HEAD = 'entry = "09:20"\nexit = "15:15"\n'


def registered(kind: type[Plugin], head: str = HEAD, **params: object) -> Strategy:
    """A strategy that a class decides in."""
    table = ", ".join(f"{name} = {value}" for name, value in params.items())
    return strategy(f'{head}plugin = "{name_of(kind)}"\nparams = {{ {table} }}')


class RegisteredStage(Stage):
    """Strategies of these classes are answered at once, unless ``silent``."""

    def __init__(self, *kinds: type[Plugin], at: str = "09:17:00") -> None:
        self.kinds = {name_of(each): each for each in kinds}
        self.requests: list[StrategyRequest] = []
        self.silent = False
        super().__init__(at=at)

    def ask(self, command: cmd.AnyCommand) -> Decision:
        view = View(self.state, self.master, self.situation, "ABC", vet=lambda _: ())
        decision = decide(view, command)
        self.tell(*decision.facts, actor=command.actor)
        self._carry(decision)
        return decision

    def _carry(self, decision: Decision) -> None:
        super()._carry(decision)
        for effect in decision.effects:
            if isinstance(effect, AskStrategy):
                self.requests.append(effect.request)
                if not self.silent:
                    self.hear(answer_of(effect.request, reply_to(self.kinds, call_of(effect.request))))

    def hear(self, answer: StrategyAnswer) -> None:
        """Let an answer come in."""
        followed = self.runs.hear(self.state, self.master, self.situation, "ABC", answer)
        if followed is not None:
            self.tell(*followed.facts, actor=followed.actor)
            self._carry(followed)

    def minutes(self, *clocks: str) -> None:
        """Let time pass to each of these."""
        for clock in clocks:
            self.to(clock)

    def alarms(self) -> list[str]:
        return [notice.text for notice in self.state.notices if notice.level == "alarm"]

    def told(self, code: str) -> Sequence[str]:
        return [notice.text for notice in self.state.notices if notice.code == code]
