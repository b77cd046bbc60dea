"""What the screens of runs share: they follow baskets and runs, count down once a second, and steer a run by key."""

from __future__ import annotations

from collections.abc import Iterable

from optconsole.engine.commands import RunAction
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.screens import steering
from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck
from optconsole.screens.mirror import Topic

_RUN_ACTIONS = {
    "run_now": RunAction.NOW,
    "skip": RunAction.SKIP,
    "approve": RunAction.APPROVE,
    "exit_row": RunAction.EXIT,
}


class RunScreen(ConsoleScreen):
    """Hundreds of facts may come in the second in which strategies enter: they are shown once a beat, together."""

    def __init__(self, deck: Deck) -> None:
        super().__init__(deck)
        self._stale = False
        self._clock = -1

    def topics(self) -> Iterable[Topic]:
        return (Topic.RUNS, Topic.POSITIONS)

    def _on_topic(self) -> None:
        self._stale = True

    def reload(self) -> None:
        self._stale = False

    def tick(self) -> None:
        """Show what a second changes."""

    def priced(self, changed: set[str]) -> None:
        """Show what these prices change."""

    def beat(self, changed: set[str]) -> None:
        now = self.deck.mirror.now
        second = int(now.timestamp()) if now else -1
        if self._stale:
            self._clock = second
            self.reload()
            return
        self.priced(changed)
        if second != self._clock:
            self._clock = second
            self.tick()

    # ------------------------------------------------------------ one run

    def chosen_run(self) -> tuple[Run | None, str]:
        """The run under the cursor, and its leg where a leg is."""
        return None, ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of a run need one that would hear them."""
        if not self.is_mounted:
            return True
        run, _leg = self.chosen_run()
        if action == "halt":
            return run is not None and (steering.may(run, RunAction.HALT) or run.status is RunStatus.HALTED)
        if action in _RUN_ACTIONS:
            return run is not None and steering.may(run, _RUN_ACTIONS[action])
        return super().check_action(action, parameters)

    def _steer(self, action: RunAction) -> None:
        run, _leg = self.chosen_run()
        if run is not None and self.fresh_press(f"run.{action.value}"):
            steering.steer(self, run, action, f"key:{action.value}")

    def action_run_now(self) -> None:
        self._steer(RunAction.NOW)

    def action_skip(self) -> None:
        self._steer(RunAction.SKIP)

    def action_approve(self) -> None:
        self._steer(RunAction.APPROVE)

    def action_halt(self) -> None:
        """Halt what goes on; let go on what is halted."""
        run, _leg = self.chosen_run()
        if run is not None:
            self._steer(RunAction.RESUME if run.status is RunStatus.HALTED else RunAction.HALT)

    def action_sort(self) -> None:
        self.say("These rows keep their order; / finds.", "dim")

    def show_why(self, run: Run, leg: str = "") -> None:
        """The story of a run or leg."""
        from optconsole.screens.run_why import RunWhy

        self.app.push_screen(RunWhy(self.deck, run.id, leg))
