"""Contracts, credentials and an almanac for the tests of the Shoonya adapter."""

from __future__ import annotations

from datetime import date, datetime

from optconsole.brokers.shoonya.instruments import FILES, ShoonyaMaster, read_master
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.secrets import Secret
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import PlaceRequest

DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, 15, tzinfo=IST)
ACCOUNT = Account(id="FA", broker="shoonya", mode=Mode.LIVE, capital=0)
CALL = "NIFTY 24NOV26 25000 CE"
PUT = "NIFTY 24NOV26 25000 PE"
SENSEX_CALL = "SENSEX 26NOV26 85000 CE"
TAG = "oc7f3a91"

HEAD = "Exchange,Token,LotSize,Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,\n"
CASH_HEAD = "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\n"
NFO_ROWS = (
    "NFO,58662,65,NIFTY,NIFTY24NOV26C25000,24-NOV-2026,OPTIDX,CE,25000,0.05,\n"
    "NFO,58663,65,NIFTY,NIFTY24NOV26P25000,24-NOV-2026,OPTIDX,PE,25000,0.05,\n"
    "NFO,58700,65,NIFTY,NIFTY24NOV26F,24-NOV-2026,FUTIDX,XX,0,0.1,\n"
    "NFO,60001,30,BANKNIFTY,BANKNIFTY24NOV26C58000,24-NOV-2026,OPTIDX,CE,58000.00,0.05,\n"
    "NFO,71000,350,M&M,M&M24NOV26C3000,24-NOV-2026,OPTSTK,CE,3000,0.05,\n"
)
BFO_ROWS = "BFO,837931,20,BSXOPT,SENSEX26NOV85000CE,26-NOV-2026,OPTIDX,CE,85000,0.05,\n"
FILES_TEXT = {
    "NSE": CASH_HEAD
    + "NSE,26000,1,Nifty 50,Nifty 50,INDEX,0.05,\nNSE,26009,1,Nifty Bank,Nifty Bank,INDEX,0.05,\n"
    + "NSE,22,1,ACC,ACC-EQ,EQ,0.05,\n",
    "BSE": CASH_HEAD + "BSE,1,1,SENSEX,SENSEX,INDEX,0.01,\nBSE,500410,1,ACC,ACC,A,0.05,\n",
    "NFO": HEAD + "NFO,,,,,,,,,,\n" * 18 + NFO_ROWS,
    "BFO": HEAD + BFO_ROWS,
}


class Desk:
    """Evidence, kept to be looked at."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bytes | str]] = []

    def __call__(self, kind: str, detail: str, sample: bytes | str) -> None:
        self.kept.append((kind, detail, sample))

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.kept]


class Almanac:
    """Knows indices; nothing of shares."""

    freezes = {"NIFTY": 1800, "BANKNIFTY": 600, "SENSEX": 1000}

    def freeze(self, underlying: str) -> int | None:
        return self.freezes.get(underlying)

    def last_trade(self, underlying: str, expiry: date) -> datetime | None:
        return datetime(expiry.year, expiry.month, expiry.day, 15, 30, tzinfo=IST)

    def index_tick(self, underlying: str) -> int:
        return 5


class Keys:
    """Credentials that a test can change at any time."""

    def __init__(self, **secrets: str) -> None:
        self.held = {"access_token": "acc-demo", "user_id": "FA1234", "account_id": "FA1234", **secrets}

    def get(self, name: str) -> Secret | None:
        text = self.held.get(name)
        return Secret(text) if text else None


def master(desk: Desk | None = None, **files: str) -> ShoonyaMaster:
    texts = {name: files.get(name, FILES_TEXT[name]) for name in FILES}
    return read_master(texts, DAY, Almanac(), desk or Desk())


def request(
    contract: str = CALL,
    side: Side = Side.BUY,
    qty: int = 65,
    price: int = 123_45,
    trigger: int | None = None,
    tag: str = TAG,
    product: Product = Product.NRML,
    validity: Validity = Validity.DAY,
) -> PlaceRequest:
    listed = master().of(contract)
    assert listed is not None
    return PlaceRequest(
        tag=tag,
        account=ACCOUNT.id,
        instrument=listed.instrument,
        side=side,
        qty=qty,
        type=OrderType.LIMIT if trigger is None else OrderType.SL,
        price=price,
        trigger=trigger,
        product=product,
        validity=validity,
    )
