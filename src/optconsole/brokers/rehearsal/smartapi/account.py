"""The client's positions, money and profile, as the market knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.asked import text
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.habits import Mixed, stamp
from optconsole.brokers.rehearsal.smartapi.sessions import Client, Denied, Tokens
from optconsole.brokers.rehearsal.smartapi.standings import Standing, position_row, rms_row
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import Product, Side

Key = tuple[str, Product]


class AccountDesk:
    """Answers for one client. Raises BrokerUnreachable where the market cannot say."""

    def __init__(self, market: Market, catalogue: Catalogue, client: Client, mixed: Mixed) -> None:
        self._market, self._catalogue, self._client, self._mixed = market, catalogue, client, mixed

    async def standings(self) -> list[Standing]:
        """Every contract and product that was traded today or is open. What was open in the morning is valued at
        yesterday's close, what expired today left at its settlement price."""
        desk = self._market.desk
        today: dict[Key, Standing] = {}
        for trade in await desk.trades():
            self._add(today, (trade.contract, trade.product), trade.side, trade.qty, trade.price)
        for settled in await desk.settlements():
            if settled.at.date() == self._market.now().date():
                side = Side.SELL if settled.qty > 0 else Side.BUY
                self._add(today, (settled.contract, settled.product), side, abs(settled.qty), settled.price)
        net = {(held.contract, held.product): held.qty for held in await desk.positions()}
        found = []
        for key in {**today, **net}:
            standing = today.get(key) or self._blank(key)
            if standing is not None:
                found.append(self._valued(standing, net.get(key, 0)))
        return found

    async def positions(self) -> list[dict[str, Any]] | None:
        """Rows of the position book; None, printed as null, for none."""
        return [position_row(standing) for standing in await self.standings()] or None

    async def rms(self) -> dict[str, Any]:
        """The funds."""
        funds = await self._market.desk.funds()
        premium = sum(
            max(0, standing.net) * (standing.ltp or 0)
            for standing in await self.standings()
            if standing.scrip.instrument.kind is Kind.OPTION
        )
        return rms_row(funds.cash, funds.margin_used, min(premium, funds.margin_used))

    def profile(self, tokens: Tokens) -> dict[str, Any]:
        """Who is logged in; lists are JSON arrays, or strings that hold one."""
        exchanges = sorted({scrip.segment for scrip in self._catalogue.all()})
        products = ["DELIVERY", "INTRADAY", "CARRYFORWARD", "MARGIN", "BO"]
        return {
            "clientcode": self._client.code,
            "name": self._client.name,
            "email": "",
            "mobileno": "",
            "exchanges": self._listed(exchanges),
            "products": self._listed(products),
            "lastlogintime": stamp(tokens.made_at),
            "brokerid": "B2C",
        }

    async def convert(self, body: Mapping[str, Any]) -> None:
        """Raises Denied always: the market behind keeps each product's position apart for good."""
        segment, token = text(body, "exchange").upper(), text(body, "symboltoken")
        product = text(body, "oldproducttype").upper()
        for standing in await self.standings():
            here = (standing.scrip.segment, standing.scrip.token, standing.producttype)
            if here == (segment, token, product) and standing.net:
                raise Denied("AB1017", "Position Conversion Failed")
        raise Denied("AB1016", "Position Not Found")

    def _listed(self, values: list[str]) -> list[str] | str:
        return values if self._mixed.chance(0.5) else msgspec.json.encode(values).decode()

    def _blank(self, key: Key) -> Standing | None:
        scrip = self._catalogue.of(key[0])
        return None if scrip is None else Standing(scrip=scrip, producttype=words.PRODUCT_WORDS[key[1]])

    def _add(self, today: dict[Key, Standing], key: Key, side: Side, qty: int, price: int) -> None:
        before = today.get(key) or self._blank(key)
        if before is None:
            return
        if side is Side.BUY:
            after = msgspec.structs.replace(
                before, buy_qty=before.buy_qty + qty, buy_value=before.buy_value + qty * price
            )
        else:
            after = msgspec.structs.replace(
                before, sell_qty=before.sell_qty + qty, sell_value=before.sell_value + qty * price
            )
        today[key] = after

    def _valued(self, standing: Standing, net: int) -> Standing:
        quote = self._market.quote(standing.scrip.instrument.name)
        carried = net - (standing.buy_qty - standing.sell_qty)
        close = quote.prev_close if quote is not None and quote.prev_close is not None else 0
        return msgspec.structs.replace(
            standing,
            carried_qty=carried,
            carried_value=carried * close,
            ltp=None if quote is None else quote.ltp,
        )
