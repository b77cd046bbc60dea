"""The judge of a day: reads what the exchange knows and the bytes of the journal, and nothing that the engine says.

Only two things are taken from the engine, to be compared: what it answered to commands, and what it shows consoles.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from optconsole.engine.commands import PlaceOrder
from optconsole.engine.model.book import TradingState
from optconsole.engine.state import apply, digest
from optconsole.engine.store.codec import decode
from tests.crash import wire
from tests.crash.trader import Heard

COLUMNS: Final = "seq, stream, version, type, at_ist, at_utc, actor, cause, payload, prev_hash, hash"
DEAD: Final = ("OrderCancelled", "OrderRejected", "OrderExpired")
WORKING: Final = ("OPEN", "TRIGGER_PENDING", "PARTIAL")
CLOSING_ROLES: Final = "XK"


@dataclass
class Paper:
    """One order as the journal tells it."""

    order_id: str
    tag: str
    cause: str
    contract: str
    sent: bool = False
    acknowledged: bool = False
    ended: str = ""
    filled: int = 0
    asked: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Row:
    """A row of the journal with its payload decoded."""

    seq: int
    type: str
    actor: str
    cause: str
    at_ist: str
    payload: str
    body: dict[str, Any]


def stored_rows(path: Path) -> tuple[list[Row], list[str]]:
    """The journal's rows and the faults of its chain, recomputed here from the columns."""
    rows, faults = [], []
    head = ""
    with sqlite3.connect(path) as store:
        for place, row in enumerate(store.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq"), start=1):
            said = msgspec.json.encode((row[9], *row[:9]))
            if row[0] != place or row[9] != head or hashlib.sha256(said).hexdigest() != row[10]:
                faults.append(f"row {row[0]} does not follow from the one before")
            head = row[10]
            rows.append(Row(row[0], row[3], row[6], row[7], row[4], row[8], msgspec.json.decode(row[8])))
    store.close()
    return rows, faults


def replayed(rows: list[Row], upto: int) -> str:
    """The digest of the fold of the first ``upto`` rows."""
    state = TradingState()
    for row in rows[:upto]:
        apply(state, decode(row.seq, row.at_ist, row.actor, row.cause, row.payload))
    return digest(state)


class Checker:
    """Collects breaches of one day, each as ``I-n: what``."""

    def __init__(self, truth: wire.Truth, journal: Path, heard: Heard, shown: TradingState, strikes: int = 1) -> None:
        self.breaches: list[str] = []
        self._truth, self._heard, self._shown, self._strikes = truth, heard, shown, strikes
        self._rows, faults = stored_rows(journal)
        for fault in faults:
            self.breach("I-22", fault)
        self.papers: dict[str, Paper] = {}
        self._by_tag: dict[str, Paper] = {}
        self._read()

    def breach(self, invariant: str, text: str) -> None:
        """Note one."""
        self.breaches.append(f"{invariant}: {text}")

    @property
    def types(self) -> frozenset[str]:
        """Kinds of facts that the day left."""
        return frozenset(row.type for row in self._rows)

    @property
    def doubt(self) -> list[Paper]:
        """Orders of which the journal does not say what became of them."""
        return [paper for paper in self.papers.values() if paper.sent and not paper.ended and not paper.acknowledged]

    def judge(self) -> list[str]:
        """All invariants; what they found."""
        for check in (
            self._calls,
            self._one_order_each,
            self._none_dead_alive,
            self._none_lost_silently,
            self._fills,
            self._kill,
            self._flat,
            self._answers,
            self._replay,
            self._shown_truth,
            self._ends,
        ):
            check()
        return self.breaches

    # ------------------------------------------------------------ the journal

    def _read(self) -> None:
        for row in self._rows:
            order_id = row.body.get("order_id", "")
            if row.type == "OrderIntended":
                tag = row.body["tag"]
                if tag in self._by_tag:
                    self.breach("I-2", f"tag {tag} was given to two intents")
                self.papers[order_id] = self._by_tag[tag] = Paper(
                    order_id, tag, row.cause, row.body["terms"]["contract"]
                )
            elif order_id in self.papers:
                self._happened(self.papers[order_id], row)

    def _happened(self, paper: Paper, row: Row) -> None:
        match row.type:
            case "OrderSent":
                if paper.sent:
                    self.breach("I-3", f"{paper.order_id} was sent a second time")
                paper.sent = True
            case "OrderAcknowledged":
                paper.acknowledged = True
            case "OrderFilled":
                paper.filled += row.body["qty"]
            case "OrderChangeAsked":
                paper.asked["modify"] += 1
            case "OrderCancelAsked":
                paper.asked["cancel"] += 1
            case kind if kind in DEAD:
                if paper.ended:
                    self.breach("I-6", f"{paper.order_id} is {kind} after {paper.ended}")
                paper.ended = kind

    # ------------------------------------------------------------ the wire

    def _calls(self) -> None:
        """Durable before it left, ours, once, and no closing order larger than what it could close."""
        left: Counter[tuple[str, str]] = Counter()
        for call in self._truth.calls:
            paper = self._by_tag.get(call.tag)
            left[call.verb, call.tag] += 1
            if paper is None:
                self.breach("I-1", f"{call.verb} {call.tag} has no intent in the journal")
                continue
            if not call.durable:
                self.breach("I-1", f"{call.verb} of {paper.order_id} arrived before the journal showed it")
            if call.verb == "place" and left[call.verb, call.tag] > 1:
                self.breach("I-3", f"{paper.order_id} was posted {left[call.verb, call.tag]} times")
            if call.verb != "place" and left[call.verb, call.tag] > paper.asked[call.verb]:
                self.breach("I-1", f"{call.verb} of {paper.order_id} left more often than it was asked")
            if call.verb == "place" and call.tag[10] in CLOSING_ROLES and call.qty > call.room:
                self.breach("I-11", f"{paper.order_id} closes {call.qty}, {call.room} could be closed")

    def _one_order_each(self) -> None:
        """One broker order a tag, one accepted entry a command, none without intent and send."""
        alive = [row for row in self._truth.books.orders if row.status != "REJECTED"]
        for tag, count in Counter(row.tag for row in alive).items():
            if count > 1:
                self.breach("I-2", f"tag {tag} has {count} orders at the exchange")
        for row in alive:
            paper = self._by_tag.get(row.tag)
            if paper is None or not paper.sent:
                self.breach("I-1", f"the exchange holds {row.tag}, of which the journal has no intent or no send")
        entries = [paper for paper in self.papers.values() if paper.tag[10] not in CLOSING_ROLES]
        for cause, count in Counter(paper.cause for paper in entries).items():
            if count > 1:
                self.breach("I-2", f"command {cause} became {count} orders")

    def _none_dead_alive(self) -> None:
        there = {row.tag: row for row in self._truth.books.orders}
        for paper in self.papers.values():
            row = there.get(paper.tag)
            if row is None:
                if paper.acknowledged and not paper.ended:
                    self.breach("I-4", f"{paper.order_id} works in the journal and is unknown at the exchange")
                continue
            if paper.ended and row.status in WORKING:
                self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and {row.status} there")
            if paper.ended in ("OrderRejected", "OrderExpired") and row.status not in ("REJECTED", "EXPIRED"):
                self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and {row.status} there")
            if not paper.ended and row.status in ("CANCELLED", "REJECTED", "EXPIRED"):
                self.breach("I-18", f"{paper.order_id} goes on in the journal and is {row.status} there")
            if not paper.acknowledged and not paper.ended:
                self.breach("I-18", f"{paper.order_id} is at the exchange and still in doubt")

    def _none_lost_silently(self) -> None:
        """An order that never arrived, or of which nobody knows, has told the trader so."""
        there = {row.tag for row in self._truth.books.orders}
        told = {(row.body["code"], row.body["subject"]) for row in self._rows if row.type == "NoticeRaised"}
        for paper in self.papers.values():
            lost = paper.ended == "OrderExpired" and paper.tag not in there
            doubted = paper.sent and not paper.ended and not paper.acknowledged
            if lost and ("ORDER_NOT_SENT", paper.order_id) not in told:
                self.breach("I-17", f"{paper.order_id} never arrived and nobody was told")
            if doubted and ("ORDER_UNKNOWN", paper.order_id) not in told:
                self.breach("I-17", f"{paper.order_id} is in doubt and nobody was told")

    # ------------------------------------------------------------ the books

    def _fills(self) -> None:
        """The same trades on both sides, and their sums are the positions of both."""
        ours: dict[str, tuple[str, int, int]] = {}
        for row in self._rows:
            if row.type == "OrderFilled":
                if row.body["trade_id"] in ours:
                    self.breach("I-7", f"trade {row.body['trade_id']} is counted twice")
                sign = 1 if row.body["side"] == "BUY" else -1
                ours[row.body["trade_id"]] = (row.body["contract"], sign * row.body["qty"], row.body["price"])
        theirs = {row.trade_id: (row.contract, row.side.sign * row.qty, row.price) for row in self._truth.books.trades}
        if ours != theirs:
            self.breach("I-5", f"fills differ: journal only {_less(ours, theirs)}, exchange only {_less(theirs, ours)}")
        net: Counter[str] = Counter()
        for contract, qty, _price in ours.values():
            net[contract] += qty
        held = {row.contract: row.qty for row in self._truth.books.positions if row.qty}
        if {name: qty for name, qty in net.items() if qty} != held:
            self.breach("I-5", f"the journal's fills give {dict(net)}, the exchange holds {held}")

    def _kill(self) -> None:
        """After a kill only what reduces is intended and entries are refused by its name."""
        killed = False
        room = {call.tag: call.room for call in self._truth.calls if call.verb == "place"}
        for row in self._rows:
            if row.type in ("KillEngaged", "KillReleased"):
                killed = row.type == "KillEngaged"
            elif row.type == "OrderIntended" and killed:
                tag, qty = row.body["tag"], row.body["terms"]["qty"]
                if qty > room.get(tag, qty):
                    self.breach("I-13", f"{row.body['order_id']} adds risk and was intended after the kill")
            elif row.type == "OrderChangeAsked" and killed:
                self.breach("I-13", f"{row.body['order_id']} was changed after the kill")
        for name in ("after-kill", "still-killed"):
            if name in self._heard.replies and self._heard.replies[name].code != "KILLED":
                self.breach("I-13", f"{name} was answered {self._heard.replies[name].code}")

    def _flat(self) -> None:
        """After a kill and after the last flatten nothing works and nothing is open.

        Unless an order is in doubt, or the exit of a flatten, not of a kill, died with the engine and the trader was
        told: that gap has a test of its own.
        """
        lost = self._exits_lost()
        for truth in () if self.doubt else (*self._heard.flat, self._truth):
            working = [row.tag for row in truth.books.orders if row.status in WORKING]
            held = {row.contract: row.qty for row in truth.books.positions if row.qty and row.contract not in lost}
            if working or held:
                self.breach("I-13", f"after a kill or the last flatten {working} work and {held} is open")

    def _exits_lost(self) -> set[str]:
        """Contracts of which a flatten's closing order never arrived, with an alarm that says so."""
        there = {row.tag for row in self._truth.books.orders}
        alarmed = {row.body["subject"] for row in self._rows if row.body.get("level") == "alarm"}
        return {
            paper.contract
            for paper in self.papers.values()
            if paper.tag[10] == "X" and paper.ended == "OrderExpired" and paper.tag not in there
            if paper.order_id in alarmed
        }

    # ------------------------------------------------------------ what the client was told

    def _answers(self) -> None:
        """Each answer is in the journal, under the command's name; nothing promised is lost."""
        causes = {row.cause for row in self._rows}
        for name, reply in self._heard.replies.items():
            if reply.code in ("INTERNAL", "STORE_FAILED", "ENGINE_FAULT"):
                self.breach("I-22", f"{name} met a defect: {reply.text}")
            if name not in causes:
                self.breach("I-22", f"{name} was answered and left no fact")
            if reply.seq > len(self._rows):
                self.breach("I-8", f"{name} was promised fact {reply.seq} of {len(self._rows)}")
            if reply.ok and isinstance(self._heard.commands[name], PlaceOrder):
                intents = [paper for paper in self.papers.values() if paper.cause == name]
                if [paper.order_id for paper in intents] != list(reply.ids):
                    self.breach("I-2", f"{name} was answered {reply.ids} and the journal has {intents}")

    def _replay(self) -> None:
        if replayed(self._rows, self._shown.seq) != digest(self._shown):
            self.breach("I-8", f"the fold of {self._shown.seq} rows is not the state consoles were shown")

    def _shown_truth(self) -> None:
        held = {row.contract: row.qty for row in self._truth.books.positions if row.qty}
        shown = {row.key.contract: row.qty for row in self._shown.positions.values() if row.qty}
        if shown != held:
            self.breach("I-5", f"consoles show {shown}, the exchange holds {held}")
        for row in self._truth.books.orders:
            paper = self._by_tag.get(row.tag)
            if paper is not None and self._shown.orders[paper.order_id].filled != row.filled:
                self.breach("I-6", f"{paper.order_id} shows other fills than the {row.filled} of the exchange")

    def _ends(self) -> None:
        """Engines died by the planned signals only, none was refused its home, and an orderly stop says so."""
        for refusal in self._heard.refusals:
            self.breach("I-8", f"a start was refused: {refusal}")
        odd = [status for status in self._heard.ends if status not in (0, -9)]
        if odd or sum(status != 0 for status in self._heard.ends) > self._strikes:
            self.breach("G5", f"engines ended with {self._heard.ends}")
        stops = sum(row.type == "EngineStopped" for row in self._rows)
        orderly = self._heard.ends.count(0)
        # an engine may be killed after it has said that it stopped
        if not orderly <= stops <= orderly + self._strikes:
            self.breach("H14", f"{stops} stops are in the journal, engines ended with {self._heard.ends}")
        alarms = [row.body["text"] for row in self._rows if row.body.get("code") == "BROKER_ROW_REFUSED"]
        for text in alarms:
            self.breach("I-6", text)


def _less(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in left.items() if right.get(key) != value}
