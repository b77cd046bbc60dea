"""Run by the SDK's own interpreter: a trader's intents as the SDK puts them on the wire, whatever is answered."""

import json
import sys
import time

from NorenRestApiPy.NorenApi import NorenApi, position

task = json.load(sys.stdin)
tsym, token, tags = task["tsym"], task["token"], task["tags"]
api = NorenApi(host=task["rest_url"] + task["rest_path"], websocket=task["ws_url"] + task["ws_path"])
given = task["credentials"]
api.set_credentials(given["access_token"], given["user_id"], given["user_id"])
api.injectOAuthHeader(given["access_token"], given["user_id"], given["user_id"])

first = api.place_order("B", "M", "NFO", tsym, 65, 0, "LMT", 99.0, remarks=tags[0])["norenordno"]
api.place_order("S", "M", "NFO", tsym, 65, 0, "SL-LMT", 89.0, 90.0, remarks=tags[1])
api.modify_order(first, "NFO", tsym, 130, "LMT", 98.5)
api.cancel_order(first)
api.get_order_book()
api.get_trade_book()
api.get_positions()
api.get_holdings()
api.get_limits()
api.single_order_history(first)
api.get_quotes("NFO", token)
api.get_security_info("NFO", token)
api.get_option_chain("NFO", tsym, 25000, 2)
api.get_time_price_series("NFO", token, task["since"], task["until"], 1)
api.get_daily_price_series("NFO", tsym, task["since"], task["until"])
held = position()
held.prd, held.exch, held.instname, held.symname = "M", "NFO", "OPTIDX", "NIFTY"
held.exd, held.optt, held.strprc = "23-NOV-2026", "CE", "25000"
held.buyqty, held.sellqty, held.netqty = "0", "0", "-65"
api.span_calculator(given["user_id"], [held])

opened, heard = [], []
api.start_websocket(subscribe_callback=heard.append, socket_open_callback=lambda: opened.append(1))
for _ in range(500):
    if opened:
        break
    time.sleep(0.01)
api.subscribe_orders()
api.subscribe("NFO|" + token)
for _ in range(500):
    if heard:
        break
    time.sleep(0.01)
api.unsubscribe("NFO|" + token)
time.sleep(0.1)
api.close_websocket()
print(json.dumps(bool(heard)))
sys.stdout.flush()
