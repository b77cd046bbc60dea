"""The registered strategies of a home, each source in a process of its own; the engine's ``StrategyHost``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from optconsole.config import Settings
from optconsole.engine.model.plugins import (
    AskKind,
    ParamFault,
    PluginCard,
    StrategyAnswer,
    StrategyRequest,
)
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.text import display
from optconsole.engine.ports.strategists import unregistered
from optconsole.engine.strategies.calls import Call, Reply, answer_of, call_of
from optconsole.engine.strategies.registry import Source, once, sources
from optconsole.runtime.plugin_process import Bounds, Failed, PluginProcess

MOST_VERDICTS = 2_000
_Asked = tuple[str, str]


class Plugins:
    """Knows which source holds which strategy. A process is begun when first needed, and again after a fault."""

    def __init__(self, folder: Path | None, bounds: Bounds | None = None) -> None:
        self._folder = folder
        self._bounds = bounds or Bounds()
        self._processes: dict[str, PluginProcess] = {}
        self._cards: list[tuple[PluginCard, Source]] = []
        self._seen: tuple[Source, ...] = ()
        self._verdicts: dict[_Asked, tuple[ParamFault, ...]] = {}
        self._looking = asyncio.Lock()

    # ------------------------------------------------------------ what there is

    async def cards(self) -> Sequence[PluginCard]:
        """All registered strategies, also those that cannot be used and why."""
        await self._look()
        return [card for card, _ in self._cards]

    async def _look(self) -> None:
        """Ask every source what it holds, where anything has changed since."""
        async with self._looking:
            found = tuple(await asyncio.to_thread(sources, self._folder))
            if found == self._seen:
                return
            for process in [each for each in self._processes.values() if each.source not in found]:
                self._processes.pop(process.source.argument(), None)
                await process.close()
            held = await asyncio.gather(*(self._held(source) for source in found))
            pairs = [(card, source) for source, cards in zip(found, held, strict=True) for card in cards]
            told = once([card for card, _ in pairs])
            self._cards = [(card, source) for card, (_, source) in zip(told, pairs, strict=True)]
            self._verdicts.clear()
            self._seen = found

    async def _held(self, source: Source) -> Sequence[PluginCard]:
        fault = source.fault
        if not fault:
            try:
                hello = await self._process(source).hello()
            except Failed as failed:
                fault = failed.fault.text
            else:
                fault = hello.fault or ("" if hello.cards else "it holds no strategy")
                if hello.cards:
                    return hello.cards
        return [PluginCard(name=display(Path(source.value).stem, 60), origin=source.origin, fault=display(fault))]

    def _process(self, source: Source) -> PluginProcess:
        key = source.argument()
        if key not in self._processes:
            self._processes[key] = PluginProcess(source, self._bounds)
        return self._processes[key]

    async def _source(self, plugin: str) -> Source | None:
        await self._look()
        return next((source for card, source in self._cards if card.name == plugin and not card.fault), None)

    # ------------------------------------------------------------ parameters

    async def vet(self, strategies: Iterable[Strategy]) -> None:
        """Have parameters checked by the strategies' own models."""
        for strategy in strategies:
            if not strategy.plugin:
                continue
            if len(self._verdicts) >= MOST_VERDICTS:
                self._verdicts.clear()
            # looked at anew each time: the file may have been written anew
            self._verdicts[_key(strategy)] = await self._vetted(strategy)

    async def _vetted(self, strategy: Strategy) -> tuple[ParamFault, ...]:
        source = await self._source(strategy.plugin)
        if source is None:
            return await self._unknown(strategy)
        try:
            reply = await self._process(source).call(Call(number=0, plugin=strategy.plugin, params=strategy.params))
        except Failed as failed:
            return (ParamFault("PLUGIN_FAILED", "", f"{strategy.plugin} failed: {failed.fault.text}."),)
        if reply.fault is not None and not reply.faults:
            return (ParamFault("PLUGIN_FAILED", "", f"{strategy.plugin} failed: {reply.fault.text}."),)
        return reply.faults

    async def _unknown(self, strategy: Strategy) -> tuple[ParamFault, ...]:
        barred = next((card for card, _ in self._cards if card.name == strategy.plugin), None)
        if barred is not None:
            return (
                ParamFault("PLUGIN_FAILED", "", f"{barred.name} of {barred.origin} cannot be used: {barred.fault}."),
            )
        return tuple(unregistered(strategy))

    def faults(self, strategy: Strategy) -> Sequence[ParamFault]:
        """What vetting found."""
        if not strategy.plugin:
            return ()
        known = self._verdicts.get(_key(strategy))
        return unregistered(strategy) if known is None else known

    # ------------------------------------------------------------ calls

    async def ask(self, request: StrategyRequest) -> StrategyAnswer:
        """Call a strategy once. Whatever goes wrong is in the answer."""
        try:
            return answer_of(request, await self._asked(request))
        except Failed as failed:
            return answer_of(request, failed.fault)

    async def _asked(self, request: StrategyRequest) -> Reply:
        known = next((source for card, source in self._cards if card.name == request.plugin and not card.fault), None)
        # no look at the folder for every look of a run; an entry, a list or a save finds what was written anew
        source = known if known and request.kind is AskKind.LOOK else await self._source(request.plugin)
        if source is None:
            raise Failed("NOT_REGISTERED", f"no strategy is registered as {request.plugin!r}")
        return await self._process(source).call(call_of(request))

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(*(process.close() for process in self._processes.values()))


def plugins_of(home: Path, settings: Settings) -> Plugins:
    """The registered strategies as a home is set up for them."""
    wanted = settings.strategies
    return Plugins(wanted.place(home), Bounds(seconds=wanted.answer_ms / 1000, megabytes=wanted.memory_mb))


def _key(strategy: Strategy) -> _Asked:
    return strategy.plugin, msgspec.json.encode(strategy.params, order="sorted").decode()
