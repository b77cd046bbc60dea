"""An order as a client writes it in a form, read as strictly as Kite reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from optconsole.brokers.rehearsal.kite.contracts import KiteContract, KiteContracts
from optconsole.brokers.rehearsal.kite.replies import INPUT, UNPROTECTED, KiteError
from optconsole.engine.model.instruments import Kind
from optconsole.engine.model.orders import OrderType, Product, Side, Validity

TAG: Final = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{0,6})?", re.ASCII)
VARIETIES: Final = ("regular",)
_UNTRADED: Final = ("amo", "co", "iceberg", "auction")
_OPTION_BANDS: Final = ((10_00, Decimal(5)), (100_00, Decimal(3)), (500_00, Decimal(2)))
_OTHER_BANDS: Final = ((100_00, Decimal(2)), (500_00, Decimal(1)))
AUTOMATIC: Final = Decimal(-1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks; prices in paise, 0 where there is none. ``marks`` are the tags Kite itself adds."""

    contract: KiteContract
    variety: str
    side: Side
    qty: int
    type: OrderType
    price: int
    trigger: int
    product: Product
    validity: Validity
    tag: str | None
    autoslice: bool = False
    disclosed: int = 0
    marks: tuple[str, ...] = ()
    parent: str | None = None


def read_terms(variety: str, form: Mapping[str, str], contracts: KiteContracts) -> tuple[Terms, Decimal]:
    """The terms of a form and its market protection. Raises KiteError."""
    if variety in _UNTRADED:
        raise KiteError(INPUT, f"The rehearsal does not trade variety `{variety}`; use `regular`.")
    if variety not in VARIETIES:
        raise KiteError(INPUT, f"Invalid `variety`: {variety[:20]}.")
    contract = contracts.at(form.get("exchange", ""), form.get("tradingsymbol", ""))
    if contract is None:
        raise KiteError(INPUT, "The instrument you are placing an order for has either expired or does not exist.")
    kind = OrderType(_one_of(form, "order_type", [each.value for each in OrderType]))
    tag = form.get("tag") or None
    if tag is not None and not TAG.fullmatch(tag):
        raise KiteError(INPUT, "Invalid `tag`. It should be alphanumeric, of 20 characters at most.")
    terms = Terms(
        contract=contract,
        variety=variety,
        side=Side(_one_of(form, "transaction_type", ["BUY", "SELL"])),
        qty=whole(form, "quantity"),
        type=kind,
        price=money(form, "price") if kind in (OrderType.LIMIT, OrderType.SL) else 0,
        trigger=money(form, "trigger_price") if kind.has_trigger else 0,
        product=Product(_one_of(form, "product", ["NRML", "MIS"])),
        validity=Validity(_one_of({"validity": "DAY", **form}, "validity", ["DAY", "IOC"])),
        tag=tag,
        autoslice=form.get("autoslice", "").lower() == "true",
        disclosed=whole(form, "disclosed_quantity", 0),
    )
    return terms, protection(form)


def protection(form: Mapping[str, str]) -> Decimal:
    """Percent, or -1 for Kite's own band; 0 where none is given."""
    given = form.get("market_protection") or "0"
    if not _NUMBER.fullmatch(given.removeprefix("-")):
        raise KiteError(INPUT, "Invalid `market_protection`; it could not be decoded as a number.")
    percent = Decimal(given)
    if percent != AUTOMATIC and not 0 <= percent <= 100:
        raise KiteError(INPUT, "Invalid `market_protection`; give -1, or a percentage up to 100.")
    return percent


def protected(terms: Terms, percent: Decimal, last: int | None) -> Terms:
    """A MARKET or SL-M order as the limit order that Kite makes of it; any other as it is. ``last`` in paise.

    Raises KiteError where it has no protection.
    """
    if terms.type not in (OrderType.MARKET, OrderType.SL_M):
        return terms
    if percent == 0:
        raise KiteError(INPUT, UNPROTECTED)
    reference = terms.trigger if terms.type is OrderType.SL_M else last
    if not reference:
        raise KiteError(INPUT, "Market protection needs a last price, and there is none yet.")
    instrument = terms.contract.instrument
    band = _band(instrument.kind, reference) if percent == AUTOMATIC else percent
    tick = instrument.tick
    far = reference * (100 + terms.side.sign * band) / 100
    price = int(far // tick) * tick if terms.side is Side.BUY else -int(-far // tick) * tick
    kind = OrderType.SL if terms.type is OrderType.SL_M else OrderType.LIMIT
    return replace(terms, type=kind, price=max(price, tick), marks=(*terms.marks, "mktp", f"mktp:{band:.2f}"))


def _band(kind: Kind, price: int) -> Decimal:
    rows, widest = (_OPTION_BANDS, Decimal(1)) if kind is Kind.OPTION else (_OTHER_BANDS, Decimal("0.5"))
    return next((band for below, band in rows if price < below), widest)


def money(form: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    """Paise of a rupee field. Raises KiteError for what is no price."""
    given = form.get(name)
    if not given:
        if otherwise is not None:
            return otherwise
        raise KiteError(INPUT, f"Missing or empty field `{name}`.")
    paise = Decimal(given) * 100 if _NUMBER.fullmatch(given) else None
    if paise is None or paise != paise.to_integral_value():
        raise KiteError(INPUT, f"Invalid `{name}`.")
    return int(paise)


def whole(form: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    """A count. Raises KiteError."""
    given = form.get(name)
    if not given and otherwise is not None:
        return otherwise
    if not given or not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise KiteError(INPUT, f"Invalid `{name}`.")
    return int(given)


def _one_of(form: Mapping[str, str], name: str, known: list[str]) -> str:
    value = form.get(name, "")
    if value not in known:
        raise KiteError(INPUT, f"Invalid `{name}`.")
    return value
