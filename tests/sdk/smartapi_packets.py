"""Run by the SDK's own interpreter: packets in as hex, what its parser makes of each out as JSON."""

import json
import sys

import logzero
from SmartApi.smartWebSocketV2 import SmartWebSocketV2

logzero.loglevel(100)
parser = SmartWebSocketV2("auth", "key", "client", "feed")
parsed = [parser._parse_binary_data(bytes.fromhex(packet)) for packet in json.load(sys.stdin)]
print(json.dumps(parsed))
