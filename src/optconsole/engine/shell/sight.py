"""What can be known of this instant: prices and their age, brokers, the clock, what forbids new risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from optconsole.engine.market.board import QuoteBoard
from optconsole.engine.market.daytime import phase_within
from optconsole.engine.market.margins import MarginSight
from optconsole.engine.market.master import InstrumentMaster
from optconsole.engine.market.references import reference
from optconsole.engine.market.sensitivities import SensitivitySight
from optconsole.engine.market.sight import QuoteSight
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.health import WELL, AccountHealth, BookSeen
from optconsole.engine.model.vitals import MarketPhase
from optconsole.engine.observe.meters import Meters
from optconsole.engine.queries import Check
from optconsole.engine.requests import Requests, Urgency
from optconsole.engine.rules.limits import FundsSeen, order_limits
from optconsole.engine.rules.pretrade import REFUSE, Situation
from optconsole.engine.shell.pacing import INTERVAL, STALLED
from optconsole.engine.watching import BookWatch
from optconsole.engine.world import World


class Sight:
    """Looks at the world for the rules. ``kill_stops`` are those of a kill that is not stored yet."""

    def __init__(
        self,
        world: World,
        board: QuoteBoard,
        meters: Meters,
        watches: Mapping[str, BookWatch],
        requests: Requests,
        book: Callable[[], TradingState],
        kill_stops: Callable[[], tuple[Check, ...]],
        master: Callable[[], InstrumentMaster],
    ) -> None:
        self._world = world
        self._board = board
        self._meters = meters
        self._watches = watches
        self._requests = requests
        self._book = book
        self._kill_stops = kill_stops
        self.books: Mapping[str, BookSeen] = {}
        """What each account's book said of positions when it was last heard; whoever hears them sets it."""
        self._quotes = QuoteSight(world.clock, board, world.vouched)
        self._sensitivities = SensitivitySight(world.clock, board.get, master)
        self._margins = MarginSight(world.clock, board.get, master)

    def situation(self) -> Situation:
        """What the rules may know of this instant."""
        clock = self._world.clock
        earliest, latest = clock.bounds()
        phase, ends, clock_off = phase_within(self._world.calendar, earliest, latest)
        stops = self.stops()
        return Situation(
            now=clock.now(),
            phase=phase,
            quote=self._board.get,
            limits=order_limits(self._book(), self._world.limits),
            health=self.health,
            age=self._quote_age,
            patience=self._world.patience(),
            queued=self.entry_wait(),
            guard_only=self._world.guard_only,
            stops=stops if clock_off is None else (clock_off, *stops),
            tick=clock.monotonic(),
            closes=ends if phase is MarketPhase.OPEN else None,
            funds=self.funds,
            watched_for=self._quotes.watched_for(),
            book=self._book_seen,
            elapsed=clock.since,
            earliest=earliest,
            margin=self._margins.margin,
            reference_of=self.reference,
            known=self._sensitivities.of,
        )

    def reference(self, name: str) -> int | None:
        """Paise that the exchange's price band of a contract is measured from."""
        return reference(name, self._world.clock.now(), self._board.traded, self._board.get)

    def look(self) -> None:
        """Take note of the time, so that a machine that stood still is told from a market that did."""
        phase, _ = self._world.calendar.phase(self._world.clock.now())
        self._quotes.look(phase is MarketPhase.OPEN, self._held())

    def _held(self) -> bool:
        playback = self._world.playback
        return playback is not None and playback.paused

    def entry_wait(self) -> float:
        """Seconds an order that adds risk would wait for its turn to leave."""
        return self._requests.delay(Urgency.ENTRY)

    def stops(self) -> tuple[Check, ...]:
        """What forbids new risk besides the book itself."""
        return (*self._kill_stops(), *self._stalled(), *self._world.entry_stops())

    def _stalled(self) -> Iterator[Check]:
        """A decision in the very turn in which the loop stood still: the watch over time has not looked yet."""
        beat = self._meters.beat
        late = 0.0 if beat is None else self._world.clock.monotonic() - beat - INTERVAL
        if late > STALLED:
            text = f"The engine stood still for {late:.1f} s; entries wait until the brokers' books were read again."
            yield Check(code="LOOP_STALLED", severity=REFUSE, text=text)

    def health(self, account: str) -> AccountHealth:
        """How well an account's broker can be reached now."""
        watch = self._watches.get(account)
        return WELL if watch is None else watch.health()

    def funds(self, account: str) -> FundsSeen | None:
        """What the account's broker last said of its money; None before it said anything."""
        watch = self._watches.get(account)
        return None if watch is None else watch.funds

    @property
    def priced(self) -> bool:
        """Whether any price is known."""
        return self._meters.last_quote is not None

    def feed_age(self) -> float | None:
        """Machine seconds since the last quote of anything; None before the first."""
        last = self._meters.last_quote
        return None if last is None else self._world.clock.monotonic() - last

    def _book_seen(self, account: str) -> BookSeen | None:
        """None where the exchange is our own, which tells at once."""
        broker = self._world.brokers.get(account)
        return None if broker is None or broker.book_is_proof else self.books.get(account)

    def _quote_age(self, name: str) -> float | None:
        if self._board.get(name) is None:
            return None
        return 0.0 if self._held() else self._quotes.age(name, self.feed_age())
