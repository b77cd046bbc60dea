"""What an account has, owes as margin and holds beside positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from optconsole.brokers.transport.gateway import Listed
from optconsole.brokers.zerodha import forms, rows
from optconsole.brokers.zerodha.rows import BadRow, HoldingRow, Margins
from optconsole.brokers.zerodha.session import KiteSession
from optconsole.engine.model.accounts import Funds
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import BrokerUnreachable, PlaceRequest


class Total(msgspec.Struct, frozen=True):
    total: Decimal


class Basket(msgspec.Struct, frozen=True):
    """``final`` has the benefit of what hedges what."""

    final: Total


class KiteMoney:
    """Every read raises BrokerUnreachable, LoginLost."""

    def __init__(self, account: str, session: KiteSession, listed: Callable[[Instrument], Listed | None]) -> None:
        self._account, self._session, self._find = account, session, listed

    async def funds(self) -> Funds:
        read = await self._session.read("funds", "/user/margins", Margins)
        try:
            return rows.funds(self._account, read.equity)
        except BadRow as wrong:
            raise BrokerUnreachable(f"Zerodha's funds cannot be read: {wrong}.") from None

    async def margin(self, requests: Sequence[PlaceRequest]) -> int:
        """What is blocked now, and what Kite says the basket needs on top with the account's positions considered."""
        used = (await self.funds()).margin_used
        return used + await self.basket(requests) if requests else used

    async def basket(self, requests: Sequence[PlaceRequest]) -> int:
        """Paise that orders need together, beside what is open and with the benefit of hedges."""
        read = await self._session.ask(
            "POST",
            "margin",
            "/margins/basket",
            Basket,
            json=self._body(requests),
            params={"consider_positions": "true"},
        )
        return _amount(read.final)

    async def apart(self, requests: Sequence[PlaceRequest]) -> list[int]:
        """Paise that each order needs by itself."""
        read = await self._session.ask("POST", "margins", "/margins/orders", list[Total], json=self._body(requests))
        return [_amount(each) for each in read]

    async def holdings(self) -> list[HoldingRow]:
        """Shares in the account."""
        return await self._session.read("holdings", "/portfolio/holdings", list[HoldingRow])

    async def convert(
        self, instrument: Instrument, side: Side, qty: int, old: Product, new: Product, overnight: bool
    ) -> None:
        """Move ``qty`` units of a position to another product; when it fails, the positions say what became of it."""
        form = forms.convert(self._listed(instrument), side, qty, old.value, new.value, overnight)
        await self._session.ask("PUT", "conversion", "/portfolio/positions", bool, form=form)

    def _body(self, requests: Sequence[PlaceRequest]) -> list[dict[str, object]]:
        return forms.margin([(request, self._listed(request.instrument)) for request in requests])

    def _listed(self, instrument: Instrument) -> Listed:
        found = self._find(instrument)
        if found is None:
            raise BrokerUnreachable(f"Zerodha's file of today does not list {instrument.name}.")
        return found


def _amount(total: Total) -> int:
    try:
        return rows.paise(total.total)
    except BadRow as wrong:
        raise BrokerUnreachable(f"Zerodha's margin cannot be read: {wrong}.") from None
