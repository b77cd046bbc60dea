"""The wire as it is published, byte by byte: requests we make and frames and files we read."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from optconsole.brokers.shoonya import bodies, refusals
from optconsole.brokers.shoonya.frames import Scrip, decode
from optconsole.brokers.shoonya.lines import Line
from optconsole.brokers.shoonya.replies import rows, understand
from optconsole.brokers.shoonya.rows import Reader
from optconsole.brokers.shoonya.stream import HEARTBEAT
from optconsole.brokers.shoonya.updates import Ears
from optconsole.engine.model.orders import OrderStatus, OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import Accepted, BrokerOrder, BrokerTrade
from tests.brokers.shoonya.stage import CALL, NOW, SENSEX_CALL, Desk, master, request

SNAPSHOT = (
    '{"t":"tk","e":"NFO","tk":"58662","ts":"NIFTY24NOV26C25000","pp":"2","ti":"0.05","ls":"65","lp":"123.45",'
    '"pc":"2.79","v":"1950000","o":"118.00","h":"127.00","l":"116.50","c":"120.10","ap":"122.90","oi":"3449550",'
    '"poi":"3300000","bp1":"123.40","bq1":"650","sp1":"123.50","sq1":"390","ft":"1795509000"}'
)
UPDATES = (
    '{"t":"tf","e":"NFO","tk":"58662","bq1":"585"}',
    '{"t":"tf","e":"NFO","tk":"58662","lp":"123.50","pc":"2.83","v":"1950065","ft":"1795509001"}',
)
OPENED = (
    '{"t":"om","norenordno":"26112400000017","uid":"FA1234","actid":"FA1234","exch":"NFO",'
    '"tsym":"NIFTY24NOV26C25000","trantype":"B","qty":"65","prc":"123.45","pcode":"M","remarks":"oc7f3a91",'
    '"rejreason":" ","status":"OPEN","reporttype":"New","prctyp":"LMT","ret":"DAY","exchordid":"1500000012345678",'
    '"dscqty":"0","exch_tm":"24-11-2026 10:15:02"}'
)
FILLED = (
    '{"t":"om","norenordno":"26112400000017","uid":"FA1234","actid":"FA1234","exch":"NFO",'
    '"tsym":"NIFTY24NOV26C25000","trantype":"B","qty":"65","prc":"123.45","pcode":"M","remarks":"oc7f3a91",'
    '"rejreason":" ","status":"COMPLETE","reporttype":"Fill","flqty":"65","flprc":"123.40","flid":"380225664",'
    '"fltm":"24-11-2026 10:15:04","prctyp":"LMT","ret":"DAY","exchordid":"1500000012345678","fillshares":"65",'
    '"dscqty":"0","avgprc":"123.40","exch_tm":"24-11-2026 10:15:04"}'
)


def reader() -> Reader:
    listed = master()

    def named(segment: str, symbol: str) -> str:
        found = listed.named(segment, symbol)
        assert found is not None
        return found.instrument.name

    return Reader("FA", named, Desk(), lambda: NOW)


def test_the_code_is_proven_by_the_published_checksum() -> None:
    proof = bodies.checksum("FA1234_U", "demo_secret", "demo_code")
    assert proof == "a6e3bb6eab0ade021a8b2f4051c25f986aacb9511cef569b1f94143fe53da9f0"
    assert bodies.body({"code": "demo_code", "checksum": proof}) == (
        b'jData={"code":"demo_code","checksum":"a6e3bb6eab0ade021a8b2f4051c25f986aacb9511cef569b1f94143fe53da9f0"}'
    )


def test_an_order_is_written_as_published() -> None:
    fields = bodies.place("FA1234", "FA1234", "NFO", "NIFTY24NOV26C25000", request())
    assert bodies.body(fields) == (
        b'jData={"uid":"FA1234","actid":"FA1234","exch":"NFO","tsym":"NIFTY24NOV26C25000","qty":"65","prc":"123.45",'
        b'"dscqty":"0","prd":"M","trantype":"B","prctyp":"LMT","ret":"DAY","remarks":"oc7f3a91","ordersource":"API"}'
    )


def test_a_change_is_written_as_published() -> None:
    fields = bodies.modify("FA1234", "NFO", "26112400000017", "NIFTY24NOV26C25000", 130, 123_00, None, "DAY")
    assert bodies.body(fields) == (
        b'jData={"uid":"FA1234","exch":"NFO","norenordno":"26112400000017","tsym":"NIFTY24NOV26C25000","qty":"130",'
        b'"prc":"123.00","prctyp":"LMT","ret":"DAY"}'
    )


def test_the_published_answers_to_an_order_and_its_change_are_acceptance() -> None:
    placed = b'{"request_time":"10:15:02 24-11-2026","stat":"Ok","norenordno":"26112400000017"}'
    changed = b'{"request_time":"10:15:09 24-11-2026","stat":"Ok","result":"26112400000017"}'
    assert refusals.placed(understand(200, placed)) == Accepted("26112400000017")
    assert refusals.changed(understand(200, changed), "26112400000017") == Accepted("26112400000017")


def test_the_published_empty_book_is_empty_and_the_published_dead_session_is_not() -> None:
    empty = b'{"stat":"Not_Ok","request_time":"09:00:00 24-11-2026","emsg":"Error Occurred : 5 \\"no data\\""}'
    assert rows(understand(200, empty), "order book") == []
    dead = understand(200, b'{"stat":"Not_Ok","emsg":"Session Expired : Invalid Session Key"}')
    assert dead.login_dead
    assert not dead.nothing


def test_partial_updates_overlay_the_published_snapshot() -> None:
    scrip = Scrip()
    for text in (SNAPSHOT, *UPDATES):
        scrip.overlay(decode(text))
    listed = master().of(CALL)
    assert listed is not None
    quote = Line(listed).quote(scrip, 0)
    assert (quote.ltp, quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (123_50, 123_40, 585, 123_50, 390)
    assert (quote.volume, quote.oi, quote.oi_open, quote.prev_close) == (1950065, 3449550, 3300000, 120_10)
    assert (quote.name, quote.ts) == (CALL, 1795509001000)


def test_the_published_order_frames_tell_the_order_then_its_trade_then_its_end() -> None:
    ears = Ears(reader())
    (opened,) = ears.hear(msgspec.json.decode(OPENED)).updates
    assert isinstance(opened, BrokerOrder)
    assert (opened.broker_id, opened.tag, opened.contract) == ("26112400000017", "oc7f3a91", CALL)
    assert (opened.side, opened.qty, opened.filled, opened.price) == (Side.BUY, 65, 0, 123_45)
    assert (opened.type, opened.trigger, opened.product) == (OrderType.LIMIT, None, Product.NRML)
    assert (opened.status, opened.validity, opened.reason) == (OrderStatus.OPEN, Validity.DAY, "")
    assert opened.updated_at == datetime(2026, 11, 24, 10, 15, 2, tzinfo=IST)
    trade, ended = ears.hear(msgspec.json.decode(FILLED)).updates
    assert trade == BrokerTrade(
        trade_id="380225664",
        broker_id="26112400000017",
        tag="oc7f3a91",
        account="FA",
        contract=CALL,
        product=Product.NRML,
        side=Side.BUY,
        qty=65,
        price=123_40,
        at=datetime(2026, 11, 24, 10, 15, 4, tzinfo=IST),
    )
    assert isinstance(ended, BrokerOrder)
    assert (ended.status, ended.filled) == (OrderStatus.FILLED, 65)


def test_the_heartbeat_is_the_smallest_frame() -> None:
    assert HEARTBEAT.encode().hex() == "7b2274223a2268227d"


def test_the_published_master_rows_are_our_contracts() -> None:
    found = master()
    call, other = found.at("NFO", "58662"), found.at("BFO", "837931")
    assert call is not None
    assert other is not None
    assert (call.instrument.name, call.instrument.lot, call.instrument.tick) == (CALL, 65, 5)
    assert (call.instrument.strike, call.instrument.expiry) == (25_000_00, date(2026, 11, 24))
    assert (other.instrument.name, other.instrument.underlying, other.instrument.exchange) == (
        SENSEX_CALL,
        "SENSEX",
        "BSE",
    )
