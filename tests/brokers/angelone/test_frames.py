"""Packets of Streaming 2.0, byte by byte."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from optconsole.brokers.angelone import frames

LTP_HEX = "0102353836363200000000000000000000000000000000000000006712000000000000bb17ad0ca20100003930000000000000"
SNAP_HEX = (
    "0302353836363200000000000000000000000000000000000000006712000000000000bb17ad0ca201000039300000000000004100000000"
    "000000023000000000000030c11d000000000000000000282d194100000000bc4e1841182e0000000000009c31000000000000822d000000"
    "000000ea2e000000000000074b056b00000000cea2340000000000000000000000044001008a020000000000003430000000000000050001"
    "0004010000000000002f300000000000000200010014050000000000002a30000000000000090001004100000000000000253000000000"
    "000001000100c30000000000000020300000000000000300000086010000000000003e30000000000000040000000802000000000000"
    "43300000000000000600000041000000000000004830000000000000010000000c030000000000004d30000000000000080000008200"
    "00000000000052300000000000000200b45f000000000000050000000000000018790000000000000000000000000000"
)
LTP_PACKET = bytes.fromhex(LTP_HEX)
SNAP_PACKET = bytes.fromhex(SNAP_HEX)
QUOTE_PACKET = b"\x02" + SNAP_PACKET[1:123]
KEY = frames.key_of(2, "58662")
AT = 1795509000123
BIDS = ((123_40, 650), (123_35, 260), (123_30, 1300), (123_25, 65), (123_20, 195))
ASKS = ((123_50, 390), (123_55, 520), (123_60, 65), (123_65, 780), (123_70, 130))


def level(flag: int, qty: int, price: int, orders: int = 1) -> bytes:
    return struct.pack("<hqqh", flag, qty, price, orders)


def snap(levels: bytes, segment: int = 2, ltp: int = 123_45) -> bytes:
    head = SNAP_PACKET[:1] + bytes((segment,)) + SNAP_PACKET[2:43] + struct.pack("<q", ltp)
    return head + SNAP_PACKET[51:147] + levels + SNAP_PACKET[347:]


def test_the_published_packets_have_the_sizes_of_their_modes() -> None:
    assert [len(each) for each in (LTP_PACKET, QUOTE_PACKET, SNAP_PACKET)] == [51, 123, 379]


def test_an_ltp_packet_is_a_time_and_a_price() -> None:
    assert frames.decode(LTP_PACKET) == frames.Tick(KEY, frames.LTP, AT, 123_45)


def test_a_quote_packet_adds_volume_and_previous_close() -> None:
    assert frames.decode(QUOTE_PACKET) == frames.Tick(KEY, frames.QUOTE, AT, 123_45, 1_950_000, 120_10)


def test_a_snap_packet_adds_interest_circuits_and_the_best_of_either_side() -> None:
    assert frames.decode(SNAP_PACKET) == frames.Tick(
        KEY, frames.SNAP, AT, 123_45, 1_950_000, 120_10, 3_449_550, 245_00, 5, (123_40, 650), (123_50, 390)
    )


def test_the_book_of_a_snap_packet_has_five_levels_a_side() -> None:
    book = frames.depth("X", SNAP_PACKET)
    assert book is not None
    assert (book.ts, book.bids, book.asks) == (AT, BIDS, ASKS)


def test_levels_belong_to_the_side_their_flag_says_wherever_they_stand() -> None:
    sells = b"".join(level(0, qty, price) for price, qty in ASKS)
    buys = b"".join(level(1, qty, price) for price, qty in BIDS)
    assert frames.book(snap(sells + buys)) == (BIDS, ASKS)
    tick = frames.decode(snap(sells + buys))
    assert tick is not None
    assert (tick.bid, tick.ask) == (BIDS[0], ASKS[0])


def test_a_side_s_best_is_the_first_of_its_flag_though_halves_are_mixed() -> None:
    mixed = level(1, 65, 90_00) + level(0, 130, 91_00) + level(1, 65, 89_00) * 3 + level(0, 65, 92_00) * 5
    tick = frames.decode(snap(mixed))
    assert tick is not None
    assert (tick.bid, tick.ask) == ((90_00, 65), (91_00, 130))


def test_an_empty_level_is_no_level_and_an_empty_side_no_price() -> None:
    levels = level(1, 0, 0) * 5 + level(0, 0, 0) + level(0, 65, 90_00) + level(0, 0, 0) * 3
    tick = frames.decode(snap(levels))
    assert tick is not None
    assert (tick.bid, tick.ask) == (None, (90_00, 65))


def test_a_depth_packet_has_twenty_levels_of_which_five_are_shown() -> None:
    buys = b"".join(struct.pack("<iih", 10 + n, 100_00 - n, 1) for n in range(20))
    sells = b"".join(struct.pack("<iih", 20 + n, 101_00 + n, 1) for n in range(20))
    packet = b"\x04" + SNAP_PACKET[1:43] + buys + sells
    assert len(packet) == 443
    tick = frames.decode(packet)
    assert tick is not None
    assert (tick.at, tick.bid, tick.ask) == (AT, (100_00, 10), (101_00, 20))
    bids, asks = frames.book(packet)
    assert (len(bids), len(asks), bids[19], asks[19]) == (20, 20, (99_81, 29), (101_19, 39))
    shown = frames.depth("X", packet)
    assert shown is not None
    assert (shown.bids, shown.asks) == (bids[:5], asks[:5])


def test_currency_prices_come_in_ten_millionths_and_leave_in_paise() -> None:
    levels = level(1, 5, 84_1225_000) * 5 + level(0, 7, 84_1275_000) * 5
    packet = snap(levels, segment=13, ltp=84_1250_000)
    tick = frames.decode(packet)
    assert tick is not None
    assert (tick.ltp, tick.bid, tick.ask) == (84_12, (84_12, 5), (84_13, 7))
    assert frames.book(packet) == (((84_12, 5),) * 5, ((84_13, 7),) * 5)


def test_a_token_ends_at_its_first_nul_whatever_is_left_behind_it() -> None:
    assert frames.cleaned(KEY[:6] + b"\x00" + b"9" * 19) == KEY
    assert frames.cleaned(KEY[:6] + b"9" + KEY[7:]) != KEY


def test_equal_tokens_of_two_segments_have_two_keys() -> None:
    assert frames.key_of(2, "58662") != frames.key_of(4, "58662")


@given(st.binary(max_size=500))
def test_random_bytes_are_no_packet_and_no_exception(raw: bytes) -> None:
    tick = frames.decode(raw)
    assert tick is None or len(raw) == frames.SIZES[raw[0]]


@given(st.sampled_from(sorted(frames.SIZES)), st.data())
def test_any_packet_of_a_documented_length_decodes(mode: int, data: st.DataObject) -> None:
    size = frames.SIZES[mode]
    packet = bytes((mode,)) + data.draw(st.binary(min_size=size - 1, max_size=size - 1))
    tick = frames.decode(packet)
    assert tick is not None
    assert (tick.mode, tick.key) == (mode, packet[1:27])
    assert (frames.depth("X", packet) is None) == (mode in (frames.LTP, frames.QUOTE))


@given(st.sampled_from(sorted(frames.SIZES)), st.integers(-30, 30).filter(bool))
def test_a_packet_of_another_length_than_its_mode_has_is_none(mode: int, off: int) -> None:
    size = frames.SIZES[mode] + off
    assert frames.decode((bytes((mode,)) + bytes(size))[:size]) is None


@given(
    token=st.text("0123456789", min_size=1, max_size=25),
    segment=st.sampled_from([1, 2, 3, 4]),
    ltp=st.integers(0, 2**40),
    volume=st.integers(0, 2**50),
    at=st.integers(10**12, 2 * 10**12),
)
def test_what_is_packed_is_read(token: str, segment: int, ltp: int, volume: int, at: int) -> None:
    packet = struct.pack("<BB25sqqq", 2, segment, token.encode(), 7, at, ltp)
    packet += struct.pack("<qqqddqqqq", 1, 2, volume, 0.0, 0.0, 1, 2, 3, 4)
    assert frames.decode(packet) == frames.Tick(frames.key_of(segment, token), 2, at, ltp, volume, 4)
