"""The instrument files of all accounts: fetched each morning and compared with those of the day before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from optconsole.brokers.transport.gateway import Gateway, Master
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Instrument, Kind
from optconsole.engine.ports import BrokerUnreachable
from optconsole.engine.queries import Check
from optconsole.engine.rules.pretrade import REFUSE

SHOWN: Final = 3


class LiveMasters:
    """Each account's instruments. ``ranked`` are the accounts whose quotes are taken, the best first."""

    def __init__(
        self, gateways: Mapping[str, Gateway], ranked: Sequence[str], told: Callable[[str, str], None]
    ) -> None:
        self._gateways = gateways
        self._order = (*ranked, *(name for name in gateways if name not in ranked))
        self._told = told
        self._held: dict[str, Master] = {}
        self._failed: dict[str, str] = {}

    async def prepare(self, day: date) -> bool:
        """Fetch what is not of ``day`` yet; True once every account has its own."""
        wanted = [name for name in self._order if name not in self._held or self._held[name].day != day]
        await asyncio.gather(*(self._fetch(name, day) for name in wanted))
        return not self._failed

    async def _fetch(self, name: str, day: date) -> None:
        try:
            master = await self._gateways[name].load_master(day)
        except (Refusal, BrokerUnreachable) as failed:
            why = failed.text if isinstance(failed, Refusal) else str(failed)
            if self._failed.get(name) != why:
                self._told("MASTER_MISSING", f"{name}: {why} It is asked for again every minute.")
            self._failed[name] = why
            return
        before, self._held[name] = self._held.get(name), master
        self._failed.pop(name, None)
        changes = differences(before, master) if before is not None else []
        if changes:
            more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
            self._told("MASTER_CHANGED", f"{name} lists anew: {'; '.join(changes[:SHOWN])}{more}.")

    def listed(self, _day: date) -> list[Instrument]:
        """Contracts of every account, by the word of the first that lists them."""
        found: dict[str, Instrument] = {}
        for name in self._order:
            if name in self._held:
                for row in self._held[name].rows():
                    found.setdefault(row.instrument.name, row.instrument)
        return list(found.values())

    def stops(self) -> tuple[Check, ...]:
        """Without today's files nothing new is begun: a token may mean another contract than yesterday (W12)."""
        if not self._failed:
            return ()
        names = ", ".join(sorted(self._failed))
        text = f"Today's contracts of {names} could not be fetched; only orders that reduce a position may leave."
        return (Check(code="MASTER_MISSING", severity=REFUSE, text=text),)


def differences(before: Master, after: Master) -> list[str]:
    """What a trader should know of a new instrument file: lots and freezes that changed, expiries come and gone."""
    told: list[str] = []
    for underlying in sorted({row.instrument.underlying for row in after.rows()}):
        old, new = _expiries(before, underlying), _expiries(after, underlying)
        came, went = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
        told += [f"{underlying} {day:%d %b %y} is new" for day in came]
        told += [f"{underlying} {day:%d %b %y} is gone" for day in went if day >= after.day]
        for day in sorted(new.keys() & old.keys()):
            if new[day] != old[day]:
                told.append(f"{underlying} {day:%d %b %y} has lot {new[day][0]}, freeze {new[day][1]}")
    return told


def _expiries(master: Master, underlying: str) -> dict[date, tuple[int, int]]:
    return {
        row.instrument.expiry: (row.instrument.lot, row.instrument.freeze)
        for row in master.rows()
        if row.instrument.underlying == underlying
        and row.instrument.kind is not Kind.INDEX
        and row.instrument.expiry is not None
    }
