"""Whatever a client sends, Kite answers in its own envelope and goes on serving."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from optconsole.brokers.rehearsal.kite.limits import UNLIMITED
from optconsole.brokers.rehearsal.kite.wire import Kite, KiteSettings, open_kite
from optconsole.brokers.rehearsal.wire import Request
from tests.brokers.rehearsal.stage import a_still_market

PATHS = (
    "/session/token", "/session/refresh_token", "/connect/login", "/user/margins", "/user/margins/x", "/orders",
    "/orders/regular", "/orders/amo", "/orders/1", "/orders/1/trades", "/orders/regular/1", "/trades", "/quote",
    "/quote/ltp", "/quote/x", "/instruments", "/instruments/NFO", "/instruments/historical/1/minute",
    "/instruments/historical/x/day", "/portfolio/positions", "/portfolio/holdings", "/gtt/triggers", "/gtt/triggers/1",
    "/margins/orders", "/margins/basket", "/charges/orders", "/\x00", "//", "/orders//regular",
)  # fmt: skip
FIELDS = {
    "exchange": ("NFO", "NSE", "", "é"),
    "tradingsymbol": ("SYMBOL", "NIFTY 50", "", "NIFTY%"),
    "transaction_type": ("BUY", "SELL", "buy"),
    "quantity": ("65", "0", "-65", "65.0", "9" * 30, "٦٥", "1950"),
    "product": ("NRML", "MIS", "CNC"),
    "order_type": ("LIMIT", "MARKET", "SL", "SL-M", ""),
    "price": ("100", "0", "100.05", "-1", "1e9", "NaN", "Infinity", "0.001", "9" * 400),
    "trigger_price": ("105", "95", "0", "x"),
    "market_protection": ("-1", "0", "2.5", "101", "true", "-0.5", "1e-5"),
    "validity": ("DAY", "IOC", "TTL"),
    "tag": ("A", "a b", "x" * 21, "\u202e"),
    "autoslice": ("true", "1"),
    "i": ("NFO:SYMBOL", "NSE:NIFTY 50", ":"),
    "from": ("2026-11-18", "2026-11-18 09:15:00", "9999-99-99", "x"),
    "to": ("2026-11-18", "2027-01-01", "0001-01-01"),
    "type": ("single", "two-leg", "x"),
    "condition": (
        '{"exchange":"NFO","tradingsymbol":"SYMBOL","trigger_values":[110.0]}',
        '{"exchange":"NFO","tradingsymbol":"SYMBOL","trigger_values":[90,110]}',
        '{"exchange":"NFO","tradingsymbol":"SYMBOL","trigger_values":[1e308]}',
        "{}",
        "[",
    ),
    "orders": ('[{"exchange":"NFO","tradingsymbol":"SYMBOL","transaction_type":"BUY","quantity":65,"price":1,'
               '"product":"NRML","order_type":"LIMIT"}]', "[{}]", "x"),
    "old_product": ("MIS", "NRML"),
    "new_product": ("MIS", "x"),
    "request_token": ("x",),
    "redirect_params": ("a=b", "%"),
}  # fmt: skip
BODIES = ("[", "[{}]", '[{"exchange":"NFO","tradingsymbol":"SYMBOL"}]', "{}", "[[]]", '[{"quantity":[]}]', "\udcff")

ORDER = {
    "exchange": "NFO",
    "tradingsymbol": "SYMBOL",
    "transaction_type": "BUY",
    "quantity": "65",
    "product": "NRML",
    "order_type": "LIMIT",
    "price": "101",
    "trigger_price": "105",
}
GTT = {name: FIELDS[name][0] for name in ("type", "condition", "orders")}
CONVERSION = ORDER | {"position_type": "day", "old_product": "NRML", "new_product": "MIS"}
CANDLES = {"from": "2026-11-18", "to": "2026-11-18 15:30:00", "interval": "minute"}
RIGHT = (
    ("POST", "/orders/regular", ORDER),
    ("PUT", "/orders/regular/ORDER", {"price": "90", "quantity": "65", "order_type": "LIMIT"}),
    ("POST", "/gtt/triggers", GTT),
    ("PUT", "/gtt/triggers/100001", GTT),
    ("PUT", "/portfolio/positions", CONVERSION),
    ("GET", "/instruments/historical/TOKEN/minute", CANDLES),
)
"""Calls that are right but for what is changed in them."""

Asked = tuple[str, str, dict[str, str], dict[str, str] | str | bytes]


def _slips() -> Iterator[Asked]:
    """Every right call with every strange value of each field, and with each field left out."""
    for method, path, fields in RIGHT:
        yield method, path, fields, fields
        for name in sorted({*fields, "market_protection", "tag", "autoslice"} & FIELDS.keys()):
            left_out = {other: value for other, value in fields.items() if other != name}
            yield method, path, left_out, left_out
            for value in FIELDS[name]:
                changed = fields | {name: value}
                yield method, path, changed, changed


def _nonsense() -> Iterator[Asked]:
    """Every path by every method with every strange body."""
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in PATHS:
            for body in (*BODIES, b"\xff\xfe", b"\x00" * 9):
                yield method, path, {name: values[-1] for name, values in FIELDS.items()}, body


def _request(kite: Kite, filled: dict[str, str], asked: Asked) -> Request:
    method, path, query, body = asked

    def real(text: str) -> str:
        for name, value in filled.items():
            text = text.replace(name, value)
        return text

    data = urlencode({name: real(value) for name, value in body.items()}) if isinstance(body, dict) else body
    raw = data if isinstance(data, bytes) else real(data).encode(errors="surrogateescape")
    access = kite.sessions.granted()
    return Request(
        method=method,
        target=path,
        path=real(path),
        query=tuple((name, real(value)) for name, value in query.items()),
        headers={"authorization": f"token {kite.sessions.app.api_key}:{access}"},
        body=raw,
        client="127.0.0.1",
    )


@pytest.mark.parametrize("calls", [_slips, _nonsense])
async def test_no_request_is_beyond_kite(tmp_path: Path, calls: Callable[[], Iterator[Asked]]) -> None:
    market = await a_still_market(tmp_path)
    kite = await open_kite(market, KiteSettings(limits=UNLIMITED, pause=0.0))
    contract = next(row for row in kite.contracts().rows if row.kind == "CE")
    resting = await kite.orders.place("regular", ORDER | {"tradingsymbol": contract.symbol, "price": "90"})
    filled = {"SYMBOL": contract.symbol, "TOKEN": str(contract.token), "ORDER": str(resting["order_id"])}
    statuses = Counter[int]()
    for asked in calls():
        request = _request(kite, filled, asked)
        kite.call(request)
        response = await kite.handle(request)
        statuses[response.status] += 1
        assert response.status in (200, 302, 400, 403, 404, 405), request
        if dict(response.headers).get("content-type") == "application/json":
            body = json.loads(response.body)
            assert body["status"] == ("success" if response.status == 200 else "error")
    assert statuses[200] > 5
    assert statuses[400] > 100
    await kite.close()
    await market.close()
