"""The order ticket as a value: fields, typing, steps and what they ask for. Pure; the screen only shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from optconsole.engine.commands import ModifyOrder
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.money import paise, rupees
from optconsole.engine.model.orders import Order, OrderTerms, OrderType, Product, Side, Validity
from optconsole.engine.model.parents import Parent
from optconsole.engine.model.quotes import Quote

USUAL_TICK: Final = 5
"""Paise; what a contract's tick is taken for until the engine has said."""
MOST_LOTS: Final = 99_999
MOST_PAISE: Final = 10**9
LONGEST: Final = 12
"""Characters of a number that a field reads; one more makes it unreadable."""
Changing = Order | Parent
"""What a ticket may change: one order, or one that left in parts, as a whole."""
TYPES: Final = (OrderType.LIMIT, OrderType.MARKET, OrderType.SL, OrderType.SL_M)
_WHOLE: Final = re.compile(r"\d+", re.ASCII)
_RUPEES: Final = re.compile(r"\d+(\.\d{0,2})?|\.\d{1,2}", re.ASCII)
STOP_AWAY: Final = 20
STOP_ROOM: Final = 20
"""Ticks from the market to a first trigger, and from the trigger to a first limit of a stop."""


class Field(StrEnum):
    """What can be typed over."""

    LOTS = "lots"
    PRICE = "price"
    TRIGGER = "trigger"
    STOP = "stop"
    TARGET = "target"
    PARTS = "parts"


OPTIONAL: Final = (Field.STOP, Field.TARGET, Field.PARTS)
"""Fields that may stay empty; they show once they are asked for."""
COUNTS: Final = (Field.LOTS, Field.PARTS)
"""Fields that hold whole numbers; the others hold prices."""
MOST_PARTS: Final = 99
GUARD_PERCENT: Final = 25
"""Per cent from the price at which an empty stop or target begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order being written. Prices in paise, None while empty or unreadable; ``lot`` 0 while unknown.

    ``stop`` and ``target`` guard what fills, ``parts`` is in how many pieces it leaves; ``extras`` shows their fields.
    ``typed`` is the text of the focused field since it was entered, None before the first key. ``changing`` is
    the working order or parent these terms are for; its type, product and validity stay.
    """

    account: str
    contract: str
    side: Side
    lot: int = 0
    tick: int = USUAL_TICK
    lots: int | None = 1
    price: int | None = None
    trigger: int | None = None
    type: OrderType = OrderType.LIMIT
    product: Product = Product.NRML
    validity: Validity = Validity.DAY
    field: Field = Field.LOTS
    typed: str | None = None
    changing: Changing | None = None
    stop: int | None = None
    target: int | None = None
    parts: int | None = None
    extras: bool = False

    # ------------------------------------------------------------ reading

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of this order type, in the order of Tab."""
        found = [Field.LOTS]
        if self.type in (OrderType.LIMIT, OrderType.SL):
            found.append(Field.PRICE)
        if self.type.has_trigger:
            found.append(Field.TRIGGER)
        return (*found, *OPTIONAL) if self.extras else tuple(found)

    def value(self, field: Field) -> int | None:
        """Lots or parts, else paise."""
        values = {
            Field.LOTS: self.lots,
            Field.PRICE: self.price,
            Field.TRIGGER: self.trigger,
            Field.STOP: self.stop,
            Field.TARGET: self.target,
            Field.PARTS: self.parts,
        }
        return values[field]

    def text(self, field: Field) -> str:
        """The field as it reads: what is being typed, else its value; empty when there is none."""
        if field is self.field and self.typed is not None:
            return self.typed
        value = self.value(field)
        if value is None:
            return ""
        return str(value) if field in COUNTS else f"{rupees(value):.2f}"

    @property
    def qty(self) -> int | None:
        """Units; None while lots or lot size are unknown."""
        return None if self.lots is None or not self.lot else self.lots * self.lot

    def terms(self) -> OrderTerms:
        """What would be sent. Raises Refusal with a sentence for the field that is not fit to be sent."""
        if not self.lot:
            raise Refusal("UNKNOWN_CONTRACT", f"{self.contract} is not listed; choose a contract from the chain.")
        for field in self.fields:
            if self.value(field) is None and (field not in OPTIONAL or self.text(field)):
                raise _unreadable(field, self.text(field))
        priced, stop = self.type in (OrderType.LIMIT, OrderType.SL), self.type.has_trigger
        return OrderTerms(
            account=self.account,
            contract=self.contract,
            side=self.side,
            qty=self.qty or 0,
            type=self.type,
            price=self.price if priced else None,
            trigger=self.trigger if stop else None,
            product=self.product,
            validity=self.validity,
        )

    def change(self, command_id: str, actor: str) -> ModifyOrder:
        """The command that puts these terms on the order being changed. Raises Refusal(NO_CHANGE)."""
        terms, order = self.terms(), self.changing
        assert order is not None, "only a ticket on a working order asks for a change"
        old = order.terms
        if (terms.qty, terms.price, terms.trigger) == (old.qty, old.price, old.trigger):
            raise Refusal("NO_CHANGE", "Nothing has changed; give a new price, trigger or quantity, or press Esc.")
        return ModifyOrder(
            id=command_id,
            actor=actor,
            order_id=order.id,
            qty=terms.qty if terms.qty != old.qty else None,
            price=terms.price if terms.price != old.price else None,
            trigger=terms.trigger if terms.trigger != old.trigger else None,
        )

    # ------------------------------------------------------------ typing

    def type_in(self, character: str) -> Draft:
        """One more character: the first digit or point replaces the field, whatever follows stays as typed.

        Leaving a character out would make another number of it, so the field is unreadable instead.
        """
        if not character.isprintable() or (self.typed is None and character not in "0123456789."):
            return self
        typed = self.typed or ""
        return self._read(typed + character) if len(typed) <= LONGEST else self

    def erase(self) -> Draft:
        """The last character goes."""
        return self._read(self.text(self.field)[:-1])

    def paste(self, text: str) -> Draft:
        """The whole field from a pasted number. Raises Refusal(BAD_PASTE) for anything else, changing nothing."""
        number = text.strip().replace(",", "").removeprefix("₹").strip()
        if not number or len(number) > LONGEST or any(char not in "0123456789." for char in number):
            raise Refusal("BAD_PASTE", f"What was pasted is not a number; the {self.field.value} stay as they were.")
        fresh = self._read(number)
        if fresh.value(self.field) is None:
            raise _unreadable(self.field, number)
        return fresh

    def _read(self, typed: str) -> Draft:
        value: int | None
        shape = _WHOLE if self.field in COUNTS else _RUPEES
        if len(typed) > LONGEST or not shape.fullmatch(typed):
            value = None
        else:
            value = int(typed) if self.field in COUNTS else paise(typed)
        most = {Field.LOTS: MOST_LOTS, Field.PARTS: MOST_PARTS}.get(self.field, MOST_PAISE)
        if value is not None and not 0 < value <= most:
            value = None
        return replace(self._with(self.field, value), typed=typed)

    def _with(self, field: Field, value: int | None) -> Draft:
        match field:
            case Field.LOTS:
                return replace(self, lots=value)
            case Field.PRICE:
                return replace(self, price=value)
            case Field.TRIGGER:
                return replace(self, trigger=value)
            case Field.STOP:
                return replace(self, stop=value)
            case Field.TARGET:
                return replace(self, target=value)
            case Field.PARTS:
                return replace(self, parts=value)

    # ------------------------------------------------------------ moving and stepping

    def focus(self, field: Field) -> Draft:
        """Put the cursor in a field that this order type has."""
        return replace(self, field=field, typed=None) if field in self.fields else self

    def tab(self, step: int = 1) -> Draft:
        """The next field, round and round."""
        fields = self.fields
        return self.focus(fields[(fields.index(self.field) + step) % len(fields)])

    def nudge(self, steps: int) -> Draft:
        """Lots by a lot, prices by a tick: down to one lot or one tick, and always onto a tick."""
        value = self.value(self.field)
        if self.field is Field.LOTS:
            return replace(self, lots=min(max((value or 0) + steps, 1), MOST_LOTS), typed=None)
        if self.field is Field.PARTS:
            return replace(self, parts=min(max((value or 1) + steps, 1), MOST_PARTS), typed=None)
        if value is None:
            return self._proposed()
        return replace(self._with(self.field, step_ticks(value, steps, self.tick)), typed=None)

    def _proposed(self) -> Draft:
        """An empty stop or target at a quarter from the price: the stop against the position, the target with it."""
        base = self.price if self.price is not None else self.trigger
        if base is None or self.field not in (Field.STOP, Field.TARGET):
            return self
        way = -self.side.sign if self.field is Field.STOP else self.side.sign
        level = on_tick(base * (100 + way * GUARD_PERCENT) // 100, self.tick, self.side)
        return replace(self._with(self.field, level), typed=None)

    def toggle_extras(self) -> Draft:
        """Show the fields of a guard and of parts, or take them and what stands in them away."""
        if self.changing is not None:
            return self
        if self.extras:
            plain = replace(self, extras=False, stop=None, target=None, parts=None, typed=None)
            return plain if plain.field in plain.fields else replace(plain, field=Field.LOTS)
        return replace(self, extras=True, field=Field.STOP, typed=None)._proposed()

    def take_price(self, price: int | None) -> Draft:
        """Put a price of the market into the price field, or into the trigger where that is focused."""
        fields = self.fields
        field = self.field if self.field not in COUNTS else Field.PRICE
        if price is None or field not in fields:
            return self
        return replace(self._with(field, on_tick(price, self.tick, self.side)), field=field, typed=None)

    # ------------------------------------------------------------ kinds

    def next_type(self, quote: Quote | None) -> Draft:
        """LIMIT, MARKET, SL, SL-M and round; a stop begins some ticks beyond the market."""
        if self.changing is not None:
            return self
        kind = TYPES[(TYPES.index(self.type) + 1) % len(TYPES)]
        return self.with_type(kind, quote)

    def with_type(self, kind: OrderType, quote: Quote | None) -> Draft:
        """The same order as another type, with first prices where it has none."""
        fresh = replace(self, type=kind, typed=None)
        if kind.has_trigger and fresh.trigger is None:
            market = None if quote is None else quote.ask if self.side is Side.BUY else quote.bid
            market = market if market is not None or quote is None else quote.mark
            if market is not None:
                away = self.side.sign * STOP_AWAY
                fresh = replace(fresh, trigger=step_ticks(on_tick(market, self.tick, self.side), away, self.tick))
        if kind is OrderType.SL and fresh.trigger is not None:
            fresh = replace(fresh, price=step_ticks(fresh.trigger, self.side.sign * STOP_ROOM, self.tick))
        if kind is OrderType.LIMIT:
            fresh = replace(fresh, price=first_price(quote, self.side, self.tick), trigger=None)
        own = [field for field in fresh.fields if field not in OPTIONAL]
        return fresh if fresh.field in fresh.fields else replace(fresh, field=own[-1])

    def next_product(self) -> Draft:
        """NRML or MIS."""
        if self.changing is not None:
            return self
        return replace(self, product=Product.MIS if self.product is Product.NRML else Product.NRML)

    def next_validity(self) -> Draft:
        """DAY or IOC."""
        if self.changing is not None:
            return self
        return replace(self, validity=Validity.IOC if self.validity is Validity.DAY else Validity.DAY)


def draft_of(order: Changing, tick: int) -> Draft:
    """A draft with the terms of a working order, to be changed."""
    terms, lot = order.terms, max(order.lot, 1)
    draft = Draft(
        account=terms.account,
        contract=terms.contract,
        side=terms.side,
        lot=lot,
        tick=tick,
        lots=terms.qty // lot,
        price=terms.price,
        trigger=terms.trigger,
        type=terms.type,
        product=terms.product,
        validity=terms.validity,
        changing=order,
    )
    return draft.tab() if len(draft.fields) > 1 else draft


def first_price(quote: Quote | None, side: Side, tick: int) -> int | None:
    """The limit a ticket opens with: the middle of the spread on a tick, without a spread the last price."""
    if quote is None:
        return None
    base = quote.mid if quote.mid is not None else quote.mark
    return None if base is None else on_tick(base, tick, side)


def on_tick(price: int, tick: int, side: Side) -> int:
    """The nearest tick that is no worse for this side: below for a buy, above for a sell."""
    below = price - price % tick
    return max(below if side is Side.BUY or below == price else below + tick, tick)


def step_ticks(price: int, steps: int, tick: int) -> int:
    """``steps`` ticks up or down; a price between two ticks first goes to the next one that way."""
    rest = price % tick
    if rest and steps > 0:
        price, steps = price - rest + tick, steps - 1
    elif rest and steps < 0:
        price, steps = price - rest, steps + 1
    return max(price + steps * tick, tick)


def _unreadable(field: Field, text: str) -> Refusal:
    if field is Field.PARTS:
        return Refusal(
            "BAD_QUANTITY", f"{text!r} is not a number of parts; type a whole number from 1 to {MOST_PARTS}."
        )
    if field is Field.LOTS:
        why = f"{text!r} is not a number of lots" if text else "The lots are empty"
        return Refusal("BAD_QUANTITY", f"{why}; type a whole number from 1 to {MOST_LOTS}.")
    why = f"{text!r} is not a {field.value}" if text else f"The {field.value} is empty"
    return Refusal("BAD_AMOUNT", f"{why}; type rupees with at most two decimals, like 101.25.")
