"""Recorded and documented pieces of Kite's wire, byte by byte, and a few contracts to read them with."""

from __future__ import annotations

from datetime import date, datetime

from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.timeline import IST

DAY = date(2026, 11, 24)
EXPIRY = date(2026, 12, 1)
CALL_TOKEN = 15017474
INDEX_TOKEN = 256265

MIXED = bytes.fromhex(
    "0005000800e5260200003039001c0003e90900262a73002640f80025fe360026140c002620c8000009ab00200003e90900262a73"
    "002640f80025fe360026140c002620c8000009ab6b054b0800080004d2033237e94800080010e106000cdb1d"
)
QUOTE = bytes.fromhex(
    "0001002c00e52602000030390000004100003002001dc13000064b4a000613af00002e180000319c00002d8200002eea"
)
FULL = bytes.fromhex(
    "000100b800e52602000030390000004100003002001dc13000064b4a000613af00002e180000319c00002d8200002eea6b054b07"
    "0034a2ce0036ee9900325a916b054b080000028a0000303400050000000001040000302f00020000000005140000302a000900000000"
    "00410000302500010000000000c30000302000030000000001860000303e00040000000002080000304300060000000000410000304800"
    "0100000000030c0000304d00080000000000820000305200020000"
)
MOCK_QUOTE = bytes.fromhex("00063a010002668300000001000265690011f1b20003e9ff00058037000264f30002673c000261c90002646c")

ORDER_ROW = (
    b'{"order_id":"1990000000000000001","exchange_order_id":"1500000012345678","status":"COMPLETE","status_message":'
    b'null,"order_timestamp":"2026-11-24 10:15:02","exchange_update_timestamp":"2026-11-24 10:15:02",'
    b'"exchange_timestamp":"2026-11-24 10:15:02","variety":"regular","exchange":"NFO","tradingsymbol":'
    b'"NIFTY26D0125000CE","instrument_token":15017474,"order_type":"LIMIT","transaction_type":"BUY","validity":"DAY",'
    b'"product":"NRML","quantity":65,"filled_quantity":65,"pending_quantity":0,"cancelled_quantity":0,"price":125.95,'
    b'"trigger_price":0,"average_price":123.45,"market_protection":0,"modified":false,"meta":{},"tag":"oc7f3a91",'
    b'"tags":["oc7f3a91","mktp","mktp:2.00"],"guid":"x"}'
)

TOKEN_DEAD = b'{"status":"error","message":"Incorrect `api_key` or `access_token`.","error_type":"TokenException"}'
NO_MARGIN = (
    b'{"status":"error","message":"Insufficient funds. Required margin is 8024.25 but available margin is 120.00.",'
    b'"error_type":"MarginException","data":null}'
)
TOO_MANY = b'{"status":"error","message":"Too many requests","error_type":"NetworkException"}'


def option(strike: int = 25_000, right: Right = Right.CALL, expiry: date = EXPIRY) -> Instrument:
    """Strike in rupees."""
    return Instrument(
        name=contract_name("NIFTY", expiry, strike * 100, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.OPTION,
        lot=65,
        tick=5,
        freeze=1800,
        expiry=expiry,
        strike=strike * 100,
        right=right,
        last_trade=datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST),
    )


CALL = option()
INDEX = Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=1, freeze=0)
LISTED_CALL = Listed(instrument=CALL, segment="NFO", symbol="NIFTY26D0125000CE", token=str(CALL_TOKEN))
LISTED_INDEX = Listed(instrument=INDEX, segment="NSE", symbol="NIFTY 50", token=str(INDEX_TOKEN))


class Notes:
    """Evidence laid down, as (kind, sentence)."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def __call__(self, kind: str, detail: str, _sample: bytes | str) -> None:
        self.rows.append((kind, detail))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.rows]
