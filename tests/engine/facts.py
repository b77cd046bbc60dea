"""Builders of facts and states for tests: short words for the long structs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from optconsole.engine import events as ev
from optconsole.engine.events import AnyEvent, Recorded
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.instruments import Instrument, Kind, Right, contract_name
from optconsole.engine.model.orders import OrderTerms, OrderType, Product, RiskClass, Side
from optconsole.engine.model.timeline import IST
from optconsole.engine.state import apply

START = datetime(2026, 11, 23, 9, 20, tzinfo=IST)
DAY = START.date()
EXPIRY = date(2026, 12, 1)
CALL = contract_name("NIFTY", EXPIRY, 2_450_000, Right.CALL)
PUT = contract_name("NIFTY", EXPIRY, 2_450_000, Right.PUT)
PAPER = Account(id="paper", broker="paper", mode=Mode.PAPER, capital=100_000_000)


def option(strike: int = 2_450_000, right: Right = Right.CALL, expiry: date = EXPIRY) -> Instrument:
    return Instrument(
        name=contract_name("NIFTY", expiry, strike, right),
        underlying="NIFTY",
        exchange="NSE",
        kind=Kind.OPTION,
        lot=65,
        tick=5,
        freeze=1800,
        expiry=expiry,
        strike=strike,
        right=right,
        last_trade=datetime(expiry.year, expiry.month, expiry.day, 15, 40, tzinfo=IST),
    )


def index() -> Instrument:
    return Instrument(name="NIFTY", underlying="NIFTY", exchange="NSE", kind=Kind.INDEX, lot=1, tick=5, freeze=0)


def terms(
    side: Side = Side.SELL,
    qty: int = 65,
    price: int | None = 10_000,
    type: OrderType = OrderType.LIMIT,
    contract: str = CALL,
    trigger: int | None = None,
    protection: int | None = None,
    product: Product = Product.NRML,
) -> OrderTerms:
    return OrderTerms(
        account="paper",
        contract=contract,
        side=side,
        qty=qty,
        type=type,
        price=price,
        trigger=trigger,
        protection=protection,
        product=product,
    )


class Story:
    """Facts told one after another, and the state they make."""

    def __init__(self) -> None:
        self.facts: list[Recorded] = []
        self.state = TradingState()
        self.tell(
            ev.EngineStarted(version="0", world="practice", epoch=1),
            ev.SessionOpened(day=DAY),
            ev.AccountOpened(account=PAPER),
            ev.EngineReady(orders_checked=0, fills_adopted=0),
        )

    def tell(self, *events: AnyEvent, actor: str = "test") -> Story:
        for event in events:
            seq = self.state.seq + 1
            fact = Recorded(seq=seq, at=START + timedelta(seconds=seq), actor=actor, cause="", event=event)
            self.facts.append(fact)
            self.state = apply(self.state.copy(), fact)
        return self

    def order(self, wanted: OrderTerms, tag: str = "", acknowledged: bool = True) -> str:
        """Intend and send an order; the broker has it unless said otherwise."""
        order_id = f"O{self.state.order_count + 1}"
        self.tell(
            ev.OrderIntended(
                order_id=order_id, terms=wanted, tag=tag or f"TAG{order_id}", risk=RiskClass.INCREASE, lot=65
            ),
            ev.OrderSent(order_id=order_id, attempt=0),
        )
        if acknowledged:
            self.tell(ev.OrderAcknowledged(order_id=order_id, broker_id=f"B{order_id}"))
        return order_id

    def fill(self, order_id: str, qty: int, price: int, trade_id: str, charges: int = 0) -> Story:
        wanted = self.state.orders[order_id].terms
        return self.tell(
            ev.OrderFilled(
                order_id=order_id,
                trade_id=trade_id,
                account=wanted.account,
                contract=wanted.contract,
                product=wanted.product,
                side=wanted.side,
                qty=qty,
                price=price,
                charges=charges,
                traded_at=START,
            )
        )
