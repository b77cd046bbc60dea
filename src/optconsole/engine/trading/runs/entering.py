"""Orders of a run's entry: hedges first, gated on fills, retried, and what follows where a leg fails (BK-3, BK-4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from optconsole.engine.commands import PlaceOrder
from optconsole.engine.model.adjustments import adjusted
from optconsole.engine.model.book import Drift
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Side
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import OnFailure
from optconsole.engine.rules import ladder
from optconsole.engine.trading import exits, placing
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.runs import drifting, failing, proportion
from optconsole.engine.trading.runs.scene import RunScene, decision_of, move_leg, units

PASSING: Final = frozenset(
    {
        "RATE_BUDGET",
        "BREAKER_OPEN",
        "BOOK_UNSEEN",
        "ORDER_IN_DOUBT",
        "CLOSING",
        "NO_PRICE",
        "FEED_SILENT",
        "NOT_READY",
        "SELF_CROSS",
        "ORDER_RATE",
        "WIDE_SPREAD",
        "NO_COUNTERPARTY",
        "STALE_PRICE",
        "PNL_UNKNOWN",
    }
)
"""Reasons of a denial that time may end: the entry is tried again while its window is open."""
AGAIN: Final = timedelta(seconds=1)


def step(scene: RunScene, run: Run) -> Decision | None:
    """The next step of the run's entry; one order at a time, so that each is weighed with those before it."""
    for leg in run.legs.values():
        if leg.stage is LegStage.ENTERING:
            decision = _progress(scene, run, leg)
            if decision is not None:
                return decision
    if run.status in (RunStatus.EXITING, RunStatus.HALTED) or scene.state.killed:
        return None
    trimmed = proportion.step(scene, run)
    if trimmed is not None:
        return trimmed
    drift = drifting.differing(scene, run)
    if drift is not None:
        return drifting.hold(scene, run, drift) or _unexplained(scene, run, drift)
    for leg in run.legs.values():
        if leg.stage is LegStage.DUE and failing.given_up(scene, run, leg):
            return failing.keep(scene, run, leg, failing.given_up(scene, run, leg))
        if leg.stage is LegStage.DUE and _may_leave(scene, run, leg):
            return _send(scene, run, leg)
    return None


def _unexplained(scene: RunScene, run: Run, drift: Drift) -> Decision | None:
    """A leg that waited too long for a difference to be explained has failed, with all that follows."""
    decision = decision_of(run)
    for leg in run.legs.values():
        if leg.stage is LegStage.DUE and drifting.waited(scene, leg):
            failing.fail(scene, run, leg, drifting.CODE, drifting.words(drift), decision)
            return decision
    return None


def _may_leave(scene: RunScene, run: Run, leg: LegRun) -> bool:
    """Whether a leg may be sent: bought ones at once, sold ones once all that protects them is filled."""
    if scene.situation.queued > 0 and scene.now < run.triggers_until:
        return False  # others fill the rate budget: its turn comes, and asking meanwhile would only be refused
    if leg.tries and leg.since is not None and scene.now - leg.since < _pause(run, leg):
        return False
    if leg.side is Side.BUY or not run.strategy.execution.hedge_first:
        return True
    return not any(
        other.side is Side.BUY and other.stage in (LegStage.DUE, LegStage.ENTERING) for other in run.legs.values()
    )


def _pause(run: Run, leg: LegRun) -> timedelta:
    """How long a leg rests between two tries: longer and longer once its retries are used up (COMPLETE)."""
    beyond = leg.tries - run.strategy.execution.retries - 1
    return AGAIN if beyond <= 0 else timedelta(seconds=exits.PAUSES[min(beyond, len(exits.PAUSES)) - 1])


def _send(scene: RunScene, run: Run, leg: LegRun) -> Decision:
    account = scene.state.accounts.get(leg.account)
    if account is None or account.account.mode is not run.mode:
        # looked at for every order: a run must not follow an account that was opened anew as another kind
        decision = decision_of(run)
        failing.fail(scene, run, leg, "MODE_MISMATCH", f"{leg.account} is not a {run.mode.value} account.", decision)
        return decision
    missing = leg.lots * leg.lot - abs(units(scene, run, leg))
    edge = run.strategy.execution.on_failure is OnFailure.COMPLETE and leg.tries > run.strategy.execution.retries
    terms = OrderTerms(
        account=leg.account,
        contract=leg.contract,
        side=leg.side,
        qty=missing,
        type=OrderType.LIMIT if edge else OrderType.MARKET,
        price=_edge(scene, leg) if edge else None,
        product=run.strategy.product,
        note=f"{run.strategy.name} {leg.id}",
        source=run.source(leg.id),
    )
    command = PlaceOrder(
        id=f"{run.id}.{leg.id}.{leg.entries}.{leg.tries}", actor=f"run:{run.id}", terms=terms, again=True
    )
    decision = placing.place(scene.state, command, scene.master, scene.situation, scene.install)
    reply = decision.reply
    if reply is not None and reply.ok:
        sent = (*leg.sent, *reply.ids)
        moved = move_leg(run, leg, "sent", stage=LegStage.ENTERING, sent=sent, tries=leg.tries + 1, since=scene.now)
        decision.facts.append(moved)
        return decision
    code, text = ("DENIED", "It was not sent.") if reply is None else (reply.code, reply.text)
    if code in PASSING and scene.now < _patient_until(run, leg):
        decision.facts.append(
            move_leg(run, leg, "held", tries=max(leg.tries, 1), since=scene.now, code=code, text=text)
        )
    else:
        failing.fail(scene, run, leg, code, text, decision)
    return decision


def _patient_until(run: Run, leg: LegRun) -> datetime:
    """How long a passing obstacle is waited for: the grace of an entry, and the time its legs before may take."""
    execution = run.strategy.execution
    waits = run.strategy.schedule.grace + execution.patience * (execution.retries + 1)
    return min(_enters_until(run, leg), run.since + timedelta(seconds=waits))


def _enters_until(run: Run, leg: LegRun) -> datetime:
    """How long a leg may be tried: one that a person added needs no condition of the entry."""
    return run.exit_at if adjusted(leg.id) else run.triggers_until


def _edge(scene: RunScene, leg: LegRun) -> int | None:
    instrument = scene.master.get(leg.contract)
    quote = scene.situation.quote(leg.contract)
    return None if instrument is None else ladder.price(leg.side, quote, instrument, ladder.LAST)


def _orders(scene: RunScene, leg: LegRun) -> list[Order]:
    orders, parents = scene.state.orders, {name for name in leg.sent if name in scene.state.parents}
    if not parents:
        return [orders[name] for name in leg.sent if name in orders]
    return [order for order in orders.values() if order.id in leg.sent or order.parent in parents]


def _progress(scene: RunScene, run: Run, leg: LegRun) -> Decision | None:
    """What became of the orders of a leg."""
    orders = _orders(scene, leg)
    held = abs(units(scene, run, leg))
    if held >= leg.lots * leg.lot:
        decision = decision_of(run)
        decision.facts.append(failing.opened(scene, run, leg))
        return decision
    if any(order.status in (OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT) for order in orders):
        return None  # the resolver finds out; nothing is sent beside an order in doubt
    parents = [scene.state.parents[name] for name in leg.sent if name in scene.state.parents]
    over = all(order.status.final for order in orders) and all(
        parent.status is not ParentStatus.WORKING for parent in parents
    )
    code = failing.given_up(scene, run, leg)
    if code:
        return failing.keep(scene, run, leg, code) if over else failing.take_back(orders, run)
    if over:
        return _unfilled(scene, run, leg, orders)
    return _impatient(scene, run, leg, orders)


def _unfilled(scene: RunScene, run: Run, leg: LegRun, orders: list[Order]) -> Decision:
    decision = decision_of(run)
    last = orders[-1] if orders else None
    code = "NOT_FILLED" if last is None else last.reason_code or last.status.value
    text = "It was not filled." if last is None else last.reason or f"{last.id} was {last.status.value.lower()}."
    execution = run.strategy.execution
    again = leg.tries <= execution.retries and scene.now < _enters_until(run, leg)
    if again and run.status not in (RunStatus.EXITING, RunStatus.HALTED) and not scene.state.killed:
        decision.facts.append(move_leg(run, leg, "again", stage=LegStage.DUE, code=code, text=text, since=scene.now))
    else:
        failing.fail(scene, run, leg, code, text, decision)
    return decision


def _impatient(scene: RunScene, run: Run, leg: LegRun, orders: list[Order]) -> Decision | None:
    """An order that does not fill in its time is moved to where it would; after the last move it is cancelled."""
    execution = run.strategy.execution
    since, patience = leg.since or scene.now, timedelta(seconds=execution.patience)
    waited = scene.now - since
    if waited < patience:
        return None
    instrument, decision = scene.master.get(leg.contract), decision_of(run)
    for order in orders:
        if order.status.final or instrument is None or not exits.free(order):
            continue
        moved_at = order.changed_at or since
        if scene.now - moved_at < patience:
            continue
        limit = ladder.price(order.terms.side, scene.situation.quote(leg.contract), instrument, min(order.changes, 2))
        better = limit is not None and (limit - (order.terms.limit or 0)) * order.terms.side.sign > 0
        spent = order.changes >= execution.retries or waited >= patience * (execution.retries + 1)
        if order.changes < execution.retries and better and limit is not None and scene.fresh(leg.contract):
            exits.change(decision, order, exits.priced(order.terms, limit))
        elif spent and cancellable(order):
            ask_cancel(decision, order, "it was not filled in its time")
    return decision if decision.facts else None
