"""What is not worth sending: Shoonya would take it, give it a number, and refuse it afterwards."""

from __future__ import annotations

import re
from typing import Final

from optconsole.brokers.shoonya import words
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.money import rupees
from optconsole.engine.ports import PlaceRequest, Rejected

_TAG: Final = re.compile(r"[0-9A-Za-z]{1,20}", re.ASCII)


def fault(request: PlaceRequest, listed: Listed | None) -> Rejected | None:
    """Why a request is not sent; None where it may be. Nothing has left when there is a reason."""
    if listed is None:
        return Rejected("NOT_LISTED", f"{request.instrument.name} is not in Shoonya's list of today.")
    if request.type not in words.TYPE_WORDS:
        return Rejected("MARKET_TYPE", f"Shoonya takes no {request.type.value} order from programs; give a limit.")
    if (request.trigger is None) == request.type.has_trigger:
        return Rejected("BAD_TRIGGER", f"A {request.type.value} order needs a trigger exactly if it is a stop.")
    if not _TAG.fullmatch(request.tag):
        return Rejected("BAD_TAG", "The order's tag holds more than letters and figures; it could not be found again.")
    lot, tick = listed.instrument.lot, listed.instrument.tick
    if request.qty <= 0 or request.qty % lot:
        return Rejected("BAD_LOT", f"{request.qty} units are not whole lots of {lot}.")
    for price in (request.price, request.trigger):
        if price is not None and (price <= 0 or price % tick):
            return Rejected("OFF_TICK", f"{rupees(price)} is not a price in steps of {rupees(tick)}.")
    return None
