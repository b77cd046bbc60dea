"""The judge: reads the exchange's books, the wire and the synced rows of the disk; never the engine's own view."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec

from optconsole.engine.commands import AnyCommand, EngageKill, Reply
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerOrder, BrokerTrade, ModifyRequest, PlaceRequest
from optconsole.engine.store.chain import Chain, StoredEvent
from tests.simulation.broker import Call, Network
from tests.simulation.disk import Disk, payload_of
from tests.simulation.papers import Breach, Paper
from tests.simulation.swarm import Swarm

ENDS: Final = ("OrderCancelled", "OrderRejected", "OrderExpired")
AFTER_AN_END: Final = frozenset(
    {"OrderFilled", "OrderAcknowledged", "OrderChanged", "OrderChangeRefused", "OrderCancelRefused"}
)
WORKING: Final = ("OPEN", "TRIGGER_PENDING", "PARTIAL")
NEEDS_A_FAULT: Final = frozenset(
    {
        "ORPHAN_TRADE",
        "ORDER_UNKNOWN",
        "ORDER_NOT_SENT",
        "POSITION_DRIFT",
        "SETTLEMENT_DIFFERS",
        "BROKER_ROW_REFUSED",
        "LATE_FILL",
    }
)
"""Alarms that have no cause on a day on which nothing failed."""
DOUBT_SECONDS: Final = 15.0
RESEND_SECONDS: Final = 11.0
"""From being doubted (at the latest 8 s after it left) until a purchase may be sent once more: 20 s in all."""
KILL_SECONDS: Final = 10.0
FLATTEN_SECONDS: Final = 40.0
"""A stop may act in the quiet minute too, and the thin market of a simulation needs a while for a large position."""
CLOSING_ROLES: Final = "XKST"
"""Roles in the tag of orders that may only reduce: exit, kill, stop and target."""


class Checker:
    """Collects breaches. Rows arrive when durable, calls when they leave, orders when the exchange takes them."""

    def __init__(self, network: Network, disk: Disk, swarm: Swarm, tolerated: frozenset[str]) -> None:
        self._network, self._disk, self._swarm, self._tolerated = network, disk, swarm, tolerated
        self.breaches: list[Breach] = []
        self.intents = 0
        self.day = 0
        self._papers: dict[str, Paper] = {}
        self._by_tag: dict[str, Paper] = {}
        self._adopted: dict[str, str] = {}
        self._by_hand: set[str] = set()
        self._by_cause: Counter[str] = Counter()
        self._parents: dict[str, int] = {}
        self._causes: set[str] = set()
        self._misled: set[str] = set()
        self._again: dict[str, int] = {}
        self._posts: Counter[str] = Counter()
        self._changes: Counter[tuple[str, str]] = Counter()
        self._fills: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._net: Counter[tuple[str, str]] = Counter()
        self._alarms: list[tuple[str, str]] = []
        self._flattening: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._killed = False
        self._after_kill: set[str] = set()
        self._kill_clock = (0.0, 0)
        self._truth: dict[str, BrokerOrder] = {}
        self._true_trades: dict[tuple[str, str], BrokerTrade] = {}
        self._chain = Chain()
        self._foreign: set[str] = set()
        disk.watch(self.stored)

    def breach(self, invariant: str, text: str, known: str = "") -> None:
        """Note a breach, unless it is one of the ``known`` gaps that this run tolerates."""
        if known and known in self._tolerated:
            return
        self.breaches.append(Breach(invariant, text, self.day, self._network.loop.time()))

    # ------------------------------------------------------------ durable rows

    def stored(self, row: StoredEvent) -> None:
        """A row became durable."""
        fault = self._chain.fault(row)
        if fault is not None:
            self.breach("I-22", f"the chain breaks at its end: {fault}")
        body = payload_of(row)
        self._causes.add(row.cause)
        self._noted(row, body)
        if body.get("order_id") in self._papers and row.type != "OrderIntended":
            self._happened(self._papers[body["order_id"]], row, body)
        if row.type == "OrderFilled":
            self._filled(body)

    def _noted(self, row: StoredEvent, body: dict[str, Any]) -> None:
        """Rows about more than one order of ours."""
        match row.type:
            case "OrderIntended":
                self._intended(row, body)
            case "ParentOpened":
                self._parents[body["parent_id"]] = body["terms"]["qty"]
                self._once(row.cause, body["terms"]["note"] != "reverse")
            case "OrderAdopted":
                self._taken_in(body)
            case "OrderCancelAsked" | "OrderChangeAsked" if body["order_id"] in self._adopted:
                if body.get("why", "asked") == "asked":
                    self._by_hand.add(self._adopted[body["order_id"]])
            case "NoticeRaised" if body["level"] == "alarm":
                self._alarm(body)
            case "PositionSettled":
                self._net[body["contract"], body["product"]] -= body["qty"]
            case _:
                self._switched(row, body)

    def _switched(self, row: StoredEvent, body: dict[str, Any]) -> None:
        """Rows that begin or end something that holds for a while."""
        match row.type:
            case "FlattenBegun":
                self._flattening[body["flatten_id"]] = body["why"]
                self._begun[body["flatten_id"]] = self._network.loop.time()
            case "FlattenEnded":
                self._flattening.pop(body["flatten_id"], None)
            case "KillEngaged" | "KillReleased":
                self._killed = row.type == "KillEngaged"
                self._restart_kill_clock()
            case "EngineStarted":
                for paper in self._papers.values():
                    paper.sent_at = None  # what an earlier life sent is the reconcile's business
                self._restart_kill_clock()

    def _restart_kill_clock(self) -> None:
        self._kill_clock = (self._network.loop.time(), self._swarm.done.total())

    def _taken_in(self, body: dict[str, Any]) -> None:
        self._adopted[body["order_id"]] = body["broker_id"]
        self._foreign.add(body["terms"]["contract"])
        if body["tag"] in self._by_tag:
            self.breach("I-24", f"our own order {body['tag']} was adopted as a foreign one")

    def _intended(self, row: StoredEvent, body: dict[str, Any]) -> None:
        self.intents += 1
        tag = body["tag"]
        if tag in self._by_tag:
            self.breach("I-2", f"tag {tag} was given to two intents")
        paper = Paper(body["order_id"], tag, row.cause, body["terms"], body["parent"])
        self._papers[paper.order_id] = self._by_tag[tag] = paper
        # parts of one parent and members of one group follow from their own fact
        self._once(row.cause, tag[10] not in CLOSING_ROLES and not body["parent"])

    def _once(self, cause: str, counts: bool) -> None:
        """A command becomes one order, or one parent of several."""
        self._by_cause[cause] += counts
        if self._by_cause[cause] > 1:
            self.breach("I-2", f"command {cause} became more than one order", known="resent-command")

    def _capped(self, parent: str) -> None:
        """What the exchange has of all parts of a parent never exceeds the parent (B22)."""
        tags = {paper.tag for paper in self._papers.values() if paper.parent == parent}
        rows = [row for row in self._network.exchange._books.orders.values() if row.tag in tags]
        total = sum(row.filled if row.status.final else row.qty for row in rows)
        if total > self._parents[parent]:
            self.breach("B22", f"the parts of {parent} may fill {total} of {self._parents[parent]}")

    def _alarm(self, body: dict[str, Any]) -> None:
        code = body["code"]
        self._alarms.append((code, body["text"]))
        if self._swarm.quiet and code in NEEDS_A_FAULT:
            self.breach("I-27", f"alarm {code} on a day without faults: {body['text']}")
        if code == "BROKER_ROW_REFUSED":
            self.breach("I-6", f"the engine could not take a broker's row: {body['text']}", known="refused-row")

    def _happened(self, paper: Paper, row: StoredEvent, body: dict[str, Any]) -> None:
        if paper.ended and row.type not in AFTER_AN_END:
            self.breach("I-6", f"{row.type} after {paper.ended} of {paper.order_id}")
        match row.type:
            case "OrderSent":
                if paper.sent:
                    self.breach("I-3", f"{paper.order_id} was sent a second time")
                paper.sent, paper.sent_at = True, self._network.loop.time()
            case "OrderDoubted":
                paper.doubted, paper.sent_at = True, None
                paper.doubted_at = self._network.loop.time()
            case "OrderAcknowledged":
                paper.broker_id, paper.doubted, paper.sent_at = body["broker_id"], False, None
                self._restart_kill_clock()  # a late arrival has ten seconds of its own
            case "OrderChangeAsked" | "OrderCancelAsked":
                paper.asks["modify" if row.type == "OrderChangeAsked" else "cancel"] += 1
                paper.open_asks = 1
            case "OrderChanged" | "OrderChangeRefused" | "OrderCancelRefused":
                paper.open_asks = 0
            case "OrderCancelled" | "OrderRejected" | "OrderExpired":
                paper.ended, paper.open_asks, paper.sent_at = row.type, 0, None
                self._ended(paper)

    def _ended(self, paper: Paper) -> None:
        """I-4 at the moment an order is declared dead."""
        for order in self._true_orders(paper.tag):
            if order.status in WORKING:
                self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and {order.status} there")
            elif paper.ended == "OrderRejected" and order.filled:
                self.breach("I-4", f"{paper.order_id} is rejected in the journal and traded {order.filled} there")

    def _filled(self, body: dict[str, Any]) -> None:
        key = (body["account"], body["traded_at"][:10], body["trade_id"])
        if key in self._fills:
            self.breach("I-7", f"trade {key} is counted twice")
        self._fills[key] = body
        sign = 1 if body["side"] == "BUY" else -1
        self._net[body["contract"], body["product"]] += sign * body["qty"]
        paper = self._papers.get(body["order_id"])
        if paper is not None:
            paper.filled += body["qty"]

    # ------------------------------------------------------------ deadlines

    def watch(self) -> None:
        """What must have happened by now."""
        now = self._network.loop.time()
        for paper in self._papers.values():
            if paper.sent_at is not None and now - paper.sent_at > DOUBT_SECONDS:
                paper.sent_at = None
                self.breach("I-17", f"{paper.order_id} has been on its way for more than {DOUBT_SECONDS:.0f} s")
        since, faults = self._kill_clock
        calm = self._swarm.done.total() == faults and not self._doubt()
        if self._killed and calm and now - since > KILL_SECONDS:
            self._none_works(f"{KILL_SECONDS:.0f} s after the kill")

    def _doubt(self) -> bool:
        return any(paper.sent and not paper.ended and not paper.broker_id for paper in self._papers.values())

    def _none_works(self, when: str) -> None:
        """No entry of ours works. One that left after the kill was judged on the wire: it could only reduce."""
        for row in self._network.exchange._books.all_working():
            waits = row.tag[10:11] == "S" and row.status == "TRIGGER_PENDING"
            closes = row.tag[10:11] in CLOSING_ROLES and not waits
            if row.tag and not closes and row.tag not in self._after_kill:
                self.breach("I-13", f"{row.tag} still works {when}")

    # ------------------------------------------------------------ the wire

    def left(self, call: Call) -> None:
        """A call leaves the engine: what it does must be durable, ours, and allowed."""
        if call.verb == "place":
            self._post_left(call)
            return
        order = self._network.exchange._books.find(call.broker_id)
        paper = self._by_tag.get(order.tag) if order is not None and order.tag else None
        if paper is None:
            by_hand = "foreign-by-hand" if call.broker_id in self._by_hand else ""
            self.breach("I-24", f"{call.verb} of {call.broker_id}, an order that is not ours", by_hand)
            return
        self._changes[paper.order_id, call.verb] += 1
        # a kill that the store refuses still cancels: the one effect that may leave before it is durable
        by_latch = call.verb == "cancel" and self._swarm.done["store.fail"] > 0
        if self._changes[paper.order_id, call.verb] > paper.asks[call.verb] and not by_latch:
            self.breach("I-1", f"{call.verb} of {paper.order_id} left before it was durable")
        if self._killed and isinstance(call.request, ModifyRequest) and order is not None:
            grows = call.request.qty > order.qty
            if grows and not self._reduces(order.contract, order.product, order.side, call.request.qty - order.filled):
                self.breach("I-13", f"{paper.order_id} was made larger after the kill")

    def _post_left(self, call: Call) -> None:
        request = call.request
        assert isinstance(request, PlaceRequest)
        key = (request.instrument.name, request.product)
        if self._net[key[0], key[1].value] != self._network.exchange._books.net(*key):
            self._misled.add(call.tag)  # the wire kept fills from the engine: it judged by an older book
        self._posts[call.tag] += 1
        if self._posts[call.tag] > 1:
            self.breach("I-3", f"tag {call.tag} was posted {self._posts[call.tag]} times")
        if self._killed:
            self._after_kill.add(call.tag)
        paper = self._by_tag.get(call.tag)
        if paper is None or not paper.sent:
            self.breach("I-1", f"{call.tag} left before its send was durable")
        self._again[call.tag] = self._sent_once_more(request)
        if self._again[call.tag]:
            return
        if self._killed and not self._reduces(request.instrument.name, request.product, request.side, request.qty):
            known = "stale-position" if call.tag in self._misled else ""
            self.breach("I-13", f"{call.tag} {request.side} {request.qty} left after the kill", known)

    def _sent_once_more(self, request: PlaceRequest) -> int:
        """The marked exception of I-11: units of one purchase, long in doubt, that may be sent once more to close."""
        if request.side is not Side.BUY or request.tag[10] not in CLOSING_ROLES:
            return 0
        now, terms = self._network.loop.time(), (request.instrument.name, request.product.value, "BUY")
        doubts = (
            paper.terms["qty"]
            for paper in self._papers.values()
            if paper.doubted
            and not paper.ended
            and now - paper.doubted_at >= RESEND_SECONDS
            and (paper.terms["contract"], paper.terms["product"], paper.terms["side"]) == terms
        )
        return max(doubts, default=0)

    def _reduces(self, contract: str, product: Any, side: Side, qty: int) -> bool:
        held = self._network.exchange._books.net(contract, product)
        return held * side.sign < 0 and qty <= abs(held)

    def arriving(self, call: Call) -> int:
        """Units that a closing order may still close as it reaches the exchange.

        What the trader ordered after it is the trader's own wish: its fills are added back, its rest not counted.
        """
        request = call.request
        if call.verb != "place" or not isinstance(request, PlaceRequest):
            return 0
        books, counter = self._network.exchange._books, call.tag[4:10]
        same = [
            row
            for row in books.orders.values()
            if (row.contract, row.product, row.side) == (request.instrument.name, request.product, request.side)
        ]
        held = -request.side.sign * books.net(request.instrument.name, request.product)
        later = sum(row.filled for row in same if row.tag[4:10] > counter)
        earlier = sum(row.remaining for row in same if row.tag[4:10] <= counter and not row.status.final)
        return max(held + later - earlier, 0)

    def taken(self, call: Call, broker_id: str, room: int) -> None:
        """The exchange accepted a call. ``room`` is what ``arriving`` said before."""
        if call.verb != "place" or not isinstance(call.request, PlaceRequest):
            return
        alive = [row for row in self._true_orders(call.tag) if row.status != "REJECTED"]
        if len(alive) > 1:
            self.breach("I-2", f"tag {call.tag} has {len(alive)} orders at the broker")
        paper = self._by_tag.get(call.tag)
        if paper is not None and paper.ended in ("OrderRejected", "OrderExpired"):
            self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and was taken at the broker")
        if paper is not None and paper.parent in self._parents:
            self._capped(paper.parent)
        contract = call.request.instrument.name
        over = call.tag[10] in CLOSING_ROLES and call.request.qty > room + self._again.get(call.tag, 0)
        if over and contract not in self._foreign:
            known = "stale-position" if call.tag in self._misled else ""
            self.breach("I-11", f"{call.tag} closes {call.request.qty} {contract}, {room} may be closed", known)

    def foreign(self, contract: str) -> None:
        """Somebody else trades this contract in the account: the mark on the exceptions of I-11."""
        self._foreign.add(contract)

    def answered(self, command: AnyCommand, reply: Reply) -> None:
        """I-22: a command that was answered left a fact that names it."""
        if command.id in self._causes or reply.code in ("STORE_FAILED", "INTERNAL"):
            if reply.code == "INTERNAL":
                self.breach("I-22", f"{type(command).__name__} {command.id} met a defect: {reply.text}")
            return
        if isinstance(command, EngageKill) and reply.text.startswith("Kill latched"):
            return  # the store refuses: the latch stands beside the journal until it takes the kill
        self.breach("I-22", f"{type(command).__name__} {command.id} was answered and left no fact", "silent-command")

    # ------------------------------------------------------------ the books

    def look(self) -> None:
        """Remember the exchange's books: it forgets them overnight."""
        now = self._network.books()
        self._truth.update((row.broker_id, row) for row in now.orders)
        self._true_trades.update(((row.at.date().isoformat(), row.trade_id), row) for row in now.trades)

    def _true_orders(self, tag: str) -> list[BrokerOrder]:
        rows = self._network.exchange._books.orders.values()
        found = {row.broker_id: row.row() for row in rows if row.tag == tag}
        return list({**{k: row for k, row in self._truth.items() if row.tag == tag}, **found}.values())

    def reconciled(self) -> None:
        """After a reconcile that nothing disturbed: our book is the broker's."""
        self.look()
        ours = {key: qty for key, qty in self._net.items() if qty}
        held = self._network.exchange._books.holdings
        theirs = {(name, product.value): qty for (name, product), (qty, _cost) in held.items() if qty}
        if ours != theirs:
            self.breach("I-5", f"the journal's fills give {ours}, the broker holds {theirs}")
        self._same_trades()
        for tag, paper in self._by_tag.items():
            self._same_order(tag, paper)

    def _same_trades(self) -> None:
        counted = {(day, trade): body for (_account, day, trade), body in self._fills.items()}
        for key, body in counted.items():
            row = self._true_trades.get(key)
            if row is None or (row.qty, row.price) != (body["qty"], body["price"]):
                self.breach("I-7", f"trade {key} of the journal is not the exchange's")
        for key in self._true_trades.keys() - counted.keys():
            self.breach("I-5", f"trade {key} of the exchange is not in the journal")

    def _same_order(self, tag: str, paper: Paper) -> None:
        rows = self._true_orders(tag)
        for row in rows:
            if paper.ended and row.status in WORKING:
                self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and {row.status} there")
            if paper.filled > row.filled:
                self.breach("I-6", f"{paper.order_id} has {paper.filled} filled in the journal, {row.filled} there")
            if not paper.ended and not paper.broker_id:
                self.breach("I-18", f"{paper.order_id} is at the broker and still in doubt")
        if not rows and paper.sent and not paper.ended and not paper.doubted:
            self.breach("I-17", f"{paper.order_id} is unanswered and not in doubt")

    def quiet(self) -> None:
        """A minute after the last fault and a clean reconcile: nothing hangs, a kill has done its work."""
        doubted = self._doubt()
        for paper in self._papers.values():
            if paper.open_asks and not paper.ended and self._alive(paper.tag):
                self.breach("I-18", f"a change of {paper.order_id} was never answered", known="accepted-cancel")
        others = any(not row.tag for row in self._network.exchange._books.all_working())
        now = self._network.loop.time()
        late = {name: why for name, why in self._flattening.items() if now - self._begun[name] > FLATTEN_SECONDS}
        if late and not doubted and not others:  # an order of ours may not trade with one of theirs
            self.breach("I-18", f"flattens never ended: {late}", known="stuck-flatten")
        if not self._killed or doubted:
            return
        self._none_works("after the quiet minute")
        books = self._network.exchange._books
        closing = [row.tag for row in books.all_working() if row.tag and row.tag[10] in CLOSING_ROLES]
        if closing:
            self.breach("I-13", f"killed, and closing orders still work: {closing}", known="kill-unwatched")
        held = {name: qty for (name, _product), (qty, _cost) in books.holdings.items() if qty}
        alarmed = any(code in ("NOT_FLAT", "ORDER_REJECTED", "ORDER_NOT_SENT") for code, _text in self._alarms)
        if held and not alarmed and not self._foreign & held.keys():
            self.breach("I-13", f"killed, silent, and still open: {held}", known="kill-unwatched")

    def shown(self, state: TradingState) -> None:
        """What consoles are shown after a clean reconcile is what the broker has."""
        for order in state.orders.values():
            rows = self._true_orders(order.tag) if order.tag else []
            for row in rows:
                if order.filled != row.filled:
                    self.breach("I-6", f"{order.id} shows {order.filled} filled, the broker has {row.filled}")
                elif order.status.final != row.status.final:
                    self.breach("I-6", f"{order.id} shows {order.status}, the broker has {row.status}")
        held = self._network.exchange._books.holdings
        theirs = {(name, product): qty for (name, product), (qty, _cost) in held.items() if qty}
        shown = {(row.key.contract, row.key.product): row.qty for row in state.positions.values() if row.qty}
        if shown != theirs:
            self.breach("I-5", f"consoles show {shown}, the broker holds {theirs}")

    def _alive(self, tag: str) -> bool:
        return any(row.status in WORKING for row in self._true_orders(tag))

    def replayed(self, live: tuple[int, str], replay: str) -> None:
        """I-8: the fold of the stored facts is the state that was live."""
        if live[1] != replay:
            self.breach("I-8", f"replaying {live[0]} facts does not give the state that was live")

    def trace(self) -> bytes:
        """What identifies this run: every durable row and every call."""
        calls = [(call.at, call.life, call.verb, call.tag, call.broker_id) for call in self._network.calls]
        return msgspec.json.encode((self._chain.head, calls, self._network.loop.turns))
