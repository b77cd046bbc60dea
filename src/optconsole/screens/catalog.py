"""The screens by name; each is imported when it is first shown."""

from __future__ import annotations

from collections.abc import Callable

from optconsole.screens.base import ConsoleScreen
from optconsole.screens.deck import Deck


def screen_maker(name: str, deck: Deck) -> Callable[[], ConsoleScreen]:
    """What makes the screen of this name."""

    def make() -> ConsoleScreen:
        match name:
            case "positions":
                from optconsole.screens.positions import PositionsScreen

                return PositionsScreen(deck)
            case "chain":
                from optconsole.screens.chain import ChainScreen

                return ChainScreen(deck)
            case "orders":
                from optconsole.screens.orders import OrdersScreen

                return OrdersScreen(deck)
            case "baskets":
                from optconsole.screens.baskets import BasketsScreen

                return BasketsScreen(deck)
            case "today":
                from optconsole.screens.today import TodayScreen

                return TodayScreen(deck)
            case "risk":
                from optconsole.screens.risk import RiskScreen

                return RiskScreen(deck)
            case "journal":
                from optconsole.screens.journal import JournalScreen

                return JournalScreen(deck)
            case _:
                from optconsole.screens.health import HealthScreen

                return HealthScreen(deck)

    return make
