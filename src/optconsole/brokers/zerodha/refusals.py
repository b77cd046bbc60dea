"""What counts as a refusal by Kite: only what is on this list. Everything else may have become an order.

An HTTP 400 with a timeout's text has become an order within seconds before now, so neither the status nor the type of
an error proves anything by itself; the type and the sentence together do, for the sentences the broker is known by.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from optconsole.brokers.transport.rest import Reply
from optconsole.brokers.zerodha.envelope import Envelope, envelope, session_dead
from optconsole.engine.ports import LOGIN_LOST, Doubtful, Rejected

RATE_LIMITED: Final = "RATE_LIMITED"
IP_REFUSED: Final = "IP_REFUSED"


class Definite(NamedTuple):
    """Errors of a ``kind`` (any of those named) whose sentence holds the pattern are refusals, with our ``code``."""

    kinds: frozenset[str]
    pattern: re.Pattern[str]
    code: str


def _definite(kinds: str, pattern: str, code: str) -> Definite:
    return Definite(frozenset(kinds.split()), re.compile(pattern, re.IGNORECASE), code)


_PERMISSION: Final = "PermissionException PermissionError"
_INPUT: Final = "InputException"
_ORDER: Final = "OrderException InputException"

DEFINITE: Final = (
    _definite(f"{_PERMISSION} {_INPUT}", r"\bIP \(?[0-9a-f.:]+\)? is not allowed|allowed IPs", IP_REFUSED),
    _definite(_PERMISSION, r"insufficient permission|not allowed|not enabled", "NOT_PERMITTED"),
    _definite("MarginException", r"insufficient|margin|funds", "NO_MARGIN"),
    _definite("HoldingException", r"holding|insufficient|authori[sz]", "NO_HOLDING"),
    _definite(_INPUT, r"market protection", "NEEDS_PROTECTION"),
    _definite(_ORDER, r"maximum allowed order modifications|modifications? (limit )?exceeded", "TOO_MANY_CHANGES"),
    _definite(_ORDER, r"tick size|multiple of (the )?tick", "BAD_TICK"),
    _definite(_ORDER, r"multiple of (the )?lot|lot size|market lot", "BAD_LOT"),
    _definite(_ORDER, r"freeze", "FREEZE"),
    _definite(_ORDER, r"circuit limit|price range|price band|daily range|execution range", "PRICE_BAND"),
    _definite(_ORDER, r"trigger price|trigger should", "BAD_TRIGGER"),
    _definite(_ORDER, r"after market order|markets? (is|are) closed", "MARKET_CLOSED"),
    _definite(_ORDER, r"expired or does not exist|invalid `?tradingsymbol", "NO_CONTRACT"),
    _definite(
        "OrderException InputException GeneralException",
        r"couldn'?t find that `?order_?id|order .*not found|invalid `?order_?id|no such order|unknown order",
        "NO_ORDER",
    ),
    _definite(
        _ORDER,
        r"cannot be (modified|cancell?ed)|already (been )?(cancell?ed|complete|executed|rejected)|"
        r"not (an )?open order|is not pending|order is (complete|cancelled|rejected)",
        "ORDER_DONE",
    ),
    _definite(_INPUT, r"^(missing or empty|invalid) (field )?`\w+`", "BAD_REQUEST"),
)

AMBIGUOUS: Final = re.compile(
    r"time[d -]*out|gateway|try (again|after)|unable to|unexpected|unknown error|not respond|no response|"
    r"being processed|connection|something went wrong",
    re.IGNORECASE,
)
"""Sentences that leave open what became of the request, whatever error they come with."""


def answer_to_order(reply: Reply) -> Rejected | Doubtful:
    """What an answer that accepts nothing proves of an order, a change or a cancel."""
    if session_dead(reply):
        said = envelope(reply)
        return Rejected(LOGIN_LOST, f"Zerodha no longer knows this login: {said.said if said else ''}".rstrip(": "))
    if reply.status == 429:
        return Rejected(RATE_LIMITED, "Zerodha took no more requests this second and did not take this one.")
    said = envelope(reply)
    if said is None:
        return Doubtful(f"Zerodha answered {reply.status} and no JSON")
    if said.status == "error" and 400 <= reply.status < 500:
        code = code_of(said)
        if code is not None:
            return Rejected(code, f"Zerodha refused it: {said.said}")
    kind = (said.error_type or "no error type")[:40]
    return Doubtful(f"Zerodha answered {reply.status} {kind}: {said.said or 'nothing'}")


def code_of(said: Envelope) -> str | None:
    """Our code of an error that is on the list of refusals; None for one that proves nothing."""
    message = said.message or ""
    if AMBIGUOUS.search(message):
        return None
    for known in DEFINITE:
        if said.error_type in known.kinds and known.pattern.search(message):
            return known.code
    return None
