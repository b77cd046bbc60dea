"""Strategies judged from outside: what a run may trade, when, for whom, and that it ends with nothing.

Invariants of runs: R1 no leg is entered more often or larger than its definition allows, nor closed beyond what it
holds; R2 nothing is entered once a run is left, but what its definition says follows; R3 past its exit time nothing is
left of it; R4 a leg trades in its own account; R5 a short beyond its stop is being closed; R6 an entry that was missed
is not made. I-12 of entries: a leg is sold when what protects it was bought.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from optconsole.engine.model.orders import Side
from optconsole.engine.ports import BrokerTrade, PlaceRequest
from optconsole.engine.store.chain import StoredEvent
from tests.simulation.broker import Call
from tests.simulation.court import Court, Watcher
from tests.simulation.market import LOT
from tests.simulation.papers import Paper
from tests.simulation.run_papers import LegPaper, RunPaper, comes_again, planned

CLOSING: Final = "XKST"
"""Roles in the tag of orders that may only reduce."""
FLAT: Final = timedelta(seconds=30)
"""From a run's exit time until nothing is left of it, on a market without faults."""
UNGUARDED: Final = 25.0
"""Seconds for which a price may lie beyond a short's stop while nobody closes it: a quote, and a slow store."""
LATE: Final = timedelta(seconds=4)
STEPPED: Final = 180.0
"""Seconds after the machine's clock was wrong in which times of day are not judged."""
GAP: Final = 12.0
ENTRY_STAGES: Final = ("DUE", "ENTERING")


class Runs(Watcher):
    """Every run of the journal beside what the exchange traded on its behalf."""

    def __init__(self, court: Court) -> None:
        super().__init__(court)
        self._runs: dict[str, RunPaper] = {}
        self._paths: dict[str, tuple[RunPaper, LegPaper]] = {}
        self._orders: dict[str, list[Paper]] = {}

    # ------------------------------------------------------------ what the journal tells

    def stored(self, row: StoredEvent, body: dict[str, Any]) -> None:
        match row.type:
            case "RunPlanned":
                self._planned(body)
            case "RunMoved":
                self._moved(self._runs[body["run_id"]], body)
            case "RunEdited":
                run = self._runs[body["run_id"]]
                run.allow(body["strategy"])
                run.exit_at = datetime.fromisoformat(body["exit_at"])
            case "LegMoved":
                self._leg_moved(self._runs[body["run_id"]], body["leg"])
            case "OrderIntended":
                self._intended(body)
            case "OrderDoubted":
                self._doubted(body)
            case "PositionSettled":
                self._settled_at_expiry((body["account"], body["contract"], body["product"]))

    def _planned(self, body: dict[str, Any]) -> None:
        run = self._runs[body["run_id"]] = planned(body)
        self._paths.update({f"{run.path}/{name}": (run, leg) for name, leg in run.legs.items()})

    def _moved(self, run: RunPaper, body: dict[str, Any]) -> None:
        run.by_hand |= body.get("code") == "NOW"
        run.status, run.code = body["status"], body.get("code", "")
        if run.status in ("ENTERING", "WAITING") and not run.begun:
            run.begun = True
            late = self.court.clock.now() - run.entry_until
            if late > LATE and not run.by_hand and self._in_time():
                self.court.breach("R6", f"{run.id} began {late.total_seconds():.0f} s after its window closed")

    def _leg_moved(self, run: RunPaper, told: dict[str, Any]) -> None:
        leg = run.legs[told["id"]]
        leg.side = told["side"]
        leg.stage, leg.contract, leg.blind = (
            told.get("stage", "IDLE"),
            told.get("contract", ""),
            bool(told.get("blind")),
        )
        levels = told.get("levels")
        watched = (run.legs_of(leg.id).get("watch") or {}).get("kind", "ltp")
        stop = None if levels is None or watched == "minute-close" else levels["leg"].get("stop")
        before, leg.stop = leg.stop, None if stop is None else (stop, levels["leg"]["sign"])
        if leg.stage != "OPEN" or leg.stop != before:
            leg.beyond = None

    def _intended(self, body: dict[str, Any]) -> None:
        source, tag = body["terms"].get("source", ""), body["tag"]
        found = self._paths.get(source)
        if found is None:
            return
        run = found[0]
        self._orders.setdefault(source, []).append(self.court.papers[body["order_id"]])
        if tag[10] in CLOSING:
            return
        if run.over or (run.status == "EXITING" and not comes_again(run.strategy)):
            self.court.breach("R2", f"{tag} enters {source}, which is {run.status} ({run.code})")
        late = self.court.clock.now() - run.exit_at
        if late > LATE and self._in_time():
            self.court.breach("R2", f"{tag} enters {source} {late.total_seconds():.0f} s after its exit time")

    def _doubted(self, body: dict[str, Any]) -> None:
        found = self._paths.get(self.court.papers[body["order_id"]].terms.get("source", ""))
        if found is not None:
            found[1].doubted = True

    def _settled_at_expiry(self, key: tuple[str, str, str]) -> None:
        for _, leg in self._paths.values():
            leg.net.pop(key, None)

    def _in_time(self) -> bool:
        """Whether what is stored now was decided now, by a clock that is right."""
        court = self.court
        return court.now > court.still_until + GAP and court.now - court.stepped_at > STEPPED

    # ------------------------------------------------------------ what leaves, and what the exchange does

    def left(self, call: Call, paper: Paper | None) -> None:
        request = call.request
        found = None if paper is None else self._paths.get(paper.terms.get("source", ""))
        if found is None or paper is None or not isinstance(request, PlaceRequest):
            return
        run, leg = found
        if not call.account == request.account == paper.account == leg.account:
            self.court.breach("R4", f"{call.tag} of {run.path}/{leg.id} ({leg.account}) went to {call.account}")
        if call.tag[10] not in CLOSING and request.side is Side.SELL:
            self._hedged(call.tag, run, leg)

    def _hedged(self, tag: str, run: RunPaper, leg: LegPaper) -> None:
        """I-12: what is to be bought before was bought whole, by the exchange's own book."""
        if not run.strategy.get("execution", {}).get("hedge_first", True):
            return
        for other in run.legs.values():
            if other is leg or other.side != "BUY" or other.stage not in ENTRY_STAGES or other.mixed:
                continue
            bought = self._held(f"{run.path}/{other.id}")
            if bought < other.lots * LOT:
                self.court.breach(
                    "I-12", f"{tag} sells {run.path}/{leg.id} while {other.id} has {bought} of {other.lots * LOT}"
                )

    def _held(self, source: str) -> int:
        """Signed units that the exchange has traded for a leg until this instant."""
        rows = {
            row.broker_id: row.side.sign * row.filled
            for paper in self._orders.get(source, ())
            for row in self.court.truth.tagged(paper.account, paper.tag)
        }
        return sum(rows.values())

    def traded(self, trade: BrokerTrade) -> None:
        paper = self.court.by_tag.get(trade.tag)
        key, qty = (trade.account, trade.contract, trade.product.value), trade.side.sign * trade.qty
        found = None if paper is None else self._paths.get(paper.terms.get("source", ""))
        if found is None:
            self._by_others(key, qty)
            return
        run, leg = found
        before = leg.net[key]
        leg.net[key] = after = before + qty
        entry = trade.tag[10] not in CLOSING
        if leg.mixed:
            return
        source = f"{run.path}/{leg.id}"
        if abs(after) > leg.lots * LOT:
            self.court.breach("R1", f"{source} holds {after} of {leg.lots * LOT} after {trade.tag}")
        if entry and not before:
            leg.entries += 1
            if leg.entries > run.most[leg.id]:
                self.court.breach("R1", f"{source} was entered {leg.entries} times, {run.most[leg.id]} are allowed")
        if not entry and before * after <= 0 and after and not leg.doubted:
            self.court.breach("R1", f"{trade.tag} closes {abs(qty)} of {source}, which held {before}")

    def _by_others(self, key: tuple[str, str, str], qty: int) -> None:
        """A trade by hand closes what strategies hold, by rules that only the books know."""
        for _, leg in self._paths.values():
            if leg.net.get(key, 0) * qty < 0:
                leg.mixed = True

    # ------------------------------------------------------------ deadlines

    def tick(self) -> None:
        court = self.court
        blind = court.now - court.quoted_at > GAP or court.killed or court.up_since is None
        for run, leg in self._paths.values():
            if leg.stage != "OPEN" or leg.stop is None:
                continue
            price = court.price(leg.contract)
            stop, sign = leg.stop
            if blind or leg.blind or leg.mixed or price is None or (price - stop) * sign > 0:
                leg.beyond = None
                continue
            leg.beyond = max(court.now, court.still_until) if leg.beyond is None else leg.beyond
            if court.awake_for(leg.beyond) > UNGUARDED and min(leg.net.values(), default=0) < 0:
                leg.beyond = court.now + 3600
                court.breach(
                    "R5", f"{run.path}/{leg.id} is short beyond its stop {stop}: {price}, and nobody closes it"
                )

    def settled(self) -> None:
        court = self.court
        calm = court.awake_for(court.still_until) > FLAT.total_seconds() and court.now - court.stepped_at > STEPPED
        for source, (run, leg) in self._paths.items():
            due = run.exit_at + FLAT < court.clock.now()
            if not due or not calm or leg.mixed or leg.doubted or court.killed:
                continue
            for (account, contract, product), qty in leg.net.items():
                open_ = court.truth.net(account, contract, product)
                free = qty and qty * open_ > 0 and abs(open_) >= abs(qty)  # else others hold against it
                if free and not self._in_doubt(account, contract):
                    court.breach("R3", f"{source} holds {qty} {contract}, its exit was at {run.exit_at:%d %b %H:%M:%S}")

    def _in_doubt(self, account: str, contract: str) -> bool:
        """Whether an order there may have traded, or may still: nothing is closed beside it."""
        papers = self.court.papers.values()
        return any(each.in_doubt and (each.account, each.terms["contract"]) == (account, contract) for each in papers)

    def paused(self, seconds: float) -> None:
        for _, leg in self._paths.values():
            if leg.beyond is not None:
                leg.beyond += seconds
