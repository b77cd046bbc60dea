"""Run by the SDK's own interpreter: frames in as hex, what its parser makes of each out as JSON."""

import json
import sys
import time
from datetime import datetime

from kiteconnect import KiteTicker


def seconds(moment):
    return int(time.mktime(moment.timetuple())) if isinstance(moment, datetime) else str(moment)


ticker = KiteTicker("key", "access")
parsed = [ticker._parse_binary(bytes.fromhex(frame)) for frame in json.load(sys.stdin)]
print(json.dumps(parsed, default=seconds))
