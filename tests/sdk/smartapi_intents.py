"""Run by the SDK's own interpreter: orders, changes, reads and subscriptions as its documentation writes them."""

import json
import sys
import threading
import time

import logzero
from SmartApi.smartConnect import SmartConnect
from SmartApi.smartWebSocketV2 import SmartWebSocketV2

logzero.loglevel(100)
task = json.load(sys.stdin)
contract = {"tradingsymbol": task["symbol"], "symboltoken": task["token"], "exchange": "NFO"}
SmartConnect._rootUrl = task["rest_url"]
SmartWebSocketV2.ROOT_URI = task["ws_url"] + "/smart-stream"

api = SmartConnect("demo_key", access_token="J.W.T", refresh_token="R.T", feed_token="F.T", userId="A1")
terms = {
    **contract,
    "variety": "NORMAL",
    "transactiontype": "BUY",
    "ordertype": "LIMIT",
    "producttype": "CARRYFORWARD",
    "duration": "DAY",
    "price": "123.45",
    "squareoff": "0",
    "stoploss": "0",
    "quantity": "65",
}
stop = {"variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "transactiontype": "SELL"}
api.placeOrder({**terms, "ordertag": task["tags"][0]})
api.placeOrder({**terms, **stop, "price": "121.00", "triggerprice": "121.50", "ordertag": task["tags"][1]})
changed = {**terms, "orderid": task["order"], "price": "124.00", "quantity": "130"}
for unasked in ("transactiontype", "squareoff", "stoploss"):
    del changed[unasked]
api.modifyOrder(changed)
api.cancelOrder(task["order"], "NORMAL")
api.orderBook()
api.tradeBook()
api.position()
api.rmsLimit()
api.holding()
api.getMarketData("FULL", {"NFO": [task["token"]]})
api.getCandleData(
    {
        "exchange": "NFO",
        "symboltoken": task["token"],
        "interval": "ONE_MINUTE",
        "fromdate": "2026-11-24 09:15",
        "todate": "2026-11-24 15:30",
    }
)
leg = {"exchange": "NFO", "qty": 65, "price": 123.45, "productType": "CARRYFORWARD", "token": task["token"]}
api.getMarginApi({"positions": [{**leg, "tradeType": "SELL", "orderType": "LIMIT"}]})

opened = threading.Event()
stream = SmartWebSocketV2("Bearer J.W.T", "demo_key", "A1", "F.T")


def subscribe(_ws):
    stream.subscribe("abcde12345", 3, [{"exchangeType": 2, "tokens": [task["token"]]}])
    stream.unsubscribe("abcde12345", 3, [{"exchangeType": 2, "tokens": [task["token"]]}])
    time.sleep(0.3)
    opened.set()


stream.on_open = subscribe
threading.Thread(target=stream.connect, daemon=True).start()
opened.wait(20)
print(json.dumps(opened.is_set()), flush=True)
stream.close_connection()
