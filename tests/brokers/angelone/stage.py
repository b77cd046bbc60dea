"""A day at Angel One: its contracts, an account's secrets, an almanac, and where evidence is laid down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from optconsole.brokers.angelone.instruments import AngelMaster, read_master
from optconsole.brokers.transport.gateway import Listed
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import PlaceRequest

DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, 15, tzinfo=IST)
ACCOUNT = Account(id="angel", broker="angelone", mode=Mode.LIVE, capital=0)
CALL = "NIFTY 24NOV26 25000 CE"
TAG = "V1AAA000000001X"
ORDER = "261124000000123"


def scrip(token: str, symbol: str, name: str, **other: str) -> dict[str, str]:
    """A row of the scrip master as it is written."""
    row = {
        "token": token,
        "symbol": symbol,
        "name": name,
        "expiry": "24NOV2026",
        "strike": "-1.000000",
        "lotsize": "65",
        "instrumenttype": "OPTIDX",
        "exch_seg": "NFO",
        "tick_size": "5.000000",
    }
    return row | other


def index(token: str, symbol: str, name: str, segment: str = "NSE") -> dict[str, str]:
    kind = {"instrumenttype": "AMXIDX", "exch_seg": segment, "expiry": "", "strike": "0.000000"}
    return scrip(token, symbol, name, lotsize="1", tick_size="0.000000", **kind)


SCRIPS = [
    index("99926000", "Nifty 50", "NIFTY"),
    index("99926009", "Nifty Bank", "BANKNIFTY"),
    index("99926017", "India VIX", "INDIA VIX"),
    index("99926033", "Nifty 200", "NIFTY 200"),
    index("99919000", "SENSEX", "SENSEX", "BSE"),
    scrip("58662", "NIFTY24NOV2625000CE", "NIFTY", strike="2500000.000000"),
    scrip("58663", "NIFTY24NOV2625000PE", "NIFTY", strike="2500000.000000"),
    scrip("37799", "NIFTY25JUN2723000CE", "NIFTY", strike="2300000.000000", expiry="25JUN2027"),
    scrip("51111", "NIFTY24NOV26FUT", "NIFTY", instrumenttype="FUTIDX"),
    scrip("51200", "BANKNIFTY24NOV2655000CE", "BANKNIFTY", strike="5500000.000000", lotsize="30"),
    scrip("58662", "SENSEX26N2680000CE", "SENSEX", strike="8000000.000000", exch_seg="BFO", lotsize="20")
    | {"expiry": "26NOV2026"},
    scrip("70001", "M&M24NOV263000CE", "M&M", strike="300000.000000", instrumenttype="OPTSTK", lotsize="200"),
    scrip("3045", "SBIN-EQ", "SBIN", instrumenttype="", exch_seg="NSE", expiry="", lotsize="1"),
    scrip("55555", "NIFTY17NOV2625000CE", "NIFTY", strike="2500000.000000", expiry="17NOV2026"),
]


class StageAlmanac:
    """Freeze quantities of indices alone."""

    def freeze(self, underlying: str) -> int | None:
        return {"NIFTY": 1800, "BANKNIFTY": 600, "SENSEX": 1000}.get(underlying)

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        return datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST)

    def index_tick(self, underlying: str) -> int:
        return 5


@dataclass
class StageCredentials:
    """Secrets that a test may change while they are used."""

    held: dict[str, str] = field(
        default_factory=lambda: {
            "api_key": "demo_key",
            "client_code": "A1",
            "access_token": "J.W.T",
            "refresh_token": "R.T",
            "feed_token": "F.T",
        }
    )

    def get(self, name: str) -> Secret | None:
        text = self.held.get(name)
        return None if text is None else Secret(text)


class Notes:
    """Evidence as it came."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, bytes | str]] = []
        self.on_note: Callable[[], None] = lambda: None

    def __call__(self, kind: str, detail: str, sample: bytes | str) -> None:
        self.rows.append((kind, detail, sample))
        self.on_note()

    def kinds(self) -> list[str]:
        return [kind for kind, _detail, _sample in self.rows]


def master(rows: list[Any] | None = None, day: date = DAY) -> AngelMaster:
    return read_master(msgspec.json.encode(SCRIPS if rows is None else rows), day, StageAlmanac(), ("NIFTY",))


def listed(name: str = CALL) -> Listed:
    found = master().of(name)
    assert found is not None
    return found


def request(
    price: int = 123_45,
    trigger: int | None = None,
    side: Side = Side.BUY,
    tag: str = TAG,
    qty: int = 65,
    contract: str = CALL,
) -> PlaceRequest:
    return PlaceRequest(
        tag=tag,
        account=ACCOUNT.id,
        instrument=listed(contract).instrument,
        side=side,
        qty=qty,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=Product.NRML,
        validity=Validity.DAY,
    )


def order(**other: Any) -> dict[str, Any]:
    """A row of the order book: a buy of one lot that works."""
    row: dict[str, Any] = {
        "variety": "NORMAL",
        "ordertype": "LIMIT",
        "ordertag": TAG,
        "producttype": "CARRYFORWARD",
        "price": "123.45",
        "triggerprice": "0",
        "quantity": "65",
        "duration": "DAY",
        "tradingsymbol": "NIFTY24NOV2625000CE",
        "transactiontype": "BUY",
        "exchange": "NFO",
        "symboltoken": "58662",
        "instrumenttype": "OPTIDX",
        "strikeprice": "25000",
        "optiontype": "CE",
        "expirydate": "24NOV2026",
        "lotsize": "65",
        "cancelsize": "0",
        "averageprice": "0",
        "filledshares": "0",
        "unfilledshares": "65",
        "orderid": ORDER,
        "text": "",
        "status": "open",
        "orderstatus": "open",
        "updatetime": "24-Nov-2026 10:15:02",
        "fillid": "",
        "filltime": "",
    }
    return row | other


def trade(**other: Any) -> dict[str, Any]:
    """A row of the trade book."""
    row: dict[str, Any] = {
        "exchange": "NFO",
        "producttype": "CARRYFORWARD",
        "tradingsymbol": "NIFTY24NOV2625000CE",
        "instrumenttype": "OPTIDX",
        "symbolgroup": "XX",
        "strikeprice": "25000.0",
        "optiontype": "CE",
        "expirydate": "24NOV2026",
        "transactiontype": "BUY",
        "fillprice": "123.4",
        "fillsize": "65",
        "orderid": ORDER,
        "fillid": "9",
        "filltime": "10:15:02",
    }
    return row | other
