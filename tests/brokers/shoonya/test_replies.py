from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.shoonya import refusals
from optconsole.brokers.shoonya.replies import fields, rows, understand
from optconsole.engine.ports import LOGIN_LOST, Accepted, BrokerUnreachable, Doubtful, LoginLost, NotSent, Rejected


def failed(emsg: str) -> bytes:
    return json.dumps({"stat": "Not_Ok", "emsg": emsg}).encode()


@pytest.mark.parametrize(
    "text",
    ['Error Occurred : 5 "no data"', 'Error Occurred : 5 \\"no data\\"', '{Error Occurred : 5 "no data"}', "No Data :"],
)
def test_only_the_exact_texts_of_no_data_are_an_empty_book(text: str) -> None:
    assert rows(understand(200, failed(text)), "order book") == []


@pytest.mark.parametrize(
    "text",
    [
        'Error Occurred : 6 "no data"',
        "no data for you, Session Expired",
        "Server Timeout :",
        "",
        "no data from the back office",
    ],
)
def test_any_other_failure_of_a_read_is_no_empty_book(text: str) -> None:
    with pytest.raises(BrokerUnreachable):
        rows(understand(200, failed(text)), "order book")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502 Bad Gateway</html>", b'{"stat":"Ok"}', b"null", b"[1, 2]", b'[{"stat":"Ok"}', b'"no data"'],
)
def test_what_is_no_list_of_rows_is_unknown(body: bytes) -> None:
    with pytest.raises(BrokerUnreachable):
        rows(understand(200, body), "order book")


def test_a_list_that_holds_a_failure_is_no_book() -> None:
    body = b'[{"stat":"Ok","norenordno":"1"},{"stat":"Not_Ok","emsg":"Server Timeout :"}]'
    with pytest.raises(BrokerUnreachable):
        rows(understand(200, body), "order book")


@pytest.mark.parametrize("text", ["Session Expired : Invalid Session Key", "Invalid Session", "Invalid Token :"])
def test_a_dead_session_is_a_lost_login_for_reads_and_for_orders(text: str) -> None:
    said = understand(200, failed(text))
    with pytest.raises(LoginLost):
        rows(said, "order book")
    with pytest.raises(LoginLost):
        fields(said, "limits")
    outcome = refusals.placed(said)
    assert isinstance(outcome, Rejected)
    assert outcome.code == LOGIN_LOST


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_a_lost_login_whatever_the_body(status: int) -> None:
    outcome = refusals.placed(understand(status, b"Forbidden"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == LOGIN_LOST


def test_several_objects_on_lines_are_rows() -> None:
    body = b'{"stat":"Ok","norenordno":"1"}\n{"stat":"Ok","norenordno":"2"}'
    assert [row["norenordno"] for row in rows(understand(200, body), "order book")] == ["1", "2"]


REFUSED = [
    ("Invalid Input : Missing uid or actid or prd", "INVALID_INPUT"),
    ("Invalid Input : Invalid Trading Symbol", "INVALID_INPUT"),
    ("Invalid Input : jData is not valid json object", "INVALID_INPUT"),
    ("Invalid Input : basic_string::at: __n (which is 0) >= this->size() (which is 0)", "INVALID_INPUT"),
    ('Error Occured : 2 "invalid input"', "INVALID_INPUT"),
    ("Invalid Input : Request rate exceeds Limit", "RATE_LIMITED"),
]
CHANGES = [
    *REFUSED,
    ("Rejected : ORA:Order not found", "ORDER_UNKNOWN"),
    ("Rejected : ORA:Order not found to Cancel", "ORDER_UNKNOWN"),
    ("Rejected : ORA:No open order to Cancel", "ORDER_ENDED"),
    ("Trigger price invalid - 0.00", "BAD_TRIGGER"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_the_listed_texts_refuse_a_new_order(text: str, code: str) -> None:
    outcome = refusals.placed(understand(200, failed(text)))
    assert isinstance(outcome, Rejected)
    assert outcome.code == code


@pytest.mark.parametrize(("text", "code"), CHANGES)
def test_the_listed_texts_refuse_a_change(text: str, code: str) -> None:
    outcome = refusals.changed(understand(200, failed(text)), "26112400000017")
    assert isinstance(outcome, Rejected)
    assert outcome.code == code


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, failed("Server Timeout :")),
        (200, failed("Order exceeds Limit")),
        (200, failed("something nobody has seen, Invalid Input : among it")),
        (200, failed("Rejected : ORA:Order not found")),
        (200, b"<html>"),
        (200, b"{}"),
        (200, b""),
        (200, b'{"stat":"Ok"}'),
        (200, b'{"stat":"Ok","norenordno":""}'),
        (200, b'{"stat":"Ok","norenordno":17}'),
        (200, b'{"stat":"Ok","norenordno":"26112400000017","emsg":"Server Timeout :"}'),
        (200, b'{"norenordno":"26112400000017"}'),
        (400, failed("Server Timeout :")),
        (429, b"slow down"),
        (500, failed("Invalid Input : Invalid Trading Symbol")),
        (502, b"<html><body>502 Bad Gateway</body></html>"),
        (503, b'{"stat":"Ok","norenordno":"26112400000017"}'),
    ],
)
def test_all_else_leaves_a_new_order_in_doubt(status: int, body: bytes) -> None:
    assert isinstance(refusals.placed(understand(status, body)), Doubtful)


def test_an_answer_about_another_order_proves_nothing_of_a_change() -> None:
    said = understand(200, b'{"stat":"Ok","result":"26112400000018"}')
    assert isinstance(refusals.changed(said, "26112400000017"), Doubtful)


@given(st.integers(100, 599), st.binary(max_size=80) | st.text(max_size=80).map(lambda text: failed(text)))
def test_no_answer_raises_and_none_is_taken_for_acceptance_without_a_number(status: int, body: bytes) -> None:
    outcome = refusals.placed(understand(status, body))
    assert isinstance(outcome, Rejected | Doubtful)
    assert not isinstance(outcome, Accepted | NotSent)


def test_control_characters_of_the_broker_do_not_reach_a_reason() -> None:
    outcome = refusals.placed(understand(200, failed("Invalid Input : \x1b]0;owned\x07\u202e")))
    assert isinstance(outcome, Rejected)
    assert "\x1b" not in outcome.reason
    assert "\u202e" not in outcome.reason
