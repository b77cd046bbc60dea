"""A scripted trader: orders of every type, changes, cancels, exits, the kill switch, repeated and resent commands."""

from __future__ import annotations

from collections.abc import Sequence

from optconsole.engine.commands import (
    AbandonFlatten,
    AcknowledgeNotices,
    AnyCommand,
    CancelAll,
    CancelOrder,
    ClearStop,
    EngageKill,
    Flatten,
    ModifyOrder,
    PlaceOrder,
    ReleaseKill,
    Reverse,
    Scope,
    ScopeKind,
    SetStop,
)
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Product, Side, Validity
from optconsole.engine.model.positions import PositionKey
from optconsole.engine.model.protection import StopMode
from tests.simulation import together
from tests.simulation.kernel import TapeRandom
from tests.simulation.market import LOT, OPTIONS, TICK, WEEKLY, Market

ACTIONS = (
    *["place"] * 40,
    *["modify"] * 10,
    *["cancel"] * 8,
    *["exit percent"] * 5,
    *["guard"] * 8,
    *["unguard"] * 1,
    *["give up"] * 1,
    *["flatten"] * 3,
    *["cancel all"] * 3,
    *["kill"] * 1,
    *["release"] * 2,
    *["again"] * 5,
    *["acknowledge"] * 1,
    *["large"] * 6,
    *["group"] * 5,
    *["reverse"] * 2,
)


class Operator:
    """Draws what the trader does next from the operator tape; on a quiet tape the trader sits still."""

    def __init__(self, choices: TapeRandom, market: Market, accounts: Sequence[str]) -> None:
        self._choices, self._market, self._accounts = choices, market, accounts
        self._count = 0
        self.sent: list[AnyCommand] = []

    def pause(self) -> float:
        """Seconds until the next key; sometimes two at once."""
        value = self._choices.byte()
        return 6.0 if value == 0 else (value % 16) * 0.35

    def command(self, state: TradingState, weekly: bool) -> AnyCommand | None:
        """What the trader asks now, seeing the console's state; None for nothing."""
        value = self._choices.byte()
        if value == 0:
            return None
        action = ACTIONS[value % len(ACTIONS)]
        if action == "again" and self.sent:
            return self.sent[-1 - self._choices.byte() % min(4, len(self.sent))]
        command = self._fresh(action, state, weekly)
        if command is not None:
            self.sent.append(command)
        return command

    def _fresh(self, action: str, state: TradingState, weekly: bool) -> AnyCommand | None:
        self._count += 1
        name, actor = f"c{self._count}", "key:sim"
        match action:
            case "place" | "again":
                return PlaceOrder(id=name, actor=actor, terms=self._terms(weekly))
            case "modify":
                return self._change(name, actor, state)
            case "cancel":
                order = self._one_of(state)
                return None if order is None else CancelOrder(id=name, actor=actor, order_id=order.id)
            case "exit percent":
                return Flatten(
                    id=name, actor=actor, scope=self._scope(weekly), percent=self._choices.pick((50, 25, 75))
                )
            case "flatten":
                return Flatten(id=name, actor=actor, scope=self._scope(weekly))
            case "cancel all":
                return CancelAll(id=name, actor=actor, scope=self._scope(weekly))
            case "guard" | "unguard" | "give up":
                return self._guarding(action, name, actor, state)
            case "large" | "group" | "reverse":
                return self._together(action, name, actor, weekly)
            case _:
                return _switch(action, name, actor, state)

    def _together(self, action: str, name: str, actor: str, weekly: bool) -> AnyCommand:
        if action == "reverse":
            return Reverse(id=name, actor=actor, scope=Scope(ScopeKind.CONTRACT, self._contract(weekly)))
        terms = self._terms(weekly)
        draw = together.large if action == "large" else together.group
        return draw(name, actor, terms, self._market.price(terms.contract), self._choices)

    def _terms(self, weekly: bool) -> OrderTerms:
        choices = self._choices
        contract = self._contract(weekly)
        price = self._market.price(contract)
        side = choices.pick((Side.BUY, Side.SELL))
        type_ = choices.pick((OrderType.LIMIT, OrderType.MARKET, OrderType.LIMIT, OrderType.SL, OrderType.SL_M))
        away = (choices.byte() % 17 - 6) * TICK
        trigger = price + side.sign * (10 * TICK + abs(away)) if type_.has_trigger else None
        limit = None
        if type_ is OrderType.LIMIT:
            limit = price - side.sign * away
        elif type_ is OrderType.SL and trigger is not None:
            limit = trigger + side.sign * 4 * TICK
        return OrderTerms(
            account=choices.pick(self._accounts),
            contract=contract,
            side=side,
            qty=LOT * choices.randint(1, 3),
            type=type_,
            price=limit,
            trigger=trigger,
            product=Product.MIS if choices.happens(0.15) else Product.NRML,
            validity=Validity.IOC if type_ is OrderType.LIMIT and choices.happens(0.1) else Validity.DAY,
        )

    def _contract(self, weekly: bool) -> str:
        listed = [item.name for item in OPTIONS if weekly or item.expiry != WEEKLY]
        return str(listed[self._choices.byte() % len(listed)])

    def _change(self, name: str, actor: str, state: TradingState) -> ModifyOrder | None:
        order = self._one_of(state)
        if order is None:
            return None
        value = self._choices.byte()
        if value % 3 == 0:
            return ModifyOrder(id=name, actor=actor, order_id=order.id, qty=LOT * (1 + value % 5))
        price = (self._market.worth(order.terms.contract) or 0) + (value % 21 - 10) * TICK
        return ModifyOrder(id=name, actor=actor, order_id=order.id, price=price)

    def _held(self, state: TradingState) -> PositionKey | None:
        held = [position.key for position in state.positions.values() if position.qty]
        return held[self._choices.byte() % len(held)] if held else None

    def _guarding(self, action: str, name: str, actor: str, state: TradingState) -> AnyCommand | None:
        key = self._held(state)
        if action == "give up":
            wish = next(iter(state.flattening), None)
            return None if wish is None else AbandonFlatten(id=name, actor=actor, flatten_id=wish)
        if key is None or action == "guard":
            return self._guard(name, actor, state)
        return ClearStop(id=name, actor=actor, account=key.account, product=key.product, contract=key.contract)

    def _guard(self, name: str, actor: str, state: TradingState) -> SetStop | None:
        key = self._held(state)
        if key is None:
            return None
        sign = 1 if state.positions[str(key)].qty > 0 else -1
        price, away = self._market.worth(key.contract) or 0, (5 + self._choices.byte() % 40) * TICK
        return SetStop(
            id=name,
            actor=actor,
            account=key.account,
            product=key.product,
            contract=key.contract,
            stop=price - sign * away,
            target=price + sign * away if self._choices.happens(0.5) else None,
            mode=self._choices.pick((StopMode.BOTH, StopMode.BROKER, StopMode.LOCAL)),
        )

    def _one_of(self, state: TradingState) -> Order | None:
        working = [order for order in state.orders.values() if order.status.working]
        return working[self._choices.byte() % len(working)] if working else None

    def _scope(self, weekly: bool) -> Scope:
        value = self._choices.byte()
        match value % 4:
            case 0:
                return Scope()
            case 1:
                return Scope(ScopeKind.CONTRACT, self._contract(weekly))
            case 2:
                return Scope(ScopeKind.UNDERLYING, "NIFTY")
            case _:
                return Scope(ScopeKind.ACCOUNT, self._choices.pick(self._accounts))


def _switch(action: str, name: str, actor: str, state: TradingState) -> AnyCommand:
    match action:
        case "kill":
            return EngageKill(id=name, actor=actor, why="drill")
        case "release":
            return ReleaseKill(id=name, actor=actor, typed="UNLOCK")
        case _:
            return AcknowledgeNotices(id=name, actor=actor, upto=state.seq)
