"""Run by the SDK's own interpreter: a trader's day over Kite Connect; what the SDK saw of it as one line of JSON."""

import datetime
import json
import sys
import threading
import time
import urllib.parse
import urllib.request

from kiteconnect import KiteConnect, KiteTicker, exceptions

task = json.load(sys.stdin)
given, symbol, token, index = task["credentials"], task["symbol"], task["token"], task["index"]
seen = {"ticks": [], "updates": [], "errors": [], "opened": 0}
OPTION = "NFO:" + symbol


def until(true):
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise SystemExit("it never became so: " + json.dumps(seen, default=str)[:2000])


def show(ltp):
    """Let the market trade one tick either side of a price in paise."""
    body = {"name": task["name"], "ltp": ltp, "bid": ltp - 5, "bid_qty": 6500, "ask": ltp + 5, "ask_qty": 6500}
    headers = {"x-control-token": task["control_token"]}
    url = task["control_url"] + "/show"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


def request_token():
    """Where the login page would send the browser back to."""
    try:
        urllib.request.build_opener(NoRedirect).open(task["rest_url"] + task["login_path"])
    except urllib.error.HTTPError as moved:
        query = urllib.parse.urlsplit(moved.headers["location"]).query
        return urllib.parse.parse_qs(query)["request_token"][0]


def refused(call, *args, **terms):
    try:
        call(*args, **terms)
    except exceptions.KiteException as refusal:
        return [type(refusal).__name__, refusal.code, str(refusal)]


def order(**changes):
    terms = {
        "variety": "regular",
        "exchange": "NFO",
        "tradingsymbol": symbol,
        "transaction_type": "BUY",
        "quantity": 65,
        "product": "NRML",
        "order_type": "LIMIT",
        "price": 101,
    }
    return {**terms, **changes}


kite = KiteConnect(given["api_key"], root=task["rest_url"])
session = kite.generate_session(request_token(), given["api_secret"])
seen["login"] = [session["user_id"], session["broker"], isinstance(session["login_time"], datetime.datetime)]
seen["profile"] = kite.profile()["user_id"]
seen["funds"] = kite.margins("equity")["net"]
seen["empty"] = [kite.orders(), kite.trades(), kite.positions(), kite.holdings(), kite.get_gtts()]
rows = kite.instruments("NFO")
seen["listed"] = next(row for row in rows if row["tradingsymbol"] == symbol)
seen["quote"] = kite.quote(OPTION)[OPTION]
seen["ohlc"] = kite.ohlc(OPTION, "NSE:NIFTY 50")
seen["ltp"] = kite.ltp(OPTION, "NFO:NOTHING")
seen["alone"] = kite.order_margins([{**order(transaction_type="SELL"), "trigger_price": 0}])[0]["total"]
both = [order(transaction_type=side) for side in ("BUY", "SELL")]
seen["basket"] = kite.basket_order_margins(both, consider_positions=False)

ticker = KiteTicker(given["api_key"], kite.access_token, root=task["ws_url"])


def on_connect(ws, _response):
    seen["opened"] += 1
    ws.subscribe([token, index])
    ws.set_mode(ws.MODE_FULL, [token])


ticker.on_connect = on_connect
ticker.on_ticks = lambda _ws, ticks: seen["ticks"].extend(ticks)
ticker.on_order_update = lambda _ws, row: seen["updates"].append(row)
ticker.on_error = lambda _ws, code, reason: seen["errors"].append([code, str(reason)])
ticker.connect(threaded=True)
until(lambda: len(seen["ticks"]) >= 3)


def told(order_id, status):
    until(lambda: any(row["order_id"] == order_id and row["status"] == status for row in seen["updates"]))


bought = kite.place_order(**order(tag="SDKBUY"))
told(bought, "COMPLETE")
market = kite.place_order(**order(order_type="MARKET", price=None, market_protection=-1, tag="SDKMKT"))
told(market, "COMPLETE")
resting = kite.place_order(**order(price=90, tag="SDKREST"))
until(lambda: kite.order_history(resting)[-1]["status"] == "OPEN")
kite.modify_order("regular", resting, quantity=130, price=91)
told(resting, "UPDATE")
kite.cancel_order("regular", resting)
told(resting, "CANCELLED")
stopped = kite.place_order(**order(transaction_type="SELL", order_type="SL", price=95, trigger_price=97, tag="SDKSTOP"))
sliced = kite.place_autoslice_order(**order(quantity=3900, price=80, tag="SDKSLICE"))
seen["sliced"] = sliced
for child in sliced["children"]:
    kite.cancel_order("regular", child["order_id"])
    told(child["order_id"], "CANCELLED")
seen["refused"] = {
    "unprotected": refused(kite.place_order, **order(order_type="MARKET", price=None)),
    "lot": refused(kite.place_order, **order(quantity=7)),
    "unknown": refused(kite.order_history, "1"),
    "gone": refused(kite.cancel_order, "regular", resting),
}
seen["gtt"] = kite.place_gtt("single", symbol, "NFO", [120], 100, [order(transaction_type="SELL", price=119)])
seen["gtts"] = [kite.get_gtt(seen["gtt"]["trigger_id"])["status"], kite.delete_gtt(seen["gtt"]["trigger_id"])]
show(9680)
told(stopped, "COMPLETE")
until(lambda: any(tick["last_price"] == 96.8 for tick in seen["ticks"]))
seen["ids"] = {"SDKBUY": bought, "SDKMKT": market, "SDKREST": resting, "SDKSTOP": stopped}
seen["book"] = kite.orders()
seen["trades"] = kite.trades()
seen["history"] = [row["status"] for row in kite.order_history(bought)]
seen["positions"] = kite.positions()["net"]
seen["converted"] = kite.convert_position("NFO", symbol, "BUY", "day", 65, "NRML", "MIS")
seen["note"] = kite.get_virtual_contract_note([{**order(), "order_id": bought, "average_price": 100.05}])[0]["charges"]
day = task["day"]
seen["candles"] = kite.historical_data(token, day + " 09:15:00", day + " 15:30:00", "day", oi=True)
seen["out"] = kite.invalidate_access_token()
seen["after"] = refused(kite.margins)
ticker.close()
print(json.dumps(seen, default=str))
sys.stdout.flush()
threading._shutdown = lambda: None
