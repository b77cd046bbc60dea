"""Orders of a run's entry: hedges first, gated on fills, retried, and what follows where a leg fails (BK-3, BK-4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from optconsole.engine import events as ev
from optconsole.engine.commands import PlaceOrder
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.orders import Order, OrderStatus, OrderTerms, OrderType, Side
from optconsole.engine.model.parents import ParentStatus
from optconsole.engine.model.runs import LegRun, LegStage, Run, RunStatus
from optconsole.engine.model.strategies import OnFailure
from optconsole.engine.rules import ladder
from optconsole.engine.rules.leg_levels import open_levels
from optconsole.engine.trading import exits, placing
from optconsole.engine.trading.decision import Decision
from optconsole.engine.trading.desk import ask_cancel, cancellable
from optconsole.engine.trading.runs import proportion
from optconsole.engine.trading.runs.fills import fill_at
from optconsole.engine.trading.runs.leaving import leave_run
from optconsole.engine.trading.runs.scene import RunScene, decision_of, defined, move_leg, part, units

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
    for leg in run.legs.values():
        if leg.stage is LegStage.DUE and _may_leave(scene, run, leg):
            return _send(scene, run, leg)
    return None


def _may_leave(scene: RunScene, run: Run, leg: LegRun) -> bool:
    """Whether a leg may be sent: bought ones at once, sold ones once all that protects them is filled."""
    if leg.tries and leg.since is not None and scene.now - leg.since < AGAIN:
        return False
    if leg.side is Side.BUY or not run.strategy.execution.hedge_first:
        return True
    return not any(
        other.side is Side.BUY and other.stage in (LegStage.DUE, LegStage.ENTERING) for other in run.legs.values()
    )


def _send(scene: RunScene, run: Run, leg: LegRun) -> Decision:
    account = scene.state.accounts.get(leg.account)
    if account is None or account.account.mode is not run.mode:
        # looked at for every order: a run must not follow an account that was opened anew as another kind
        decision = decision_of(run)
        _fail(scene, run, leg, "MODE_MISMATCH", f"{leg.account} is not a {run.mode.value} account.", decision)
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
    if code in PASSING and scene.now < _patient_until(run):
        decision.facts.append(
            move_leg(run, leg, "held", tries=max(leg.tries, 1), since=scene.now, code=code, text=text)
        )
    else:
        _fail(scene, run, leg, code, text, decision)
    return decision


def _patient_until(run: Run) -> datetime:
    """How long a passing obstacle is waited for: the grace of an entry, and the time its legs before may take."""
    execution = run.strategy.execution
    waits = run.strategy.schedule.grace + execution.patience * (execution.retries + 1)
    return min(run.triggers_until, run.since + timedelta(seconds=waits))


def _edge(scene: RunScene, leg: LegRun) -> int | None:
    instrument = scene.master.get(leg.contract)
    quote = scene.situation.quote(leg.contract)
    return None if instrument is None else ladder.price(leg.side, quote, instrument, ladder.LAST)


def _orders(scene: RunScene, leg: LegRun) -> list[Order]:
    return [
        order
        for order in scene.state.orders.values()
        if order.id in leg.sent or (order.parent and order.parent in leg.sent)
    ]


def _progress(scene: RunScene, run: Run, leg: LegRun) -> Decision | None:
    """What became of the orders of a leg."""
    orders = _orders(scene, leg)
    held = abs(units(scene, run, leg))
    if held >= leg.lots * leg.lot:
        decision = decision_of(run)
        decision.facts.append(opened(scene, run, leg))
        return decision
    if any(order.status in (OrderStatus.UNKNOWN, OrderStatus.PRESUMED_ABSENT) for order in orders):
        return None  # the resolver finds out; nothing is sent beside an order in doubt
    parents = [scene.state.parents[name] for name in leg.sent if name in scene.state.parents]
    over = all(order.status.final for order in orders) and all(
        parent.status is not ParentStatus.WORKING for parent in parents
    )
    given_up = _given_up(scene, run)
    if given_up:
        return _keep(scene, run, leg, given_up) if over else _take_back(orders, run)
    if over:
        return _unfilled(scene, run, leg, orders)
    return _impatient(scene, run, leg, orders)


def _given_up(scene: RunScene, run: Run) -> str:
    """The code under which an entry under way is broken off; empty while it goes on."""
    if scene.state.killed:
        return ExitCode.KILL
    if scene.stopped(run):
        return "STOPPED"
    return "HALTED" if run.status is RunStatus.HALTED else ""


def _take_back(orders: list[Order], run: Run) -> Decision | None:
    decision = decision_of(run)
    for order in orders:
        if not order.status.final and exits.free(order) and cancellable(order):
            ask_cancel(decision, order, "its entry was broken off")
    return decision if decision.facts else None


def _keep(scene: RunScene, run: Run, leg: LegRun, code: str) -> Decision:
    """What was filled before the entry was broken off is held and guarded; nothing more is bought or sold."""
    decision = decision_of(run)
    if units(scene, run, leg):
        decision.facts.append(opened(scene, run, leg))
    else:
        text = "Its entry was broken off before anything was filled."
        decision.facts.append(move_leg(run, leg, "given up", stage=LegStage.OUT, code=code, text=text))
    return decision


def _unfilled(scene: RunScene, run: Run, leg: LegRun, orders: list[Order]) -> Decision:
    decision = decision_of(run)
    last = orders[-1] if orders else None
    code = "NOT_FILLED" if last is None else last.reason_code or last.status.value
    text = "It was not filled." if last is None else last.reason or f"{last.id} was {last.status.value.lower()}."
    execution = run.strategy.execution
    again = leg.tries <= execution.retries and scene.now < run.triggers_until
    if again and run.status not in (RunStatus.EXITING, RunStatus.HALTED) and not scene.state.killed:
        decision.facts.append(move_leg(run, leg, "again", stage=LegStage.DUE, code=code, text=text, since=scene.now))
    else:
        _fail(scene, run, leg, code, text, decision)
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
        if order.changes < execution.retries and better and limit is not None and scene.fresh(leg.contract):
            exits.change(decision, order, exits.priced(order.terms, limit))
        elif (order.changes >= execution.retries or waited >= patience * (execution.retries + 1)) and cancellable(
            order
        ):
            ask_cancel(decision, order, "it was not filled in its time")
    return decision if decision.facts else None


def opened(scene: RunScene, run: Run, leg: LegRun) -> ev.LegMoved:
    """The leg as filled, with its levels."""
    held = part(scene, run, leg)
    assert held is not None
    entry = abs(held.cost) // abs(held.qty) if abs(held.cost) % abs(held.qty) == 0 else round(abs(held.cost / held.qty))
    fill = fill_at(scene, run, leg, entry, scene.now, scene.look(run.strategy.underlying).ltp)
    return move_leg(
        run,
        leg,
        "opened",
        fill,
        stage=LegStage.OPEN,
        entry=entry,
        qty=abs(held.qty),
        entered_at=scene.now,
        entries=leg.entries + 1,
        first=leg.first or (entry, abs(held.qty)),
        levels=open_levels(defined(run, leg), fill),
        arming=None,
        blind="",
        code="",
        text="",
    )


def _fail(scene: RunScene, run: Run, leg: LegRun, code: str, text: str, decision: Decision) -> None:
    """What the strategy says of a leg that could not be entered (BK-4)."""
    policy, held = run.strategy.execution.on_failure, abs(units(scene, run, leg))
    name = f"{run.strategy.name} on {run.account}, leg {leg.id}"
    match policy:
        case OnFailure.COMPLETE if scene.now < run.exit_at and not _hopeless(code):
            decision.facts.append(
                move_leg(
                    run, leg, "again", stage=LegStage.DUE, tries=leg.tries + 1, code=code, text=text, since=scene.now
                )
            )
            what = "it is tried at the edge of the price band"
        case OnFailure.ROLLBACK:
            fact = (
                opened(scene, run, leg)
                if held
                else move_leg(run, leg, "failed", stage=LegStage.OUT, code=code, text=text)
            )
            decision.facts.append(fact)
            leave_run(scene, run, decision, "ROLLBACK", f"Leg {leg.id} failed: {text}", {leg.id: fact.leg})
            what = "what was entered is closed"
        case _:
            fact = (
                opened(scene, run, leg)
                if held
                else move_leg(run, leg, "failed", stage=LegStage.OUT, code=code, text=text)
            )
            decision.facts.append(fact)
            ratio = policy is OnFailure.RATIO
            what = "the others are cut to the proportion that was filled" if ratio else "the other legs are kept"
    decision.facts.append(
        ev.NoticeRaised(
            level="alarm", code="LEG_FAILED", text=f"{name} was not entered: {text} So {what}.", subject=run.id
        )
    )


def _hopeless(code: str) -> bool:
    """Refusals that no further try would change."""
    return code in {"LOT_SIZE", "PRODUCT", "UNKNOWN_ACCOUNT", "NOT_LISTED", "EXPIRED_CONTRACT", "KILLED"}
