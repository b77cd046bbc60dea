"""Quotes out of packets: engine values, and what is laid aside instead of believed (MD-6, W10, W11)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.zerodha.ticks import Decoder
from optconsole.engine.model.instruments import Instrument, Right
from optconsole.engine.model.quotes import Depth, Quote
from tests.brokers.zerodha.samples import CALL, CALL_TOKEN, FULL, INDEX, INDEX_TOKEN, MIXED, QUOTE, Notes, option
from tests.brokers.zerodha.test_frames import frame_of

NOW = 1_795_509_001_234
FULL_QUOTE = Quote(
    name=CALL.name,
    ts=1_795_509_000_000,
    bid=12340,
    bid_qty=650,
    ask=12350,
    ask_qty=390,
    ltp=12345,
    volume=1_950_000,
    oi=3_449_550,
    prev_close=12010,
)


def decoder(listed: dict[int, Instrument] | None = None) -> tuple[Decoder, Notes]:
    notes = Notes()
    return Decoder({CALL_TOKEN: CALL, INDEX_TOKEN: INDEX} if listed is None else listed, notes), notes


def ltp(token: int, price: int) -> bytes:
    return frame_of(struct.pack(">Ii", token, price))


def closed(token: int, price: int, close: int) -> bytes:
    return frame_of(struct.pack(">IiIiIIIiiii", token, price, 0, 0, 0, 0, 0, 0, 0, 0, close))


def test_a_full_packet_is_a_quote_with_its_book() -> None:
    reader, notes = decoder()
    assert reader.decode(FULL, NOW) == [FULL_QUOTE]
    assert reader.depth(CALL.name) == Depth(
        CALL.name,
        1_795_509_000_000,
        ((12340, 650), (12335, 260), (12330, 1300), (12325, 65), (12320, 195)),
        ((12350, 390), (12355, 520), (12360, 65), (12365, 780), (12370, 130)),
    )
    assert notes.rows == []


def test_packets_without_a_book_say_so_and_carry_the_time_they_have() -> None:
    reader, notes = decoder()
    option_quote, index, stamped = reader.decode(MIXED, NOW)
    assert option_quote == Quote(CALL.name, NOW, ltp=12345, booked=False)
    assert index == Quote(INDEX.name, NOW, ltp=2501235, prev_close=2498760, booked=False)
    assert stamped == Quote(INDEX.name, 1_795_509_000_000, ltp=2501235, prev_close=2498760, booked=False)
    assert notes.kinds == ["UNKNOWN_TOKEN", "UNKNOWN_TOKEN"]
    assert reader.decode(QUOTE, NOW)[0].volume == 1_950_000
    assert reader.depth(CALL.name) is None


def test_a_full_packet_among_others_is_read_like_one_among_its_own() -> None:
    reader, _ = decoder()
    mixed = frame_of(FULL[4:], MIXED[4:12])
    assert set(reader.decode(mixed, NOW)) == {FULL_QUOTE, Quote(CALL.name, NOW, ltp=12345, booked=False)}
    assert reader.depth(CALL.name) is not None


def test_a_side_nobody_is_on_is_unknown_and_not_nought() -> None:
    reader, _ = decoder()
    empty = FULL[: 2 + 2 + 64] + bytes(120)
    (quote,) = reader.decode(empty, NOW)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty, quote.booked) == (None, 0, None, 0, True)
    assert quote.empty
    depth = reader.depth(CALL.name)
    assert depth is not None
    assert (depth.bids, depth.asks) == ((), ())


def test_a_contract_that_never_traded_has_no_last_price() -> None:
    (quote,) = decoder()[0].decode(ltp(CALL_TOKEN, 0), NOW)
    assert quote.ltp is None


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (ltp(CALL_TOKEN, -5), "a negative price"),
        (closed(CALL_TOKEN, 9_000_00, 120_00), "an option that rose by more than its index ever moves in a day"),
        (ltp(CALL_TOKEN, 60_000_00), "an option dearer than twice its index"),
        (closed(INDEX_TOKEN, 250, 24_987_60), "an index in another unit"),
        (closed(INDEX_TOKEN, 40_000_00, 24_987_60), "an index that rose by more than its circuit breakers allow"),
    ],
)
def test_a_price_that_cannot_be_true_is_laid_aside_and_told(frame: bytes, why: str) -> None:
    reader, notes = decoder()
    assert reader.decode(frame, NOW) == [], why
    assert reader.decode(frame, NOW) == []
    assert notes.kinds == ["BAD_TICK"]
    assert reader.oddities["BAD_TICK"] == 2


@pytest.mark.parametrize(("price", "close"), [(50_00, 5), (5, 300_00), (120_00, 0), (4_000_00, 120_00)])
def test_what_an_expiry_day_can_do_to_an_option_is_believed(price: int, close: int) -> None:
    reader, notes = decoder()
    assert [quote.ltp for quote in reader.decode(closed(CALL_TOKEN, price, close), NOW)] == [price]
    assert notes.rows == []


def test_the_same_number_in_another_segment_is_another_token() -> None:
    other = (CALL_TOKEN & ~0xFF) | 5
    put = option(25_000, Right.PUT)
    reader, _ = decoder({CALL_TOKEN: CALL, other: put})
    assert [quote.name for quote in reader.decode(frame_of(FULL[4:8] + FULL[8:], struct.pack(">Ii", other, 9_00)), NOW)]
    assert [quote.name for quote in reader.decode(ltp(other, 9_00), NOW)] == [put.name]
    assert [quote.name for quote in reader.decode(ltp(CALL_TOKEN, 9_00), NOW)] == [CALL.name]


def test_a_token_of_yesterdays_file_is_counted_and_told_once() -> None:
    reader, notes = decoder({})
    for _ in range(3):
        assert reader.decode(FULL, NOW) == []
    assert reader.oddities["UNKNOWN_TOKEN"] == 3
    assert notes.kinds == ["UNKNOWN_TOKEN"]


@given(st.binary(max_size=600), st.integers(0, 3))
def test_no_bytes_make_the_decoder_fail(noise: bytes, count: int) -> None:
    reader, _ = decoder()
    for frame in (noise, frame_of(*[struct.pack(">I", CALL_TOKEN) + noise[:180].ljust(180, b"\x07")] * count)):
        for quote in reader.decode(frame, NOW):
            assert isinstance(quote, Quote)
            reader.depth(quote.name)
