"""What proves that an order is not there, and all that does not (B04, B05, B06, B08, B21)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.transport.rest import Reply
from optconsole.brokers.zerodha.refusals import DEFINITE, answer_to_order
from optconsole.engine.ports import LOGIN_LOST, Doubtful, Rejected
from tests.brokers.zerodha.samples import NO_MARGIN, TOKEN_DEAD, TOO_MANY


def error(kind: str, message: str) -> bytes:
    return msgspec.json.encode({"status": "error", "message": message, "error_type": kind})


def judged(status: int, body: bytes) -> Rejected | Doubtful:
    return answer_to_order(Reply(status, {}, body))


KNOWN = [
    (403, "PermissionException", "IP (203.0.113.7) is not allowed to place orders for this app.", "IP_REFUSED"),
    (400, "InputException", "IP (2001:db8::7) is not allowed to place orders for this app. Update allowed IPs on the "
     "Kite developer console.", "IP_REFUSED"),
    (403, "PermissionException", "Insufficient permission for that call.", "NOT_PERMITTED"),
    (400, "MarginException", "Insufficient funds. Required margin is 8024.25 but available margin is 120.00.",
     "NO_MARGIN"),
    (428, "HoldingException", "Insufficient holding quantity: 0", "NO_HOLDING"),
    (400, "InputException", "Market orders without market protection are not allowed via API. Please set market "
     "protection or use a Limit order.", "NEEDS_PROTECTION"),
    (400, "OrderException", "Maximum allowed order modifications exceeded", "TOO_MANY_CHANGES"),
    (400, "InputException", "Tick size for this script is 5.00. Kindly enter price in the multiple of tick size for "
     "this script", "BAD_TICK"),
    (400, "InputException", "Invalid quantity: it should be a multiple of lot size 65.", "BAD_LOT"),
    (400, "OrderException", "Order quantity exceeds the freeze quantity of 1800.", "FREEZE"),
    (400, "InputException", "Your order price is lower than the current lower circuit limit of 70.2. Place an order "
     "within the daily range.", "PRICE_BAND"),
    (400, "InputException", "Trigger price for stoploss buy orders should be above the last traded price.",
     "BAD_TRIGGER"),
    (400, "OrderException", "Your order could not be converted to a After Market Order (AMO).", "MARKET_CLOSED"),
    (400, "InputException", "The instrument you are placing an order for has either expired or does not exist.",
     "NO_CONTRACT"),
    (404, "GeneralException", "Couldn't find that `order_id`.", "NO_ORDER"),
    (400, "OrderException", "Order cannot be modified: it is already complete.", "ORDER_DONE"),
    (400, "InputException", "Missing or empty field `quantity`", "BAD_REQUEST"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind", "message", "code"), KNOWN, ids=[row[3] for row in KNOWN])
def test_a_known_sentence_of_a_known_kind_is_a_refusal(status: int, kind: str, message: str, code: str) -> None:
    outcome = judged(status, error(kind, message))
    assert isinstance(outcome, Rejected), outcome
    assert outcome.code == code
    assert message[:40] in outcome.reason


def test_every_entry_of_the_list_has_a_sample() -> None:
    assert {known.code for known in DEFINITE} == {row[3] for row in KNOWN}


@pytest.mark.parametrize(("status", "kind", "message", "code"), KNOWN, ids=[row[3] for row in KNOWN])
def test_a_known_sentence_proves_nothing_in_another_kind_or_as_a_server_error(
    status: int, kind: str, message: str, code: str
) -> None:
    assert isinstance(judged(status, error("NetworkException", message)), Doubtful), code
    assert isinstance(judged(502, error(kind, message)), Doubtful)


def test_the_documented_answers() -> None:
    assert judged(403, TOKEN_DEAD) == Rejected(
        LOGIN_LOST, "Zerodha no longer knows this login: Incorrect `api_key` or `access_token`."
    )
    assert judged(400, NO_MARGIN).__class__ is Rejected
    limited = judged(429, TOO_MANY)
    assert isinstance(limited, Rejected)
    assert limited.code == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("OrderException", "Request timed out. The order may have been placed.")),
        (400, error("InputException", "OMS timeout: tick size check did not respond")),
        (400, error("MarginException", "Margin service timed-out")),
        (400, error("OrderException", "Order cannot be cancelled as it is being processed. Try later.")),
        (400, error("OrderException", "A sentence nobody has seen")),
        (503, error("NetworkException", "Gateway timed out")),
        (500, error("GeneralException", "Something went wrong")),
        (502, error("DataException", "Unexpected reply from the OMS")),
        (400, error("NovelException", "Insufficient funds")),
        (502, b"<html><body>502 Bad Gateway</body></html>"),
        (200, b"<html>maintenance</html>"),
        (403, b"Forbidden"),
        (200, b"{}"),
        (200, b""),
        (200, b'{"status":"success","data":{}}'),
        (400, b'{"status":"error","message":null,"error_type":null}'),
        (400, b'{"status":"error"}'),
    ],
)
def test_anything_else_is_doubt(status: int, body: bytes) -> None:
    outcome = judged(status, body)
    assert isinstance(outcome, Doubtful)
    assert str(status) in outcome.cause


def test_the_brokers_text_reaches_the_trader_without_what_could_move_his_cursor() -> None:
    outcome = judged(400, error("MarginException", "Insufficient funds\x1b[2J\u202e"))
    assert isinstance(outcome, Rejected)
    assert "\x1b" not in outcome.reason
    assert "\u202e" not in outcome.reason


@given(st.integers(200, 599).filter(lambda status: status != 429), st.binary(max_size=200))
def test_no_bytes_are_a_refusal_by_accident_and_none_make_the_judge_fail(status: int, body: bytes) -> None:
    assert isinstance(judged(status, body), Doubtful)
