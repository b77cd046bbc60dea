"""Freeze quantities that nobody here knows, asked of Shoonya contract by contract: its files leave them out."""

from __future__ import annotations

import msgspec

from optconsole.brokers.shoonya.instruments import ShoonyaMaster
from optconsole.brokers.shoonya.quotes import Questions
from optconsole.brokers.transport.coerce import units
from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.engine.ports import BrokerUnreachable


async def with_freezes(master: ShoonyaMaster, questions: Questions, evidence: Evidence) -> ShoonyaMaster:
    """The master with the freeze of each index's contracts filled in where it was unknown.

    Where Shoonya does not say either it stays nought, which keeps entries out.
    """
    found: dict[str, int] = {}
    for underlying, listed in unknown(master).items():
        try:
            found[underlying] = units((await questions.security(listed))["frzqty"])
        except (BrokerUnreachable, KeyError, ValueError):
            evidence("NO_FREEZE", f"The largest order of {underlying} is unknown; entries in it are refused.", "")
    return _filled(master, found) if found else master


def unknown(master: ShoonyaMaster) -> dict[str, Listed]:
    """One contract of each index whose freeze is unknown; shares are too many to ask for."""
    found: dict[str, Listed] = {}
    for row in master.rows():
        instrument = row.instrument
        if instrument.tradable and instrument.freeze <= 0 and master.of(instrument.underlying) is not None:
            found.setdefault(instrument.underlying, row)
    return found


def _filled(master: ShoonyaMaster, freezes: dict[str, int]) -> ShoonyaMaster:
    rows = [
        msgspec.structs.replace(
            row, instrument=msgspec.structs.replace(row.instrument, freeze=freezes[row.instrument.underlying])
        )
        if row.instrument.tradable and row.instrument.freeze <= 0 and row.instrument.underlying in freezes
        else row
        for row in master.rows()
    ]
    return ShoonyaMaster(master.day, rows, master.strange)
