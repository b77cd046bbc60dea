from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.shoonya import bodies
from tests.brokers.shoonya.stage import request

M_AND_M = "M&M24NOV26C3000"


def test_a_stop_carries_its_trigger_and_a_limit_order_has_no_such_key() -> None:
    stop = bodies.place("U", "U", "NFO", "S", request(trigger=120_00))
    assert (stop["prctyp"], stop["trgprc"]) == ("SL-LMT", "120.00")
    assert "trgprc" not in bodies.place("U", "U", "NFO", "S", request())


def test_a_stop_changed_to_have_no_trigger_is_a_limit_order_without_the_key() -> None:
    turned = bodies.modify("U", "NFO", "1", "S", 65, 98_00, None, "DAY")
    assert turned["prctyp"] == "LMT"
    assert "trgprc" not in turned
    kept = bodies.modify("U", "NFO", "1", "S", 65, 98_00, 97_00, "DAY")
    assert (kept["prctyp"], kept["trgprc"]) == ("SL-LMT", "97.00")


def test_an_ampersand_never_reaches_the_wire_as_itself() -> None:
    asked = bodies.body({"tsym": M_AND_M})
    assert asked == b'jData={"tsym":"M\\u0026M24NOV26C3000"}'
    ordered = bodies.place("U", "U", "NFO", M_AND_M, request())
    assert ordered["tsym"] == "M%26M24NOV26C3000"


def test_the_algorithm_is_named_where_there_is_one() -> None:
    assert bodies.place("U", "U", "NFO", "S", request(), "A1")["algo_id"] == "A1"
    assert "algo_id" not in bodies.place("U", "U", "NFO", "S", request())


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=5))
def test_what_a_server_cuts_out_of_a_body_is_what_was_meant(fields: dict[str, str]) -> None:
    sent = bodies.body(fields)
    assert sent.startswith(b"jData=")
    assert json.loads(sent.removeprefix(b"jData=").split(b"&")[0]) == fields
