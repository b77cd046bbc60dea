"""Run by the SDK's own interpreter: a trader's day over SmartAPI, and what the SDK saw of it as one line of JSON."""

import json
import sys
import threading
import time
import urllib.request

import logzero
import pyotp
from SmartApi.smartConnect import SmartConnect
from SmartApi.smartWebSocketOrderUpdate import SmartWebSocketOrderUpdate
from SmartApi.smartWebSocketV2 import SmartWebSocketV2

logzero.loglevel(100)
task = json.load(sys.stdin)
given, contract = task["credentials"], task["contract"]
SmartConnect._rootUrl = task["rest_url"]
SmartWebSocketV2.ROOT_URI = task["ws_url"] + "/smart-stream"
SmartWebSocketOrderUpdate.WEBSOCKET_URI = task["ws_url"] + "/smart-order-update"
seen = {"ticks": [], "frames": []}


def until(true):
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise SystemExit("it never became so: " + json.dumps(seen)[:2000])


def show(ltp):
    """Let the market trade one tick either side of a price in paise."""
    body = {"name": task["name"], "ltp": ltp, "bid": ltp - 5, "bid_qty": 6500, "ask": ltp + 5, "ask_qty": 6500}
    headers = {"x-control-token": task["control_token"]}
    url = task["control_url"] + "/show"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()


def terms(**changes):
    base = {
        "variety": "NORMAL",
        "tradingsymbol": contract["symbol"],
        "symboltoken": contract["token"],
        "transactiontype": "BUY",
        "exchange": contract["segment"],
        "ordertype": "LIMIT",
        "producttype": "CARRYFORWARD",
        "duration": "DAY",
        "price": "101",
        "quantity": "65",
    }
    return {**base, **changes}


api = SmartConnect(given["api_key"])
seen["login"] = api.generateSession(given["client_code"], given["pin"], pyotp.TOTP(given["totp_seed"]).now())
tokens = seen["login"]["data"]
seen["funds"] = api.rmsLimit()["data"]
seen["empty"] = [api.orderBook(), api.tradeBook(), api.position(), api.holding(), api.allholding()]
seen["search"] = api.searchScrip(contract["segment"], "25000CE")["data"]
seen["ltp"] = api.ltpData(contract["segment"], contract["symbol"], contract["token"])["data"]
seen["quote"] = api.getMarketData("FULL", {contract["segment"]: [contract["token"]]})["data"]

stream = SmartWebSocketV2(tokens["jwtToken"], given["api_key"], given["client_code"], tokens["feedToken"])
wanted = [{"exchangeType": 2, "tokens": [contract["token"]]}]
stream.on_open = lambda _ws: [stream.subscribe("abcde12345", mode, list(wanted)) for mode in (1, 2, 3)]
stream.on_data = lambda _ws, tick: seen["ticks"].append(tick)
updates = SmartWebSocketOrderUpdate(tokens["jwtToken"], given["api_key"], given["client_code"], tokens["feedToken"])
updates.on_message = lambda _ws, message: seen["frames"].append(json.loads(message))
for socket in (stream, updates):
    threading.Thread(target=socket.connect, daemon=True).start()
until(lambda: len(seen["ticks"]) == 3 and seen["frames"])

bought = api.placeOrder(terms(ordertag="SDKBUY"))
resting = api.placeOrderFullResponse(terms(price="90", ordertag="SDKREST"))["data"]
changed = terms(orderid=resting["orderid"], price="91", quantity="130")
seen["modified"] = api.modifyOrder(changed)
stop = terms(
    variety="STOPLOSS",
    ordertype="STOPLOSS_LIMIT",
    transactiontype="SELL",
    price="95",
    triggerprice="97",
    ordertag="SDKSTOP",
)
stopped = api.placeOrder(stop)
refused = api.placeOrder(terms(quantity="1", ordertag="SDKBAD"))
seen["cancelled"] = api.cancelOrder(resting["orderid"], "NORMAL")
seen["no_order"] = api.placeOrder(terms(variety="ROBO"))
show(9680)
until(lambda: any(row["orderData"]["orderid"] == stopped and row["order-status"] == "AB05" for row in seen["frames"]))
seen["orderids"] = {"SDKBUY": bought, "SDKREST": resting["orderid"], "SDKSTOP": stopped, "SDKBAD": refused}
seen["book"] = api.orderBook()["data"]
seen["trades"] = api.tradeBook()["data"]
seen["positions"] = api.position()["data"]
seen["one"] = api.individual_order_details(resting["uniqueorderid"])["data"]
leg = {
    "exchange": contract["segment"],
    "qty": 65,
    "price": 0,
    "productType": "CARRYFORWARD",
    "token": contract["token"],
    "tradeType": "SELL",
    "orderType": "LIMIT",
}
seen["margin"] = api.getMarginApi({"positions": [leg]})["data"]
seen["candles"] = api.getCandleData(
    {
        "exchange": contract["segment"],
        "symboltoken": contract["token"],
        "interval": "ONE_DAY",
        "fromdate": task["day"] + " 09:15",
        "todate": task["day"] + " 15:30",
    }
)["data"]
seen["rules"] = api.gttLists(["FORALL"], 1, 10)
seen["renewed"] = api.generateToken(api.refresh_token)["status"]
seen["out"] = api.terminateSession(given["client_code"])["status"]
seen["after"] = api.rmsLimit()
print(json.dumps(seen))
sys.stdout.flush()
