from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.shoonya.frames import BadFrame, Frame, Scrip, decode, of_reply
from optconsole.brokers.shoonya.lines import Line
from tests.brokers.shoonya.stage import CALL, master

SEED = {"t": "dk", "e": "NFO", "tk": "58662", "lp": "100.00", "v": "10", "oi": "650", "bp1": "99.95", "bq1": "65"}


def scrip(*frames: dict[str, Any]) -> Scrip:
    found = Scrip()
    for frame in frames:
        found.overlay(decode(json.dumps(frame)))
    return found


@pytest.mark.parametrize("nothing", ["NA", "", "-", None])
def test_one_value_that_is_none_spoils_neither_itself_nor_the_others(nothing: str | None) -> None:
    after = scrip(SEED, {"t": "df", "e": "NFO", "tk": "58662", "lp": nothing, "bq1": "130"})
    assert (after.values["lp"], after.values["bq1"], after.values["v"]) == (100_00, 130, 10)


def test_a_missing_key_is_never_nought() -> None:
    assert scrip(SEED, {"t": "df", "e": "NFO", "tk": "58662"}).values == scrip(SEED).values


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e300", "1e400"])
def test_a_figure_that_no_price_can_be_leaves_the_one_before(value: str) -> None:
    assert scrip(SEED, {"t": "df", "e": "NFO", "tk": "58662", "lp": value}).values["lp"] == 100_00


def test_a_price_of_nought_is_an_empty_side() -> None:
    after = scrip(SEED, {"t": "df", "e": "NFO", "tk": "58662", "bp1": "0.00", "bq1": "0"})
    assert after.price("bp1") is None
    listed = master().of(CALL)
    assert listed is not None
    assert Line(listed).quote(after, 7).bid is None


def test_depth_has_as_many_levels_as_there_are() -> None:
    listed = master().of(CALL)
    assert listed is not None
    line = Line(listed)
    assert line.depth(7) is None
    line.book = scrip(
        SEED, {"t": "df", "e": "NFO", "tk": "58662", "bp2": "99.90", "bq2": "130", "sp1": "0.00", "sq1": "0"}
    )
    depth = line.depth(7)
    assert depth is not None
    assert (depth.bids, depth.asks, depth.ts) == (((99_95, 65), (99_90, 130)), (), 7)


def test_numbers_may_be_numbers() -> None:
    assert scrip({"t": "tk", "e": "NFO", "tk": "1", "lp": 123.45, "v": 65}).values == {"lp": 123_45, "v": 65}


def test_a_reply_to_a_question_reads_as_a_snapshot() -> None:
    frame = of_reply(
        {"stat": "Ok", "exch": "NFO", "token": "58662", "tsym": "S", "lp": "1.05", "bq1": "NA", "So5": "3"}
    )
    assert (frame.e, frame.tk, frame.ts, frame.lp, frame.bq1) == ("NFO", "58662", "S", 1.05, None)


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '{"t":7}', "{", '{"t":"tf"', "\x00", "[" * 5000])
def test_what_is_no_frame_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadFrame):
        decode(text)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.floats().map(str) | st.integers().map(str) | st.text(max_size=6) | st.none() | FINITE | st.integers()
FIELDS = st.sampled_from([*Frame.__struct_fields__, "pc", "ti", "zz"])


@given(st.dictionaries(FIELDS, NUMBERS), st.sampled_from(["tk", "tf", "dk", "df", "om", "ck"]))
def test_random_frames_never_raise_and_never_bend_a_price_below_nought(fields: dict[str, Any], kind: str) -> None:
    after = scrip(SEED, {**fields, "t": kind})
    assert all(value >= 0 for value in after.values.values())
    assert set(scrip(SEED).values) <= set(after.values)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_random_bytes_are_frames_or_bad_frames(text: bytes | str) -> None:
    with suppress(BadFrame):
        assert decode(text).t is not None


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["lp", "v", "bp1", "bq1", "sp1", "sq1", "oi"]), st.integers(0, 10**7).map(str), max_size=4
        ),
        max_size=12,
    )
)
def test_the_merged_view_is_the_last_value_of_every_field(updates: list[dict[str, str]]) -> None:
    last: dict[str, int] = {}
    for update in updates:
        last |= {name: int(value) * (100 if name in ("lp", "bp1", "sp1") else 1) for name, value in update.items()}
    assert scrip(*({"t": "tf", "e": "N", "tk": "1", **update} for update in updates)).values == last
