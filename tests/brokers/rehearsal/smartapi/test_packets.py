"""The bytes of the stream, against packets whose meaning is written down elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from optconsole.brokers.rehearsal.smartapi.packets import SIZES, Offer, StreamMode, Tick, packet

LTP = bytes.fromhex(
    "0102353836363200000000000000000000000000000000000000006712000000000000bb17ad0ca20100003930000000000000"
)
SNAP = bytes.fromhex(
    "0302353836363200000000000000000000000000000000000000006712000000000000bb17ad0ca201000039300000000000"
    "004100000000000000023000000000000030c11d000000000000000000282d194100000000bc4e1841182e0000000000009c"
    "31000000000000822d000000000000ea2e000000000000074b056b00000000cea2340000000000000000000000044001008a"
    "0200000000000034300000000000000500010004010000000000002f300000000000000200010014050000000000002a3000"
    "0000000000090001004100000000000000253000000000000001000100c30000000000000020300000000000000300000086"
    "010000000000003e300000000000000400000008020000000000004330000000000000060000004100000000000000483000"
    "0000000000010000000c030000000000004d3000000000000008000000820000000000000052300000000000000200b45f00"
    "0000000000050000000000000018790000000000000000000000000000"
)
TICK = Tick(
    segment=2,
    token="58662",
    sequence=4711,
    at=1795509000123,
    ltp=12345,
    last_qty=65,
    average=12290,
    volume=1950000,
    buy_qty=412490.0,
    sell_qty=398255.0,
    open=11800,
    high=12700,
    low=11650,
    close=12010,
    traded_at=1795508999,
    oi=3449550,
    oi_change=2.5,
    buys=(
        Offer(650, 12340, 5),
        Offer(260, 12335, 2),
        Offer(1300, 12330, 9),
        Offer(65, 12325, 1),
        Offer(195, 12320, 3),
    ),
    sells=(
        Offer(390, 12350, 4),
        Offer(520, 12355, 6),
        Offer(65, 12360, 1),
        Offer(780, 12365, 8),
        Offer(130, 12370, 2),
    ),
    upper=24500,
    lower=5,
    year_high=31000,
)


def test_the_packets_of_the_written_samples() -> None:
    assert packet(StreamMode.LTP, TICK) == LTP
    assert packet(StreamMode.SNAP, TICK) == SNAP
    assert packet(StreamMode.QUOTE, TICK) == b"\x02" + SNAP[1:123]


@pytest.mark.parametrize("mode", StreamMode)
def test_every_mode_has_one_size_however_thin_the_book(mode: StreamMode) -> None:
    thin = msgspec.structs.replace(TICK, buys=(), sells=(Offer(65, 12350, 1),))
    assert len(packet(mode, TICK)) == len(packet(mode, thin)) == SIZES[mode]


def test_a_token_that_does_not_fit_is_no_packet() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        packet(StreamMode.LTP, msgspec.structs.replace(TICK, token="1" * 26))
