"""Quotes by question. Shoonya now and then answers with another instrument's: each answer has to name ours."""

from __future__ import annotations

from optconsole.brokers.shoonya.replies import Row
from optconsole.brokers.shoonya.settings import ShoonyaSettings
from optconsole.brokers.shoonya.wire import QUOTES, Wire
from optconsole.brokers.transport.gateway import Evidence, Listed
from optconsole.engine.ports import BrokerUnreachable


class Questions:
    """GetQuotes and GetSecurityInfo, with the identity of every answer checked."""

    def __init__(self, settings: ShoonyaSettings, wire: Wire, evidence: Evidence) -> None:
        self._tries = settings.quote_tries
        self._wire = wire
        self._evidence = evidence

    async def quote(self, listed: Listed) -> Row:
        """A whole snapshot of one contract. Raises LoginLost; BrokerUnreachable also when only others' came."""
        return await self._about("GetQuotes", listed, "quote")

    async def security(self, listed: Listed) -> Row:
        """What does not change during the day, the freeze quantity among it. Raises LoginLost, BrokerUnreachable."""
        return await self._about("GetSecurityInfo", listed, "security info")

    async def _about(self, endpoint: str, listed: Listed, what: str) -> Row:
        wanted = {"exch": listed.segment, "token": listed.token}
        for _ in range(self._tries):
            row = await self._wire.fields(endpoint, wanted, what, QUOTES)
            if _is_of(row, listed):
                return row
            self._evidence(
                "WRONG_INSTRUMENT",
                f"{endpoint} of {listed.instrument.name} was answered with another instrument.",
                f"{row.get('exch')}|{row.get('token')} {row.get('tsym')}",
            )
        raise BrokerUnreachable(f"Shoonya answered {self._tries} times with another instrument's {what}.")


def _is_of(row: Row, listed: Listed) -> bool:
    """Whether an answer is about a contract; an index has several names, a contract one."""
    if (row.get("exch"), str(row.get("token"))) != (listed.segment, listed.token):
        return False
    return not listed.instrument.tradable or row.get("tsym", listed.symbol) == listed.symbol
