"""Run by the SDK's own interpreter: a trader's day over Noren, and what the SDK saw of it as one line of JSON."""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from NorenRestApiPy.NorenApi import NorenApi, position

task = json.load(sys.stdin)
given, tsym, token = task["credentials"], task["tsym"], task["token"]
seen = {"opened": 0, "errors": [], "ticks": [], "updates": []}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


def code():
    """What the browser is sent back with."""
    try:
        urllib.request.build_opener(NoRedirect).open(task["rest_url"] + task["login_path"])
    except urllib.error.HTTPError as moved:
        query = urllib.parse.urlsplit(moved.headers["location"]).query
        return urllib.parse.parse_qs(query)["code"][0]
    raise SystemExit("the page did not send the browser back")


def until(true):
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise SystemExit("it never became so: " + json.dumps(seen)[-2500:])


def show(ltp):
    """Let the market trade one tick either side of a price in paise."""
    body = {"name": task["name"], "ltp": ltp, "bid": ltp - 5, "bid_qty": 6500, "ask": ltp + 5, "ask_qty": 6500}
    body["prev_close"] = 9500
    headers = {"x-control-token": task["control_token"]}
    url = task["control_url"] + "/show"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()


def place(side, qty, kind, price, tag, trigger=None):
    return api.place_order(side, "M", "NFO", tsym, qty, 0, kind, price, trigger, remarks=tag)


def opened():
    seen["opened"] += 1


def told(tag, status):
    return any(row["remarks"] == tag and row["status"] == status for row in seen["updates"])


api = NorenApi(host=task["rest_url"] + task["rest_path"], websocket=task["ws_url"] + task["ws_path"])
seen["wrong"] = api.getAccessToken("no-such-code", given["api_secret"], given["api_key"], given["user_id"])
seen["login"] = api.getAccessToken(code(), given["api_secret"], given["api_key"], given["user_id"])
seen["empty"] = [api.get_order_book(), api.get_trade_book(), api.get_positions(), api.get_holdings()]
seen["limits"] = api.get_limits()
seen["search"] = api.searchscrip("NFO", "NIFTY 25000 CE")
seen["quote"] = api.get_quotes("NFO", token)
seen["info"] = api.get_security_info("NFO", token)
seen["chain"] = api.get_option_chain("NFO", tsym, 25000, 1)

api.start_websocket(
    subscribe_callback=seen["ticks"].append,
    order_update_callback=seen["updates"].append,
    socket_open_callback=opened,
    socket_error_callback=lambda error: seen["errors"].append(str(error)),
)
until(lambda: seen["opened"])
api.subscribe_orders()
api.subscribe("NFO|" + token)
api.subscribe(["NFO|" + token, "NSE|26000"], feed_type=2)
until(lambda: len(seen["ticks"]) == 3)

bought = place("B", 65, "LMT", 101.0, "SDKBUY")
until(lambda: told("SDKBUY", "COMPLETE"))
resting = place("B", 65, "LMT", 90.0, "SDKREST")
until(lambda: told("SDKREST", "OPEN"))
seen["modified"] = api.modify_order(resting["norenordno"], "NFO", tsym, 130, "LMT", 91.0)
until(lambda: any(row["reporttype"] == "Replaced" for row in seen["updates"]))
seen["cancelled"] = api.cancel_order(resting["norenordno"])
until(lambda: told("SDKREST", "CANCELED"))
stopped = place("S", 65, "SL-LMT", 95.0, "SDKSTOP", 97.0)
until(lambda: told("SDKSTOP", "TRIGGER_PENDING"))
refused = place("B", 1, "LMT", 101.0, "SDKBAD")
until(lambda: told("SDKBAD", "REJECTED"))
seen["market"] = place("B", 65, "MKT", 0.0, "SDKMKT")
show(9680)
until(lambda: told("SDKSTOP", "COMPLETE"))

orders = {"SDKBUY": bought, "SDKREST": resting, "SDKSTOP": stopped, "SDKBAD": refused}
seen["numbers"] = {tag: answer["norenordno"] for tag, answer in orders.items()}
seen["book"] = api.get_order_book()
seen["trades"] = api.get_trade_book()
seen["positions"] = api.get_positions()
seen["history"] = api.single_order_history(bought["norenordno"])
seen["gone"] = api.cancel_order(resting["norenordno"])
seen["exit"] = api.exit_order(bought["norenordno"], "H")
hypothesis = position()
hypothesis.prd, hypothesis.exch, hypothesis.instname, hypothesis.symname = "M", "NFO", "OPTIDX", "NIFTY"
hypothesis.exd, hypothesis.optt, hypothesis.strprc = "23-NOV-2026", "CE", "25000"
hypothesis.buyqty, hypothesis.sellqty, hypothesis.netqty = "0", "0", "-65"
seen["span"] = api.span_calculator(given["user_id"], [hypothesis])
seen["greeks"] = api.option_greek("23-NOV-2026", "25000", "25000", "5", "12", "CE")
seen["minutes"] = api.get_time_price_series("NFO", token, starttime=task["since"], interval=1)
seen["days"] = api.get_daily_price_series("NFO", tsym, task["since"], task["until"])
api.unsubscribe("NFO|" + token)
api.close_websocket()
seen["out"] = api.logout()
api.injectOAuthHeader(seen["login"][0], given["user_id"], given["user_id"])
seen["after"] = api.get_order_book()
print(json.dumps(seen))
sys.stdout.flush()
