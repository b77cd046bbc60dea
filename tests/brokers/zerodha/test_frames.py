"""Binary frames: the worked examples, the laws of the container, and that no bytes at all can make the reader fail."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.zerodha import frames
from optconsole.brokers.zerodha.frames import Packet, Walk, packet
from tests.brokers.zerodha.samples import CALL_TOKEN, FULL, INDEX_TOKEN, MIXED, MOCK_QUOTE, QUOTE, Notes


def walk() -> tuple[Walk, Notes]:
    notes = Notes()
    return Walk(notes), notes


def frame_of(*bodies: bytes) -> bytes:
    return struct.pack(">H", len(bodies)) + b"".join(struct.pack(">H", len(body)) + body for body in bodies)


def test_a_frame_of_five_modes_is_read_with_the_divisor_of_each_segment() -> None:
    option, quoted, full, usd, usd_bse = walk()[0].packets(MIXED)
    assert (option.token, option.rupees(option.last_price)) == (CALL_TOKEN, Decimal("123.45"))
    for index in (quoted, full):
        assert index.token == INDEX_TOKEN
        prices = (index.last_price, index.high, index.low, index.open, index.close, index.change)
        assert prices == (2501235, 2507000, 2489910, 2495500, 2498760, 2475)
    assert (quoted.stamped_at, full.stamped_at) == (None, 1795509000)
    assert (usd.token, usd.rupees(usd.last_price)) == (315907, Decimal("84.2525"))
    assert (usd_bse.token, usd_bse.rupees(usd_bse.last_price)) == (1106182, Decimal("84.2525"))


QUOTED = Packet(
    token=CALL_TOKEN,
    last_price=12345,
    last_qty=65,
    average_price=12290,
    volume=1950000,
    buy_qty=412490,
    sell_qty=398255,
    open=11800,
    high=12700,
    low=11650,
    close=12010,
)


def test_a_quote_packet_is_read_in_the_order_open_high_low_close() -> None:
    assert walk()[0].packets(QUOTE) == [QUOTED]


def test_a_full_packet_holds_open_interest_times_and_five_levels_a_side() -> None:
    (read,) = walk()[0].packets(FULL)
    assert (read.traded_at, read.oi, read.oi_high, read.oi_low) == (1795508999, 3449550, 3600025, 3299985)
    assert read.stamped_at == 1795509000
    assert read.bids == ((650, 12340, 5), (260, 12335, 2), (1300, 12330, 9), (65, 12325, 1), (195, 12320, 3))
    assert read.asks == ((390, 12350, 4), (520, 12355, 6), (65, 12360, 1), (780, 12365, 8), (130, 12370, 2))
    assert (read.last_price, read.volume, read.close) == (QUOTED.last_price, QUOTED.volume, QUOTED.close)


def test_the_brokers_own_mock_packet_is_read() -> None:
    read = packet(MOCK_QUOTE)
    assert read is not None
    assert (read.token, read.last_price, read.last_qty, read.average_price) == (408065, 157315, 1, 157033)
    assert (read.volume, read.buy_qty, read.sell_qty) == (1175986, 256511, 360503)
    assert (read.open, read.high, read.low, read.close) == (156915, 157500, 156105, 156780)


@pytest.mark.parametrize("beat", [b"", b"\x00"])
def test_a_heartbeat_holds_nothing_and_is_no_fault(beat: bytes) -> None:
    reader, notes = walk()
    assert reader.packets(beat) == []
    assert notes.rows == []


def test_a_packet_of_a_new_length_is_counted_and_the_others_are_read() -> None:
    reader, notes = walk()
    body = MIXED[4:12]
    read = reader.packets(frame_of(body, b"x" * 17, body, b"y" * 17))
    assert [each.token for each in read] == [CALL_TOKEN, CALL_TOKEN]
    assert notes.kinds == ["UNKNOWN_PACKET"]
    assert list(reader.unread.values()) == [2]


@pytest.mark.parametrize("cut", [3, 4, 20, len(FULL) - 1])
def test_a_frame_cut_short_gives_what_is_whole_and_is_counted(cut: int) -> None:
    reader, notes = walk()
    assert reader.packets(FULL[:cut]) == []
    assert notes.kinds == ["BAD_FRAME"]


def test_a_frame_with_something_after_its_packets_is_counted() -> None:
    reader, notes = walk()
    assert reader.packets(QUOTE + b"\x00") == [QUOTED]
    assert notes.kinds == ["BAD_FRAME"]


@given(st.binary(max_size=800))
def test_no_bytes_make_the_reader_fail(noise: bytes) -> None:
    reader, _ = walk()
    assert all(isinstance(read, Packet) for read in reader.packets(noise))
    frames.bulk(noise)


@given(st.lists(st.sampled_from([8, 28, 32, 44, 184, 5, 0]).flatmap(lambda n: st.binary(min_size=n, max_size=n))))
def test_every_packet_of_a_whole_frame_is_read_or_counted(bodies: list[bytes]) -> None:
    reader, _ = walk()
    read = reader.packets(frame_of(*bodies))
    assert len(read) + reader.unread.total() == len(bodies)
    assert [each.token for each in read] == [
        int.from_bytes(body[:4], "big") for body in bodies if len(body) in (8, 28, 32, 44, 184)
    ]


@given(st.lists(st.binary(min_size=184, max_size=184), min_size=1, max_size=60))
def test_reading_in_bulk_and_packet_by_packet_agree(bodies: list[bytes]) -> None:
    frame = frame_of(*bodies)
    rows = frames.bulk(frame)
    assert rows is not None
    whole = walk()[0].packets(frame)
    for row, read, place in zip(rows, whole, walk()[0].places(frame), strict=True):
        assert row == frames.full(frame, place[0])
        _, token, last, volume, close, oi, stamp, depth = row
        assert (token, last, volume, close) == (read.token, read.last_price, read.volume, read.close)
        assert (oi, stamp) == (read.oi, read.stamped_at)
        assert read.bids is not None
        assert read.asks is not None
        assert frames.best(depth) == (*read.bids[0][:2], *read.asks[0][:2])


@given(st.lists(st.binary(min_size=184, max_size=184), min_size=1, max_size=5), st.data())
def test_a_frame_with_one_wrong_length_is_not_read_in_bulk(bodies: list[bytes], data: st.DataObject) -> None:
    frame = bytearray(frame_of(*bodies))
    at = 2 + 186 * data.draw(st.integers(0, len(bodies) - 1)) + data.draw(st.integers(0, 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    assert frames.bulk(bytes(frame)) is None


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_what_is_packed_is_read(token: int, price: int) -> None:
    (read,) = walk()[0].packets(frame_of(struct.pack(">Ii", token, price)))
    assert (read.token, read.last_price) == (token, price)
