from __future__ import annotations

import msgspec
import pytest

from optconsole.engine import commands as cmd
from optconsole.engine import events as ev
from optconsole.engine.commands import DropLetter, ReplayLetter
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.orders import Product, Side
from optconsole.engine.ports import BrokerTrade
from optconsole.engine.trading import letters
from optconsole.engine.trading.decision import HearAgain
from tests.engine.facts import CALL, START, Story

TRADE = BrokerTrade(
    trade_id="T1",
    broker_id="B1",
    tag="",
    account="paper",
    contract=CALL,
    product=Product.NRML,
    side=Side.SELL,
    qty=65,
    price=10_000,
    at=START,
)


def kept(times: int = 1) -> Story:
    story = Story()
    for _ in range(times):
        story.tell(*letters.set_aside(story.state, TRADE, "incident 1", next(iter(story.state.letters), "")).facts)
    return story


def test_a_row_is_kept_whole_and_counts_how_often_it_failed() -> None:
    (letter,) = kept(times=3).state.letters.values()
    assert letter.tries == 3
    assert letters.opened(letter) == TRADE


def test_replaying_hears_the_same_row_again() -> None:
    story = kept()
    (name,) = story.state.letters
    decision = letters.replay(story.state, ReplayLetter(id="c", actor="key:r", letter_id=name))
    assert decision.effects == [HearAgain("paper", TRADE, name)]


def test_a_letter_put_away_is_gone_and_an_unknown_one_is_named() -> None:
    story = kept()
    (name,) = story.state.letters
    story.tell(*letters.drop(story.state, DropLetter(id="c", actor="key:d", letter_id=name)).facts)
    assert story.state.letters == {}
    with pytest.raises(Refusal) as unknown:
        letters.replay(story.state, ReplayLetter(id="d", actor="key:r", letter_id=name))
    assert unknown.value.code == "NO_SUCH_LETTER"


@pytest.mark.parametrize("kind", [kind.__name__ for kind in cmd.Command.__subclasses__()])
def test_no_command_can_be_kept_in_a_letter(kind: str) -> None:
    assert kind not in letters.KINDS
    story = kept()
    (letter,) = story.state.letters.values()
    forged = msgspec.structs.replace(letter, kind=kind, row=f'{{"type": "{kind}", "id": "c", "actor": "x"}}')
    with pytest.raises(Refusal) as refused:
        letters.opened(forged)
    assert refused.value.code == "LETTER_UNREADABLE"


def test_a_row_that_is_no_row_any_more_says_so() -> None:
    story = Story()
    story.tell(ev.InputSetAside(letter_id="L1", account="paper", kind="trade", row="{}", why="x"))
    with pytest.raises(Refusal) as refused:
        letters.replay(story.state, ReplayLetter(id="c", actor="key:r", letter_id="L1"))
    assert refused.value.code == "LETTER_UNREADABLE"
