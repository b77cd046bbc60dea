"""The fault verbs: where each may strike and how often; the names follow the reliability catalogue.

``rest.VERB(op)`` of the catalogue is ``op.verb`` here: ``place`` one order, ``change`` a modification or a
cancellation, ``read`` the books.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CALLS: Final = (
    "place.reject",
    "place.drop",
    "place.accept_drop",
    "place.late",
    "place.lied",
    "place.429",
    "place.not_sent",
    "place.slow",
    "place.trickle",
    "change.drop",
    "change.accept_drop",
    "change.late",
    "change.429",
    "change.not_sent",
    "change.slow",
    "change.trickle",
)
"""``lied`` is an error answer to an order that was placed; ``trickle`` an answer that comes about the deadline."""
READS: Final = (
    "read.unreachable",
    "read.stale",
    "read.partial",
    "read.empty",
    "read.429",
    "read.slow",
    "read.trickle",
)
STREAM: Final = (
    "ws.dup",
    "ws.delay",
    "ws.lose",
    "ws.word",
    "ws.garbage",
    "ws.impossible",
    "ws.freeze",
    "ws.drop",
)
"""``delay`` reorders, ``word`` is a status new to us, ``garbage`` a frame that cannot be decoded and ``impossible`` a
row that can, ``freeze`` silence on an open connection, ``drop`` a connection that is gone for a while."""
ACCOUNT: Final = ("auth.revoke", "net.dns_fail")
REMOTE: Final = (*CALLS, *READS, *STREAM, *ACCOUNT)
"""What a broker behind a network does."""
EMBEDDED: Final = ("place.reject", "place.slow", "change.slow", "read.slow", "read.unreachable", "ws.dup")
"""What an exchange in our own process can do: its calls arrive or die with us, its book is proof."""
EXCHANGE: Final = (
    "ex.reject_after_ack",
    "ex.reject_at_trigger",
    "ex.never_fill",
    "ex.broker_closes",
    "ex.freeze_limit",
    "ex.band",
    "ex.foreign",
    "ex.clone",
)
"""What exchange, risk desk and other people at the account do. ``clone`` is a second order under a tag of ours."""
MARKET: Final = ("px.freeze", "px.gap", "px.halt", "px.stale_quote", "px.bad_tick")
"""``freeze`` and the last two are the engine's feed alone; at the exchange trading goes on."""
STRATEGIES: Final = ("px.storm", "px.open_gap", "px.dead")
"""What only runs with strategies meet: a move that stops many legs at once, a gap at the open, no feed for minutes."""
HOST: Final = ("store.fail", "store.slow", "store.lock", "host.crash", "host.pause", "host.clock_step")
SHARED: Final = (*MARKET, *HOST)
VERBS: Final = tuple(dict.fromkeys((*REMOTE, *EMBEDDED, *EXCHANGE, *SHARED, *STRATEGIES)))

RATES: Final = (0.02, 0.05, 0.15, 0.3)
RARE: Final[Mapping[str, float]] = {
    "store.fail": 0.01,
    "store.lock": 0.02,
    "host.crash": 0.008,
    "host.pause": 0.03,
    "host.clock_step": 0.03,
    "px.freeze": 0.02,
    "px.gap": 0.02,
    "px.halt": 0.01,
    "px.storm": 0.015,
    "px.open_gap": 0.5,
    "px.dead": 0.004,
    "px.stale_quote": 0.03,
    "px.bad_tick": 0.03,
    "ws.freeze": 0.04,
    "ws.drop": 0.04,
    "auth.revoke": 0.02,
    "net.dns_fail": 0.03,
    "read.unreachable": 0.06,
    "read.429": 0.02,
    "read.trickle": 0.05,
    "read.partial": 0.08,
    "read.empty": 0.08,
    "ex.reject_at_trigger": 0.5,
    "ex.foreign": 0.02,
    "ex.broker_closes": 0.02,
    "ex.never_fill": 0.03,
    "ex.band": 0.02,
}
"""Chances of what is asked for often, or lasts."""
AWAITED: Final[Mapping[str, str]] = {
    "ws.impossible": "a row no exchange can mean is set aside with an alarm, which the judge takes for a defect",
    "ex.clone": "a second order under a tag of ours is counted and told as foreign; the judge takes it for ours",
}
"""Verbs that no run draws yet, and what today's engine lacks to bear them; each has a script among the known gaps."""
