"""Angel One's paths: what each call is named, and which budget it is counted against."""

from __future__ import annotations

from typing import Final

import msgspec

LOGIN: Final = "/rest/auth/angelbroking/user/v1/loginByPassword"
TOKENS: Final = "/rest/auth/angelbroking/jwt/v1/generateTokens"
MASTER: Final = "/OpenAPI_File/files/OpenAPIScripMaster.json"
TICKS: Final = "/smart-stream"
UPDATES: Final = "/smart-order-update"
DETAILS: Final = "/rest/secure/angelbroking/order/v1/details/"
_USER: Final = "/rest/secure/angelbroking/user/v1/"
_ORDER: Final = "/rest/secure/angelbroking/order/v1/"
_PORTFOLIO: Final = "/rest/secure/angelbroking/portfolio/v1/"
_GTT: Final = "/rest/secure/angelbroking/gtt/v1/"
_SERVICE: Final = "/gtt-service"
"""The official SDK puts this before some paths of rules."""


class Route(msgspec.Struct, frozen=True):
    """``op`` is the name faults know the call by, ``bucket`` what it is counted against."""

    method: str
    op: str
    bucket: str


_ROUTES: Final = {
    LOGIN: Route("POST", "login", "login"),
    TOKENS: Route("POST", "tokens", "tokens"),
    MASTER: Route("GET", "instruments", ""),
    _USER + "logout": Route("POST", "logout", "logout"),
    _USER + "getProfile": Route("GET", "profile", "profile"),
    _USER + "getRMS": Route("GET", "funds", "rms"),
    _ORDER + "placeOrder": Route("POST", "place", "orders"),
    _ORDER + "modifyOrder": Route("POST", "modify", "orders"),
    _ORDER + "cancelOrder": Route("POST", "cancel", "orders"),
    _ORDER + "getOrderBook": Route("GET", "book", "book"),
    _ORDER + "getTradeBook": Route("GET", "trades", "trades"),
    _ORDER + "getPosition": Route("GET", "positions", "positions"),
    _ORDER + "convertPosition": Route("POST", "convert", "convert"),
    _ORDER + "getLtpData": Route("POST", "ltp", "ltp"),
    _ORDER + "searchScrip": Route("POST", "search", "search"),
    _PORTFOLIO + "getHolding": Route("GET", "holdings", "holdings"),
    _PORTFOLIO + "getAllHolding": Route("GET", "all_holdings", "all_holdings"),
    "/rest/secure/angelbroking/market/v1/quote": Route("POST", "quote", "quote"),
    "/rest/secure/angelbroking/historical/v1/getCandleData": Route("POST", "candles", "candles"),
    "/rest/secure/angelbroking/historical/v1/getOIData": Route("POST", "interest", "candles"),
    "/rest/secure/angelbroking/margin/v1/batch": Route("POST", "margin", "margin"),
    "/rest/secure/angelbroking/brokerage/v1/estimateCharges": Route("POST", "charges", "charges"),
    _GTT + "createRule": Route("POST", "gtt", "gtt"),
    _GTT + "modifyRule": Route("POST", "gtt_modify", "gtt"),
    _GTT + "cancelRule": Route("POST", "gtt_cancel", "gtt"),
    _GTT + "ruleDetails": Route("POST", "gtt_details", "gtt_looks"),
    _GTT + "ruleList": Route("POST", "gtt_list", "gtt_looks"),
}


def route(method: str, path: str) -> Route | None:
    """The route of a path; None for one that is not served, or not with this method."""
    plain = path.removeprefix(_SERVICE).rstrip("/")
    if plain.startswith(DETAILS):
        found: Route | None = Route("GET", "order", "details")
    else:
        found = _ROUTES.get(plain)
    return found if found is not None and found.method == method else None
