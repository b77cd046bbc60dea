"""Requests about orders: each sent once, each answer judged by what it proves, and how the last one went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from optconsole.brokers.transport.gateway import Evidence
from optconsole.brokers.transport.rest import Reply, Unanswered
from optconsole.brokers.zerodha.envelope import SAID, envelope
from optconsole.brokers.zerodha.refusals import IP_REFUSED, answer_to_order
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.brokers.zerodha.settings import ORDERS
from optconsole.engine.model.text import display
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import LOGIN_LOST, Accepted, Doubtful, NotSent, PlaceOutcome, Rejected

LONGEST_ID: Final = 40
_DEAD_CODES: Final = frozenset({LOGIN_LOST, IP_REFUSED, "NOT_PERMITTED"})


class Placed(msgspec.Struct, frozen=True):
    order_id: str


class OrderCalls:
    """``state`` is how the last request went, ``why`` says what is wrong where something is."""

    def __init__(self, session: KiteSession, evidence: Evidence) -> None:
        self._session, self._evidence = session, evidence
        self.state = LinkState.STALE
        self.why = ""

    async def send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        expected: str | None = None,
    ) -> PlaceOutcome:
        """One request. ``expected`` is the id that an acceptance must name, where it is known."""
        headers = self._session.headers()
        if headers is None:
            return self._noted(Rejected(LOGIN_LOST, "There is no login at Zerodha; log in again."))
        try:
            reply = await self._session.client.call(
                method, path, bucket=ORDERS, form=form, params=params, headers=headers, timed=True
            )
        except Unanswered as silent:
            cause = f"Zerodha: {silent.cause}"
            return self._noted(Doubtful(cause) if silent.sent else NotSent(cause))
        return self._noted(self._judged(reply, expected))

    def _judged(self, reply: Reply, expected: str | None) -> PlaceOutcome:
        said = envelope(reply)
        if reply.status == 200 and said is not None and said.status == "success":
            try:
                placed = msgspec.json.decode(said.data, type=Placed).order_id
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                placed = ""
            if well_formed(placed) and expected in (None, placed):
                return Accepted(placed)
        outcome = answer_to_order(reply)
        if isinstance(outcome, Doubtful):
            self._evidence("UNPROVEN_ANSWER", f"An answer proves nothing of an order: {outcome.cause}.", reply.text())
        return outcome

    def _noted(self, outcome: PlaceOutcome) -> PlaceOutcome:
        """Remember how orders go: the vitals show it."""
        match outcome:
            case Accepted():
                self.state, self.why = LinkState.LIVE, ""
            case Rejected(code, reason) if code in _DEAD_CODES:
                self.state, self.why = LinkState.DEAD, reason
            case Rejected():
                self.state, self.why = LinkState.LIVE, ""
            case Doubtful(cause):
                self.state, self.why = LinkState.STALE, cause
            case NotSent(cause):
                self.state, self.why = LinkState.DEAD, cause
        return outcome


def well_formed(broker_id: str) -> bool:
    """Whether a text can be an order id of Kite's: nothing else goes into a path."""
    return broker_id.isascii() and broker_id.isalnum() and len(broker_id) <= LONGEST_ID


def no_order(broker_id: str) -> Rejected:
    return Rejected("NO_ORDER", f"{display(broker_id, SAID)!r} is no order id of Zerodha's; nothing was sent.")
