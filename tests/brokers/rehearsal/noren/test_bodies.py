"""The body of a request is read as text, as the server reads it."""

from __future__ import annotations

import pytest

from optconsole.brokers.rehearsal.noren.body import BAD_BODY, BadRequest, read
from tests.brokers.rehearsal.noren.stage import Noren


def test_what_follows_jdata_is_json_up_to_the_next_ampersand() -> None:
    body = read(b'jData={"uid":"FA1234","qty":"65"}&jKey=abc')
    assert (body.fields, body.key) == ({"uid": "FA1234", "qty": "65"}, "abc")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"uid":"FA1234"}',
        b"jData=%7B%22uid%22%3A%22FA1234%22%7D",
        b'jData={"tsym":"M&M-EQ"}',
        b"jData=[1]",
        b"jData={",
        b"jData=\xff",
    ],
)
def test_an_encoded_body_or_a_bare_ampersand_is_no_json(raw: bytes) -> None:
    with pytest.raises(BadRequest, match=BAD_BODY):
        read(raw)


def test_an_escaped_ampersand_is_one_and_percent_signs_stay() -> None:
    assert read(rb'jData={"tsym":"M\u0026M-EQ"}').word("tsym") == "M&M-EQ"
    assert read(b'jData={"tsym":"M%26M-EQ"}').word("tsym") == "M%26M-EQ"


@pytest.mark.parametrize("value", ['"None"', "null", '""', "{}"])
def test_the_clients_ways_of_saying_nothing_are_no_text(value: str) -> None:
    assert read(f'jData={{"remarks":{value}}}'.encode()).word("remarks") == ""


@pytest.mark.parametrize(
    ("text", "paise"), [("99", 9900), ("99.5", 9950), ("99.05", 9905), ("99.0500", 9905), ("0", 0)]
)
def test_prices_are_exact(text: str, paise: int) -> None:
    assert read(f'jData={{"prc":"{text}"}}'.encode()).price("prc") == paise


@pytest.mark.parametrize("text", ["-1", "1e3", "NaN", "99.001", "٩٩", "9" * 13])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read(f'jData={{"prc":"{text}"}}'.encode()).price("prc")


async def test_an_encoded_body_is_refused_over_the_wire_with_the_server_s_words(noren: Noren) -> None:
    answer = await noren.raw("OrderBook", "jData=%7B%22uid%22%3A%22FA1234%22%7D")
    assert answer["emsg"] == BAD_BODY


async def test_a_doubled_slash_and_the_token_in_jkey_are_understood(noren: Noren) -> None:
    answer = await noren.http.post(
        "/NorenWClientAPI//UserDetails", content=f'jData={{"uid":"FA1234"}}&jKey={noren.token}'
    )
    assert answer.json()["actid"] == "FA1234"
