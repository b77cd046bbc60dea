"""I-10, protection, and O14, hedges last: open positions against the stops and hedges that are really there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from optconsole.engine.model.orders import Side
from optconsole.engine.ports import PlaceRequest
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.broker import Call
from tests.simulation.court import Court, Watcher

UNCOVERED: Final = 20.0
"""Seconds for which a promised stop may be missing untold: a call may be silent for 8, and pauses follow."""
STALE: Final = 15.0
OPENS, CLOSES = time(9, 15), time(15, 29)
Key = tuple[str, str, str]
"""Account, contract and product."""


@dataclass(slots=True)
class Promise:
    """A guard as the journal tells it. ``told``: it is in repair or blind, which an alarm said; ``bare`` since when."""

    sign: int
    wide: bool
    repair: bool = False
    blind: bool = False
    bare: float | None = None


def _key(body: dict[str, Any]) -> Key:
    key = body["key"]
    return key["account"], key["contract"], key["product"]


class Cover(Watcher):
    """Guarded positions: a stop at the exchange where one was promised, an engine that sees, or an alarm."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._promises: dict[Key, Promise] = {}
        self._known: Counter[Key] = Counter()
        self._exits: dict[str, None] = {}
        self._killed = False

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        match row.type:
            case "ProtectionSet":
                self._promises[_key(body)] = Promise(body["sign"], body["wide"] is not None)
            case "ProtectionEnded":
                self._promises.pop(_key(body), None)
            case "ProtectionMoved" if _key(body) in self._promises:
                self._promises[_key(body)].repair = body["state"] == "REPAIR"
            case "ProtectionSight" if _key(body) in self._promises:
                self._promises[_key(body)].blind = body["blind"]
            case "OrderFilled":
                sign = 1 if body["side"] == "BUY" else -1
                self._known[body["account"], body["contract"], body["product"]] += sign * body["qty"]
            case "PositionSettled":
                self._known[body["account"], body["contract"], body["product"]] -= body["qty"]
            case "FlattenBegun":
                self._exits[body["flatten_id"]] = None
            case "FlattenEnded":
                self._exits.pop(body["flatten_id"], None)
            case "KillEngaged" | "KillReleased":
                self._killed = row.type == "KillEngaged"
            case _:
                return

    def tick(self) -> None:
        trading = OPENS <= self.court.clock.now().time() < CLOSES
        if self._exits or self._killed or not trading:
            for promise in self._promises.values():
                promise.bare = None
            return  # whoever is being closed has its stops turned into closing orders: I-18 and I-13 watch that
        for key, promise in self._promises.items():
            self._look(key, promise)

    def _look(self, key: Key, promise: Promise) -> None:
        court = self.court
        size = min(promise.sign * court.truth.net(*key), promise.sign * self._known[key])
        missing = size - self._standing(key, promise) if promise.wide else 0
        sees = court.now - court.quoted_at <= STALE
        if size <= 0 or promise.repair or promise.blind or (missing <= 0 and sees):
            promise.bare = None
            return
        promise.bare = max(court.now, court.still_until) if promise.bare is None else promise.bare
        if court.awake_for(promise.bare) > UNCOVERED:
            promise.bare = court.now + 3600
            what = (
                f"{missing} of {size} {key[1]} lack the stop at the exchange" if missing > 0 else f"{key[1]} is unseen"
            )
            court.breach("I-10", f"{what}, silently")

    def _standing(self, key: Key, promise: Promise) -> int:
        """Units that orders at the exchange would close, those that wait for a trigger and those that trade now."""
        account, contract, product = key
        return sum(
            order.remaining
            for order in self.court.truth.venues[account].books.all_working()
            if order.contract == contract and order.product.value == product and order.side.sign == -promise.sign
        )

    def paused(self, seconds: float) -> None:
        for promise in self._promises.values():
            if promise.bare is not None:
                promise.bare += seconds


class HedgeLast(Watcher):
    """O14: while a kill closes, no bought option is sold that an open short of its kind still leans on."""

    def taken(self, call: Call, broker_id: str) -> None:
        court, request = self.court, call.request
        if call.tag[10] != "K" or not isinstance(request, PlaceRequest) or request.side is not Side.SELL:
            return
        if call.tag in court.outdated:
            return
        right = request.instrument.name[-2:]
        mine = [paper for paper in court.papers.values() if paper.account == call.account and paper.in_doubt]
        if any(paper.doubted or paper.tag[10] != "K" for paper in mine):
            return  # what may have been traded meanwhile nobody can know
        if any(account == call.account and contract.endswith(right) for account, contract in court.others_in):
            return  # what the broker or the phone did is not known at once
        held = [qty for (name, _), qty in court.truth.venues[call.account].held().items() if name.endswith(right)]
        selling = sum(
            order.remaining
            for order in court.truth.venues[call.account].books.all_working()
            if order.side is Side.SELL and order.contract.endswith(right) and order.tag[10:11] == "K"
        )
        longs, shorts = sum(qty for qty in held if qty > 0), -sum(qty for qty in held if qty < 0)
        if shorts and longs - selling < shorts:
            court.breach("O14", f"{call.tag} sells {right} of {longs} while {shorts} are still short")
