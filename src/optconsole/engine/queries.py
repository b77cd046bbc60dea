"""Questions that change nothing, and their answers. Everything a screen or a script may read beyond the facts."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from optconsole.engine.events import Recorded
from optconsole.engine.model.adjustments import AnyAdjust, Move
from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.instruments import Instrument
from optconsole.engine.model.limits import Level, LimitAction, LimitKind, ScopeState, Standing, Unit
from optconsole.engine.model.orders import OrderTerms
from optconsole.engine.model.plugins import PluginCard
from optconsole.engine.model.previews import Ledger, MarginView, PayoffPicture, RateForecast, StrategyView
from optconsole.engine.model.quotes import Depth, Quote
from optconsole.engine.model.vitals import Vitals


class Query(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all questions."""


class FindInstruments(Query, frozen=True, kw_only=True):
    """Listed contracts. Filters combine; ``text`` matches words of the name. Answered by InstrumentList."""

    underlying: str | None = None
    expiry: date | None = None
    text: str | None = None
    limit: int = 10_000


class ListUnderlyings(Query, frozen=True, kw_only=True):
    """What can be traded and until when. Answered by UnderlyingList."""


class GetQuotes(Query, frozen=True, kw_only=True):
    """Latest quotes by contract name; a name without a quote is left out. Answered by QuoteList."""

    names: tuple[str, ...]


class GetDepth(Query, frozen=True, kw_only=True):
    """Five levels of one contract. Answered by DepthAnswer."""

    name: str


class ReadJournal(Query, frozen=True, kw_only=True):
    """A page of the journal in order, answered by JournalPage.

    ``stream`` and ``text`` filter; ``last`` counts from the end.
    """

    after: int = 0
    limit: int = 500
    stream: str | None = None
    text: str | None = None
    last: bool = False


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The number and chain hash of a fact as somebody noted them elsewhere, out of reach of who changes the store."""

    seq: int
    hash: str


class VerifyJournal(Query, frozen=True, kw_only=True):
    """Check the hash chain, that it leads through ``anchors``, and that replay equals the live state.

    Answered by JournalVerdict.
    """

    anchors: tuple[Anchor, ...] = ()


class BackupJournal(Query, frozen=True, kw_only=True):
    """Copy the journal to a new file on the engine's machine. Answered by JournalCopied."""

    target: str


class GetVitals(Query, frozen=True, kw_only=True):
    """The engine's health. Answered by Vitals."""


class GetFunds(Query, frozen=True, kw_only=True):
    """The broker's word on money. Answered by FundsAnswer."""

    account: str


class PreviewOrder(Query, frozen=True, kw_only=True):
    """Everything that would be checked if the order were placed now. Answered by OrderPreview.

    ``replacing`` is the working order that the terms are a change of; margin then stays unknown.
    """

    terms: OrderTerms
    replacing: str = ""


class GetRisk(Query, frozen=True, kw_only=True):
    """Every limit with how much of it is used, and every trading state. Answered by RiskAnswer."""


class PreviewBasket(Query, frozen=True, kw_only=True):
    """What a basket would do if it entered now. Answered by BasketPreview.

    It is the saved one of that ``name``, or ``written`` where that is given; ``strategy`` looks at one of it alone.
    """

    name: str = ""
    written: Basket | None = None
    strategy: str = ""


class PreviewRun(Query, frozen=True, kw_only=True):
    """What a run under way may still make and lose. Answered by RunOutlook."""

    run_id: str


class ListStrategies(Query, frozen=True, kw_only=True):
    """All registered strategies with their parameters, for a form."""


class PreviewAdjustment(Query, frozen=True, kw_only=True):
    """What a change of a run's legs would do if it were made now. Answered by AdjustmentPreview."""

    run_id: str
    how: AnyAdjust


AnyQuery = (
    FindInstruments
    | ListUnderlyings
    | GetQuotes
    | GetDepth
    | ReadJournal
    | VerifyJournal
    | BackupJournal
    | GetVitals
    | GetFunds
    | PreviewOrder
    | GetRisk
    | PreviewBasket
    | PreviewRun
    | ListStrategies
    | PreviewAdjustment
)


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all answers."""


class InstrumentList(Answer, frozen=True, kw_only=True):
    """Contracts by underlying, expiry, strike, call before put."""

    instruments: tuple[Instrument, ...]


class Underlying(msgspec.Struct, frozen=True, kw_only=True):
    """A tradable index: its spot's contract name, its expiries nearest first, and whether each ends its month."""

    name: str
    exchange: str
    expiries: tuple[date, ...]
    monthly: tuple[bool, ...]


class UnderlyingList(Answer, frozen=True, kw_only=True):
    """Underlyings in the order of the trader's interest."""

    underlyings: tuple[Underlying, ...]


class QuoteList(Answer, frozen=True, kw_only=True):
    """Quotes in the order asked."""

    quotes: tuple[Quote, ...]


class DepthAnswer(Answer, frozen=True, kw_only=True):
    """None where the source has no book for the contract."""

    depth: Depth | None


class JournalPage(Answer, frozen=True, kw_only=True):
    """Facts in order; ``head`` is the newest sequence number of the whole journal."""

    facts: tuple[Recorded, ...]
    head: int


class JournalVerdict(Answer, frozen=True, kw_only=True):
    """Result of a verification. ``first_bad`` names the first broken sequence number."""

    ok: bool
    events: int
    head_hash: str
    first_bad: int | None
    text: str


class JournalCopied(Answer, frozen=True, kw_only=True):
    """A copy that was read back: its file, its facts, the chain hash of the newest."""

    file: str
    events: int
    head_hash: str


class VitalsAnswer(Answer, frozen=True, kw_only=True):
    """Wraps Vitals."""

    vitals: Vitals


class FundsAnswer(Answer, frozen=True, kw_only=True):
    """Paise; None where the broker did not say."""

    account: str
    cash: int | None
    margin_used: int | None
    free: int | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One pre-trade rule and its verdict in words. ``severity`` is ok, warn or refuse."""

    code: str
    severity: str
    text: str


class OrderPreview(Answer, frozen=True, kw_only=True):
    """What would happen to an order. Amounts in paise; None is unknown.

    ``max_loss`` None with ``unlimited`` True means that no number bounds it.
    """

    ok: bool
    checks: tuple[Check, ...]
    protection: int | None
    margin: int | None
    free_after: int | None
    charges: int | None
    band_low: int | None
    band_high: int | None
    orders: int
    max_loss: int | None
    unlimited: bool


class AdjustmentPreview(Answer, frozen=True, kw_only=True):
    """The moves of a change in their order, and what it makes of the run. Money in paise; None is unknown.

    ``premium`` is what the moves bring in. A worst case of None with its ``unlimited`` True has no bound; deltas are
    units of the underlying. ``checks`` are obstacles for what is opened, each naming its leg.
    """

    run_id: str
    text: str
    moves: tuple[Move, ...]
    premium: int | None
    margin_before: int | None = None
    margin_after: int | None = None
    max_loss_before: int | None
    max_loss_after: int | None
    unlimited_before: bool
    unlimited_after: bool
    delta_before: float | None
    delta_after: float | None
    checks: tuple[Check, ...] = ()


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit as it stands. ``value``, ``second`` and ``used`` are in ``unit``.

    ``used`` and ``percent`` of the limit are None while unknown, for want of ``missing``, and for limits that judge
    only orders as they come. ``state`` is the trading state of the level and name.
    """

    level: Level
    name: str
    kind: LimitKind
    unit: Unit
    value: int
    second: int | None
    used: int | None
    percent: float | None
    state: Standing
    action: LimitAction
    until: int | None
    warned: int
    broken: bool
    missing: str


class RiskAnswer(Answer, frozen=True, kw_only=True):
    """Limits from the narrowest level to the widest, and the states that are not plain ACTIVE."""

    limits: tuple[LimitRow, ...]
    states: tuple[ScopeState, ...]


class BasketPreview(Answer, frozen=True, kw_only=True):
    """A basket entered ``at`` this instant: its strategies, the margin of each account, the day's order rate."""

    at: datetime
    basket: str
    strategies: tuple[StrategyView, ...]
    margins: tuple[MarginView, ...]
    rate: RateForecast


class RunOutlook(Answer, frozen=True, kw_only=True):
    """A run ``at`` this instant. ``picture`` is of what it holds, None while it holds nothing or has no price."""

    at: datetime
    run_id: str
    picture: PayoffPicture | None
    worst: Ledger


class Refused(Answer, frozen=True, kw_only=True):
    """The question cannot be answered, and why."""

    code: str
    text: str


class StrategyList(Answer, frozen=True, kw_only=True):
    """The registered strategies, also those that cannot be used and why."""

    cards: tuple[PluginCard, ...]


AnyAnswer = (
    InstrumentList
    | UnderlyingList
    | QuoteList
    | DepthAnswer
    | JournalPage
    | JournalVerdict
    | JournalCopied
    | VitalsAnswer
    | FundsAnswer
    | OrderPreview
    | RiskAnswer
    | BasketPreview
    | RunOutlook
    | StrategyList
    | AdjustmentPreview
    | Refused
)
