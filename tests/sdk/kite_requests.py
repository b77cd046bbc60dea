"""Run by the SDK's own interpreter: the calls named on its input, one after another, whatever they answer."""

import json
import sys

from kiteconnect import KiteConnect, exceptions

task = json.load(sys.stdin)
kite = KiteConnect(task["credentials"]["api_key"], task["credentials"]["access_token"], root=task["rest_url"])
done = []
for name, terms in task["calls"]:
    try:
        done.append(getattr(kite, name)(**terms))
    except exceptions.KiteException as refusal:
        done.append(str(refusal))
print(json.dumps(done, default=str))
