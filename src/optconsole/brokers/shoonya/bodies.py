"""What Shoonya is sent: the literal ``jData=`` and raw JSON, which the server never URL-decodes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from optconsole.brokers.shoonya import words
from optconsole.engine.model.money import rupees
from optconsole.engine.ports import PlaceRequest

CONTENT_TYPE: Final = "text/plain"
SOURCE: Final = "API"
MARGIN_KEYS: Final = frozenset({"exch", "tsym", "qty", "prc", "trgprc", "prd", "trantype", "prctyp", "ret"})
"""Of an order's fields, those that a question for margin repeats."""


def body(fields: Mapping[str, object]) -> bytes:
    """A request body. The server cuts it at the first ``&``, so one inside is written as the JSON escape."""
    return b"jData=" + msgspec.json.encode(fields).replace(b"&", b"\\u0026")


def checksum(client_id: str, secret_code: str, code: str) -> str:
    """What proves to GenAcsTok that the code came to us."""
    return hashlib.sha256(f"{client_id}{secret_code}{code}".encode()).hexdigest()


def price(amount: int) -> str:
    """Paise as the wire's rupees: ``123.45``."""
    return str(rupees(amount))


def order_symbol(symbol: str) -> str:
    """A trading symbol in an order: there Shoonya's own clients write ``&`` as ``%26``; in questions they do not."""
    return symbol.replace("&", "%26")


def place(user: str, account: str, segment: str, symbol: str, request: PlaceRequest, algo: str = "") -> dict[str, str]:
    """Fields of PlaceOrder. ``request.type`` is LIMIT or SL."""
    fields = {
        "uid": user,
        "actid": account,
        "exch": segment,
        "tsym": order_symbol(symbol),
        "qty": str(request.qty),
        "prc": price(request.price),
    }
    if request.trigger is not None:
        fields["trgprc"] = price(request.trigger)
    fields |= {
        "dscqty": "0",
        "prd": words.PRODUCT_WORDS[request.product],
        "trantype": words.SIDE_WORDS[request.side],
        "prctyp": words.TYPE_WORDS[request.type],
        "ret": words.VALIDITY_WORDS[request.validity],
        "remarks": request.tag,
        "ordersource": SOURCE,
    }
    if algo:
        fields["algo_id"] = algo
    return fields


def modify(
    user: str, segment: str, broker_id: str, symbol: str, qty: int, limit: int, trigger: int | None, validity: str
) -> dict[str, str]:
    """Fields of ModifyOrder; ``qty`` is the new total. Without a trigger the key is left out and the type is LMT:
    a trigger price on an order that is no stop is refused."""
    fields = {
        "uid": user,
        "exch": segment,
        "norenordno": broker_id,
        "tsym": order_symbol(symbol),
        "qty": str(qty),
        "prc": price(limit),
        "prctyp": "LMT" if trigger is None else "SL-LMT",
        "ret": validity,
    }
    if trigger is not None:
        fields["trgprc"] = price(trigger)
    return fields


def scrips(keys: Sequence[tuple[str, str]]) -> str:
    """Contracts in a subscription: ``NFO|58662#NSE|26000``."""
    return "#".join(f"{segment}|{token}" for segment, token in keys)
