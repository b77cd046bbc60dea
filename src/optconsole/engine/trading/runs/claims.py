"""What else closes what a leg holds, or is about to: the kill switch, a guard, a limit, or a hand."""

from __future__ import annotations

from optconsole.engine.model.book import Flattening
from optconsole.engine.model.exit_codes import ExitCode
from optconsole.engine.model.runs import LegRun, Run
from optconsole.engine.rules.protection import STOP
from optconsole.engine.trading.portions import belongs
from optconsole.engine.trading.precedence import KILL_WHY
from optconsole.engine.trading.runs.scene import RunScene
from optconsole.engine.trading.scopes import in_scope, scope_of


def taken_over(scene: RunScene, run: Run, leg: LegRun) -> Flattening | None:
    """A wish, of this run or not, that closes all that an open leg holds."""
    source = run.source(leg.id)
    for wish in scene.state.flattening.values():
        everything = wish.whole and in_scope(scope_of(wish), leg.account, leg.contract, run.strategy.product)
        if everything or (wish.source and not wish.parted and belongs(wish.source, source)):
            return wish
    return None


def by_wish(leg: LegRun, wish: Flattening) -> tuple[str, str]:
    """Why a leg goes that the run did not leave itself: its guard, the kill switch, a limit, or somebody's hand."""
    if wish.why == KILL_WHY:
        return ExitCode.KILL, "The kill switch closed it."
    if wish.why == STOP:
        return (leg.levels.leg.code if leg.levels else ExitCode.LEG_SL), "The guard of its stop closed it."
    if wish.id.startswith("limit:"):
        wide = wish.id.startswith(("limit:account", "limit:global"))
        return (ExitCode.ACCOUNT_LIMIT if wide else ExitCode.BASKET_LIMIT), "A limit closed it."
    return ExitCode.MANUAL, "It was closed by hand."
