"""A case that cannot be answered gets a code and a sentence, whatever it is made of."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.engine.pricing.calc import QUANTITIES, answer

GOOD = {"id": "a1", "model": "bsm", "type": "C", "S": 100, "K": 100, "q": 0, "r": 0.05, "T_years": 0.5, "vol": 0.2}
GIVEN = {name: value for name, value in GOOD.items() if name != "vol"}


def test_the_answer_echoes_the_id_and_names_every_quantity() -> None:
    found = answer(GOOD)
    assert list(found) == ["id", *QUANTITIES]
    assert found["id"] == "a1"
    assert found["price"] == pytest.approx(6.888728577680624, rel=1e-13)


def test_answering_cases_needs_no_numpy() -> None:
    check = (
        f"import sys; sys.path[:] = {sys.path!r}; import optconsole.engine.pricing.calc; print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "heston"}, "UNKNOWN_MODEL"),
        ({"model": None}, "UNKNOWN_MODEL"),
        ({"model": ["bsm"]}, "UNKNOWN_MODEL"),
        ({"type": "X"}, "BAD_TYPE"),
        ({"type": 1}, "BAD_TYPE"),
        ({"S": None}, "MISSING_FIELD"),
        ({"K": ""}, "MISSING_FIELD"),
        ({"r": None}, "MISSING_FIELD"),
        ({"T_years": None}, "MISSING_FIELD"),
        ({"vol": None}, "MISSING_FIELD"),
        ({"given_price": 7.0}, "CONFLICTING_FIELDS"),
        ({"K": "abc"}, "BAD_NUMBER"),
        ({"K": True}, "BAD_NUMBER"),
        ({"K": [100]}, "BAD_NUMBER"),
        ({"K": 10**400}, "BAD_NUMBER"),
        ({"T_years": "1/0"}, "BAD_NUMBER"),
        ({"T_years": "__import__('os')"}, "BAD_NUMBER"),
        ({"T_years": "1+1"}, "BAD_NUMBER"),
        ({"K": float("nan")}, "NOT_FINITE"),
        ({"S": float("inf")}, "NOT_FINITE"),
        ({"vol": "1e999"}, "NOT_FINITE"),
        ({"S": 0}, "OUT_OF_RANGE"),
        ({"K": -5}, "OUT_OF_RANGE"),
        ({"T_years": -1}, "OUT_OF_RANGE"),
        ({"vol": -0.2}, "OUT_OF_RANGE"),
        ({"r": 1e9}, "OUT_OF_RANGE"),
        ({"S": 1e300, "K": 1e-300, "q": -500}, "OUT_OF_RANGE"),
        ({"S": 1e-300, "K": 1e-300}, "OUT_OF_RANGE"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(change: dict[str, object], code: str) -> None:
    found = answer(GOOD | change)
    assert list(found) == ["id", "error", "detail"]
    assert (found["id"], found["error"]) == ("a1", code)
    assert str(found["detail"]).endswith(".")


@pytest.mark.parametrize("case", [None, [], "text", 3, [GOOD]])
def test_what_is_no_object_is_refused(case: object) -> None:
    assert answer(case)["error"] == "BAD_CASE"


def test_text_of_others_is_shown_short_and_escaped() -> None:
    detail = str(answer(GOOD | {"model": "\x1b[31m" + "x" * 500})["detail"])
    assert "\x1b" not in detail
    assert len(detail) < 150


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"given_price": 0.5, "K": 90}, "PRICE_BELOW_INTRINSIC"),
        ({"given_price": 0}, "PRICE_BELOW_INTRINSIC"),
        ({"given_price": 0, "K": 120}, "PRICE_AT_INTRINSIC"),
        ({"given_price": 10, "K": 90, "r": 0}, "PRICE_AT_INTRINSIC"),
        ({"given_price": 10.00000000000002, "K": 90, "r": 0}, "NO_INFORMATION"),
        ({"given_price": 101}, "PRICE_ABOVE_BOUND"),
        ({"given_price": 5, "T_years": 0}, "EXPIRED"),
    ],
)
def test_a_price_without_volatility_answers_null_and_why(change: dict[str, object], reason: str) -> None:
    found = answer(GIVEN | change)
    assert (found["iv"], found["delta"], found["reason"]) == (None, None, reason)
    assert found["price"] == change["given_price"]
    assert str(found["detail"]).endswith(".")


def test_at_expiry_price_and_delta_are_known_and_the_rest_is_null() -> None:
    found = answer(GOOD | {"T_years": 0, "K": 90})
    assert (found["price"], found["delta"], found["gamma"], found["reason"]) == (10.0, 1.0, None, "EXPIRED")


def test_without_volatility_the_price_is_the_discounted_intrinsic_value() -> None:
    found = answer(GOOD | {"vol": 0, "K": 90, "r": 0})
    assert (found["price"], found["vega_per_1.00"], found["reason"]) == (10.0, None, "NO_VOLATILITY")


def test_numbers_may_be_text_or_a_product() -> None:
    written = {name: str(value) for name, value in GOOD.items()}
    assert answer(written) == answer(GOOD)
    assert answer(GOOD | {"T_years": "5/1440/365"}) == answer(GOOD | {"T_years": 5 / 1440 / 365})
    assert answer(GOOD | {"T_years": "0.25 * 2"}) == answer(GOOD)


def test_f_is_another_name_for_the_forward() -> None:
    forward = {name: value for name, value in GOOD.items() if name != "S"} | {"model": "black76", "F": 100}
    assert answer(forward) == answer(GOOD | {"model": "black76"})


def test_nse_convention_fills_in_its_own_rate() -> None:
    case = {
        "id": 1,
        "model": "nse_iv",
        "type": "PE",
        "S": 24206.9,
        "K": 24200,
        "T_years": "4/365",
        "given_price": 88.05,
    }
    assert answer(case) == answer(case | {"q": 0, "r": 0.1})
    assert answer(case)["iv"] == pytest.approx(0.1028, abs=1e-4)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.just([]),
    st.sampled_from(["C", "bsm"]),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "F", "given_price", "other"]), values), st.booleans())
def test_no_case_raises_and_every_answer_is_plain_json(case: dict[str, object], complete: bool) -> None:
    found = answer({**GOOD, **case} if complete else case)
    json.dumps(found if "id" not in case else {**found, "id": None}, allow_nan=False)
    assert ("error" in found) or all(name in found for name in QUANTITIES)
