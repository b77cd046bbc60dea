"""Market data asked over REST: quotes, last prices, candles, search, margins and charges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from optconsole.brokers.rehearsal.market import Market
from optconsole.brokers.rehearsal.smartapi import words
from optconsole.brokers.rehearsal.smartapi.asked import paise, text, units
from optconsole.brokers.rehearsal.smartapi.candles import INTERVALS, Candle, candles
from optconsole.brokers.rehearsal.smartapi.catalogue import Catalogue
from optconsole.brokers.rehearsal.smartapi.charging import Estimate, estimated
from optconsole.brokers.rehearsal.smartapi.glances import QUOTE_MODES, quote_row
from optconsole.brokers.rehearsal.smartapi.habits import Mixed, number
from optconsole.brokers.rehearsal.smartapi.sessions import Denied
from optconsole.brokers.rehearsal.smartapi.symbols import Scrip
from optconsole.brokers.rehearsal.smartapi.tape import Tape
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.engine.model.timeline import IST
from optconsole.engine.ports import PlaceRequest

MOST_QUOTED: Final = 50
MOST_MARGIN_LEGS: Final = 50
_UNKNOWN: Final = ("AB4018", "Symbol Not Found")
_DATE: Final = "%Y-%m-%d %H:%M"
Body = Mapping[str, Any]


class DataDesk:
    """Answers from what the market shows. Every call raises Denied for what cannot be answered."""

    def __init__(self, market: Market, catalogue: Catalogue, tape: Tape, mixed: Mixed) -> None:
        self._market, self._catalogue, self._tape, self._mixed = market, catalogue, tape, mixed

    def quote(self, body: Body) -> dict[str, Any]:
        """``{fetched, unfetched}`` of at most fifty tokens; more are refused as a whole."""
        mode, asked = text(body, "mode").upper(), body.get("exchangeTokens")
        if mode not in QUOTE_MODES or not isinstance(asked, dict):
            raise Denied("AB2001", "Invalid mode or exchangeTokens")
        pairs = [(str(segment), str(token)) for segment, tokens in asked.items() for token in _list(tokens)]
        if len(pairs) > MOST_QUOTED:
            raise Denied("AB4019", f"Maximum limit of symboltoken is {MOST_QUOTED}")
        fetched, unfetched = [], []
        for segment, token in pairs:
            scrip = self._catalogue.at(segment, token)
            glance = None if scrip is None else self._tape.glance(scrip)
            if glance is None:
                row = {"exchange": segment, "symbolToken": token, "message": _UNKNOWN[1], "errorCode": _UNKNOWN[0]}
                unfetched.append(row)
            else:
                fetched.append(quote_row(glance, mode))
        return {"fetched": fetched, "unfetched": unfetched}

    def last(self, body: Body) -> dict[str, Any]:
        """The last price with the day's others; figures are strings or numbers."""
        scrip = self._scrip(body)
        glance = self._tape.glance(scrip)
        if glance is None:
            raise Denied(*_UNKNOWN)
        prices = {name: self._mixed.price(getattr(glance, name)) for name in ("open", "high", "low", "close", "ltp")}
        return {
            "exchange": scrip.segment,
            "tradingsymbol": scrip.symbol,
            "symboltoken": scrip.token,
            **prices,
        }

    def candles(self, body: Body) -> list[Candle]:
        """Candles of an interval; of days before the rehearsal began there are none."""
        interval = text(body, "interval").upper()
        if interval not in INTERVALS:
            raise Denied("AB1004", "Invalid interval")
        scrip = self._catalogue.at(text(body, "exchange").upper(), text(body, "symboltoken"))
        if scrip is None:
            raise Denied("AB1009", "Symbol Not Found")
        start, end = _moment(text(body, "fromdate")), _moment(text(body, "todate"))
        if end < start or end - start > timedelta(days=INTERVALS[interval][1]):
            raise Denied("AB1004", "Invalid date range")
        return candles(self._market.minutes(scrip.instrument.name), interval, start, end)

    def search(self, body: Body) -> list[dict[str, str]]:
        """Contracts of an exchange whose symbol holds the text."""
        wanted = text(body, "searchscrip")
        if not wanted:
            raise Denied("AB1004", "Invalid searchscrip")
        found = self._catalogue.found(text(body, "exchange").upper(), wanted)
        return [
            {"exchange": scrip.segment, "tradingsymbol": scrip.symbol, "symboltoken": scrip.token} for scrip in found
        ]

    def margin(self, body: Body) -> dict[str, Any]:
        """What the positions asked for need together, nothing else being held."""
        rows = _list(body.get("positions"))
        if not 0 < len(rows) <= MOST_MARGIN_LEGS:
            raise Denied("AB1004", f"Give 1 to {MOST_MARGIN_LEGS} positions")
        legs = [self._leg(row) for row in rows]
        try:
            whole = self._market.margin_alone(legs)
            alone = sum(self._market.margin_alone([leg]) for leg in legs)
        except Refusal as unknown:
            raise Denied("AB2001", unknown.text) from unknown
        options = [leg for leg in legs if leg.instrument.kind is Kind.OPTION]
        premium = sum(leg.side.sign * leg.qty * leg.price for leg in options)
        bought = sum(leg.qty * leg.price for leg in options if leg.side is Side.BUY)
        return {
            "totalMarginRequired": number(whole),
            "marginComponents": {
                "netPremium": number(premium),
                "spanMargin": number(max(0, whole - bought)),
                "marginBenefit": number(max(0, alone - whole)),
                "deliveryMargin": 0.0,
                "nonNFOMargin": 0.0,
                "totOptionsPremium": number(bought),
            },
        }

    def charges(self, body: Body) -> dict[str, Any]:
        """What the orders asked for would cost."""
        rows = _list(body.get("orders"))
        if not rows:
            raise Denied("AB1004", "Give orders")
        estimates = []
        for row in rows:
            scrip = self._catalogue.at(text(row, "exchange").upper(), text(row, "token"))
            side = text(row, "transaction_type").upper()
            if scrip is None or not scrip.instrument.tradable or side not in Side.__members__:
                raise Denied("AB1009", "Symbol Not Found")
            estimates.append(Estimate(scrip.instrument, Side(side), units(row, "quantity") * paise(row, "price")))
        return estimated(self._market.now().date(), estimates)

    # ------------------------------------------------------------ inside

    def _scrip(self, body: Body) -> Scrip:
        scrip = self._catalogue.at(text(body, "exchange").upper(), text(body, "symboltoken"))
        if scrip is None or scrip.symbol != text(body, "tradingsymbol"):
            raise Denied("AB1018", "Unable to fetch Symbol details")
        return scrip

    def _leg(self, row: Any) -> PlaceRequest:
        """A position as the order that would make it, at the market's price where none is named."""
        if not isinstance(row, dict):
            raise Denied("AB1004", "Invalid position")
        scrip = self._catalogue.at(text(row, "exchange").upper(), text(row, "token"))
        side = text(row, "tradeType").upper()
        if scrip is None or not scrip.instrument.tradable or side not in Side.__members__:
            raise Denied("AB1009", "Symbol Not Found")
        quote = self._market.quote(scrip.instrument.name)
        return PlaceRequest(
            tag="",
            account=self._market.account.id,
            instrument=scrip.instrument,
            side=Side(side),
            qty=units(row, "qty"),
            type=OrderType.LIMIT,
            price=paise(row, "price") or (quote.mark if quote is not None else None) or 0,
            trigger=None,
            product=words.PRODUCTS.get(text(row, "productType").upper(), Product.NRML),
            validity=Validity.DAY,
        )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(given: str) -> datetime:
    """Raises Denied."""
    try:
        return datetime.strptime(given, _DATE).replace(tzinfo=IST)
    except ValueError:
        raise Denied("AB1004", "Invalid date; write yyyy-MM-dd HH:mm") from None
