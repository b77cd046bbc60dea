"""The market's dated facts as the plain functions that the engine and the paper broker take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from optconsole.brokers.paper.rules import Exposure, Hours, PaperRules, QuoteOf
from optconsole.engine.market.calendar import Calendar
from optconsole.engine.market.tariffs import band_on, margin_params_on, rates_on
from optconsole.engine.model.instruments import Instrument, contract_name
from optconsole.engine.model.orders import Side
from optconsole.engine.pricing.charges import ChargeRates, bill, exercise_bill
from optconsole.engine.pricing.margin import MarginLeg, portfolio_margin
from optconsole.engine.rules.bands import price_band


@lru_cache(maxsize=256)
def _rates(day: date, instrument: Instrument) -> ChargeRates:
    return rates_on(day, instrument.exchange, instrument.kind, instrument.underlying)


def order_charges(day: date, instrument: Instrument, side: Side, value: int) -> int:
    """Paise of all charges of one executed order whose fills are worth ``value`` paise."""
    return bill(_rates(day, instrument), side, value).paise


def exercise_charges(day: date, instrument: Instrument, value: int) -> int:
    """Paise of tax on an exercised long option of ``value`` paise intrinsic."""
    return exercise_bill(_rates(day, instrument), value).paise


def margin(exposures: Sequence[Exposure], quote_of: QuoteOf, now: datetime) -> int:
    """Paise the exposures tie up together; forwards are the futures' marks where they trade, else the spot."""
    legs = [MarginLeg(instrument=held.instrument, qty=held.qty, price=held.price) for held in exposures if held.qty]
    spots: dict[str, int] = {}
    forwards: dict[str | tuple[str, date], int] = {}
    for held in exposures:
        contract = held.instrument
        spot = quote_of(contract.underlying)
        if spot is not None and spot.mark is not None:
            spots[contract.underlying] = spot.mark
        if contract.expiry is not None:
            future = quote_of(contract_name(contract.underlying, contract.expiry))
            if future is not None and future.mark is not None:
                forwards[(contract.underlying, contract.expiry)] = future.mark
    return portfolio_margin(legs, forwards, spots, now, margin_params_on(now.date())).total


def paper_rules(calendar: Calendar) -> PaperRules:
    """The rules the embedded exchange goes by."""

    def hours(exchange: str, day: date) -> Hours | None:
        session = calendar.session(day, exchange)
        return None if session is None else (session.opens, session.closes)

    def band(day: date, instrument: Instrument, reference: int) -> tuple[int, int]:
        return price_band(instrument, reference, band_on(day, instrument.exchange, instrument.kind))

    return PaperRules(hours=hours, band=band, charges=order_charges, exercise=exercise_charges, margin=margin)
