"""Facts that tell somebody something: notices, letters that could not be read, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from optconsole.engine import events as ev
from optconsole.engine.events import Recorded
from optconsole.engine.folds.transitions import IllegalTransition
from optconsole.engine.model.book import Letter, Notice, TradingState

NOTICES_KEPT: Final = 200


def _notice_raised(state: TradingState, fact: Recorded, event: ev.NoticeRaised) -> None:
    notice = Notice(
        seq=fact.seq, level=event.level, code=event.code, text=event.text, subject=event.subject, at=fact.at
    )
    state.notices = (*state.notices, notice)[-NOTICES_KEPT:]


def _notice_acknowledged(state: TradingState, _fact: Recorded, event: ev.NoticeAcknowledged) -> None:
    state.acknowledged = max(state.acknowledged, event.upto)


def _input_set_aside(state: TradingState, fact: Recorded, event: ev.InputSetAside) -> None:
    known = state.letters.get(event.letter_id)
    state.letters[event.letter_id] = Letter(
        id=event.letter_id,
        account=event.account,
        kind=event.kind,
        row=event.row,
        why=event.why,
        at=fact.at,
        tries=1 if known is None else known.tries + 1,
    )


def _letter_gone(state: TradingState, _fact: Recorded, event: ev.InputReplayed | ev.InputDropped) -> None:
    if state.letters.pop(event.letter_id, None) is None:
        raise IllegalTransition(f"no letter is called {event.letter_id}")


def _for_the_record(_state: TradingState, _fact: Recorded, _event: ev.CommandRefused | ev.CommandNoted) -> None:
    """Kept for the journal; it changes nothing."""


FOLDS: Final[dict[type[ev.Event], Callable[[TradingState, Recorded, Any], None]]] = {
    ev.NoticeRaised: _notice_raised,
    ev.NoticeAcknowledged: _notice_acknowledged,
    ev.InputSetAside: _input_set_aside,
    ev.InputReplayed: _letter_gone,
    ev.InputDropped: _letter_gone,
    ev.CommandRefused: _for_the_record,
    ev.CommandNoted: _for_the_record,
}
