"""What the engine asks of registered strategies, wherever they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from optconsole.engine.model.plugins import ParamFault, PluginCard, StrategyAnswer, StrategyRequest
from optconsole.engine.model.strategies import Strategy


class StrategyHost(Protocol):
    """Runs registered strategies apart from the engine. Nothing they do raises here: it is an answer."""

    async def ask(self, request: StrategyRequest) -> StrategyAnswer:
        """Call a strategy once, within its deadline."""
        ...

    async def vet(self, strategies: Iterable[Strategy]) -> None:
        """Have the parameters of these strategies checked, so that ``faults`` knows them."""
        ...

    def faults(self, strategy: Strategy) -> Sequence[ParamFault]:
        """What is wrong with the plug-in or its parameters; of one that was not vetted, that it is not registered."""
        ...

    async def cards(self) -> Sequence[PluginCard]:
        """All registered strategies, also those that cannot be used."""
        ...


def unregistered(strategy: Strategy) -> Sequence[ParamFault]:
    """The faults of a strategy where no strategy is registered at all."""
    if not strategy.plugin:
        return ()
    text = f"No strategy is registered as {strategy.plugin!r}; see `optconsole strategy plugins`."
    return (ParamFault("UNKNOWN_PLUGIN", "", text),)
