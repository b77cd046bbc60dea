"""Answers of the REST interface, and which of them prove that an order is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.angelone.envelope import Fault, Held, Kind, read
from optconsole.brokers.angelone.refusals import DEFINITE, judged
from optconsole.brokers.transport.rest import Reply
from optconsole.engine.ports import LOGIN_LOST, Doubtful, Rejected

PLACED = (
    b'{"status":true,"message":"SUCCESS","errorcode":"","data":{"script":"NIFTY24NOV2625000CE",'
    b'"orderid":"261124000000123","uniqueorderid":"0b0f3a5e-1111-4222-8333-944445555666"}}'
)
LIMITED = b"Access denied because of exceeding access rate"
DEAD = b'{"success":false,"message":"Invalid Token","errorCode":"AG8001","data":""}'
VARIETY = b'{"status":false,"message":"Invalid Order Variety","errorcode":"AB1008","data":null}'


def reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, {}, body)


def fault(body: bytes, status: int = 200) -> Fault:
    found = read(reply(body, status))
    assert isinstance(found, Fault)
    return found


def test_a_success_holds_its_data() -> None:
    found = read(reply(PLACED))
    assert isinstance(found, Held)
    assert found.data["orderid"] == "261124000000123"


@pytest.mark.parametrize("nothing", [b"null", b'""', b'"null"', b'" "'])
def test_null_an_empty_text_and_the_text_null_are_no_data(nothing: bytes) -> None:
    for yes in (b"true", b'"true"'):
        assert read(reply(b'{"status":' + yes + b',"errorcode":"","data":' + nothing + b"}")) == Held(None)


def test_both_envelopes_of_a_failure_give_their_code_under_any_http_status() -> None:
    for status in (200, 400, 401, 403):
        assert (fault(DEAD, status).kind, fault(DEAD, status).code) == (Kind.SESSION, "AG8001")
        assert (fault(VARIETY, status).kind, fault(VARIETY, status).code) == (Kind.REFUSED, "AB1008")
    texts = b'{"status":"false","message":"Invalid Order Variety","errorcode":"AB1008","data":"null"}'
    assert fault(texts).code == "AB1008"


def test_the_plain_403_is_the_rate_limit_and_no_lost_login() -> None:
    assert fault(LIMITED, 403).kind is Kind.LIMITED
    assert fault(LIMITED, 200).kind is Kind.UNREADABLE
    assert fault(b"Forbidden", 403).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b"null", 200),
        (b"[]", 200),
        (b"<html>502</html>", 502),
        (b"<html>maintenance</html>", 200),
        (b"\xff\xfe", 200),
        (b'{"status":false,"message":"?","errorcode":""}', 200),
        (b'{"status":true,"success":false,"data":{"orderid":"1"}}', 200),
        (b'{"status":1,"data":{"orderid":"1"}}', 200),
        (PLACED, 500),
        (PLACED, 403),
        (VARIETY, 503),
        (PLACED[:60], 200),
    ],
)
def test_an_answer_of_no_documented_form_proves_nothing(body: bytes, status: int) -> None:
    found = fault(body, status)
    assert found.kind is Kind.UNREADABLE
    assert isinstance(judged(found), Doubtful)


def test_the_brokers_words_are_shown_safely() -> None:
    body = b'{"status":false,"message":"bad\\u001b[2J\\u202eword","errorcode":"AB1009","data":null}'
    assert fault(body).text == "Angel One: bad\\x1b[2J\\u202eword (AB1009)"


@pytest.mark.parametrize("code", sorted(DEFINITE))
def test_listed_codes_prove_that_an_order_is_not_there(code: str) -> None:
    outcome = judged(fault(b'{"status":false,"message":"no","errorcode":"%s","data":null}' % code.encode()))
    assert isinstance(outcome, Rejected)
    assert outcome.code == DEFINITE[code]
    assert code in outcome.reason


@pytest.mark.parametrize("code", ["AB1004", "AB1007", "AB1021", "AB2000", "AB2001", "AB1000", "AB9999", "XY1"])
def test_every_other_code_leaves_an_order_in_doubt(code: str) -> None:
    assert isinstance(
        judged(fault(b'{"status":false,"message":"no","errorcode":"%s","data":null}' % code.encode())), Doubtful
    )


def test_the_rate_limit_and_a_dead_token_are_definite() -> None:
    limited, dead = judged(fault(LIMITED, 403)), judged(fault(DEAD, 401))
    assert isinstance(limited, Rejected)
    assert limited.code == "RATE_LIMITED"
    assert isinstance(dead, Rejected)
    assert dead.code == LOGIN_LOST


@given(st.binary(max_size=200), st.sampled_from([200, 201, 302, 400, 401, 403, 429, 500, 502, 504]))
def test_random_bytes_are_never_a_success_nor_a_refusal(body: bytes, status: int) -> None:
    assert isinstance(judged(fault(body, status)), Doubtful)
