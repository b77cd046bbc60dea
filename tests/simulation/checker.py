"""The judge: reads the exchanges' books, the wires and the synced rows of the disk; never the engine's own view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from optconsole.engine.commands import AnyCommand, EngageKill, Reply
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Side
from optconsole.engine.ports import ModifyRequest, PlaceRequest
from optconsole.engine.store.chain import Chain, StoredEvent
from tests.simulation.bounds import Bounds, Doubt
from tests.simulation.broker import Call, Wire
from tests.simulation.caps import Limits
from tests.simulation.court import Court, Watcher
from tests.simulation.cover import Cover, HedgeLast
from tests.simulation.disk import Disk, payload_of
from tests.simulation.hours import Hours
from tests.simulation.kernel import SimClock, SimLoop
from tests.simulation.pace import Pace
from tests.simulation.papers import CLOSING_ROLES, Alarm, Paper
from tests.simulation.parents import Parents
from tests.simulation.runs import Runs
from tests.simulation.sight import Drift, Sight
from tests.simulation.swarm import Swarm
from tests.simulation.truth import Truth

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
RESEND_SECONDS: Final = 19.0
"""From the moment a purchase was stored as sent until it may be sent again: 20 s, less a slow store."""
HIDDEN: Final = 10.0
"""Seconds after a look that showed less than the truth, and after others traded, in which an exit may not know it."""
KILL_SECONDS: Final = 10.0
FLATTEN_SECONDS: Final = 40.0
"""A stop may act in the quiet minute too, and the thin market of a simulation needs a while for a large position."""
HOLD_SECONDS: Final = 60.0
SETTLED_DOUBT: Final = ("OrderPresumedAbsent", "OrderDoubtReleased")
"""Rows after which an order that is still unproven no longer stops new entries; it stays watched."""


class Checker(Court):
    """Judges the life of orders. Rows arrive when durable, calls when they leave, orders when an exchange takes them.

    ``watchers`` judge the rest, one invariant each.
    """

    def __init__(
        self,
        wires: Mapping[str, Wire],
        disk: Disk,
        swarm: Swarm,
        loop: SimLoop,
        clock: SimClock,
        tolerated: Collection[str],
        woken: Collection[str],
    ) -> None:
        truth = Truth({account: wire.venue for account, wire in wires.items()})
        super().__init__(loop, clock, truth, swarm, tolerated, woken)
        self.wires = wires
        self.intents = 0
        self._adopted: dict[str, tuple[str, str]] = {}
        self._by_hand: set[tuple[str, str]] = set()
        self._by_cause: Counter[str] = Counter()
        self._causes: set[str] = set()
        self._misled: set[str] = set()
        self._again: dict[str, int] = {}
        self._posts: Counter[str] = Counter()
        self._changes: Counter[tuple[str, str]] = Counter()
        self._fills: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._net: Counter[tuple[str, str, str]] = Counter()
        self._flattening: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._out_of_band: dict[str, float] = {}
        self._killed = False
        self._killed_at = 0.0
        self._after_kill: set[str] = set()
        self._kill_clock = (0.0, 0)
        self._chain = Chain()
        self._seen: Counter[str] = Counter()
        self._kills_asked: set[int] = set()
        self._failed_stores: set[int] = set()
        self.bounds = Bounds(self)
        self.watchers: tuple[Watcher, ...] = (
            Pace(self),
            Limits(self),
            Hours(self),
            Sight(self),
            Drift(self),
            Cover(self),
            HedgeLast(self),
            Doubt(self),
            Parents(self),
            Runs(self),
            self.bounds,
        )
        for wire in wires.values():
            wire.judge = self
        disk.watch(self.stored)

    def paused(self, seconds: float) -> None:
        """The engine could not act for so long: its deadlines move."""
        self.still_until = max(self.still_until, self.now + seconds)
        for paper in self.papers.values():
            if paper.sent_at is not None:
                paper.sent_at += seconds
        for watcher in self.watchers:
            watcher.paused(seconds)

    def clock_off(self) -> None:
        """The machine's clock steps away from the true time."""
        self.stepped_at = self.now

    def closing(self) -> None:
        """The last minutes of the session, without a fault."""
        self._look_at_trades()
        for watcher in self.watchers:
            watcher.settled()

    def tick(self) -> None:
        """A second passed: trades are looked up, deadlines are judged."""
        self._look_at_trades()
        self.watch()
        for watcher in self.watchers:
            watcher.tick()

    def _look_at_trades(self) -> None:
        for account, venue in self.truth.venues.items():
            trades = venue.books.trades
            seen = self._seen[account] if self._seen[account] <= len(trades) else 0
            for trade in trades[seen:]:
                if not trade.tag:
                    self.others_at[account, trade.contract] = self.now
                for watcher in self.watchers:
                    watcher.traded(trade)
            self._seen[account] = len(trades)

    def day_over(self) -> None:
        """The day's end."""
        for watcher in self.watchers:
            watcher.day_over()
        self.swarm.day_over()

    # ------------------------------------------------------------ durable rows

    def stored(self, row: StoredEvent) -> None:
        """A row became durable."""
        fault = self._chain.fault(row)
        if fault is not None:
            self.breach("I-22", f"the chain breaks at its end: {fault}")
        body = payload_of(row)
        self._causes.add(row.cause)
        self._noted(row, body)
        if body.get("order_id") in self.papers and row.type != "OrderIntended":
            self._happened(self.papers[body["order_id"]], row, body)
        if row.type == "OrderFilled":
            self._filled(body)
        if row.type == "OrderChangeRefused" and body.get("code") == "LPP" and body["order_id"] in self.papers:
            self._out_of_band[self.papers[body["order_id"]].parent] = self.now
        for watcher in self.watchers:
            watcher.stored(row, body)

    def _noted(self, row: StoredEvent, body: dict[str, Any]) -> None:
        """Rows about more than one order of ours."""
        match row.type:
            case "OrderIntended":
                self._intended(row, body)
            case "ParentOpened":
                self._once(row.cause, body["terms"]["note"] != "reverse")
            case "OrderAdopted":
                self._taken_in(body)
            case "OrderCancelAsked" | "OrderChangeAsked" if body["order_id"] in self._adopted:
                if body.get("why", "asked") == "asked":
                    self._by_hand.add(self._adopted[body["order_id"]])
            case "NoticeRaised":
                self._alarm(body)
            case "PositionSettled":
                self._net[body["account"], body["contract"], body["product"]] -= body["qty"]
            case _:
                self._switched(row, body)

    def _switched(self, row: StoredEvent, body: dict[str, Any]) -> None:
        """Rows that begin or end something that holds for a while."""
        match row.type:
            case "FlattenBegun":
                self._flattening[body["flatten_id"]] = body["why"]
                self._begun[body["flatten_id"]] = self.now
            case "FlattenEnded":
                self._flattening.pop(body["flatten_id"], None)
            case "KillEngaged" | "KillReleased":
                if row.type == "KillReleased" and self.now - self._killed_at < HOLD_SECONDS - 0.5:
                    held = self.now - self._killed_at
                    self.breach("I-13", f"the kill was released after {held:.0f} s")
                self.killed = row.type == "KillEngaged"
                self._killed, self._killed_at = row.type == "KillEngaged", self.now
                self._restart_kill_clock()
            case "EngineStarted":
                self.started_at = self.now
                for paper in self.papers.values():
                    paper.sent_at = None  # what an earlier life sent is the reconcile's business
                self._restart_kill_clock()

    def _restart_kill_clock(self) -> None:
        self._kill_clock = (self.now, self.swarm.done.total())

    def _taken_in(self, body: dict[str, Any]) -> None:
        account = body["terms"]["account"]
        self._adopted[body["order_id"]] = (account, body["broker_id"])
        self.others_in.add((account, body["terms"]["contract"]))
        if body["tag"] in self.by_tag:
            self.breach("I-24", f"our own order {body['tag']} was adopted as a foreign one")

    def _intended(self, row: StoredEvent, body: dict[str, Any]) -> None:
        self.intents += 1
        tag = body["tag"]
        if tag in self.by_tag:
            self.breach("I-2", f"tag {tag} was given to two intents")
        paper = Paper(
            order_id=body["order_id"],
            tag=tag,
            account=body["terms"]["account"],
            risk=body["risk"],
            cause=row.cause,
            terms=body["terms"],
            parent=body.get("parent", ""),
            valid_until=body.get("valid_until"),
        )
        self.papers[paper.order_id] = self.by_tag[tag] = paper
        # parts of one parent and members of one group follow from their own fact
        self._once(row.cause, tag[10] not in CLOSING_ROLES and not paper.parent)

    def _once(self, cause: str, counts: bool) -> None:
        """A command becomes one order, or one parent of several."""
        self._by_cause[cause] += counts
        if self._by_cause[cause] > 1:
            self.breach("I-2", f"command {cause} became more than one order")

    def _alarm(self, body: dict[str, Any]) -> None:
        code = body["code"]
        self.alarms.append(Alarm(self.now, body["level"], code, body["text"], body.get("subject", "")))
        if body["level"] != "alarm":
            return
        if self.swarm.quiet and code in NEEDS_A_FAULT:
            self.breach("I-27", f"alarm {code} on a day without faults: {body['text']}")
        if code == "DUTY_FAILED":
            self.breach("I-18", f"a duty of the engine met a defect: {body['text']}")
        if code == "BROKER_ROW_REFUSED":
            self.breach("I-6", f"the engine could not take a broker's row: {body['text']}", known="refused-row")

    def _happened(self, paper: Paper, row: StoredEvent, body: dict[str, Any]) -> None:
        if paper.ended and row.type not in AFTER_AN_END:
            self.breach("I-6", f"{row.type} after {paper.ended} of {paper.order_id}")
        match row.type:
            case "OrderSent":
                if paper.sent:
                    self.breach("I-3", f"{paper.order_id} was sent a second time")
                paper.sent, paper.sent_at, paper.sent_on = True, self.now, self.now
            case "OrderDoubted":
                paper.doubted, paper.sent_at = True, None
            case _ if row.type in SETTLED_DOUBT:
                self._no_more_doubted(paper, row)
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
                self._ended(paper, body.get("code", ""))

    def _no_more_doubted(self, paper: Paper, row: StoredEvent) -> None:
        """I-4 at the moment an order is presumed absent, which is more than released by the trader."""
        paper.doubted, paper.settled, paper.absent = False, True, row.type == "OrderPresumedAbsent"
        if paper.absent and self.truth.tagged(paper.account, paper.tag):
            self.breach("I-4", f"{paper.order_id} is presumed absent and is at the broker")

    def _ended(self, paper: Paper, code: str) -> None:
        """I-4 at the moment an order is declared dead; an exit that never left was kept by the network, not by us."""
        if code == "NOT_SENT" and paper.tag[10] in CLOSING_ROLES and paper.tag not in self.refused:
            self.breach("I-13", f"the exit {paper.order_id} was held back though it could leave")
        for order in self.truth.tagged(paper.account, paper.tag):
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
        self._net[body["account"], body["contract"], body["product"]] += sign * body["qty"]
        paper = self.papers.get(body["order_id"])
        if paper is not None:
            paper.filled += body["qty"]

    # ------------------------------------------------------------ deadlines

    def watch(self) -> None:
        """What must have happened by now."""
        now = self.now
        for text in self.loop.defects:
            self.breach("I-18", text)
        self.loop.defects.clear()
        for paper in self.papers.values():
            if paper.sent_at is not None and self.awake_for(paper.sent_at) > DOUBT_SECONDS:
                paper.sent_at = None
                self.breach("I-17", f"{paper.order_id} has been on its way for more than {DOUBT_SECONDS:.0f} s")
        since, faults = self._kill_clock
        since = max(since, self.swarm.trouble_until)
        calm = self.swarm.done.total() == faults and not self._doubt()
        if self._killed and calm and now - since > KILL_SECONDS:
            self._none_works(f"{KILL_SECONDS:.0f} s after the kill")

    def _doubt(self) -> bool:
        return any(paper.in_doubt and not paper.settled for paper in self.papers.values())

    def _none_works(self, when: str) -> None:
        """No entry of ours works. One that left after the kill was judged on the wire: it could only reduce."""
        for _account, row in self.truth.working():
            waits = row.tag[10:11] == "S" and row.status == "TRIGGER_PENDING"
            closes = row.tag[10:11] in CLOSING_ROLES and not waits
            if row.tag and not closes and row.tag not in self._after_kill:
                self.breach("I-13", f"{row.tag} still works {when}")

    # ------------------------------------------------------------ the wire

    def left(self, call: Call) -> None:
        """A call leaves the engine: what it does must be durable, ours, and allowed."""
        if call.verb == "place":
            for watcher in self.watchers:
                watcher.left(call, self.by_tag.get(call.tag))
            self._post_left(call)
            return
        order = self.truth.find(call.account, call.broker_id)
        paper = self.by_tag.get(order.tag) if order is not None and order.tag else None
        if paper is None:
            by_hand = "foreign-by-hand" if (call.account, call.broker_id) in self._by_hand else ""
            self.breach("I-24", f"{call.verb} of {call.broker_id}, an order that is not ours", by_hand)
            return
        for watcher in self.watchers:
            watcher.left(call, paper)
        self._changes[paper.order_id, call.verb] += 1
        if self._changes[paper.order_id, call.verb] > paper.asks[call.verb] and not self._unstored_kill(call):
            self.breach("I-1", f"{call.verb} of {paper.order_id} left before it was durable")
        if self._killed and isinstance(call.request, ModifyRequest) and order is not None:
            grows = call.request.qty > order.qty
            rest = call.request.qty - order.filled
            if grows and not self._reduces(call.account, order.contract, order.product, order.side, rest):
                self.breach("I-13", f"{paper.order_id} was made larger after the kill")

    def _unstored_kill(self, call: Call) -> bool:
        """The one call that may leave unrecorded: a cancel of a kill, once the store has failed under it."""
        return call.verb == "cancel" and call.life in self._failed_stores and call.life in self._kills_asked

    def _post_left(self, call: Call) -> None:
        request = call.request
        assert isinstance(request, PlaceRequest)
        key = (call.account, request.instrument.name, request.product.value)
        if self._net[key] != self.truth.net(*key):
            self._misled.add(call.tag)  # the wire kept fills from the engine: it judged by an older book
        theirs = {key: qty for key, qty in self.truth.held().items() if key[0] == call.account}
        if theirs != {key: qty for key, qty in self._net.items() if qty and key[0] == call.account}:
            self.outdated.add(call.tag)
        self._posts[call.tag] += 1
        if self._posts[call.tag] > 1:
            self.breach("I-3", f"tag {call.tag} was posted {self._posts[call.tag]} times")
        if self._killed:
            self._after_kill.add(call.tag)
        paper = self.by_tag.get(call.tag)
        if paper is None or not paper.sent:
            self.breach("I-1", f"{call.tag} left before its send was durable")
        self._again[call.tag] = self._sent_once_more(request)
        if self._again[call.tag]:
            return
        misled = call.tag in self._misled and self._hidden(*key[:2])
        if self._killed and not self._reduces(*key, request.side, request.qty) and not misled:
            self.breach("I-13", f"{call.tag} {request.side} {request.qty} left after the kill")

    def _hidden(self, account: str, contract: str) -> bool:
        """Whether others traded so short ago, or the book was untrue so lately, that nobody could know of it."""
        others = self.others_at.get((account, contract), -HIDDEN) + self.truth.venues[account].dialect.lag
        return self.now - max(others, self.blind_at.get(account, -HIDDEN)) < HIDDEN

    def _sent_once_more(self, request: PlaceRequest) -> int:
        """The marked exception of I-11: units of one purchase, long in doubt, that may be sent once more to close."""
        if request.side is not Side.BUY or request.tag[10] not in CLOSING_ROLES:
            return 0
        terms = (request.account, request.instrument.name, request.product.value, "BUY")
        doubts = (
            paper.terms["qty"]
            for paper in self.papers.values()
            if paper.in_doubt
            and paper.doubted
            and self.now - paper.sent_on >= RESEND_SECONDS
            and (paper.account, paper.terms["contract"], paper.terms["product"], paper.terms["side"]) == terms
        )
        return max(doubts, default=0)

    def _reduces(self, account: str, contract: str, product: str, side: Side, qty: int) -> bool:
        held = self.truth.net(account, contract, product)
        return held * side.sign < 0 and qty <= abs(held)

    def arriving(self, call: Call) -> int:
        """Units that a closing order may still close as it reaches the exchange.

        What the trader ordered after it is the trader's own wish: its fills are added back, its rest not counted.
        """
        request = call.request
        if call.verb != "place" or not isinstance(request, PlaceRequest):
            return 0
        books, counter = self.truth.venues[call.account].books, call.tag[4:10]
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
        for watcher in self.watchers:
            watcher.taken(call, broker_id)
        alive = [row for row in self.truth.tagged(call.account, call.tag) if row.status != "REJECTED"]
        if len(alive) > 1:
            self.breach("I-2", f"tag {call.tag} has {len(alive)} orders at the broker")
        paper = self.by_tag.get(call.tag)
        if paper is not None and paper.absent:
            self.breach("I-4", f"{paper.order_id} is presumed absent and was taken at the broker")
        if paper is not None and paper.ended in ("OrderRejected", "OrderExpired"):
            self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and was taken at the broker")
        contract = call.request.instrument.name
        ours = (call.account, contract) not in self.others_in
        # an exit of a part that others hold against opens the net, and passes the rules of what opens
        closes = call.tag[10] in CLOSING_ROLES and (paper is None or paper.risk != "INCREASE")
        over = closes and call.request.qty > room + self._again.get(call.tag, 0)
        if over and ours:
            known = "stale-position" if call.tag in self._misled else ""
            self.breach("I-11", f"{call.tag} closes {call.request.qty} {contract}, {room} may be closed", known)

    def read(self, account: str, answered: bool, true: bool) -> None:
        """The engine looked: whether it has a whole book now, and whether what it was shown was true."""
        if answered:
            self.seen_at[account] = self.now
        if not true:
            self.blind_at[account] = self.now

    def foreign(self, account: str, contract: str) -> None:
        """Somebody else trades this contract in the account: the mark on the exceptions of I-11."""
        self.others_in.add((account, contract))
        self.others_at[account, contract] = self.now

    def asked(self, command: AnyCommand, life: int) -> None:
        """A command goes to a life of the engine."""
        self.asked_at.setdefault(command.id, self.now)
        if isinstance(command, EngageKill):
            self._kills_asked.add(life)

    def store_failed(self, life: int) -> None:
        """The disk took nothing more from a life of the engine."""
        self._failed_stores.add(life)
        self.up_since = None  # it can tell nobody anything; whoever watches it starts it again

    def answered(self, command: AnyCommand, reply: Reply, life: int) -> None:
        """I-22: a command that was answered left a fact that names it; a kill is answered even on a broken store."""
        if isinstance(command, EngageKill) and reply.code == "KILLED_UNSTORED" and life in self._failed_stores:
            return
        if command.id in self._causes or reply.code in ("STORE_FAILED", "INTERNAL"):
            if reply.code == "INTERNAL":
                self.breach("I-22", f"{type(command).__name__} {command.id} met a defect: {reply.text}")
            return
        self.breach("I-22", f"{type(command).__name__} {command.id} was answered and left no fact", "silent-command")

    # ------------------------------------------------------------ the books

    def reconciled(self) -> None:
        """After a reconcile that nothing disturbed: our book is the broker's."""
        self.truth.look()
        ours = {key: qty for key, qty in self._net.items() if qty}
        theirs = self.truth.held()
        if ours != theirs:
            self.breach("I-5", f"the journal's fills give {ours}, the broker holds {theirs}")
        self._same_trades()
        for tag, paper in self.by_tag.items():
            self._same_order(tag, paper)

    def _same_trades(self) -> None:
        for key, body in self._fills.items():
            row = self.truth.trades.get(key)
            if row is None or (row.qty, row.price) != (body["qty"], body["price"]):
                self.breach("I-7", f"trade {key} of the journal is not the exchange's")
        for key in sorted(self.truth.trades.keys() - self._fills.keys()):
            self.breach("I-5", f"trade {key} of the exchange is not in the journal")

    def _same_order(self, tag: str, paper: Paper) -> None:
        rows = self.truth.tagged(paper.account, tag)
        for row in rows:
            if paper.ended and row.status in WORKING:
                self.breach("I-4", f"{paper.order_id} is {paper.ended} in the journal and {row.status} there")
            if paper.filled > row.filled:
                self.breach("I-6", f"{paper.order_id} has {paper.filled} filled in the journal, {row.filled} there")
            if not paper.ended and not paper.broker_id:
                self.breach("I-18", f"{paper.order_id} is at the broker and still in doubt")
        if not rows and paper.in_doubt and not paper.doubted and not paper.settled:
            self.breach("I-17", f"{paper.order_id} is unanswered and not in doubt")

    def agrees(self) -> bool:
        """Whether the journal's fills are what the broker holds."""
        return {key: qty for key, qty in self._net.items() if qty} == self.truth.held()

    def quiet(self) -> None:
        """A minute after the last fault and a clean reconcile: nothing hangs, a kill has done its work."""
        doubted = self._doubt()
        self._look_at_trades()
        for watcher in self.watchers:
            watcher.settled()
        for paper in self.papers.values():
            if paper.open_asks and not paper.ended and self._alive(paper):
                self.breach("I-18", f"a change of {paper.order_id} was never answered", known="accepted-cancel")
        others = any(not row.tag for _account, row in self.truth.working())
        late = {name: why for name, why in self._flattening.items() if self.now - self._begun[name] > FLATTEN_SECONDS}
        # an exit whose changes the exchange refuses for their price, which it should leave behind sooner than it does
        late = {name: why for name, why in late.items() if self.now - self._out_of_band.get(name, -HIDDEN) > HIDDEN * 2}
        if late and not doubted and not others:  # an order of ours may not trade with one of theirs
            self.breach("I-18", f"flattens never ended: {late}")
        if not self._killed or doubted:
            return
        self._none_works("after the quiet minute")
        closing = [row.tag for _account, row in self.truth.working() if row.tag and row.tag[10] in CLOSING_ROLES]
        if closing:
            self.breach("I-13", f"killed, and closing orders still work: {closing}")
        held = {key[:2]: qty for key, qty in self.truth.held().items()}
        alarmed = self.alarmed(("NOT_FLAT", "ORDER_REJECTED", "ORDER_NOT_SENT"), 0.0)
        if held and not alarmed and not self.others_in & held.keys():
            self.breach("I-13", f"killed, silent, and still open: {held}")

    def shown(self, state: TradingState) -> None:
        """What consoles are shown after a clean reconcile is what the broker has."""
        for order in state.orders.values():
            rows = self.truth.tagged(order.terms.account, order.tag) if order.tag else []
            for row in rows:
                if order.filled != row.filled:
                    self.breach("I-6", f"{order.id} shows {order.filled} filled, the broker has {row.filled}")
                elif order.status.final != row.status.final:
                    self.breach("I-6", f"{order.id} shows {order.status}, the broker has {row.status}")
        theirs = self.truth.held()
        shown = {
            (row.key.account, row.key.contract, row.key.product.value): row.qty
            for row in state.positions.values()
            if row.qty
        }
        if shown != theirs:
            self.breach("I-5", f"consoles show {shown}, the broker holds {theirs}")

    def _alive(self, paper: Paper) -> bool:
        return any(row.status in WORKING for row in self.truth.tagged(paper.account, paper.tag))

    def replayed(self, live: tuple[int, str], replay: str) -> None:
        """I-8: the fold of the stored facts is the state that was live."""
        if live[1] != replay:
            self.breach("I-8", f"replaying {live[0]} facts does not give the state that was live")

    def trace(self) -> bytes:
        """What identifies this run: every durable row and every call."""
        calls = [
            (call.at, call.life, call.account, call.verb, call.tag, call.broker_id)
            for wire in self.wires.values()
            for call in wire.calls
        ]
        return msgspec.json.encode((self._chain.head, calls, self.loop.turns))
