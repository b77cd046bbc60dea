"""Dead letters: what a broker said that could not be taken into the book, kept until somebody looks at it.

A letter holds a row of a broker and nothing else; the types leave no way to put a command into one, so replaying
letters can never send an order.
"""

from __future__ import annotations

from typing import Final

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.commands import DropLetter, ReplayLetter, Reply
from optconsole.engine.model.book import Letter, TradingState
from optconsole.engine.model.errors import Refusal
from optconsole.engine.ports import BrokerOrder, BrokerTrade, BrokerUpdate, Settlement
from optconsole.engine.trading.decision import Decision, HearAgain

KINDS: Final[dict[str, type[BrokerUpdate]]] = {
    "order": BrokerOrder,
    "trade": BrokerTrade,
    "settlement": Settlement,
}


EVIDENCE: Final = "evidence"
"""The kind of a letter that holds what an adapter could not read at all."""


def set_aside(state: TradingState, update: BrokerUpdate, why: str, letter_id: str = "") -> Decision:
    """Keep a row that failed. ``letter_id`` is given for one that failed again."""
    kind = next(kind for kind, shape in KINDS.items() if isinstance(update, shape))
    decision = Decision("engine", "dead letter")
    decision.facts.append(
        ev.InputSetAside(
            letter_id=letter_id or f"L{state.seq + 1}",
            account=update.account,
            kind=kind,
            row=msgspec.json.encode(update).decode(),
            why=why,
        )
    )
    return decision


def replay(state: TradingState, command: ReplayLetter) -> Decision:
    """Have a letter's row heard again. Raises Refusal."""
    letter = _letter(state, command.letter_id)
    decision = Decision(command.actor, command.id)
    decision.effects.append(HearAgain(letter.account, opened(letter), letter.id))
    decision.reply = Reply(ok=True, code="REPLAYED", text=f"{letter.id} is heard again.", ids=(letter.id,))
    return decision


def drop(state: TradingState, command: DropLetter) -> Decision:
    """Put a letter away for good; the journal keeps it. Raises Refusal."""
    letter = _letter(state, command.letter_id)
    decision = Decision(command.actor, command.id)
    decision.facts.append(ev.InputDropped(letter_id=letter.id))
    decision.reply = Reply(ok=True, text=f"{letter.id} is put away; the journal keeps it.", ids=(letter.id,))
    return decision


def opened(letter: Letter) -> BrokerUpdate:
    """The row in a letter. Raises Refusal(LETTER_UNREADABLE | NOT_A_ROW)."""
    if letter.kind == EVIDENCE:
        raise Refusal("NOT_A_ROW", f"{letter.id} is evidence, not a row of a book: report it, then put it away.")
    try:
        return msgspec.json.decode(letter.row, type=KINDS[letter.kind])
    except (KeyError, msgspec.DecodeError) as error:
        raise Refusal("LETTER_UNREADABLE", f"{letter.id} cannot be read ({error}); put it away.") from error


def _letter(state: TradingState, letter_id: str) -> Letter:
    letter = state.letters.get(letter_id)
    if letter is None:
        known = ", ".join(state.letters) or "none"
        raise Refusal("NO_SUCH_LETTER", f"No dead letter is called {letter_id!r}; there are: {known}.")
    return letter
