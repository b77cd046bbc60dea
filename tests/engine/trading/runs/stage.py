"""A stage for runs: a small market, every duty settled, and a broker that fills what could trade."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.market_days import market_days
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.minutes import Minutes
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.baskets import Allocation, Basket, BasketStatus, Pace
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Right, contract_name
from optconsole.engine.model.orders import OrderStatus, Role
from optconsole.engine.model.runs import Run, RunStatus
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.state import apply
from optconsole.engine.store.codec import decode, encode
from optconsole.engine.strategies.files import read_basket
from optconsole.engine.trading import groups, parents, protection, supervision
from optconsole.engine.trading.decision import Decision, Effect, SendCancel, SendModify, SendPlace
from optconsole.engine.trading.handlers import View, decide
from optconsole.engine.trading.runs import steering
from optconsole.engine.trading.runs.duty import Runs
from optconsole.engine.trading.runs.scene import RunScene
from tests.engine.facts import index, option, terms
from tests.engine.trading.bench import Bench

DAY = date(2026, 11, 25)
EXPIRIES = (date(2026, 12, 1), date(2026, 12, 8), date(2026, 12, 29))
STRIKES = tuple(range(2_400_000, 2_500_001, 5_000))
SPOT = 2_450_000
STEPS = 400


def contracts() -> list[Instrument]:
    listed = [index()]
    for expiry in EXPIRIES:
        listed += [option(strike, right, expiry) for strike in STRIKES for right in Right]
    return listed


def name(strike: int, right: str, expiry: date = EXPIRIES[0]) -> str:
    """``name(24500, "CE")``."""
    return contract_name("NIFTY", expiry, strike * 100, Right(right))


def premium(strike: int, right: Right, spot: int = SPOT) -> int:
    """A price that falls with distance: 100 rupees at the money, intrinsic value in it."""
    away = strike - spot if right is Right.CALL else spot - strike
    inside = max(-away, 0)
    return max((inside + 10_000 * 20_000 // (20_000 + abs(away))) // 5 * 5, 5)


class Stage(Bench):
    """A book with one paper account, a market around 24,500, and the clock in a test's hand."""

    def __init__(self, day: date = DAY, at: str = "09:19:00") -> None:
        super().__init__()
        self.master = InstrumentMaster(contracts())
        self.calendar: Calendar = Calendar.load()
        self.runs = Runs(market_days(self.calendar))
        self.trades = 0
        self.fills = True
        self.dry: set[str] = set()
        """Contracts in which nothing fills."""
        self.shallow: dict[str, int] = {}
        """Contracts in which only so many units fill, all in all."""
        self.lost: set[str] = set()
        """Contracts in which nobody knows what became of an order that was sent."""
        self.pace = Pace.PARALLEL
        self.refuse: dict[str, str] = {}
        self.effects: list[Effect] = []
        self.quotes.clear()
        self.now = at_time(day, at)
        self.tell(ev.SessionOpened(day=day))
        self.market(SPOT)

    # the market

    def quote(self, name: str, price: int, spread: int = 10, ts: int | None = None) -> None:
        """As on the bench, with the exchange's time of this instant, and no two quotes of one contract at once."""
        known = self.quotes.get(name)
        now = int(self.now.timestamp() * 1000)
        super().quote(name, price, spread, max(now, 0 if known is None else known.ts + 1) if ts is None else ts)

    def market(self, spot: int) -> None:
        """Quote the index and every option around it."""
        self.quote("NIFTY", spot, spread=0)
        for instrument in self.master.instruments():
            if instrument.strike is not None and instrument.right is not None:
                self.quote(instrument.name, premium(instrument.strike, instrument.right, spot))

    def price(self, contract: str, rupees: float) -> None:
        """The market of one contract, in rupees, and what follows from it."""
        self.quote(contract, round(rupees * 100))
        self.settle()

    def printed(self, contract: str, ltp: int, bid: int | None, ask: int | None) -> None:
        """A trade somewhere, and the book that stands beside it, in paise."""
        known = self.quotes[contract]
        changes = {"ltp": ltp, "bid": bid, "ask": ask, "ts": known.ts + 1}
        self.quotes[contract] = msgspec.structs.replace(known, **changes)

    # what is asked

    def ask(self, command: cmd.AnyCommand) -> Decision:
        decision = decide(View(self.state, self.master, self.situation, "ABC"), command)
        self.tell(*decision.facts, actor=command.actor)
        self._carry(decision)
        return decision

    def start(self, *strategies: Strategy, accounts: Sequence[Allocation] = (Allocation(account="paper"),)) -> None:
        """Save a basket of these strategies and let it run."""
        basket = Basket(
            name="day",
            strategies=tuple(strategies),
            allocations=tuple(accounts),
            pace=self.pace,
            stagger_ms=500 if self.pace is Pace.STAGGERED else 0,
        )
        known = self.state.baskets.get("day")
        over = None if known is None else known.version
        self.ask(cmd.SaveBasket(id=f"save{self.state.seq}", actor="key", basket=basket, over=over))
        self.ask(cmd.SetBasketStatus(id=f"start{self.state.seq}", actor="key", name="day", status=BasketStatus.ACTIVE))
        self.settle()

    def steer(self, run_id: str, action: cmd.RunAction, leg: str = "") -> Decision:
        """A person does something with a run."""
        command = cmd.SteerRun(id=f"steer{self.state.seq}", actor="key", run_id=run_id, action=action, leg=leg)
        return self.order_run(lambda scene: steering.steer(scene, command))

    def edit(self, run_id: str, changed: Strategy, fire: bool = False) -> Decision:
        """A person changes the rules of a run."""
        command = cmd.EditRun(id=f"edit{self.state.seq}", actor="key", run_id=run_id, strategy=changed, fire=fire)
        return self.order_run(lambda scene: steering.edit(scene, command))

    def order_run(self, decided: Callable[[RunScene], Decision]) -> Decision:
        """Carry out what a person asks of runs."""
        days = market_days(self.calendar)
        decision = decided(RunScene(self.state, self.master, self.situation, "ABC", days, Minutes()))
        self.tell(*decision.facts, actor=decision.actor)
        self._carry(decision)
        self.settle()
        return decision

    # time

    def to(self, clock: str, day: date | None = None) -> None:
        """Let time pass to a time of day, then let everything settle."""
        moment = at_time(day or self.now.date(), clock)
        assert moment >= self.now
        self.now = moment
        self.settle()

    def close_day(self) -> None:
        """The market closes: what worked expires, and nothing trades."""
        self.phase = MarketPhase.CLOSED
        for order in self.working():
            self.tell(ev.OrderExpired(order_id=order.id, reason="the day ended"))
        self.settle()

    def next_day(self, day: date, clock: str = "09:15:00") -> None:
        """Close the session and open that of another day."""
        if self.phase is MarketPhase.OPEN:
            self.close_day()
        self.tell(ev.SessionClosed(day=self.now.date()))
        self.settle()
        self.now = at_time(day, clock)
        self.tell(ev.SessionOpened(day=day))
        self.phase = MarketPhase.OPEN
        self.settle()

    def settle(self, seconds: float = 0.0) -> list[Effect]:
        """Let time pass, let every duty go as far as it can, and the broker fill what could trade, until all rests."""
        self.now += timedelta(seconds=seconds)
        sent: list[Effect] = []
        for _ in range(STEPS):
            step = self._next()
            if step is None:
                if not self._trade():
                    break
                continue
            self.tell(*step.facts, actor=step.actor)
            sent += step.effects
            self._carry(step)
        else:
            raise AssertionError("the duties never come to rest")
        self.effects += sent
        return sent

    def _next(self) -> Decision | None:
        duties = (protection.advance, supervision.advance, parents.advance, groups.advance, self.runs.advance)
        for advance in duties:
            step = advance(self.state, self.master, self.situation, "ABC")
            if step is not None:
                return step
        return None

    def _carry(self, decision: Decision) -> None:
        """The broker takes each request as it comes."""
        for effect in decision.effects:
            match effect:
                case SendPlace(order_id, request):
                    refused = self.refuse.get(request.instrument.name)
                    if request.instrument.name in self.lost:
                        self.tell(ev.OrderDoubted(order_id=order_id, cause="no answer"))
                    elif refused:
                        self.tell(ev.OrderRejected(order_id=order_id, code=refused, reason=f"{refused} by the broker"))
                    else:
                        self.seen(order_id)
                case SendModify(order_id):
                    self.accept(order_id)
                    self.tell(ev.OrderConfirmed(order_id=order_id))
                case SendCancel(order_id):
                    if not self.state.orders[order_id].status.final:
                        self.tell(ev.OrderCancelled(order_id=order_id, reason="asked"))
                case _:
                    pass

    def _trade(self) -> bool:
        """Fill the first order that the market would fill."""
        if not self.fills or self.phase is not MarketPhase.OPEN:
            return False
        for order in self.working():
            quote = self.quotes.get(order.terms.contract)
            waits = order.terms.type.has_trigger and not order.triggered
            if quote is None or order.terms.contract in self.dry:
                continue
            away = None if quote.ltp is None or order.terms.trigger is None else quote.ltp - order.terms.trigger
            if waits and away is not None and away * order.terms.side.sign >= 0:
                self.tell(ev.OrderTriggered(order_id=order.id))
                return True
            if waits or order.status not in (OrderStatus.OPEN, OrderStatus.PARTIAL):
                continue
            price = quote.ask if order.terms.side.sign > 0 else quote.bid
            limit = order.terms.limit
            if price is None or (limit is not None and (price - limit) * order.terms.side.sign > 0):
                continue
            qty = min(order.remaining, self.shallow.get(order.terms.contract, order.remaining))
            if qty <= 0:
                continue
            if order.terms.contract in self.shallow:
                self.shallow[order.terms.contract] -= qty
            self.trades += 1
            self.fill(order.id, qty, price, f"x{self.trades}")
            return True
        return False

    def lose(self, contract: str) -> str:
        """An order of another hand of ours of which nobody knows whether it is at the broker."""
        order_id = self.order(terms(contract=contract), acknowledged=False)
        self.tell(ev.OrderDoubted(order_id=order_id, cause="no answer"))
        return order_id

    # what can be read

    def run(self, run_id: str = "R1") -> Run:
        return self.state.runs[run_id]

    def said(self, status: RunStatus, run_id: str = "R1") -> str:
        """The run's code, once it stands where it should."""
        run = self.run(run_id)
        assert run.status is status, (run.status, run.code, run.text)
        return run.code

    def held(self) -> dict[str, int]:
        """Net units by contract, without the expiry."""
        return {each.key.contract.split(" ", 2)[2]: each.qty for each in self.state.positions.values() if each.qty}

    def stops(self) -> dict[str, tuple[int, int]]:
        """Contract to (trigger, units) of what waits at the exchange."""
        return {
            order.terms.contract.split(" ", 2)[2]: (order.terms.trigger or 0, order.remaining)
            for order in self.working()
            if order.role is Role.STOP and not order.triggered
        }

    def sent(self, role: Role = Role.ENTRY) -> list[tuple[str, str, int]]:
        """What was sent in this role: contract without its expiry, side, units."""
        orders = [order for order in self.state.orders.values() if order.role is role]
        return [(each.terms.contract.split(" ", 2)[2], each.terms.side.value, each.terms.qty) for each in orders]

    def open_account(self, name: str) -> None:
        account = Account(id=name, broker="paper", mode=Mode.PAPER, capital=100_000_000)
        self.tell(ev.AccountOpened(account=account))

    def restart(self) -> None:
        """The journal is read back, and nothing is remembered that it does not hold."""
        state, link = TradingState(), ""
        for version, fact in enumerate(self.facts, 1):
            row = encode(fact, version, link)
            read = decode(row.seq, row.at_ist, row.actor, row.cause, row.payload)
            assert read == fact, fact
            state, link = apply(state, read), row.hash
        assert state == self.state
        self.state = state
        self.runs = Runs(market_days(self.calendar))

    def codes(self) -> list[str]:
        return [notice.code for notice in self.state.notices]


def at_time(day: date, clock: str) -> datetime:
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return datetime(day.year, day.month, day.day, hours, minutes, seconds[0] if seconds else 0, tzinfo=IST)


def strategy(text: str, **legs: str) -> Strategy:
    """A strategy of NIFTY from its text: the head as TOML lines, each leg as ``side right key=value`` lines."""
    head = 'format = 1\n[basket]\nname = "x"\n[[strategy]]\nname = "s"\nunderlying = "NIFTY"\n' + text
    for leg_id, words in legs.items():
        side, right, *rest = words.split(" ", 2)
        lines = "\n".join(line.strip() for line in (rest[0] if rest else "").split(";"))
        head += f'\n[[strategy.leg]]\nid = "{leg_id}"\nside = "{side}"\nright = "{right}"\n{lines}\n'
    basket, faults = read_basket(head)
    assert basket is not None, faults
    return basket.strategies[0]
